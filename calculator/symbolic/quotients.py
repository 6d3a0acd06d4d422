"""Rounded quotients and choices, brought to one form.

The rules hold for all integers (Graham, Knuth and Patashnik 1994, "Concrete Mathematics",
sections 3.1 and 3.2)::

    floor((a*X + Y)/a) = X + floor(Y/a)
    floor((g*X + c)/(g*b)) = floor((X + floor(c/g))/b)
    floor((floor(Y/b) + X)/a) = floor((Y + b*X)/(a*b))
    floor(-Y/a) = -floor((Y + a - 1)/a)
    floor(min(X, Y)/a) = min(floor(X/a), floor(Y/a))

``ceil(Y/a)`` reaches them as ``-floor(-Y/a)``.
"""

from collections.abc import Mapping, Sequence
from math import gcd

from calculator.symbolic.atoms import Atom
from calculator.symbolic.quantities import (
    Number,
    Quantity,
    Terms,
    UndecidedError,
    collect,
    evaluate,
    to_key,
    to_quantity,
    to_terms,
)


class Quotient(Atom):
    """``floor(top/bottom)``.

    Args:
        top: a quantity in reduced form; :func:`divide` makes it.
        bottom: at least 2.
    """

    __slots__ = ("bottom", "top")

    def __init__(self, top: Quantity, bottom: int) -> None:
        super().__init__(f"floor(({top.key})/{bottom})", (top.rank, bottom, top.key))
        self.top = top
        self.bottom = bottom

    def evaluate(self, values: Mapping[str, int]) -> int:
        """Return the quotient, rounded down."""
        return self.top.evaluate(values) // self.bottom

    def list_parts(self) -> tuple[Number, ...]:
        """Return the numerator."""
        return (self.top,)


class Choice(Atom):
    """The least or the greatest of quantities of which none is it at every size.

    Args:
        which: ``min`` or ``max``.
        choices: at least two.
    """

    __slots__ = ("choices", "which")

    def __init__(self, which: str, choices: Sequence[Number]) -> None:
        keys = ", ".join(map(to_key, choices))
        rank = min(choice.rank for choice in choices if isinstance(choice, Quantity))
        super().__init__(f"{which}({keys})", (rank, 0, keys))
        self.which = which
        self.choices = tuple(choices)

    def evaluate(self, values: Mapping[str, int]) -> int:
        """Return the least or the greatest for these values."""
        numbers = [evaluate(choice, values) for choice in self.choices]
        return min(numbers) if self.which == "min" else max(numbers)

    def list_parts(self) -> tuple[Number, ...]:
        """Return what is chosen from."""
        return self.choices


def divide(top: Number, bottom: Number) -> Number:
    """Return ``floor(top/bottom)`` in its simplest form.

    Raises:
        UndecidedError: the divisor has letters and is no factor of the dividend.
    """
    if isinstance(bottom, Quantity):
        return find_ratio(top, bottom)
    if bottom < 0:
        return divide(-1 * top, -bottom)
    if isinstance(top, Quantity) and top.lead < 0:
        return -1 * divide(bottom - 1 - top, bottom)
    whole: Terms = {}
    rest: Terms = {}
    for product, coefficient in to_terms(top).items():
        whole[product], rest[product] = divmod(coefficient, bottom)
    return collect(whole) + divide_rest(collect(rest), bottom)


def divide_rest(rest: Number, bottom: int) -> Number:
    """Return ``floor(rest/bottom)`` where no coefficient reaches the divisor."""
    if isinstance(rest, int):
        return rest // bottom
    common = gcd(bottom, *(c for product, c in rest.terms.items() if product))
    if common > 1:
        reduced = {product: c // common for product, c in rest.terms.items()}
        return divide(collect(reduced), bottom // common)
    for product, coefficient in rest.terms.items():
        if coefficient != 1 or len(product) != 1 or product[0][1] != 1:
            continue
        (inner, _), beside = product[0], rest - to_quantity(product[0][0])
        if isinstance(inner, Quotient):
            return divide(inner.top + inner.bottom * beside, inner.bottom * bottom)
        if isinstance(inner, Choice):
            from calculator.symbolic.bounds import choose  # noqa: PLC0415 - it divides

            parts = [divide(choice + beside, bottom) for choice in inner.choices]
            return choose(inner.which, parts)
    return to_quantity(Quotient(rest, bottom))


def find_ratio(top: Number, bottom: Quantity) -> Number:
    """Return the quotient of a multiple of one product, such as ``8*C`` by ``C``.

    Raises:
        UndecidedError: it is no such multiple.
    """
    if len(bottom.terms) == 1:
        ((factors, divisor),) = bottom.terms.items()
        ratio: Terms = {}
        for product, coefficient in to_terms(top).items():
            powers = dict(product)
            for atom, power in factors:
                powers[atom] = powers.get(atom, 0) - power
            if coefficient % divisor or min(powers.values(), default=0) < 0:
                break
            ratio[tuple((atom, power) for atom, power in powers.items() if power)] = (
                coefficient // divisor
            )
        else:
            return collect(ratio)
    message = f"{top} is divided by {bottom}, which has no expression; give numbers"
    raise UndecidedError(message)
