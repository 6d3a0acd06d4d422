"""Whole numbers that depend on letters: what the formulas compute with where a size is a letter.

A quantity is a sum of products of atoms with integer coefficients. An atom is a letter, a
quotient rounded down, or the least or greatest of several quantities. Quantities answer to
the operators of integers, so that layers derive them with the same formulas; a result
without letters is an ``int`` again. What an operator cannot express raises an error, and
never becomes the number for one size.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import Union

from calculator.errors import ShapeError
from calculator.symbolic.atoms import Atom, Letter, OverlongError

MOST_TERMS = 100  # of one sum
LARGEST_COEFFICIENT = 10**80

Number = Union[int, "Quantity"]
Product = tuple[tuple[Atom, int], ...]  # atoms in their order, with exponents of at least 1
Terms = dict[Product, int]


class UndecidedError(ShapeError):
    """A question about sizes has different answers for different sizes."""


class Quantity:
    """A sum of products; never a plain integer. :func:`collect` makes it.

    Args:
        terms: the coefficient of every product; () is the product of nothing, 1.
    """

    __slots__ = ("hash", "terms")

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.hash = hash(frozenset(terms.items()))

    @property
    def key(self) -> str:
        """The terms as text, in an order that depends on nothing else."""
        parts = ("*".join([str(c), *(f"{a.key}^{n}" for a, n in p)]) for p, c in self.terms.items())
        return " + ".join(sorted(parts))

    @property
    def rank(self) -> int:
        """The place of the first letter."""
        return min(atom.order[0] for product in self.terms for atom, _ in product)

    @property
    def constant(self) -> int:
        """The term without letters."""
        return self.terms.get((), 0)

    @property
    def lead(self) -> int:
        """The coefficient of the product that is written first."""
        return self.terms[min(self.terms, key=to_order)]

    def list_atoms(self) -> tuple[Atom, ...]:
        """Return the atoms of the products, each once, in their order."""
        atoms = {atom for product in self.terms for atom, _ in product}
        return tuple(sorted(atoms, key=lambda atom: atom.order))

    def list_letters(self) -> tuple[Letter, ...]:
        """Return the letters, also those inside quotients and choices."""
        found = {letter.name: letter for letter in walk_letters(self)}
        return tuple(sorted(found.values(), key=lambda letter: letter.order))

    def evaluate(self, values: Mapping[str, int]) -> int:
        """Return the integer for these values of the letters."""
        return sum(
            coefficient * prod(atom.evaluate(values) ** power for atom, power in product)
            for product, coefficient in self.terms.items()
        )

    def choose(self, which: str, numbers: Sequence[Number]) -> Number:
        """Return the least or greatest of several numbers, of which this is one."""
        from calculator.symbolic.bounds import choose  # noqa: PLC0415 - made of quantities

        return choose(which, numbers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.terms == other.terms

    def __hash__(self) -> int:
        return self.hash

    def __bool__(self) -> bool:
        # what is zero at every size is the integer 0
        return True

    def __index__(self) -> int:
        message = f"{self} stands where one number must; give numbers instead of letters"
        raise UndecidedError(message)

    def __add__(self, other: Number) -> Number:
        terms = dict(self.terms)
        for product, coefficient in to_terms(other).items():
            terms[product] = terms.get(product, 0) + coefficient
        return collect(terms)

    def __mul__(self, other: Number) -> Number:
        terms: Terms = {}
        for product, coefficient in self.terms.items():
            for more, times in to_terms(other).items():
                both = multiply(product, more)
                terms[both] = terms.get(both, 0) + coefficient * times
        return collect(terms)

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Number:
        return self * -1

    def __sub__(self, other: Number) -> Number:
        return self + -1 * other

    def __rsub__(self, other: Number) -> Number:
        return -1 * self + other

    def __floordiv__(self, other: Number) -> Number:
        from calculator.symbolic.quotients import divide  # noqa: PLC0415 - made of quantities

        return divide(self, other)

    def __rfloordiv__(self, other: int) -> Number:
        message = f"{other} is divided by {self}, which has no expression; give numbers"
        raise UndecidedError(message)

    def __mod__(self, other: Number) -> Number:
        return self - self // other * other

    __rmod__ = __rfloordiv__

    def __lt__(self, other: Number) -> bool:
        from calculator.symbolic.bounds import is_less  # noqa: PLC0415 - made of quantities

        return is_less(self, other)

    def __gt__(self, other: Number) -> bool:
        from calculator.symbolic.bounds import is_less  # noqa: PLC0415 - made of quantities

        return is_less(other, self)

    def __le__(self, other: Number) -> bool:
        return not self > other

    def __ge__(self, other: Number) -> bool:
        return not self < other

    def __str__(self) -> str:
        from calculator.symbolic.notation import Notation  # noqa: PLC0415 - made of quantities

        return Notation().write_factor(self)

    def __format__(self, form: str) -> str:
        return str(self)


def walk_letters(number: Number) -> Iterator[Letter]:
    """Yield every letter of a quantity, however deep."""
    for atom in number.list_atoms() if isinstance(number, Quantity) else ():
        if isinstance(atom, Letter):
            yield atom
        for part in atom.list_parts():
            yield from walk_letters(part)


def collect(terms: Terms) -> Number:
    """Return terms as a quantity, or as an integer where no letter is left.

    Raises:
        OverlongError: there are too many terms, or too large ones.
    """
    kept = {product: coefficient for product, coefficient in terms.items() if coefficient}
    if not kept or (len(kept) == 1 and () in kept):
        return kept.get((), 0)
    if len(kept) > MOST_TERMS:
        what = f"more than {MOST_TERMS} terms"
        raise OverlongError(what)
    if max(map(abs, kept.values())) > LARGEST_COEFFICIENT:
        what = "a factor of more than 80 digits"
        raise OverlongError(what)
    return Quantity(kept)


def to_terms(number: Number) -> Terms:
    """Return a number's terms."""
    return number.terms if isinstance(number, Quantity) else {(): number}


def to_key(number: Number) -> str:
    """Return a number's text for comparing."""
    return number.key if isinstance(number, Quantity) else str(number)


def to_quantity(atom: Atom) -> Quantity:
    """Return an atom as a quantity."""
    return Quantity({((atom, 1),): 1})


def evaluate(number: Number, values: Mapping[str, int]) -> int:
    """Return the integer for these values of the letters."""
    return number.evaluate(values) if isinstance(number, Quantity) else number


def multiply(product: Product, more: Product) -> Product:
    """Return the product of two products."""
    if not product or not more:
        return product or more
    powers = dict(product)
    for atom, power in more:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(powers.items(), key=lambda item: item[0].order))


def find_common(products: Iterable[Product]) -> Product:
    """Return the product that divides all of at least one."""
    first, *others = (dict(product) for product in products)
    powers = {
        atom: min([power, *(other.get(atom, 0) for other in others)])
        for atom, power in first.items()
    }
    return tuple((atom, power) for atom, power in powers.items() if power)


def divide_product(product: Product, divisor: Product) -> Product:
    """Return a product without factors that it has."""
    powers = dict(product)
    for atom, power in divisor:
        powers[atom] -= power
    return multiply((), tuple((atom, power) for atom, power in powers.items() if power))


def to_order(product: Product) -> tuple[int, list[tuple[int, int, str]]]:
    """Return what sorts products: high powers first, then by their atoms."""
    return -sum(power for _, power in product), [atom.order for atom, _ in product]
