"""From any picture to a network's pixels: by the rule, and exactly as in training."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from models.classifiers import preprocessing as training
from runner.classify.preprocessing import as_pixels, draft, has_light_border, normalize, prepare
from runner.classify.rules import InputRule, read_rule
from runner.errors import PictureError
from runner.images import open_picture

LENET = InputRule((32, 32), "grey", "fit", box=(28, 28), invert="auto")
VGG = InputRule((224, 224), "RGB", "crop", short_side=256)
MODES = ("L", "RGB", "RGBA", "LA", "P", "1", "CMYK", "YCbCr")


def make_noise(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Return a picture of noise."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    image = Image.fromarray(noise)
    return image if mode == "RGBA" else image.convert(mode)


RULES = st.builds(
    training.InputRule,
    size=st.tuples(st.integers(20, 40), st.integers(20, 40)),
    color=st.sampled_from(["grey", "RGB"]),
    resize=st.one_of(
        st.just({"rule": "stretch"}),
        st.integers(40, 60).map(lambda side: {"rule": "crop", "short_side": side}),
        st.tuples(st.integers(1, 20), st.integers(1, 20)).map(
            lambda box: {"rule": "fit", "box": [*box]}
        ),
    ),
    interpolation=st.sampled_from([*training.INTERPOLATIONS]),
    invert=st.sampled_from(["never", "always", "auto"]),
    background=st.integers(0, 255),
)


@settings(max_examples=150, deadline=None)
@given(
    rule=RULES,
    mode=st.sampled_from(MODES),
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    orientation=st.integers(1, 8),
)
def test_prepare_gives_the_bytes_of_training(
    rule: training.InputRule, mode: str, size: tuple[int, int], orientation: int
) -> None:
    """Training's own code, written apart from this one, arrives at the same bytes."""
    image = make_noise(*size, mode)
    image.getexif()[0x0112] = orientation
    image.info["exif"] = image.getexif().tobytes()
    expected = training.prepare(image.copy(), rule)
    found = prepare(image.copy(), read_rule(training.rule_as_dict(rule)))
    assert found.shape == (*rule.size, rule.channels)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_prepare_covers_single_clear_levels_as_training_does(mode: str) -> None:
    """A palette entry, a level or a colour that stands for clear is laid on the background."""
    image = make_noise(40, 30, mode)
    level: Any = image.getpixel((0, 0))
    image.info["transparency"] = level
    rule = training.InputRule((20, 20), "RGB", background=77)
    expected = training.prepare(image.copy(), rule)
    found = prepare(image.copy(), read_rule(training.rule_as_dict(rule)))
    np.testing.assert_array_equal(found, expected)
    opaque = make_noise(40, 30, mode)
    assert (prepare(opaque, read_rule(training.rule_as_dict(rule))) != found).any()


def test_fit_leaves_a_picture_of_the_boxs_size_alone() -> None:
    """Its pixels stand unchanged in the middle of the background."""
    image = make_noise(28, 28, "L")
    rule = InputRule((32, 32), "grey", "fit", box=(28, 28), background=9)
    pixels = prepare(image, rule)[:, :, 0]
    np.testing.assert_array_equal(pixels[2:30, 2:30], np.asarray(image))
    assert (np.delete(pixels, range(2, 30), axis=0) == 9).all()
    assert (np.delete(pixels, range(2, 30), axis=1) == 9).all()


def test_fit_puts_an_odd_rest_behind() -> None:
    """56x20 px become 28x10 in a field of 33: 2 columns before and 3 behind, 11 rows and 12."""
    rule = InputRule((33, 33), "grey", "fit", box=(28, 28))
    pixels = prepare(Image.new("L", (56, 20), 200), rule)[:, :, 0]
    assert np.flatnonzero(pixels.any(axis=1)).tolist() == [*range(11, 21)]
    assert np.flatnonzero(pixels.any(axis=0)).tolist() == [*range(2, 30)]


def test_crop_takes_the_centre() -> None:
    """A picture whose shorter side is right already is only cut, an odd rest behind."""
    image = make_noise(15, 10)
    rule = InputRule((8, 8), "RGB", "crop", short_side=10)
    np.testing.assert_array_equal(prepare(image, rule), np.asarray(image)[1:9, 3:11])


