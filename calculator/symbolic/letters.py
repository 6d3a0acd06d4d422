"""Shapes and batches with letters: ``3xHxW``, ``3xSxS``, ``3x4Hx4W``, ``N``."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from calculator.errors import CalculatorError
from calculator.symbolic.atoms import Letter
from calculator.symbolic.quantities import Number, evaluate, to_quantity

if TYPE_CHECKING:
    from calculator.layers.shapes import Shape

HEAD = re.compile(r"\s*([0-9A-Zx+\-]{1,60})\s*\|")  # the shape in front of a line of layers
CAPITAL = re.compile("[A-Z]")
SIDE = re.compile(r"([0-9]{0,9})([A-Z])(?:([+-])([0-9]{1,9}))?|([0-9]{1,9})")
LARGEST_BATCH = 1_000_000_000
LONGEST_SHAPE = 60  # characters
MOST_SIDES = 4


class Alphabet:
    """The letters of one question; a letter is one object, however often it is read."""

    def __init__(self) -> None:
        self.letters: dict[str, Letter] = {}

    def read(self, text: str) -> Number | None:
        """Read ``224``, ``H``, ``4H`` or ``4H+1``; None for anything else."""
        match = SIDE.fullmatch(text)
        if match is None:
            return None
        factor, name, sign, offset, number = match.groups()
        if number is not None:
            return int(number) or None
        times, added = int(factor or 1), int(f"{sign or ''}{offset or 0}")
        if times == 0:
            return None
        return times * to_quantity(self.take(name, least=-(-(1 - added) // times))) + added

    def take(self, name: str, *, least: int) -> Letter:
        """Return the letter of a name, the same each time, at least ``least`` and 1."""
        letter = self.letters.setdefault(name, Letter(name, len(self.letters)))
        letter.least = max(letter.least, least)
        return letter

    def restrict(self, leasts: Mapping[str, int]) -> None:
        """Let the letters be at least so much in all that is asked from now on."""
        for name, least in leasts.items():
            self.take(name, least=least)


def is_symbolic(network: str, input_text: str | None = None, batch_text: str = "1") -> bool:
    """Return whether a capital letter stands for a size or for the batch.

    Args:
        network: a name, a line of the grammar, or a file.
        input_text: such as ``3xHxW``.
        batch_text: such as ``N``.
    """
    return any(CAPITAL.search(text) for text in (find_head(network), input_text or "", batch_text))


def find_head(network: str) -> str:
    """Return the shape with letters that a line of layers begins with, or nothing."""
    match = HEAD.match(network)
    return match[1] if match and CAPITAL.search(match[1]) else ""


def read_sides(text: str, alphabet: Alphabet) -> "Shape":
    """Read a shape with letters.

    Args:
        text: channels, then one to three sizes, or one number of features.
        alphabet: takes note of the letters.

    Returns:
        Integers, and quantities in the place of the letters.

    Raises:
        CalculatorError: the text is no such shape.
    """
    pieces = text.split("x") if len(text) <= LONGEST_SHAPE else []
    sides = [alphabet.read(piece) for piece in pieces]
    if not 1 <= len(sides) <= MOST_SIDES or None in sides:
        message = (
            f"input {text!r:.80} must be channels x height x width such as 3xHxW (one to three "
            "sizes, or one number of features); a side is a number, a capital letter, a "
            "multiple of it such as 4H, or 4H+1"
        )
        raise CalculatorError(message)
    return cast("Shape", tuple(sides))


def read_batch(text: str, alphabet: Alphabet) -> int:
    """Read a batch: a number from 1 to a billion, or a capital letter.

    Raises:
        CalculatorError: the text is neither.
    """
    batch = alphabet.read(text) if text != str(LARGEST_BATCH) else LARGEST_BATCH
    if batch is None:
        message = (
            f"batch {text!r:.40} must be a number from 1 to {LARGEST_BATCH} or a capital letter "
            "such as N; give one of them"
        )
        raise CalculatorError(message)
    return cast("int", batch)


def settle_shape(shape: "Shape", values: Mapping[str, int]) -> "Shape":
    """Return a shape with numbers in the place of its letters."""
    return tuple(evaluate(side, values) for side in shape)
