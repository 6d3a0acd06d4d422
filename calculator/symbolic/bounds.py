"""What holds for a quantity at every size from the smallest on.

A lower bound comes from putting bounds in the place of every quotient,
``(X - a + 1)/a <= floor(X/a) <= X/a``, and reading the polynomial that is left from the
smallest size on: where no coefficient of the steps beyond it is negative, it is smallest
there. What this is too coarse for is looked at size by size up to where it is not.
"""

from collections.abc import Sequence
from itertools import combinations
from math import prod

from calculator.symbolic.atoms import Atom, Letter, OverlongError
from calculator.symbolic.quantities import (
    Number,
    Product,
    Quantity,
    UndecidedError,
    collect,
    divide_product,
    evaluate,
    find_common,
    to_quantity,
    to_terms,
)
from calculator.symbolic.quotients import Choice, Quotient

FAR = 1_000_003
SAMPLES = (0, 1, 2, 5, 30, 200, FAR)  # distances from the smallest size that may refute
REACHES = (16, 256, 1024)  # so many sizes are looked at one by one
MOST_CHOICES = 8  # of one min or max
MOST_COMPARED = 16
WEIGHTS = ((1, 2), (1, 3), (2, 3))  # of averages, as fractions

Ratio = tuple[Number, int]  # numerator with letters only, and denominator


def is_less(a: Number, b: Number) -> bool:
    """Return whether ``a < b`` at every size, or at none.

    Raises:
        UndecidedError: neither, or it cannot be seen.
    """
    if is_never_negative(b - a - 1):
        return True
    if is_never_negative(a - b):
        return False
    message = f"whether {a} is less than {b} depends on the size; give numbers instead of letters"
    raise UndecidedError(message)


def is_never_negative(number: Number) -> bool:
    """Return whether a number is seen to be at least 0 at every size."""
    if isinstance(number, int) or grows(number):
        return evaluate_least(number) >= 0
    if any(evaluate_ahead(number, ahead) < 0 for ahead in SAMPLES):
        return False
    if is_seen(number):
        return True
    rest = cancel(number)
    return rest != number and is_seen(rest)


def is_seen(number: Number) -> bool:
    """Return whether the bounds of a number say that it is at least 0."""
    try:
        if all(can_only_grow(atom) for product in to_terms(number) for atom, _ in product) and (
            bound((number, 1)) >= 0
        ):
            return True
        low = relax(number, up=False)
        return bound(low) >= 0 or holds_one_by_one(number, low)
    except (UndecidedError, OverlongError):
        return False


def cancel(number: Number) -> Number:
    """Return something smaller: without products that others are seen not to fall below."""
    terms = dict(to_terms(number))
    for small in [product for product, coefficient in terms.items() if coefficient < 0]:
        for large in [product for product, coefficient in terms.items() if coefficient > 0]:
            if covers(large, small):
                shared = min(terms[large], -terms[small])
                terms[large] -= shared
                terms[small] += shared
    return collect(terms)


def covers(large: Product, small: Product) -> bool:
    """Return whether a product is seen to be at least another, factor by factor."""
    factors = [[a for a, power in product for _ in range(power)] for product in (large, small)]
    if len(factors[0]) != len(factors[1]):
        return False
    return all(a == b or exceeds(a, b) for a, b in zip(*factors, strict=True))


def exceeds(a: Atom, b: Atom) -> bool:
    """Return whether an atom is seen to be at least another, and neither below 0."""
    return can_only_grow(a) and can_only_grow(b) and is_seen(to_quantity(a) - to_quantity(b))


def holds_one_by_one(number: Number, low: Ratio) -> bool:
    """Return whether a number of one letter is at least 0 up to where its bound is."""
    letters = number.list_letters() if isinstance(number, Quantity) else ()
    if len(letters) != 1:
        return False
    (letter,) = letters
    reach = next((reach for reach in REACHES if bound(low, ahead=reach) >= 0), 0)
    sizes = range(letter.least, letter.least + reach)
    return reach > 0 and all(evaluate(number, {letter.name: size}) >= 0 for size in sizes)


def choose(which: str, numbers: Sequence[Number]) -> Number:
    """Return the least or greatest of several numbers, as a choice where sizes decide.

    Args:
        which: ``min`` or ``max``.
        numbers: at least one.

    Raises:
        OverlongError: too many are the least or greatest at some size.
    """
    kept: list[Number] = []
    for number in sorted(dict.fromkeys(numbers), key=evaluate_far, reverse=which == "max"):
        if not any(surpasses(other, number, which=which) for other in kept):
            kept = [other for other in kept if not surpasses(number, other, which=which)]
            kept.append(number)
        if len(kept) > MOST_COMPARED:
            break
    kept = drop_averages(which, kept)
    if len(kept) > MOST_CHOICES:
        what = f"a {which} of more than {MOST_CHOICES}"
        raise OverlongError(what)
    return kept[0] if len(kept) == 1 else make_choice(which, kept)


