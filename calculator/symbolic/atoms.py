"""What quantities are made of: letters, and what else has no simpler form."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from calculator.errors import ShapeError

if TYPE_CHECKING:
    from calculator.symbolic.quantities import Number

MOST_CHARACTERS = 1_000  # of an expression inside another

Order = tuple[int, int, str]


class OverlongError(ShapeError):
    """An expression is too long to be of use."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the expression has {what}; give some of the sizes as numbers")


class Atom(ABC):
    """A letter, a rounded quotient, or a choice; equal where the text is equal.

    Args:
        key: the text in full.
        order: where it stands in a product: place of its letter, denominator, text.
    """

    __slots__ = ("hash", "key", "order")

    def __init__(self, key: str, order: Order) -> None:
        if len(key) > MOST_CHARACTERS:
            what = f"parts of more than {MOST_CHARACTERS} characters"
            raise OverlongError(what)
        self.key = key
        self.order = order
        self.hash = hash(key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and self.key == other.key

    def __hash__(self) -> int:
        return self.hash

    @abstractmethod
    def evaluate(self, values: Mapping[str, int]) -> int:
        """Return the integer for these values of the letters."""

    def list_parts(self) -> "tuple[Number, ...]":
        """Return the quantities that it is made of."""
        return ()


class Letter(Atom):
    """A size or a batch that is not given as a number.

    Args:
        name: one capital letter.
        rank: place among the letters, from 0.
        least: its smallest value.
    """

    __slots__ = ("least", "name")

    def __init__(self, name: str, rank: int, *, least: int = 1) -> None:
        super().__init__(name, (rank, 0, name))
        self.name = name
        self.least = least

    def evaluate(self, values: Mapping[str, int]) -> int:
        """Look the letter up."""
        return values[self.name]
