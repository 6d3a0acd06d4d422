"""Paintings as bytes of a file, and files that are whole or not there."""

import io
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from runner.encoding import encode, flatten
from runner.errors import OutputError, PictureError
from runner.files import publish, temporary_name, write_atomically
from runner.formats import FORMATS
from runner.images import Picture, decode

MakePhoto = Callable[..., Image.Image]


@pytest.fixture
def picture(make_photo: MakePhoto) -> Picture:
    """Return a photo with a profile and an EXIF block."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Obscura"
    return Picture(
        frames=(np.asarray(make_photo()),),
        profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        exif=exif.tobytes(),
    )


@pytest.fixture
def animation(make_photo: MakePhoto) -> Picture:
    """Return three frames with a mask that moves."""
    masks = np.zeros((3, 48, 64), np.uint8)
    for i, mask in enumerate(masks):
        mask[:, 10 * i : 10 * i + 30] = 255
    frames = tuple(np.asarray(make_photo(seed=i)) for i in range(3))
    return Picture(frames, tuple(masks), durations_ms=(40, 80, 120), loop=2)


@pytest.mark.parametrize("format_name", sorted(set(FORMATS.values())))
def test_encode_writes_every_format(format_name: str, picture: Picture) -> None:
    """Every format holds the picture, and decoding gives about the same pixels."""
    data, remarks = encode(picture, format_name, quality=95)
    found = decode(data)
    assert remarks == ()
    assert found.size == picture.size
    tolerance = 16
    assert np.abs(found.frames[0].astype(float) - picture.frames[0]).mean() < tolerance


@pytest.mark.parametrize("format_name", sorted(set(FORMATS.values()) - {"GIF", "BMP"}))
def test_encode_keeps_the_profile(format_name: str, picture: Picture) -> None:
    """The profile is embedded wherever the format has room for it."""
    data, _ = encode(picture, format_name)
    assert decode(data).profile == picture.profile


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_encode_keeps_the_camera(format_name: str, picture: Picture) -> None:
    """The EXIF block goes along."""
    data, _ = encode(picture, format_name)
    exif = Image.Exif()
    exif.load(decode(data).exif or b"")
    assert exif[ExifTags.Base.Make] == "Obscura"


def test_encode_converts_where_a_profile_has_no_room(picture: Picture) -> None:
    """BMP gets the sRGB numbers of what the profile describes: here they are the same."""
    data, remarks = encode(picture, "BMP")
    found = decode(data).frames[0].astype(int)
    assert remarks == ()
    assert np.abs(found - picture.frames[0]).max() <= 1


def test_encode_drops_an_exif_block_that_jpeg_cannot_hold(picture: Picture) -> None:
    """Too much EXIF for a JPEG segment costs the block, with a remark, not the picture."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "long " * 20000
    long = replace(picture, exif=exif.tobytes())
    data, remarks = encode(long, "JPEG")
    assert decode(data).exif is None
    assert "too long for JPEG" in remarks[0]


@pytest.mark.parametrize("format_name", ["JPEG", "BMP"])
def test_encode_flattens_on_white_with_a_remark(format_name: str, picture: Picture) -> None:
    """Where there is no transparency, clear pixels become white, and a remark says so."""
    mask = np.full((48, 64), 255, np.uint8)
    mask[:24] = 0
    data, remarks = encode(replace(picture, masks=(mask,)), format_name, quality=100)
    found = decode(data).frames[0].astype(int)
    assert remarks == (f"{format_name} has no transparency: flattened on white",)
    assert found[:20].min() > 245
    assert np.abs(found[28:] - picture.frames[0][28:]).mean() < 12


