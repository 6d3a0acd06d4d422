"""From a picture to the network's pixels: every rule of the contract, pixel by pixel."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.classifiers.preprocessing import (
    InputRule,
    Inversion,
    has_light_border,
    normalize,
    prepare,
    rule_as_dict,
    rule_from_dict,
    scale_into,
    scale_short,
)
from models.errors import ModelsError

FIT = InputRule((32, 32), "grey", {"rule": "fit", "box": [28, 28]}, "bilinear", "auto", 0)
CROP = InputRule((224, 224), "RGB", {"rule": "crop", "short_side": 256})
STRETCH = InputRule((8, 12))
SIDES = st.integers(1, 300)


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    """Return random pixels."""
    values = np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return values[:, :, 0] if channels == 1 else values


def test_digit_of_the_boxs_size_is_not_resampled() -> None:
    """A 28x28 digit stands unchanged in the middle of 32x32, zeros around it."""
    digit = noise(28, 28, 1)
    digit[0], digit[-1], digit[:, 0], digit[:, -1] = 0, 0, 0, 0
    found = prepare(Image.fromarray(digit), FIT)
    assert found.shape == (32, 32, 1)
    assert np.array_equal(found[2:30, 2:30, 0], digit)
    assert found.sum() == digit.sum()


def test_odd_rest_of_a_fitted_picture_lies_behind() -> None:
    """A picture of 28x27 in 28x28 leaves its empty column on the right."""
    rule = InputRule((28, 28), "grey", {"rule": "fit", "box": [28, 28]}, background=7)
    found = prepare(Image.new("L", (27, 28), 200), rule)[:, :, 0]
    assert (found[:, :27] == 200).all()
    assert (found[:, 27] == 7).all()


@given(SIDES, SIDES, SIDES, SIDES)
def test_fitted_size_touches_the_box(w: int, h: int, box_w: int, box_h: int) -> None:
    """One side equals the box's, the other is inside it and keeps the aspect within rounding."""
    width, height = scale_into((w, h), (box_w, box_h))
    assert 1 <= width <= box_w
    assert 1 <= height <= box_h
    assert width == box_w or height == box_h
    assert height == max(1, int(h * width / w + 0.5)) or width == max(1, int(w * height / h + 0.5))


@given(SIDES, SIDES, SIDES)
def test_short_side_becomes_what_is_asked(w: int, h: int, short: int) -> None:
    """The shorter side is S, and the longer one is rounded half up."""
    width, height = scale_short((w, h), short)
    assert min(width, height) == short
    assert max(width, height) == int((2 * max(w, h) * short + min(w, h)) // (2 * min(w, h)))


def test_half_a_pixel_is_rounded_up() -> None:
    """2x5 to a short side of 5 is 12.5 long, hence 13."""
    assert scale_short((2, 5), 5) == (5, 13)
    assert scale_into((5, 2), (5, 5)) == (5, 2)
    assert scale_into((10, 5), (5, 5)) == (5, 3)


def test_crop_takes_the_centre_of_the_scaled_picture() -> None:
    """The shorter side goes to 256 with Pillow's resize; 16 pixels are cut off before."""
    picture = Image.fromarray(noise(300, 400))
    scaled = np.asarray(picture.resize((341, 256), Image.Resampling.BILINEAR))
    found = prepare(picture, CROP)
    assert np.array_equal(found, scaled[16:240, 58 : 58 + 224])


def test_stretch_ignores_the_aspect() -> None:
    """The result is Pillow's resize to the network's size."""
    picture = Image.fromarray(noise(30, 20))
    expected = np.asarray(picture.resize((12, 8), Image.Resampling.BILINEAR))
    assert np.array_equal(prepare(picture, STRETCH), expected)


def test_dark_ink_on_light_paper_is_inverted() -> None:
    """A light border means paper: 255 - x, before the digit is fitted on black."""
    paper = np.full((28, 28), 255, np.uint8)
    paper[10:18, 10:18] = 0
    found = prepare(Image.fromarray(paper), FIT)[2:30, 2:30, 0]
    assert np.array_equal(found, 255 - paper)


@pytest.mark.parametrize(("grey", "light"), [(127, False), (128, True)])
def test_border_decides_at_a_mean_of_127(grey: int, light: bool) -> None:  # noqa: FBT001 - a case
    """A mean of exactly 127 is dark, anything above is light; the inside does not count."""
    pixels = np.full((5, 6), 255 - grey, np.uint8)
    pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1] = grey, grey, grey, grey
    assert has_light_border(Image.fromarray(pixels)) is light


def test_corners_count_once() -> None:
    """White corners alone do not outweigh the rest of a dark border, counted once each."""
    pixels = np.zeros((3, 3), np.uint8)
    pixels[::2, ::2] = 255  # 4 of 8 border pixels: mean 127.5
    assert has_light_border(Image.fromarray(pixels))
    pixels[0, 0] = 250
    assert not has_light_border(Image.fromarray(pixels))


def test_picture_of_one_pixel_is_all_border() -> None:
    """The smallest picture is decided by its only pixel."""
    assert has_light_border(Image.new("L", (1, 1), 200))
    assert not has_light_border(Image.new("L", (1, 1), 20))
    assert prepare(Image.new("L", (1, 1), 20), FIT).shape == (32, 32, 1)


@pytest.mark.parametrize(("invert", "behind"), [("never", 30), ("always", 225), ("auto", 225)])
def test_transparency_shows_the_background_after_inversion(invert: Inversion, behind: int) -> None:
    """Transparent pixels end as the background: laid on it, or on what inverts to it."""
    rule = InputRule((4, 4), "grey", {"rule": "stretch"}, invert=invert, background=30)
    clear = Image.new("RGBA", (4, 4), (99, 99, 99, 0))
    assert (np.asarray(normalize(clear, rule)) == 30).all()
    assert behind == (30 if invert == "never" else 255 - 30)


def test_transparent_drawing_becomes_ink_on_black() -> None:
    """Black strokes on nothing, as drawing programs save them, end as white on black."""
    drawing = np.zeros((28, 28, 4), np.uint8)
    drawing[10:18, 10:18, 3] = 255
    found = prepare(Image.fromarray(drawing), FIT)[:, :, 0]
    assert found[2 + 10 : 2 + 18, 2 + 10 : 2 + 18].min() == 255
    assert int((found > 0).sum()) == 64


def test_palette_with_transparency_is_covered() -> None:
    """A GIF's transparent colour shows the background, not the palette's colour."""
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([200, 10, 10] + [0, 0, 0] * 255)
    picture.info["transparency"] = 0
    rule = InputRule((4, 4), "RGB", background=5)
    assert (prepare(picture, rule) == 5).all()


def test_grey_is_pillows_luminance() -> None:
    """Colours become grey by ITU-R 601, as Pillow's L has it."""
    picture = Image.fromarray(noise(8, 8))
    rule = InputRule((8, 8), "grey")
    assert np.array_equal(prepare(picture, rule)[:, :, 0], np.asarray(picture.convert("L")))


def test_orientation_is_applied_first() -> None:
    """A picture that is to be turned is turned, then cut."""
    picture = Image.fromarray(noise(8, 12))
    exif = picture.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    picture.save(file, "PNG", exif=exif)
    upright = picture.transpose(Image.Transpose.ROTATE_270)
    with Image.open(file) as turned:
        assert np.array_equal(prepare(turned, STRETCH), prepare(upright, STRETCH))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_metadata_does_not_cost_the_picture() -> None:
    """Where the EXIF block cannot be read, the picture is taken as it lies."""
    picture = Image.fromarray(noise(8, 12))
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    with Image.open(file) as damaged:
        assert prepare(damaged, STRETCH).shape == (8, 12, 3)


@pytest.mark.parametrize("rule", [FIT, CROP, STRETCH])
def test_rule_survives_json(rule: InputRule) -> None:
    """A rule read back from a header is the rule that was written."""
    values = rule_as_dict(rule)
    assert (values["dtype"], values["layout"]) == ("uint8", "NHWC")
    assert rule_from_dict(values) == rule


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"size": [0, 4]}, r"size \(0, 4\) must be two sides"),
        ({"size": [4, 10**9]}, "must be two sides"),
        ({"size": [4]}, "must be two sides"),
        ({"size": 4}, "is not one of this version's"),
        ({"color": "blue"}, "color 'blue' must be grey or RGB"),
        ({"interpolation": "magic"}, "must be one of nearest, bilinear"),
        ({"invert": "maybe"}, "must be never, always or auto"),
        ({"background": 256}, r"must be in 0\.\.255"),
        ({"resize": {"rule": "tile"}}, "is none of stretch, crop"),
        ({"resize": {"rule": "crop"}}, "is none of stretch, crop"),
        ({"resize": {"rule": "crop", "short_side": 3}}, "short_side 3 must be at least 12"),
        ({"resize": {"rule": "fit", "box": [9, 9]}}, r"box \[9, 9\] must be two sides within"),
        ({"resize": "fit"}, "is not one of this version's"),
        ({"dtype": "float32"}, "float32 NHWC must be uint8 NHWC"),
        ({"more": 1}, "is not one of this version's"),
    ],
)
def test_wrong_rule_is_refused(change: dict[str, Any], match: str) -> None:
    """A rule that no picture could follow is refused when it is read."""
    with pytest.raises(ModelsError, match=match):
        rule_from_dict(rule_as_dict(STRETCH) | change)
