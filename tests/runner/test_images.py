"""Picture files taken apart: upright 8-bit RGB, and everything else kept beside it."""

import io
import struct
import sys
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import ExifTags, Image

from runner.errors import PictureError
from runner.images import Pixels, decode, from_image, join

MakePhoto = Callable[..., Image.Image]
# EXIF 2.32, tag 274: what must be done to the stored pixels to see them upright
UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored.swapaxes(0, 1), 2),
    8: lambda stored: np.rot90(stored, 1),
}


def save(image: Image.Image, format_name: str, **options: object) -> bytes:
    """Return ``image`` as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


def make_exif(orientation: int) -> Image.Exif:
    """Return an EXIF block with a camera's name and an orientation."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Obscura"
    exif[ExifTags.Base.Orientation] = orientation
    return exif


def write_png_chunk(name: bytes, body: bytes) -> bytes:
    """Return one chunk of a PNG file."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("format_name", ["PNG", "WEBP", "TIFF"])
def test_decode_turns_a_picture_upright(
    orientation: int, format_name: str, make_photo: MakePhoto
) -> None:
    """Each of the eight orientations is applied, and the tag is gone."""
    options = {"lossless": True} if format_name == "WEBP" else {}
    data = save(make_photo(), format_name, exif=make_exif(orientation), **options)
    picture = decode(data)
    expected = UPRIGHT[orientation](np.asarray(make_photo()))
    np.testing.assert_array_equal(picture.frames[0], expected)
    exif = Image.Exif()
    exif.load(picture.exif or b"")
    assert ExifTags.Base.Orientation not in exif


@pytest.mark.parametrize("format_name", ["JPEG", "MPO"])
def test_decode_turns_a_camera_file_upright(format_name: str, make_photo: MakePhoto) -> None:
    """A phone's JPEG, with or without a second picture inside, is turned and keeps its camera."""
    picture = decode(save(make_photo(), format_name, exif=make_exif(6), quality=95))
    assert (picture.size, picture.format) == ((64, 48), "JPEG")
    exif = Image.Exif()
    exif.load(picture.exif or b"")
    assert dict(exif) == {ExifTags.Base.Make: "Obscura"}


@pytest.mark.parametrize(
    "block",
    [
        b"garbage",
        b"Exif\0\0ZZ**",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0\3\0\0\0\1" + b"\xff" * 50,
    ],
)
@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")
def test_decode_survives_damaged_metadata(
    block: bytes, format_name: str, make_photo: MakePhoto
) -> None:
    """An EXIF block that cannot be read does not cost the picture."""
    picture = decode(save(make_photo(), format_name, exif=block))
    assert picture.size == (48, 64)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_decode_brings_every_mode_to_rgb(mode: str, make_photo: MakePhoto) -> None:
    """One bit, grey, palette and RGB become what they look like."""
    image = make_photo().convert(mode)
    picture = decode(save(image, "PNG"))
    assert not picture.masks
    np.testing.assert_array_equal(picture.frames[0], np.asarray(image.convert("RGB")))


def test_decode_reads_an_interlaced_png() -> None:
    """A PNG in Adam7 order of one grey pixel per pass shows that pixel."""
    head = write_png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 1))
    body = write_png_chunk(b"IDAT", zlib.compress(b"\0\x7b"))
    data = b"\x89PNG\r\n\x1a\n" + head + body + write_png_chunk(b"IEND", b"")
    assert decode(data).frames[0].tolist() == [[[123, 123, 123]]]


def test_decode_scales_16_bits(make_photo: MakePhoto) -> None:
    """A 16-bit PNG keeps its whole range: its 8-bit picture is what it was scaled from."""
    grey = np.asarray(make_photo().convert("L"))
    data = save(Image.fromarray(grey.astype(np.uint16) * 257), "PNG")
    np.testing.assert_array_equal(decode(data).frames[0], np.stack([grey] * 3, axis=-1))


