"""Training and runner, written apart, make the same bytes of every kind of picture file."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.classifiers import preprocessing as training
from models.errors import DataError
from runner.classify.decoding import prepare_bytes
from runner.classify.rules import read_rule
from runner.errors import PictureError

PHOTOS = sorted((Path(__file__).parents[3] / "examples" / "photos").glob("*.[jp][pn]g"))
FIT = {"rule": "fit", "box": [28, 28]}
RULES = {
    "lenet5": training.InputRule((32, 32), "grey", FIT, "bilinear", "auto"),
    "alexnet": training.InputRule((227, 227), "RGB", {"rule": "crop", "short_side": 256}),
    "own": training.InputRule(
        (40, 30), "RGB", interpolation="lanczos", invert="always", background=77
    ),
}


def draw(mode: str, width: int = 50, height: int = 36) -> Image.Image:
    """Return soft random colours in a mode, clear in places where the mode can say so."""
    noise = np.random.default_rng(4).integers(0, 256, (6, 8, 4), dtype=np.uint8)
    image = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
    return image if mode == "RGBA" else image.convert(mode)


def draw_deep(dtype: str) -> Image.Image:
    """Return 16-bit grey from black to white, as ``I;16`` or ``I``."""
    values = np.linspace(0, 65535, 50 * 36).reshape(36, 50).astype(dtype)
    return Image.fromarray(values)


def encode(image: Image.Image, form: str, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's
    """Return the bytes of a picture file."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def encode_turned(form: str, orientation: int) -> bytes:
    """Return the bytes of a picture file that says how it is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(draw("RGB"), form, exif=exif)


KINDS: dict[str, Callable[[], bytes]] = {
    "grey": lambda: encode(draw("L"), "PNG"),
    "bits": lambda: encode(draw("1"), "PNG"),
    "bits-tiff": lambda: encode(draw("1"), "TIFF", compression="group4"),
    "deep-png": lambda: encode(draw_deep("uint16"), "PNG"),
    "deep-png-clear": lambda: encode(draw_deep("uint16"), "PNG", transparency=0),
    "deep-tiff": lambda: encode(draw_deep("uint16"), "TIFF"),
    "deeper-tiff": lambda: encode(draw_deep("int32"), "TIFF"),
    "palette": lambda: encode(draw("P"), "PNG"),
    "palette-clear": lambda: encode(draw("P"), "PNG", transparency=bytes(range(256))),
    "palette-one-clear": lambda: encode(draw("P"), "GIF", transparency=7),
    "grey-one-clear": lambda: encode(draw("L"), "PNG", transparency=120),
    "color-one-clear": lambda: encode(draw("RGB"), "PNG", transparency=(1, 2, 3)),
    "grey-mask": lambda: encode(draw("LA"), "PNG"),
    "mask": lambda: encode(draw("RGBA"), "PNG"),
    "mask-webp": lambda: encode(draw("RGBA"), "WEBP", lossless=True),
    "cmyk-jpeg": lambda: encode(draw("CMYK"), "JPEG"),
    "cmyk-tiff": lambda: encode(draw("CMYK"), "TIFF"),
    "lab-tiff": lambda: encode(Image.merge("LAB", draw("RGB").split()), "TIFF"),
    "ycbcr-tiff": lambda: encode(draw("YCbCr"), "TIFF"),
    "jpeg": lambda: encode(draw("RGB"), "JPEG"),
    "progressive": lambda: encode(draw("RGB"), "JPEG", progressive=True),
    "grey-jpeg": lambda: encode(draw("L"), "JPEG"),
    "bitmap": lambda: encode(draw("RGB"), "BMP"),
    "animation": lambda: encode(
        draw("P"), "GIF", save_all=True, append_images=[draw("P").rotate(180)], duration=40
    ),
    "animated-png": lambda: encode(
        draw("RGBA"), "PNG", save_all=True, append_images=[draw("RGBA").rotate(180)]
    ),
    "pages": lambda: encode(
        draw("RGB"), "TIFF", save_all=True, append_images=[draw("RGB").rotate(180)]
    ),
    "damaged-metadata": lambda: encode(
        draw("RGB"), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\xff\xff\xff\xff\xff\xff"
    ),
    "damaged-profile": lambda: encode(draw("CMYK"), "JPEG", icc_profile=bytes(300)),
    **{
        f"orientation-{form}-{way}".lower(): partial(encode_turned, form, way)
        for form in ("JPEG", "PNG", "TIFF", "WEBP")
        for way in (3, 6, 7)
    },
}
# kind -> mode, format, and whose profile
PROFILED = {
    "grey-profile-png": ("L", "PNG", "grey_profile"),
    "grey-profile-jpeg": ("L", "JPEG", "grey_profile"),
    "grey-profile-mask": ("LA", "PNG", "grey_profile"),
    "grey-profile-deep": ("I;16", "PNG", "grey_profile"),
    "cmyk-profile-jpeg": ("CMYK", "JPEG", "cmyk_profile"),
    "cmyk-profile-tiff": ("CMYK", "TIFF", "cmyk_profile"),
    "profile-of-another-kind": ("RGB", "JPEG", "grey_profile"),
    "profile-of-inks-for-grey": ("L", "PNG", "cmyk_profile"),
}


def expect_same_bytes(data: bytes, rule: training.InputRule) -> None:
    """Compare what both rooms make of a file."""
    with Image.open(io.BytesIO(data)) as opened:
        expected = training.prepare(opened, rule)
    found = prepare_bytes(data, read_rule(training.rule_as_dict(rule)))
    assert found.shape == (*rule.size, rule.channels)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("rule", RULES.values(), ids=[*RULES])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_becomes_the_same_bytes(kind: str, rule: training.InputRule) -> None:
    """Depth, palette, transparency, colour space, orientation and frames are treated alike."""
    expect_same_bytes(KINDS[kind](), rule)


@pytest.mark.parametrize("rule", RULES.values(), ids=[*RULES])
@pytest.mark.parametrize("kind", PROFILED)
def test_profiles_lead_to_the_same_bytes(
    kind: str, rule: training.InputRule, request: pytest.FixtureRequest
) -> None:
    """An embedded profile is followed, or refused, alike."""
    mode, form, name = PROFILED[kind]
    image = draw_deep("uint16") if mode == "I;16" else draw(mode)
    expect_same_bytes(encode(image, form, icc_profile=request.getfixturevalue(name)), rule)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_profiles_change_what_training_sees(
    mode: str, grey_profile: bytes, cmyk_profile: bytes
) -> None:
    """Training follows profiles of grey and of inks: pictures with and without one differ."""
    profile = grey_profile if mode == "L" else cmyk_profile
    found = []
    for options in ({}, {"icc_profile": profile}):
        with Image.open(io.BytesIO(encode(draw(mode), "TIFF", **options))) as opened:
            found.append(training.prepare(opened, RULES["alexnet"]))
    assert (found[0] != found[1]).any()


@pytest.mark.parametrize("rule", RULES.values(), ids=[*RULES])
@pytest.mark.parametrize("photo", PHOTOS, ids=[photo.name for photo in PHOTOS])
def test_photographs_become_the_same_bytes(photo: Path, rule: training.InputRule) -> None:
    """Real photographs are cut, scaled and coloured alike."""
    expect_same_bytes(photo.read_bytes(), rule)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (np.zeros((4, 4), np.float32), "floating-point numbers of unknown range"),
        (np.full((4, 4), 70000, np.int32), "samples reach from 70000 to 70000, beyond 16 bits"),
        (np.full((4, 4), -1, np.int32), "samples reach from -1 to -1, beyond 16 bits"),
    ],
)
def test_both_refuse_samples_of_unknown_range(values: np.ndarray, match: str) -> None:
    """Where black and white cannot be known, neither guesses, and both say the same."""
    data = encode(Image.fromarray(values), "TIFF")
    rule = RULES["own"]
    with Image.open(io.BytesIO(data)) as opened, pytest.raises(DataError, match=match):
        training.prepare(opened, rule)
    with pytest.raises(PictureError, match=match):
        prepare_bytes(data, read_rule(training.rule_as_dict(rule)))
