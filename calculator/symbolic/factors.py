"""Polynomials in the sizes of a network: division by ``H - 4``, common factors, order."""

from collections.abc import Iterator, Mapping

from calculator.symbolic.atoms import Atom
from calculator.symbolic.quantities import (
    Number,
    Quantity,
    collect,
    divide_product,
    to_quantity,
    to_terms,
)


class Side(Atom):
    """A size ``a*X + b`` of the network as a factor of its own, only for writing.

    Args:
        atom: X.
        size: the whole.
    """

    __slots__ = ("atom", "size")

    def __init__(self, atom: Atom, size: Quantity) -> None:
        rank, depth, _ = atom.order
        super().__init__(f"({size.key})", (rank, depth, size.key))
        self.atom = atom
        self.size = size

    @property
    def times(self) -> int:
        """Return a."""
        return self.size.terms[((self.atom, 1),)]

    @property
    def offset(self) -> int:
        """Return b."""
        return self.size.constant

    def evaluate(self, values: Mapping[str, int]) -> int:
        """Return the size."""
        return self.size.evaluate(values)

    def list_parts(self) -> tuple[Number, ...]:
        """Return the size."""
        return (self.size,)


def to_side(size: Number) -> Side | None:
    """Return a size ``a*X + b`` with a of at least 1 as a factor, ``X + b/a`` where that is whole.

    None for any other size.
    """
    if isinstance(size, int):
        return None
    rest = [(product, c) for product, c in size.terms.items() if product]
    (product, times), *more = rest
    if more or times < 1 or len(product) > 1 or product[0][1] > 1:
        return None
    atom, offset = product[0][0], size.constant
    if offset % times == 0:
        times, offset = 1, offset // times
    return Side(atom, Quantity({((atom, 1),): times, (): offset}))


def expand_in(number: Number, side: Side) -> Number:
    """Return a number as a polynomial in one size, as far as whole coefficients go."""
    digits = list(divide_repeatedly(number, side))
    total: Number = 0
    for digit in reversed(digits):
        total = total * to_quantity(side) + digit
    return total


def divide_repeatedly(number: Number, side: Side) -> Iterator[Number]:
    """Yield the remainders of dividing by a size until nothing is left."""
    while number != 0:
        quotient, remainder = divide_by_side(number, side)
        yield remainder
        number = quotient


def divide_by_side(number: Number, side: Side) -> tuple[Number, Number]:
    """Return quotient and remainder of polynomials in a size's atom."""
    times = side.times
    quotient: Number = 0
    remainder: Number = 0
    rest = number
    while rest != 0:
        product = max(to_terms(rest), key=lambda product: dict(product).get(side.atom, 0))
        coefficient = to_terms(rest)[product]
        term = collect({product: coefficient})
        if dict(product).get(side.atom, 0) and coefficient % times == 0:
            lower = collect({divide_product(product, ((side.atom, 1),)): coefficient // times})
            quotient, rest = quotient + lower, rest - lower * side.size
        else:
            remainder, rest = remainder + term, rest - term
    return quotient, remainder