def test_flatten_mixes_by_the_mask() -> None:
    """A pixel of level 51 at an opacity of 100 out of 255 on white is level 175."""
    frame, mask = np.full((1, 1, 3), 51, np.uint8), np.full((1, 1), 100, np.uint8)
    assert flatten(Picture((frame,), (mask,))).frames[0].tolist() == [[[175, 175, 175]]]


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG"])
def test_encode_keeps_frames_masks_and_timing(format_name: str, animation: Picture) -> None:
    """An animation comes back with all frames, masks, durations and its loop count."""
    data, _ = encode(animation, format_name)
    found = decode(data)
    assert (found.durations_ms, found.loop) == ((40, 80, 120), 2)
    for mask, expected in zip(found.masks, animation.masks, strict=True):
        np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize(("format_name", "loop"), [("GIF", None), ("WEBP", 1), ("PNG", 1)])
def test_encode_plays_once_what_played_once(
    format_name: str, loop: int | None, animation: Picture
) -> None:
    """A GIF without a loop count plays once, and so does what is made of it."""
    data, _ = encode(replace(animation, loop=None), format_name)
    assert decode(data).loop == loop


def test_encode_refuses_frames_that_do_not_fit(animation: Picture) -> None:
    """A format of one picture refuses an animation and names those that hold it."""
    with pytest.raises(
        PictureError, match=r"3 frames do not fit into JPEG.*use --format same, webp"
    ):
        encode(animation, "JPEG")


def test_encode_refuses_a_side_beyond_the_format() -> None:
    """A picture longer than the format allows is refused with its size."""
    picture = Picture((np.zeros((32, 16400, 3), np.uint8),))
    with pytest.raises(PictureError, match=r"16400x32 px cannot be encoded as WEBP"):
        encode(picture, "WEBP")


def test_encode_names_the_missing_heif_package(
    picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing HEIC without pillow-heif says how to install it."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PictureError, match=r"pip install pillow-heif"):
        encode(picture, "HEIF")


def test_encode_obeys_the_quality(picture: Picture) -> None:
    """A lower quality makes a smaller file."""
    sizes = [len(encode(picture, "JPEG", quality)[0]) for quality in (10, 50, 95)]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 3


def test_write_atomically_shows_nothing_before_it_is_published(tmp_path: Path) -> None:
    """The file appears whole, and nothing else stays beside it."""
    path = tmp_path / "new" / "folder" / "a.png"
    status = write_atomically(path, b"whole")
    assert not path.exists()
    publish(path)
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert list(path.parent.iterdir()) == [path]


def test_write_atomically_explains_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    """Where a folder should be and a file is, the error names the output."""
    (tmp_path / "folder").write_text("in the way")
    with pytest.raises(
        OutputError, match=r"a\.png: cannot be written \((Not a directory|File exists)"
    ):
        write_atomically(tmp_path / "folder" / "a.png", b"")


def test_publish_explains_a_folder_in_the_way_and_cleans_up(tmp_path: Path) -> None:
    """Where a file should be and a folder is, nothing half-written stays."""
    path = tmp_path / "a.png"
    path.mkdir()
    write_atomically(path, b"whole")
    with pytest.raises(OutputError, match=r"a\.png: cannot be written \(Is a directory\)"):
        publish(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a.png", "ü" * 122 + ".jpg", "a" * 251 + ".png"])
def test_temporary_name_fits_every_name_that_fits(name: str, tmp_path: Path) -> None:
    """The longest names that a file system allows can be written, and two never share one."""
    path = tmp_path / name
    write_atomically(path, b"whole")
    publish(path)
    assert path.read_bytes() == b"whole"
    assert temporary_name(path) != temporary_name(tmp_path / f"b{name[1:]}")


def test_write_atomically_overwrites_what_a_killed_run_left(tmp_path: Path) -> None:
    """A temporary file of a run that was killed is in nobody's way."""
    path = tmp_path / "a.png"
    temporary_name(path).write_bytes(b"half of a very long picture")
    write_atomically(path, b"whole")
    publish(path)
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_encode_returns_a_file_that_pillow_opens_by_itself(picture: Picture) -> None:
    """The bytes are a plain file of the format, nothing of our own."""
    with Image.open(io.BytesIO(encode(picture, "PNG")[0])) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (64, 48))