def test_decode_keeps_the_mask(make_photo: MakePhoto) -> None:
    """Transparency is kept beside the colours, also under clear pixels."""
    photo, mask = make_photo(), make_photo(seed=1).convert("L")
    both = photo.copy()
    both.putalpha(mask)
    picture = decode(save(both, "PNG"))
    np.testing.assert_array_equal(picture.frames[0], np.asarray(photo))
    np.testing.assert_array_equal(picture.masks[0], np.asarray(mask))
    np.testing.assert_array_equal(np.asarray(picture.to_image()), np.asarray(both))


@pytest.mark.parametrize(
    ("size", "long_side", "expected"),
    [((64, 48), 32, (24, 32)), ((48, 64), 32, (32, 24)), ((64, 48), 64, (48, 64)),
     ((64, 48), 500, (48, 64)), ((640, 480), 80, (60, 80)), ((32, 500), 100, (100, 6))],
)  # fmt: skip
@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_decode_caps_the_long_side(
    size: tuple[int, int],
    long_side: int,
    expected: tuple[int, int],
    format_name: str,
    make_photo: MakePhoto,
) -> None:
    """The longer side comes down to the cap, the shape stays, and nothing is enlarged."""
    assert decode(save(make_photo(*size), format_name), long_side).size == expected


def test_decode_caps_a_turned_picture_with_its_mask(make_photo: MakePhoto) -> None:
    """The cap holds for the upright picture, and the mask goes with it."""
    photo = make_photo(200, 100)
    photo.putalpha(make_photo(200, 100, 1).convert("L"))
    picture = decode(save(photo, "PNG", exif=make_exif(8)), 50)
    assert picture.size == (50, 25)
    assert picture.masks[0].shape == (50, 25)


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG"])
def test_decode_takes_every_frame(format_name: str, make_photo: MakePhoto) -> None:
    """An animation gives all frames with their timing and its loop count."""
    frames = [make_photo(seed=i) for i in range(4)]
    options = {"lossless": True} if format_name == "WEBP" else {}
    durations = [50, 100, 150, 200]
    data = save(
        frames[0], format_name, save_all=True, append_images=frames[1:], duration=durations,
        loop=3, **options,
    )  # fmt: skip
    picture = decode(data)
    assert picture.durations_ms == (50, 100, 150, 200)
    assert picture.loop == 3
    tolerance = 60 if format_name == "GIF" else 0  # 256 colours per frame
    for found, frame in zip(picture.frames, frames, strict=True):
        assert np.abs(found.astype(int) - np.asarray(frame)).max() <= tolerance


def test_decode_takes_a_still_from_an_animation(make_photo: MakePhoto) -> None:
    """Asked for a still, it reads the first frame only."""
    data = save(
        make_photo(), "WEBP", save_all=True, append_images=[make_photo(seed=1)], lossless=True
    )
    picture = decode(data, still=True)
    assert (len(picture.frames), picture.durations_ms) == (1, ())
    np.testing.assert_array_equal(picture.frames[0], np.asarray(make_photo()))


def test_decode_turns_animations_upright(make_photo: MakePhoto) -> None:
    """The orientation holds for every frame of an animation."""
    frames = [make_photo(seed=i) for i in range(2)]
    data = save(
        frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, exif=make_exif(6)
    )
    for found, frame in zip(decode(data).frames, frames, strict=True):
        np.testing.assert_array_equal(found, np.rot90(np.asarray(frame), -1))


def test_decode_leaves_out_the_picture_for_programs_that_cannot_animate(
    make_photo: MakePhoto,
) -> None:
    """An APNG's default image that is no frame is not painted as one."""
    frames = [make_photo(seed=i) for i in range(3)]
    data = save(
        frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True, duration=40
    )
    picture = decode(data)
    assert picture.durations_ms == (40, 40)
    np.testing.assert_array_equal(picture.frames[0], np.asarray(frames[1]))


