"""Parameters of a query: what the schema allows is read, and nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from runner.service.errors import BadRequest
from runner.service.parameters import Choice, Parameter, Real, Truth, Whole, read_query

WHOLE = Whole(name="n", description="A number.", least=-5, most=1000)
REAL = Real(name="x", description="A number.", least=-1, most=1)
TRUTH = Truth(name="t", description="A truth.")
WORD = Choice(name="w", description="A word.", words=("red", "green"), default="red")
TEXT = Parameter(name="s", description="A text.", longest=5, required=True, example="abc")


def read(query: str, *parameters: Parameter) -> dict[str, object]:
    """Read a query."""
    scope = {"type": "http", "headers": [], "query_string": query.encode()}
    return read_query(Request(scope), parameters)


@given(st.integers(-5, 1000))
def test_whole_numbers_are_read(number: int) -> None:
    """Every whole number of the range is read as itself."""
    assert WHOLE.read(str(number)) == number


@given(st.floats(-1, 1, allow_nan=False))
def test_numbers_are_read(number: float) -> None:
    """Every number of the range is read as itself, as JSON writes it."""
    assert REAL.read(repr(number)) == number


@given(st.text(max_size=8))
def test_texts_are_numbers_or_refused(text: str) -> None:
    """Any other text is refused, and never read as something else."""
    for parameter in (WHOLE, REAL, TRUTH, WORD):
        try:
            value = parameter.read(text)
        except BadRequest:
            continue
        assert text.isascii()
        assert value in (True, False, text) or float(text) == value


@pytest.mark.parametrize(
    "text", ["", " 1", "1_0", "+1", "\u0661", "1.0", "0x1", "1e2", "1001", "9" * 5000, "-6"]
)
def test_other_texts_are_no_whole_numbers(text: str) -> None:
    """Blanks, signs, other digits and numbers out of range are refused."""
    with pytest.raises(BadRequest, match="send a whole number from -5 to 1000"):
        WHOLE.read(text)


@pytest.mark.parametrize("text", ["", "nan", "inf", "-inf", "1e999", "1.1", ".5", "1.", "0,5"])
def test_other_texts_are_no_numbers(text: str) -> None:
    """Infinities and what is no number are refused."""
    with pytest.raises(BadRequest, match="send a number from -1 to 1"):
        REAL.read(text)


def test_defaults_stand_in() -> None:
    """What is missing has its default, None where there is none."""
    assert read("s=a", WHOLE, TRUTH, WORD, TEXT) == {"n": None, "t": False, "w": "red", "s": "a"}


@pytest.mark.parametrize(("text", "truth"), [("1", True), ("true", True), ("0", False)])
def test_truths(text: str, truth: bool) -> None:  # noqa: FBT001
    """Yes and no have two spellings each."""
    assert read(f"t={text}", TRUTH) == {"t": truth}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "parameter s is missing; send it, such as abc"),
        ("s=", "parameter s has 0 characters; send 1 to 5 characters"),
        ("s=abcdef", "parameter s has 6 characters; send 1 to 5 characters"),
        ("s=a&s=b", "parameter s is given twice; give it once"),
        ("s=a&S=b", "parameter 'S' is unknown; those of this page are: s, w"),
        ("s=a&w=gren", "parameter w 'gren'; send one of green, red"),
        ("s=a&w=" + 500 * "r", "parameter w '" + 80 * "r" + "'; send one of"),
    ],
)
def test_wrong_queries_are_refused(query: str, words: str) -> None:
    """Each mistake is named, with what is allowed."""
    with pytest.raises(BadRequest, match=re.escape(words)):
        read(query, TEXT, WORD)
