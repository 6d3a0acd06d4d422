"""The contrast scale: one grey per value, whatever the layer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.look.tones import Scale, Values, choose_scale, format_value

SCALES = [Scale(8, signed, bent) for signed in (False, True) for bent in (False, True)]


def make_values(*numbers: float) -> Values:
    """Return numbers as a layer returns them."""
    return np.array(numbers, np.float32)


@pytest.mark.parametrize("scale", SCALES)
def test_scales_rise_from_black_to_white(scale: Scale) -> None:
    """The limit is white, its negative (or 0) black, and more is never darker."""
    low = -8 if scale.signed else 0
    greys = scale.paint(np.linspace(low, 8, 500)).astype(int)
    assert (greys[0], greys[-1]) == (0, 255)
    assert (np.diff(greys) >= 0).all()
    assert scale.paint(np.array([-100.0, 100.0])).tolist() == [0, 255]


@pytest.mark.parametrize("bent", [False, True])
def test_zero_is_the_middle_of_a_signed_scale(bent: bool) -> None:  # noqa: FBT001
    """Equal values of either sign are equally far from the middle grey."""
    scale = Scale(2, signed=True, logarithmic=bent)
    low, middle, high = scale.tone(np.array([-0.3, 0, 0.3]))
    assert middle == 0.5
    assert high - middle == pytest.approx(middle - low)


def test_scale_of_layers_far_apart_is_logarithmic() -> None:
    """Peaks of 1 and 1,000 are both visible; on a linear scale the smaller would be black."""
    weak, strong = make_values(0, 1), make_values(0, 1000)
    scale = choose_scale([weak, strong])
    assert scale == Scale(1000, signed=False, logarithmic=True)
    assert scale.paint(weak)[1] > 8
    assert Scale(1000).paint(weak)[1] == 0


def test_scale_of_like_layers_is_linear() -> None:
    """Where one value is negative, the scale is symmetric about 0."""
    assert choose_scale([make_values(0, 3), make_values(1, 4)]) == Scale(4)
    assert choose_scale([make_values(0, 3), make_values(-5, 2)]) == Scale(5, signed=True)


def test_silent_layers_have_a_scale() -> None:
    """Zeros everywhere are black, not a division by zero."""
    scale = choose_scale([np.zeros(4, np.float32)])
    assert scale.paint(np.zeros(4)).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("scale", SCALES)
def test_legends_name_both_ends(scale: Scale) -> None:
    """The ticks rise, from black to white, with 0 among them."""
    ticks = scale.list_ticks()
    assert list(ticks) == sorted(ticks)
    assert scale.paint(np.array([ticks[0], ticks[-1]])).tolist() == [0, 255]
    assert 0 in ticks


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (1, "1"), (-1.7159, "-1.72"), (9606.1, "9,606"), (193.83, "194"),
        (0.01234, "0.0123"), (100, "100"), (1e-7, "1.00e-07"), (3.2e12, "3.20e+12"),
    ],
)  # fmt: skip
def test_values_are_short(value: float, text: str) -> None:
    """Three significant digits, thousands apart."""
    assert format_value(value) == text


@given(st.floats(1e-3, 1e8))
def test_short_values_are_near(value: float) -> None:
    """What a sheet says is within half a percent of what it is."""
    assert float(format_value(value).replace(",", "")) == pytest.approx(value, rel=5e-3)
