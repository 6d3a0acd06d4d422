"""Numbers with letters: what they say holds for every value of the letters."""

from math import prod
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calculator.errors import ShapeError
from calculator.symbolic.atoms import Letter, OverlongError
from calculator.symbolic.bounds import choose, is_never_negative
from calculator.symbolic.quantities import (
    Number,
    UndecidedError,
    evaluate,
    to_quantity,
)

if TYPE_CHECKING:
    from collections.abc import Callable

H = to_quantity(Letter("H", 0))
W = to_quantity(Letter("W", 1))
SIZES = st.integers(1, 200)
STEPS = st.tuples(st.sampled_from("+-*/%<>hw"), st.integers(1, 9))


def apply(number: Number, step: tuple[str, int], other: dict[str, Number]) -> Number:
    """Apply one operation, to an integer or to a quantity alike."""
    sign, by = step
    operations: dict[str, Callable[[], Number]] = {
        "+": lambda: number + by,
        "-": lambda: by - number if by % 2 else number - by,
        "*": lambda: number * by,
        "/": lambda: -(-number // by) if by % 2 else number // by,
        "%": lambda: number % by,
        "<": lambda: choose("min", [number, by - number]),
        ">": lambda: choose("max", [number, by - number]),
    }
    if sign in operations:
        return operations[sign]()
    return number + by * other[sign.upper()]


@settings(deadline=None)
@given(st.lists(STEPS, max_size=5), SIZES, SIZES)
def test_operators_agree_with_those_of_integers(
    steps: list[tuple[str, int]], height: int, width: int
) -> None:
    """The same operations give the same number, whether letters are filled in before or after."""
    values = {"H": height, "W": width}
    symbolic: Number = H
    number: Number = height
    for step in steps:
        number = apply(number, step, dict(values))
        try:
            symbolic = apply(symbolic, step, {"H": H, "W": W})
        except OverlongError:  # choices inside choices
            return
        assert evaluate(symbolic, values) == number


@settings(deadline=None)
@given(st.lists(STEPS, max_size=4), st.lists(STEPS, max_size=4), SIZES)
def test_comparison_holds_at_every_size(
    first: list[tuple[str, int]], second: list[tuple[str, int]], height: int
) -> None:
    """What is decided is decided rightly; what sizes decide is refused."""
    a: Number = H
    b: Number = H
    values = {"H": height}
    try:
        for step in first:
            a = apply(a, step, {"H": H, "W": H})
        for step in second:
            b = apply(b, step, {"H": H, "W": H})
        less = a < b
    except (OverlongError, UndecidedError):
        return
    assert less == (evaluate(a, values) < evaluate(b, values))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (H // 2 // 2 // 2, "floor(H/8)"),
        (-(-H // 2), "ceil(H/2)"),
        (((H + 1) // 2 + 1) // 2, "ceil(H/4)"),
        ((H - 11) // 4 + 1, "floor((H - 7)/4)"),
        (((H - 11) // 4 + 1 - 3) // 2 + 1, "floor((H - 11)/8)"),
        ((6 * H + 3) // 4, "(H + ceil(H/2))"),
        ((H * 4 + 6) // 4, "(H + 1)"),
        (H - H % 4, "4*floor(H/4)"),
        (H + -H % 4, "4*ceil(H/4)"),
        (8 * H * W // 4, "2*H*W"),
        ((H - 4) * (W - 4) * 6, "(6*H*W - 24*H - 24*W + 96)"),
        (2 * H - 3, "(2*H - 3)"),
        (-H, "-H"),
        ((H + 1) // 4, "floor((H + 1)/4)"),
        ((H + 51) // 4, "ceil((H + 48)/4)"),
    ],
)
def test_quotients_come_out_simplest(number: Number, text: str) -> None:
    """Roundings of roundings become one, and whole parts leave them."""
    assert str(number) == text


def test_equal_quantities_are_equal_keys() -> None:
    """Two ways to one number are one number, also in sets; no letter, no quantity."""
    assert len({(H + 1) // 2 // 2, (H + 1) // 4, (H - 3) // 4 + 1}) == 1
    assert H // 2 != (H + 1) // 2
    nothing = H - H
    assert isinstance(nothing, int)
    assert nothing == 0


def test_extreme_is_found_or_kept() -> None:
    """A choice that every size decides is gone; one that sizes decide says so."""
    assert choose("max", [H // 2, (H + 1) // 2, 0]) == (H + 1) // 2
    assert choose("min", [H // 2, (H + 1) // 2]) == H // 2
    assert str(choose("max", [H, W])) in ("max(H, W)", "max(W, H)")
    assert str(choose("max", [H * W, 100 * W])) == "max(H, 100)*W"
    # a mean of two is never the greatest alone
    assert choose("max", [2 * H, H + W, 2 * W]) == choose("max", [2 * H, 2 * W])


def test_smallest_size_decides() -> None:
    """From 11 on a window of 11 fits; from 1 on that depends."""
    assert to_quantity(Letter("H", 0, least=11)) >= 11
    with pytest.raises(UndecidedError, match="whether 10 is less than H depends on the size"):
        assert H > 10


def test_products_of_two_letters_are_compared() -> None:
    """A quarter of a picture never has more values than the picture."""
    assert is_never_negative(H * W - H // 2 * (W // 2))
    assert not is_never_negative(H * W - 2 * (-(-H // 2)) * (-(-W // 2)))


def test_bounds_are_those_of_the_worst_rest() -> None:
    """What is dropped reaches the divisor less one, at sizes that no sample need have."""
    dropped = H - 11 * (H // 11)
    assert is_never_negative(10 - dropped)
    assert not is_never_negative(9 - dropped)


def test_division_by_letters_needs_a_factor() -> None:
    """What is no multiple is refused, in both directions."""
    assert (8 * H * W + 4 * H) // H == 8 * W + 4
    for top, bottom in ((H + 1, W), (3, H), (H, W + 1)):
        with pytest.raises(UndecidedError, match=r"is divided by .*give numbers"):
            top // bottom
        with pytest.raises(UndecidedError, match=r"is divided by .*give numbers"):
            top % bottom


def test_quantity_is_no_index() -> None:
    """Where one number is needed, as for a range, there is an error and not one size's number."""
    with pytest.raises(UndecidedError, match=r"\(H \+ 1\) stands where one number must"):
        range(cast("int", H + 1))


def test_rest_that_may_vanish_is_not_nothing() -> None:
    """A remainder is false only where it is zero at every size."""
    assert H % 2
    assert not 2 * H % 2


def nest(number: Number, depth: int) -> Number:
    """Return quotients of which each is inside the next."""
    for by in range(3, depth):
        number = (2 * number + W // by + 1) // by
    return number


def test_long_expressions_are_refused() -> None:
    """Too many terms, too large factors and too deep quotients end in an error."""
    with pytest.raises(OverlongError, match="more than 100 terms"):
        sum((H // prime for prime in range(2, 200)), start=H)
    with pytest.raises(OverlongError, match="80 digits"):
        prod([999_999_999] * 20, start=H)
    with pytest.raises(ShapeError, match="parts of more than 1000 characters"):
        nest(H, 300)
