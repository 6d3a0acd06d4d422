"""Styles and blends as users write them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import StyleError
from runner.stylize.blend import format_blend, parse_blend

NAMES = ("starry_night", "the_scream", "great_wave")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, [1, 0, 0]),
        ("great_wave", [0, 0, 1]),
        ("starry_night:0.7,great_wave:0.3", [0.7, 0, 0.3]),
        (" starry_night : 7 , great_wave : 3 ", [0.7, 0, 0.3]),
        ("the_scream,great_wave", [0, 0.5, 0.5]),
        ("the_scream:3,great_wave", [0, 0.75, 0.25]),
        ("the_scream:1e308,great_wave:1e308", [0, 0.5, 0.5]),
    ],
)
def test_parse_blend_divides_shares_by_their_sum(text: str | None, expected: list[float]) -> None:
    """Shares of any size become weights that sum to 1; no text means the first style."""
    np.testing.assert_allclose(parse_blend(text, NAMES), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("the_screem", r"'the_screem' is unknown; the model has the_scream, starry_night, great_"),
        ("wave", r"'wave' is unknown; the model has great_wave, starry_night, the_scream"),
        ("", r"style '' is unknown; the model has starry_night"),
        ("the_scream,", r"style '' is unknown"),
        ("Starry_Night", r"'Starry_Night' is unknown; the model has starry_night, "),
        ("the_scream:0", r"share '0' of style 'the_scream' must be a positive number"),
        ("the_scream:-1", r"share '-1' of style"),
        ("the_scream:nan", r"share 'nan' of style"),
        ("the_scream:inf", r"share 'inf' of style"),
        ("the_scream:", r"share '' of style"),
        ("the_scream:much", r"share 'much' of style"),
        ("the_scream:1,the_scream:2", r"'the_scream' stands twice"),
    ],
)
def test_parse_blend_refuses_what_makes_no_sense(text: str, reason: str) -> None:
    """The message names the part that is wrong, and the nearest names first."""
    with pytest.raises(StyleError, match=reason):
        parse_blend(text, NAMES)


def test_style_error_is_wrong_usage() -> None:
    """An unknown style ends a command with status 2."""
    assert StyleError("").exit_code == 2


@given(st.lists(st.floats(1e-3, 1e6), min_size=3, max_size=3))
def test_format_blend_is_read_back(shares: list[float]) -> None:
    """What is shown for a blend means that blend, to four digits."""
    text = ",".join(f"{name}:{share}" for name, share in zip(NAMES, shares, strict=True))
    weights = parse_blend(text, NAMES)
    assert weights.sum() == pytest.approx(1, abs=1e-6)
    again = parse_blend(format_blend(weights, NAMES), NAMES)
    np.testing.assert_allclose(again, weights, rtol=1e-3)


def test_format_blend_writes_one_style_bare() -> None:
    """A style alone is its name, without a share."""
    assert format_blend(parse_blend("great_wave:4", NAMES), NAMES) == "great_wave"