def drop_averages(which: str, numbers: Sequence[Number]) -> list[Number]:
    """Return numbers without those that an average of two others always surpasses."""
    kept = list(numbers)
    for number in numbers:
        others = [other for other in kept if other is not number]
        if any(
            surpasses(a * times + b * (parts - times), number * parts, which=which)
            for a, b in combinations(others, 2)
            for times, parts in WEIGHTS
        ):
            kept = others
    return kept


def make_choice(which: str, numbers: Sequence[Number]) -> Number:
    """Return a choice with the letters that all have in common, such as N, in front."""
    common = find_common({product for number in numbers for product in to_terms(number)})
    letters = tuple((atom, power) for atom, power in common if isinstance(atom, Letter))
    choices = [
        collect({divide_product(product, letters): c for product, c in to_terms(number).items()})
        for number in numbers
    ]
    return collect({letters: 1}) * to_quantity(Choice(which, choices))


def surpasses(a: Number, b: Number, *, which: str) -> bool:
    """Return whether, of two numbers, the first is always the least or greatest."""
    return is_never_negative(a - b if which == "max" else b - a)


def evaluate_ahead(number: Number, ahead: int) -> int:
    """Return the value where every letter is so far from its smallest value."""
    letters = number.list_letters() if isinstance(number, Quantity) else ()
    return evaluate(number, {letter.name: letter.least + ahead for letter in letters})


def evaluate_least(number: Number) -> int:
    """Return the value at the smallest size of every letter."""
    return evaluate_ahead(number, 0)


def evaluate_far(number: Number) -> int:
    """Return the value at a large size of every letter."""
    return evaluate_ahead(number, FAR)


def grows(number: Number) -> bool:
    """Return whether a number is seen not to fall where a letter grows."""
    return all(
        coefficient > 0 and all(can_only_grow(atom) for atom, _ in product)
        for product, coefficient in to_terms(number).items()
        if product
    )


def can_only_grow(atom: Atom) -> bool:
    """Return whether an atom is never negative and does not fall where a letter grows."""
    if isinstance(atom, Letter):
        return True
    return all(map(grows, atom.list_parts())) and evaluate_least(to_quantity(atom)) >= 0


def relax(number: Number, *, up: bool) -> Ratio:
    """Return a bound that has letters only, from above or from below.

    Raises:
        UndecidedError: there is none.
    """
    total: Ratio = (0, 1)
    for product, coefficient in to_terms(number).items():
        top, bottom = relax_product(product, up=up == (coefficient > 0))
        total = (total[0] * bottom + coefficient * top * total[1], total[1] * bottom)
    return total


def relax_product(product: Product, *, up: bool) -> Ratio:
    """Return a bound of a product; its factors must not be negative if there are several."""
    atoms = [atom for atom, power in product for _ in range(power)]
    bounds = [relax_atom(atom, up=up) for atom in atoms]
    if len(atoms) > 1:
        if not all(is_never_negative(to_quantity(atom)) for atom in set(atoms)):
            message = "a factor may be negative"
            raise UndecidedError(message)
        if not up and any(bound(low) < 0 for low in bounds):
            return 0, 1
    return prod((top for top, _ in bounds), start=1), prod(bottom for _, bottom in bounds)


def relax_atom(atom: Atom, *, up: bool) -> Ratio:
    """Return a bound of one atom."""
    if isinstance(atom, Quotient):
        top, bottom = relax(atom.top, up=up)
        rest = 0 if up else bottom * (atom.bottom - 1)
        return top - rest, bottom * atom.bottom
    if isinstance(atom, Choice):
        return relax_choice(atom, up=up)
    return to_quantity(atom), 1


def relax_choice(choice: Choice, *, up: bool) -> Ratio:
    """Return a bound of a choice: any one's on one side, the extreme constant on the other."""
    bounds = [relax(number, up=up) for number in choice.choices]
    if up != (choice.which == "max"):
        return bounds[0]
    constants = [(top, bottom) for top, bottom in bounds if isinstance(top, int)]
    if len(constants) < len(bounds):
        message = "no bound is a constant"
        raise UndecidedError(message)
    if up:
        return max(top // bottom for top, bottom in constants), 1
    return min(-(-top // bottom) for top, bottom in constants), 1


def bound(low: Ratio, *, ahead: int = 0) -> int:
    """Return the least integer that a bound leaves, from so many sizes ahead on; -1 for none."""
    top, bottom = low
    steps: Number = 0
    for product, coefficient in to_terms(top).items():
        shifted: Number = coefficient
        for atom, power in product:
            least = evaluate_least(to_quantity(atom)) + (ahead if isinstance(atom, Letter) else 0)
            for _ in range(power):
                shifted = shifted * (to_quantity(atom) + least)
        steps = steps + shifted
    terms = to_terms(steps)
    if any(coefficient < 0 for product, coefficient in terms.items() if product):
        return -1
    return -(-terms.get((), 0) // bottom)
