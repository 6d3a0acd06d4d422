"""Formulas: what is computed, what is shown, and that both are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculator.arithmetic import formulas
from calculator.arithmetic.expressions import Expression, Name, Number, ceil, floor, greatest, least


def test_window_size_is_shown_as_in_the_textbooks() -> None:
    """Formula, substitution and result stand in one line."""
    derivation = formulas.window_size("H").derive(H=227, p=0, d=1, k=11, s=4)
    assert derivation.render() == (
        "H_out = floor((H + 2*p - d*(k - 1) - 1)/s) + 1 = floor((227 + 0 - 10 - 1)/4) + 1 = 55"
    )
    assert derivation.list_rounding() == ()


def test_conv_params_are_shown_as_in_the_textbooks() -> None:
    """The bias is the one in the parenthesis."""
    formula = formulas.conv_params(2, grouped=False, bias=True)
    derivation = formula.derive(k_H=11, k_W=11, C_in=3, C_out=96)
    assert derivation.render().endswith("= (11*11*3 + 1)*96 = 34,944")


def test_floor_tells_what_it_dropped() -> None:
    """Three of four positions are left over at 224."""
    derivation = formulas.window_size("H").derive(H=226, p=0, d=1, k=11, s=4)
    assert derivation.list_rounding() == (("floor", 3, 4),)


def test_inexact_quotient_is_refused() -> None:
    """A slash promises an exact quotient."""
    with pytest.raises(ArithmeticError, match=r"C/g: 5 is not a multiple of 2"):
        (Name("C") / Name("g")).evaluate({"C": 5, "g": 2})


LEAVES = st.sampled_from([Name("a"), Name("b"), Number(2), Number(7)])


def grow(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """Combine two expressions in every way."""
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(lambda p: p[0] + p[1]),
        pairs.map(lambda p: p[0] - p[1]),
        pairs.map(lambda p: p[0] * p[1]),
        pairs.map(lambda p: floor(p[0], Number(3) * Name("a"))),
        pairs.map(lambda p: ceil(p[0] - p[1], Name("b"))),
        pairs.map(lambda p: least(*p)),
        pairs.map(lambda p: greatest(*p)),
    )


@given(st.recursive(LEAVES, grow, max_leaves=12), st.integers(1, 9), st.integers(1, 9))
def test_rendered_expression_evaluates_to_the_result(tree: Expression, a: int, b: int) -> None:
    """Python, reading the text, comes to the same number, with names and with values."""
    values = {"a": a, "b": b}
    # floor(x/y) of the text is a true division for Python: make the quotient a fraction
    from fractions import Fraction
    from math import ceil as up
    from math import floor as down

    scope = {"floor": down, "ceil": up, "min": min, "max": max, "F": Fraction}
    for text in (tree.render(), tree.render(values)):
        exact = "".join(f"F({c})" if c.isdigit() else c for c in separate(text))
        names = {name: Fraction(value) for name, value in values.items()}
        assert eval(exact, {**scope, **names}) == tree.evaluate(values)  # noqa: S307 - own text


def separate(text: str) -> list[str]:
    """Split a text into numbers and single characters."""
    pieces: list[str] = []
    for character in text:
        if character.isdigit() and pieces and pieces[-1].isdigit():
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces
