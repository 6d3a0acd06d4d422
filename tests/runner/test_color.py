"""Modes, depths, transparency and profiles."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from runner.color import convert_to_rgb, convert_to_srgb, reduce_depth, split_alpha
from runner.errors import PictureError

MakePhoto = Callable[..., Image.Image]


def test_split_alpha_leaves_an_opaque_picture_alone(make_photo: MakePhoto) -> None:
    """A picture without transparency comes back as it is, without a mask."""
    photo = make_photo()
    assert split_alpha(photo) == (photo, None)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "La"])
def test_split_alpha_returns_the_mask_of_every_mode(mode: str, make_photo: MakePhoto) -> None:
    """The mask of a mode with an alpha channel is that very channel."""
    photo, mask = make_photo(), make_photo(seed=1).convert("L")
    if mode == "PA":
        photo = photo.convert("P")
    elif mode != "RGBA":
        photo = photo.convert("L")
    photo.putalpha(mask)
    opaque, found = split_alpha(photo.convert(mode))
    assert found is not None
    np.testing.assert_array_equal(np.asarray(found), np.asarray(mask))
    assert not opaque.has_transparency_data


@pytest.mark.parametrize(("mode", "clear"), [("RGB", (9, 9, 9)), ("L", 9), ("1", 0), ("I;16", 9)])
def test_split_alpha_reads_a_clear_color(mode: str, clear: object) -> None:
    """Where a PNG names one colour as clear, the mask is 0 there and 255 elsewhere."""
    levels = np.array([[0, 9], [9, 255]], np.uint8)
    if mode == "I;16":
        image = Image.fromarray(levels.astype(np.uint16))
    elif mode == "1":
        image = Image.fromarray(levels > 0)
    else:
        image = Image.fromarray(levels).convert(mode)
    expected = np.where((levels == 0) if mode == "1" else (levels == 9), 0, 255)
    file = io.BytesIO()
    image.save(file, "PNG", transparency=clear)
    with Image.open(file) as opened:
        opaque, mask = split_alpha(opened)
    assert mask is not None
    np.testing.assert_array_equal(np.asarray(mask), expected)
    assert opaque.size == image.size


def test_reduce_depth_scales_the_ends_to_the_ends() -> None:
    """16 bits become 8 by scaling with rounding: 65,535 is 255 and nothing is clipped."""
    deep = np.array([[0, 128, 129, 257, 32768, 65407, 65535]], np.uint16)
    expected = np.rint(deep * (255 / 65535))
    np.testing.assert_array_equal(np.asarray(reduce_depth(Image.fromarray(deep))), expected)


def test_reduce_depth_refuses_more_than_16_bits() -> None:
    """Integers beyond 16 bits have no known white, and the message says how far they reach."""
    image = Image.fromarray(np.array([[-5, 70000]], np.int32))
    with pytest.raises(PictureError, match=r"-5 to 70000, beyond 16 bits; save it with 8 or 16"):
        reduce_depth(image)


def test_convert_to_rgb_refuses_floating_point() -> None:
    """Floating-point samples have no known white."""
    with pytest.raises(PictureError, match=r"floating-point numbers of unknown range; save it"):
        convert_to_rgb(Image.new("F", (4, 4)), None)


def test_convert_to_rgb_keeps_an_rgb_profile_and_the_numbers(make_photo: MakePhoto) -> None:
    """RGB keeps its numbers, and the profile goes on describing them."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rgb, kept = convert_to_rgb(make_photo(), profile)
    assert kept == profile
    np.testing.assert_array_equal(np.asarray(rgb), np.asarray(make_photo()))


def test_convert_to_rgb_converts_grey_by_its_profile(grey_profile: bytes) -> None:
    """Linear grey becomes sRGB: half the light is level 188 (IEC 61966-2-1)."""
    rgb, kept = convert_to_rgb(Image.new("L", (4, 4), 128), grey_profile)
    assert kept is None
    np.testing.assert_allclose(np.asarray(rgb), 188, atol=1)


def test_convert_to_rgb_converts_16_bit_grey_by_its_profile(grey_profile: bytes) -> None:
    """A deep picture is scaled first and converted then."""
    deep = Image.fromarray(np.full((4, 4), 32896, np.uint16))
    rgb, kept = convert_to_rgb(deep, grey_profile)
    assert kept is None
    np.testing.assert_allclose(np.asarray(rgb), 188, atol=1)


@pytest.mark.parametrize(
    ("inks", "level"), [((0, 0, 0, 0), 255), ((255, 0, 0, 0), 119), ((0, 0, 0, 255), 0)]
)
def test_convert_to_rgb_converts_inks_by_their_profile(
    inks: tuple[int, ...], level: int, cmyk_profile: bytes
) -> None:
    """CMYK goes through its profile: L* of 50 is sRGB 119, where plain arithmetic gives cyan."""
    rgb, kept = convert_to_rgb(Image.new("CMYK", (4, 4), inks), cmyk_profile)
    assert kept is None
    np.testing.assert_allclose(np.asarray(rgb), level, atol=2)


def test_convert_to_rgb_converts_inks_without_a_profile() -> None:
    """CMYK without a profile is converted plainly: cyan is what white lacks of red."""
    rgb, _ = convert_to_rgb(Image.new("CMYK", (4, 4), (255, 0, 0, 0)), None)
    assert rgb.getpixel((0, 0)) == (0, 255, 255)


def test_convert_to_rgb_converts_lab() -> None:
    """Lab is converted by its definition: L* of 50 without colour is sRGB 119."""
    lab = Image.merge("LAB", [Image.new("L", (4, 4), level) for level in (128, 128, 128)])
    rgb, _ = convert_to_rgb(lab, None)
    np.testing.assert_allclose(np.asarray(rgb), 119, atol=2)


@pytest.mark.parametrize("mode", ["CMYK", "L", "RGB"])
def test_convert_to_rgb_ignores_a_damaged_profile(mode: str, make_photo: MakePhoto) -> None:
    """A profile that is none does not cost the picture."""
    image = make_photo().convert(mode)
    rgb, kept = convert_to_rgb(image, b"no profile" * 20)
    assert kept is None
    np.testing.assert_array_equal(np.asarray(rgb), np.asarray(image.convert("RGB")))


def test_convert_to_srgb_leaves_srgb_alone(make_photo: MakePhoto) -> None:
    """From sRGB to sRGB nothing changes beyond rounding; a damaged profile changes nothing."""
    photo = make_photo()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = np.asarray(convert_to_srgb(photo, profile)).astype(int)
    assert np.abs(same - np.asarray(photo)).max() <= 1
    assert convert_to_srgb(photo, b"damaged") is photo