def test_decode_says_that_it_took_one_page(make_photo: MakePhoto) -> None:
    """Of a TIFF with several pages the first is taken, and a remark says so."""
    data = save(make_photo(), "TIFF", save_all=True, append_images=[make_photo(seed=1)])
    assert decode(data).remarks == ("only the first of 2 pages was painted",)


def test_decode_refuses_a_huge_animation(
    make_photo: MakePhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All frames together must not be more pixels than one picture may have."""
    frames = [make_photo(seed=i) for i in range(3)]
    data = save(frames[0], "GIF", save_all=True, append_images=frames[1:])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)
    with pytest.raises(PictureError, match=r"3 frames of 64x48 px exceed 8,000 pixels in all"):
        decode(data)


def test_decode_refuses_a_bomb() -> None:
    """A file of a few bytes that claims 900 megapixels is not unpacked."""
    head = write_png_chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0))
    with pytest.raises(PictureError, match=r"decompression bomb \(Image size \(900000000 pixels\)"):
        decode(b"\x89PNG\r\n\x1a\n" + head + write_png_chunk(b"IDAT", zlib.compress(b"")))


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", r"^the file is empty$"), (b"Dear diary,", r"^not a picture in a format that")],
)
def test_decode_refuses_what_is_no_picture(data: bytes, reason: str) -> None:
    """Nothing and text are refused in words of their own."""
    with pytest.raises(PictureError, match=reason):
        decode(data)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_decode_refuses_a_truncated_file(
    format_name: str, share: float, make_photo: MakePhoto
) -> None:
    """Half a file of any format is damaged, or no picture at all; never a half picture."""
    data = save(make_photo(), format_name)
    with pytest.raises(PictureError, match=r"^(the picture is damaged|not a picture) "):
        decode(data[: int(len(data) * share)])


def test_decode_reads_heic(make_photo: MakePhoto) -> None:
    """Where pillow-heif is installed, HEIC is a format like others, its turning included."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
    data = save(make_photo(), "HEIF", quality=95, exif=make_exif(6).tobytes())
    picture = decode(data)
    assert picture.size == (64, 48)
    expected = np.rot90(np.asarray(make_photo()), -1).astype(float)
    assert np.abs(picture.frames[0] - expected).mean() < 8


def test_decode_names_the_missing_heif_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pillow-heif is missing, the error says how to install it."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PictureError, match=r"pip install pillow-heif"):
        decode(b"\0\0\0\x18ftypheic" + bytes(40))


def test_from_image_leaves_the_callers_image_alone(make_photo: MakePhoto) -> None:
    """Taking an image apart changes neither its pixels nor its orientation nor its frame."""
    data = save(make_photo(), "PNG", exif=make_exif(6))
    with Image.open(io.BytesIO(data)) as image:
        picture = from_image(image)
        assert image.getexif()[ExifTags.Base.Orientation] == 6
        assert image.size == (64, 48)
    assert picture.size == (64, 48)


def test_from_image_explains_an_image_that_cannot_be_loaded(make_photo: MakePhoto) -> None:
    """An image whose file is cut short fails as a picture does, not with Pillow's error."""
    data = save(make_photo(), "PNG")
    with (
        Image.open(io.BytesIO(data[: len(data) // 2])) as image,
        pytest.raises(PictureError, match=r"the picture is damaged"),
    ):
        from_image(image)


def test_join_is_the_inverse_of_taking_apart(make_photo: MakePhoto) -> None:
    """Pixels and mask joined are RGBA, pixels alone RGB."""
    pixels: Pixels = np.asarray(make_photo())
    mask: Pixels = np.asarray(make_photo(seed=1).convert("L"))
    assert join(pixels, None).mode == "RGB"
    both = np.asarray(join(pixels, mask))
    np.testing.assert_array_equal(both[..., :3], pixels)
    np.testing.assert_array_equal(both[..., 3], mask)