def test_crop_rounds_the_longer_side_half_up() -> None:
    """30x20 at a shorter side of 5 is 7.5, so 8, wide, exactly as Pillow resizes it."""
    image = make_noise(30, 20)
    rule = InputRule((5, 5), "RGB", "crop", short_side=5)
    resized = image.resize((8, 5), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(prepare(image, rule), np.asarray(resized)[:, 1:6])


def test_crop_refuses_a_strip() -> None:
    """A picture whose longer side would fill the memory after resizing is refused."""
    with pytest.raises(PictureError, match=r"300000x1 px: .* would be 76,800,000; cut the picture"):
        prepare(Image.new("L", (300_000, 1)), VGG)


def test_stretch_ignores_the_aspect() -> None:
    """The result is Pillow's own resize of the whole picture."""
    image = make_noise(50, 20)
    rule = InputRule((12, 9), "RGB", interpolation="lanczos")
    expected = np.asarray(image.resize((9, 12), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(prepare(image, rule), expected)


@pytest.mark.parametrize(("border", "light"), [(0, False), (127, False), (128, True), (255, True)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_auto_inverts_where_the_border_is_light(border: int, mode: str, *, light: bool) -> None:
    """The mean of the outermost pixels decides at 127; what is inside does not matter."""
    pixels = np.full((9, 7), 255 - border, np.uint8)
    pixels[[0, -1]] = border
    pixels[:, [0, -1]] = border
    image = Image.fromarray(pixels).convert(mode)
    assert has_light_border(as_pixels(image)) is light
    expected = ImageOps.invert(image) if light else image
    assert normalize(image, LENET).tobytes() == expected.convert("L").tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1), (2, 2)])
def test_the_border_of_narrow_pictures_counts_once(size: tuple[int, int]) -> None:
    """Where all pixels are border, each is counted once."""
    image = make_noise(*size, "L", seed=3)
    assert has_light_border(as_pixels(image)) is bool(np.asarray(image).mean() > 127)


def test_transparency_becomes_background_after_inversion() -> None:
    """Clear pixels end as the rule's background whether or not the picture is inverted."""
    image = Image.new("LA", (28, 28), (0, 0))
    for invert in ("never", "always", "auto"):
        rule = InputRule((32, 32), "grey", "fit", box=(28, 28), invert=invert, background=30)
        assert (prepare(image, rule) == 30).all()


def test_deep_grey_is_scaled() -> None:
    """16-bit samples reach 8 bits by scale; Pillow's own conversion would clip them."""
    deep = Image.fromarray(np.full((28, 28), 0x4000, np.uint16))
    rule = InputRule((28, 28), "grey")
    assert (prepare(deep, rule) == 64).all()
    with pytest.raises(PictureError, match=r"floating-point numbers of unknown range"):
        prepare(Image.new("F", (4, 4)), rule)


def test_profiles_are_used_as_in_painting(grey_profile: bytes, cmyk_profile: bytes) -> None:
    """Grey of gamma 1 gets lighter in sRGB; CMYK goes by its profile; RGB keeps its numbers."""
    rule = InputRule((8, 8), "grey")
    for mode, color, profile, level in (
        ("L", 55, grey_profile, 128),
        ("CMYK", (255, 0, 0, 0), cmyk_profile, 119),
    ):
        image = Image.new(mode, (8, 8), color)
        plain = prepare(image.copy(), rule)
        image.info["icc_profile"] = profile
        assert np.abs(prepare(image, rule).astype(int) - level).max() <= 2
        assert (prepare(image, rule) != plain).all()


def test_prepare_leaves_the_picture_as_it_was() -> None:
    """An image that is handed over is not changed."""
    for mode in MODES:
        image = make_noise(30, 20, mode)
        before = image.tobytes()
        prepare(image, LENET)
        assert (image.mode, image.tobytes()) == (mode, before)


def encode_jpeg(width: int, height: int) -> bytes:
    """Return a JPEG file of smooth colours."""
    small = make_noise(8, 6).resize((width, height), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.mark.parametrize(
    ("size", "rule", "decoded"),
    [
        ((4096, 3072), VGG, (1024, 768)),
        ((1365, 1024), VGG, (683, 512)),
        ((1000, 600), VGG, (1000, 600)),
        ((800, 800), LENET, (100, 100)),
        ((400, 50), LENET, (400, 50)),
    ],
)
def test_draft_leaves_twice_what_is_needed(
    size: tuple[int, int], rule: InputRule, decoded: tuple[int, int]
) -> None:
    """A JPEG is reduced as far as twice the needed sides remain, and differs little then."""
    data = encode_jpeg(*size)
    with open_picture(data) as image, open_picture(data) as whole:
        draft(image, rule)
        image.load()
        assert image.size == decoded
        difference = prepare(image, rule).astype(int) - prepare(whole, rule)
        assert np.abs(difference).mean() < 2
