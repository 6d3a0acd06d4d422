"""Problems, before they are put into words: drawn numbers, right and wrong answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from calculator.arithmetic.expressions import Derivation, Expression
from calculator.teaching.language import Message

Item = TypeVar("Item")
WRONG_CHOICES = 3


class Draw:
    """Draws that a seed decides, alike on every version of Python.

    Args:
        seed: a non-negative integer.
    """

    def __init__(self, seed: int) -> None:
        from random import Random  # noqa: PLC0415 - only a quiz draws

        self.random = Random(seed)  # noqa: S311 - an exercise is no secret

    def choose_below(self, bound: int) -> int:
        """Return an integer from 0 to ``bound - 1``."""
        # random() is the one method whose sequence Python promises to keep
        return int(self.random.random() * bound)

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of the items."""
        return items[self.choose_below(len(items))]

    def shuffle(self, items: Sequence[Item]) -> list[Item]:
        """Return the items in another order."""
        rest = list(items)
        return [rest.pop(self.choose_below(len(rest))) for _ in items]


@dataclass(frozen=True)
class Option:
    """A right or wrong answer.

    Args:
        text: as it is shown.
        value: the integer; None for a word.
        working: how it was computed, or what it stands for.
        misconception: key of what leads here; None for the right one.
    """

    text: Message
    value: int | None
    working: str
    misconception: str | None = None


@dataclass(frozen=True)
class Problem:
    """An exercise that speaks no language yet.

    Args:
        kind: key of its question.
        settings: what the question's placeholders stand for.
        network: name or line that the calculator reads.
        right: the right answer.
        wrong: what the misconceptions answer; some may coincide.
        derivations: of the right answer.
        notes: lines that follow them; texts without placeholders.
        batch: N, at least 1.
    """

    kind: str
    settings: Mapping[str, object]
    network: str
    right: Option
    wrong: tuple[Option, ...]
    derivations: tuple[Derivation, ...] = ()
    notes: tuple[Message, ...] = ()
    batch: int = 1

    @property
    def identity(self) -> tuple[str, ...]:
        """Return what two problems share that ask the same."""
        return self.kind, self.network, *(f"{n}={v}" for n, v in self.settings.items())

    def list_distinct(self) -> list[Option]:
        """Return the wrong answers that differ from the right one and from each other."""
        distinct: dict[str, Option] = {}
        for option in self.wrong:
            plausible = option.value is None or option.value > 0
            if option.text != self.right.text and plausible:
                distinct.setdefault(option.text.en, option)
        return list(distinct.values())


Maker = Callable[[Draw], Problem | None]  # None: these draws make no problem


def to_message(text: str) -> Message:
    """Return what is the same in every language."""
    return Message(text, text)


def render_working(body: Expression, values: Mapping[str, int], *, result: int) -> str:
    """Return ``(5*5*3 + 1)*96 = 7,296``; only the result where there is no computation."""
    working = body.render(values)
    return f"{result:,}" if working.isdecimal() else f"{working} = {result:,}"


def count_option(
    value: int, working: str, *, square: bool = False, misconception: str | None = None
) -> Option:
    """Return a number as an answer, ``28x28`` where it is the side of a square."""
    text = f"{value}x{value}" if square else f"{value:,}"
    return Option(to_message(text), value, working, misconception)


def list_wrong(
    formulas: Mapping[str, Expression], values: Mapping[str, int], *, square: bool = False
) -> tuple[Option, ...]:
    """Compute what each misconception answers.

    Args:
        formulas: by the key of the misconception.
        values: of the names in the formulas.
        square: whether the answer is the side of a square.
    """
    options = []
    for key, body in formulas.items():
        try:
            value = body.evaluate(values)
        except ArithmeticError:  # such as padding 0 as a stride: nobody gets a number that way
            continue
        working = render_working(body, values, result=value)
        options.append(count_option(value, working, square=square, misconception=key))
    return tuple(options)
