"""The input rule that a file states: what is allowed, and what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.classify.rules import read_rule

LENET: dict[str, Any] = {
    "size": [32, 32],
    "color": "grey",
    "dtype": "uint8",
    "layout": "NHWC",
    "resize": {"rule": "fit", "box": [28, 28]},
    "interpolation": "bilinear",
    "invert": "auto",
    "background": 0,
}
VGG = LENET | {
    "size": [224, 224],
    "color": "RGB",
    "invert": "never",
    "resize": {"rule": "crop", "short_side": 256},
}


def test_read_rule_takes_every_rule() -> None:
    """The three resize rules come with their own numbers."""
    lenet, vgg = read_rule(LENET), read_rule(VGG)
    assert (lenet.size, lenet.channels, lenet.resize, lenet.box) == ((32, 32), 1, "fit", (28, 28))
    assert (vgg.size, vgg.channels, vgg.resize, vgg.short_side) == ((224, 224), 3, "crop", 256)
    stretched = read_rule(LENET | {"resize": {"rule": "stretch"}, "size": [20, 30]})
    assert (stretched.resize, stretched.size) == ("stretch", (20, 30))
    assert vgg.input_bytes == 224 * 224 * 3


def test_describe_says_all_of_a_rule() -> None:
    """One line holds size, colours, resizing, inversion and interpolation."""
    assert read_rule(LENET).describe() == (
        "32x32 grey, fitted into 28x28 on background 0, inverted where the border is light, "
        "bilinear"
    )
    assert read_rule(VGG).describe() == (
        "224x224 RGB, shorter side to 256, centre cut out, bilinear"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"size": [-1, 28]}, r"input size \[-1, 28\] must be two sides of 1 to 4096"),
        ({"size": [10**9, 28]}, r"input size \[1000000000, 28\] must be two sides"),
        ({"size": [28]}, r"input size \[28\] must be two sides"),
        ({"size": [28.0, 28]}, r"input size \[28.0, 28\] must be two sides"),
        ({"size": [True, True]}, r"input size \[True, True\] must be two sides"),
        ({"size": "28x28"}, r"input size '28x28' must be two sides"),
        ({"size": None}, r"input size None must be two sides"),
        ({"color": "BGR"}, r"input color 'BGR' must be grey or RGB"),
        ({"color": ["grey"]}, r"input color \['grey'\] must be grey or RGB"),
        ({"dtype": "float32"}, r"input dtype 'float32' must be uint8"),
        ({"layout": "NCHW"}, r"input layout 'NCHW' must be NHWC"),
        ({"interpolation": "box"}, r"interpolation 'box' must be bilinear or bicubic or"),
        ({"invert": True}, r"input invert True must be never or always or auto"),
        ({"background": 256}, r"input background 256 must be 0 to 255"),
        ({"background": 0.5}, r"input background 0.5 must be 0 to 255"),
        ({"resize": None}, r"resize rule None is none of stretch, crop, fit"),
        ({"resize": {"rule": "zoom"}}, r"resize rule {'rule': 'zoom'} is none of stretch"),
        ({"resize": {"rule": ["fit"]}}, r"resize rule {'rule': \['fit'\]} is none of stretch"),
        ({"resize": {"rule": "crop"}}, r"short_side None must be 32 to 4096"),
        ({"resize": {"rule": "crop", "short_side": 31}}, r"short_side 31 must be 32 to 4096"),
        ({"resize": {"rule": "crop", "short_side": 10**7}}, r"short_side 10000000 must be"),
        ({"resize": {"rule": "fit", "box": [33, 28]}}, r"box \[33, 28\] must be two sides within"),
        ({"resize": {"rule": "fit"}}, r"box None must be two sides within 32x32"),
        ({"size": ["x" * 1000, 1]}, r"input size \['x{40,60}\.\.\. must be two sides"),
    ],
)
def test_read_rule_refuses_what_is_not_allowed(change: dict[str, Any], reason: str) -> None:
    """A value that is missing, of another type or beyond its bounds is named with the bounds."""
    with pytest.raises(ValueError, match=reason):
        read_rule(LENET | change)


KEYS = st.text(max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
CHANGES = st.builds(lambda key, value: LENET | {key: value}, st.sampled_from([*LENET]), JSON)


@given(JSON | CHANGES)
def test_read_rule_gives_a_bounded_rule_or_a_reason(values: object) -> None:
    """Whatever stands in a file, the result is a rule within the bounds, or a ValueError."""
    try:
        rule = read_rule(json.loads(json.dumps(values)))
    except ValueError:
        return
    assert rule.input_bytes <= 3 * 4096**2
    assert rule.describe()
