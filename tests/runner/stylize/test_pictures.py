"""``impasto stylize`` on real files of every kind."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import ExifTags, Image, ImageCms

MakePhoto = Callable[..., Image.Image]
Impasto = Callable[..., Result]
ReadRows = Callable[[str], list[dict[str, Any]]]
PLAIN = ("--strength", 0)  # the painting is the photo: whatever else differs was lost on the way


def read(path: Path, mode: str = "RGB") -> np.ndarray:
    """Return the pixels of a file as integers."""
    with Image.open(path) as image:
        return np.asarray(image.convert(mode)).astype(int)


def test_stylize_paints_and_keeps_size_and_format(impasto: Impasto, photos: Path) -> None:
    """Every photo of a folder becomes a painting of its size and format, and looks different."""
    assert impasto("stylize", photos, "-o", "out").exit_code == 0
    for photo in photos.iterdir():
        painted = photos.parent / "out" / photo.name
        with Image.open(photo) as before, Image.open(painted) as after:
            assert (after.size, after.format) == (before.size, before.format)
        assert np.abs(read(painted) - read(photo)).mean() > 10


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_stylize_turns_pictures_upright(
    suffix: str, impasto: Impasto, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """The EXIF orientation is applied to the painting and cleared in its tags."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    make_photo(64, 40).save(tmp_path / f"a{suffix}", exif=exif)
    impasto("stylize", f"a{suffix}", "-o", f"b{suffix}", *PLAIN)
    with Image.open(tmp_path / f"b{suffix}") as painted:
        assert painted.size == (40, 64)
        assert painted.getexif().get(ExifTags.Base.Orientation, 1) == 1
    expected = np.rot90(np.asarray(make_photo(64, 40)), -1).astype(int)
    assert np.abs(read(tmp_path / f"b{suffix}") - expected).mean() < 16


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_stylize_keeps_rgb_profiles(
    suffix: str, impasto: Impasto, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """The profile of an RGB picture is in the painting, byte for byte."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    make_photo().save(tmp_path / f"a{suffix}", icc_profile=profile)
    impasto("stylize", f"a{suffix}", "-o", f"b{suffix}", *PLAIN)
    with Image.open(tmp_path / f"b{suffix}") as painted:
        assert painted.info["icc_profile"] == profile


@pytest.mark.parametrize("name", ["grey.jpg", "grey.png", "inks.jpg", "inks.tif"])
def test_stylize_converts_other_profiles(
    name: str, impasto: Impasto, grey_profile: bytes, cmyk_profile: bytes, tmp_path: Path
) -> None:
    """Grey and CMYK become sRGB by their own profiles, which the painting does not carry."""
    if name.startswith("grey"):
        image, profile, level = Image.new("L", (40, 40), 128), grey_profile, 188
    else:
        image, profile, level = Image.new("CMYK", (40, 40), (255, 0, 0, 0)), cmyk_profile, 119
    image.save(tmp_path / name, icc_profile=profile)
    impasto("stylize", name, "-o", "b.png", *PLAIN)
    with Image.open(tmp_path / "b.png") as painted:
        assert "icc_profile" not in painted.info
    np.testing.assert_allclose(read(tmp_path / "b.png"), level, atol=4)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_stylize_keeps_alpha(
    mode: str, impasto: Impasto, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """The whole picture is painted, also under clear pixels; the mask is the photo's."""
    photo, mask = make_photo(), make_photo(seed=1).convert("L")
    photo = photo.convert("RGB" if mode == "RGBA" else "L")
    photo.putalpha(mask)
    photo.save(tmp_path / "a.png")
    photo.convert(mode[:-1] + "A").convert("RGB").save(tmp_path / "opaque.png")
    assert impasto("stylize", "a.png", "opaque.png", "-o", "out").exit_code == 0
    np.testing.assert_array_equal(read(tmp_path / "out/a.png", "RGBA")[..., 3], np.asarray(mask))
    painted = read(tmp_path / "out/a.png", "RGBA")[..., :3]
    np.testing.assert_array_equal(painted, read(tmp_path / "out/opaque.png"))


def test_stylize_flattens_for_jpeg_with_a_warning(
    impasto: Impasto, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """With --format jpeg clear pixels become white, and standard error says so."""
    photo = make_photo()
    photo.putalpha(Image.new("L", photo.size, 0))
    photo.save(tmp_path / "a.png")
    result = impasto("stylize", "a.png", "-o", "out", "--format", "jpeg")
    assert result.exit_code == 0
    assert "a.png: JPEG has no transparency: flattened on white" in result.stderr
    assert read(tmp_path / "out/a.jpg").min() > 250


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_stylize_paints_every_mode(
    mode: str, impasto: Impasto, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """One bit, grey, palette and CMYK are painted as the RGB that they look like."""
    image = make_photo().convert(mode)
    image.save(tmp_path / "a.tif")
    impasto("stylize", "a.tif", "-o", "b.png", *PLAIN)
    np.testing.assert_array_equal(read(tmp_path / "b.png"), np.asarray(image.convert("RGB")))


def test_stylize_scales_16_bits(impasto: Impasto, make_photo: MakePhoto, tmp_path: Path) -> None:
    """A 16-bit PNG is scaled, not clipped, and written with 8 bits."""
    grey = np.asarray(make_photo().convert("L"))
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "a.png")
    impasto("stylize", "a.png", "-o", "b.png", *PLAIN)
    with Image.open(tmp_path / "b.png") as painted:
        assert painted.mode == "RGB"
    np.testing.assert_array_equal(read(tmp_path / "b.png"), np.stack([grey] * 3, axis=-1))


def test_stylize_paints_heic(impasto: Impasto, make_photo: MakePhoto, tmp_path: Path) -> None:
    """Where pillow-heif is installed, HEIC goes in and comes out, also from other formats."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
    make_photo().save(tmp_path / "a.heic", quality=95)
    make_photo().save(tmp_path / "b.png")
    assert impasto("stylize", "a.heic", "-o", "out").exit_code == 0
    assert impasto("stylize", "b.png", "-o", "out/b.heic").exit_code == 0
    for name in ("a.heic", "b.heic"):
        with Image.open(tmp_path / "out" / name) as painted:
            assert (painted.format, painted.size) == ("HEIF", (64, 48))


def test_stylize_names_the_missing_heif_package(
    impasto: Impasto, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pillow-heif is missing, the error names it and the other pictures are painted."""
    (photos / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    result = impasto("stylize", photos, "-o", "out")
    assert result.exit_code == 1
    assert (
        "phone.heic: HEIC pictures need another package: pip install pillow-heif" in result.stderr
    )
    assert len(list((photos.parent / "out").glob("*.*"))) == 4 + 1  # and the manifest


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_stylize_paints_every_frame(
    suffix: str, impasto: Impasto, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """All frames of an animation are painted, with their timing and loop count."""
    frames = [make_photo(seed=i) for i in range(4)]
    durations = [50, 100, 150, 200]
    frames[0].save(
        tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:], duration=durations, loop=3
    )
    assert impasto("stylize", f"a{suffix}", "-o", f"b{suffix}").exit_code == 0
    with Image.open(tmp_path / f"b{suffix}") as painted:
        assert (getattr(painted, "n_frames", 1), painted.info["loop"]) == (4, 3)
        found = []
        for number, frame in enumerate(frames):
            painted.seek(number)
            painted.load()
            found.append(painted.info["duration"])
            pixels = np.asarray(painted.convert("RGB")).astype(int)
            assert np.abs(pixels - np.asarray(frame)).mean() > 10
    assert found == durations


def test_stylize_refuses_to_squeeze_an_animation_into_a_jpeg(
    impasto: Impasto, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """An animation is no still picture: the file is named, with the formats that hold it."""
    make_photo().save(tmp_path / "a.gif", save_all=True, append_images=[make_photo(seed=1)])
    result = impasto("stylize", "a.gif", "-o", "b.jpg")
    assert result.exit_code == 1
    assert "a.gif: 2 frames do not fit into JPEG" in result.stderr
    assert not (tmp_path / "b.jpg").exists()


@pytest.mark.parametrize(
    "name",
    [b"\xe6\x97\xa5\xe6\x9c\xac \xc3\xbc.png", b"\xff\xfe.png", b"line\nfeed.png", b"\x1b[31m.png",
     "\u2028.png".encode(), b"a" * 251 + b".png", b"-o.png", b"%s {}.png"],
    ids=["unicode", "no utf-8", "newline", "escape", "separator", "long", "option", "format"],
)  # fmt: skip
def test_stylize_takes_any_name(
    name: bytes, impasto: Impasto, make_photo: MakePhoto, read_rows: ReadRows, tmp_path: Path
) -> None:
    """Any name that a file can have is painted, and its row opens the files again."""
    folder = tmp_path / "in"
    folder.mkdir()
    make_photo().save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(folder / os.fsdecode(name))
    result = impasto("stylize", "in", "-o", "out", "--json")
    (row,) = read_rows(result.stdout)
    assert row["status"] == "ok"
    for field, place in (("input", b"in/"), ("output", b"out/")):
        assert os.fsencode(row[field]) == place + name
        assert Path(row[field]).is_file()


def test_stylize_prints_no_control_codes(
    impasto: Impasto, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """A name cannot speak to the terminal: control codes and line ends are escaped."""
    make_photo(5, 5).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "\x1b[31m\nred.png")
    result = impasto("stylize", "\x1b[31m\nred.png", "-o", "b.png")
    assert result.stderr.startswith("\\x1b[31m\\nred.png: 5x5 px is smaller")


def test_stylize_separates_names_in_one_folder(
    impasto: Impasto, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """``a.jpg`` and ``a.png`` both have their painting, whatever the format."""
    (tmp_path / "in").mkdir()
    make_photo(64, 48).save(tmp_path / "in/a.jpg")
    make_photo(48, 64).save(tmp_path / "in/a.png")
    assert impasto("stylize", "in", "-o", "out", "--format", "png", *PLAIN).exit_code == 0
    assert read(tmp_path / "out/a.jpg.png").shape == (48, 64, 3)
    assert read(tmp_path / "out/a.png").shape == (64, 48, 3)


def test_stylize_keeps_the_tree(impasto: Impasto, make_photo: MakePhoto, tmp_path: Path) -> None:
    """With --recursive the output folder has the tree of the input folder."""
    for place in ("a.png", "x/b.png", "x/y/c.png"):
        (tmp_path / "in" / place).parent.mkdir(parents=True, exist_ok=True)
        make_photo().save(tmp_path / "in" / place)
    assert impasto("stylize", "in", "-o", "out", "--recursive").exit_code == 0
    painted = sorted(str(path.relative_to("out")) for path in Path("out").rglob("*.png"))
    assert painted == ["a.png", "x/b.png", "x/y/c.png"]


def test_stylize_paints_into_its_own_input_folder(
    impasto: Impasto, photos: Path, read_rows: ReadRows
) -> None:
    """An output folder inside the input is made, and the next run does not paint paintings."""
    for status in ("ok", "skipped"):
        options = ("--recursive", "--resume", "--json")
        result = impasto("stylize", photos, "-o", photos / "painted", *options)
        assert [row["status"] for row in read_rows(result.stdout)] == [status] * 4


@pytest.mark.parametrize(
    ("name", "spoil", "reason"),
    [
        ("cut.jpg", lambda data: data[: len(data) // 2], "the picture is damaged"),
        ("cut.png", lambda data: data[: len(data) // 2], "the picture is damaged"),
        ("empty.jpg", lambda _: b"", "the file is empty"),
        ("text.jpg", lambda _: b"Dear diary,", "not a picture in a format"),
    ],
)
def test_stylize_names_a_bad_file_and_paints_the_others(
    name: str, spoil: Callable[[bytes], bytes], reason: str, impasto: Impasto, photos: Path,
    read_rows: ReadRows,
) -> None:  # fmt: skip
    """The bad file is named with its reason, all others are painted, the status is 1."""
    good = photos / ("a.jpg" if name.endswith("jpg") else "b.png")
    (photos / name).write_bytes(spoil(good.read_bytes()))
    result = impasto("stylize", photos, "-o", "out", "--json")
    rows = {Path(row["input"]).name: row for row in read_rows(result.stdout)}
    assert result.exit_code == 1
    assert rows.pop(name)["status"] == "failed"
    assert f"{photos / name}: {reason}" in result.stderr
    assert {row["status"] for row in rows.values()} == {"ok"}
    assert {path.name for path in Path("out").iterdir()} == {*rows, ".impasto-manifest.jsonl"}


def test_stylize_names_a_picture_that_is_too_small(
    impasto: Impasto, photos: Path, make_photo: MakePhoto
) -> None:
    """5x5 px are refused with the side that the network needs."""
    make_photo(5, 5).save(photos / "tiny.png")
    result = impasto("stylize", photos, "-o", "out")
    assert result.exit_code == 1
    assert "tiny.png: 5x5 px is smaller than the 32 px this network needs" in result.stderr
    assert "painted 4, failed 1" in result.stderr


def test_stylize_refuses_a_decompression_bomb(
    impasto: Impasto, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture of more than twice Pillow's limit is refused, and the others are painted."""
    Image.new("1", (2000, 1500)).save(photos / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000)
    result = impasto("stylize", photos, "-o", "out")
    assert result.exit_code == 1
    assert "bomb.png: refused as a decompression bomb" in result.stderr
    assert "painted 4, failed 1" in result.stderr


@pytest.mark.parametrize(
    "obstacle", ["file for a folder", "folder for a file", "folder for a temporary file"]
)
def test_stylize_survives_an_unwritable_output(
    obstacle: str, impasto: Impasto, photos: Path, make_photo: MakePhoto
) -> None:
    """Where one painting cannot be written, it is named, and the others are painted."""
    out = photos.parent / "out"
    (photos / "sub").mkdir()
    make_photo().save(photos / "sub" / "x.png")
    out.mkdir()
    if obstacle == "file for a folder":
        (out / "sub").write_text("in the way")
    else:
        name = "x.png" if obstacle == "folder for a file" else ".x.png.impasto-part"
        (out / "sub" / name).mkdir(parents=True)
    result = impasto("stylize", photos, "-o", "out", "--recursive", "--overwrite")
    assert result.exit_code == 1
    assert f"{photos / 'sub' / 'x.png'}: out/sub/x.png" in result.stderr
    assert "painted 4, failed 1" in result.stderr
    assert not [path for path in out.rglob("*part") if path.is_file()]


def test_stylize_paints_a_very_long_picture(
    impasto: Impasto, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """A strip of 32 by 3,000 px is a picture like any other."""
    make_photo(32, 3000).save(tmp_path / "a.jpg")
    assert impasto("stylize", "a.jpg", "-o", "b.jpg").exit_code == 0
    assert read(tmp_path / "b.jpg").shape == (3000, 32, 3)


def test_stylize_believes_the_file_not_its_suffix(
    impasto: Impasto, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """A JPEG that is called PNG is read as what it is and written as what it is called."""
    make_photo().save(tmp_path / "a.png", "JPEG")
    assert impasto("stylize", "a.png", "-o", "out").exit_code == 0
    with Image.open(tmp_path / "out" / "a.png") as painted:
        assert painted.format == "PNG"


@pytest.mark.parametrize(
    "options", [("--batch", 4), ("--workers", 2), ("--batch", 3, "--workers", 2)]
)
def test_stylize_does_not_depend_on_batch_and_workers(
    options: tuple[object, ...], impasto: Impasto, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """Side by side or in batches every picture is painted as if alone, to one grey level."""
    (tmp_path / "in").mkdir()
    for seed in range(7):
        make_photo(*[(64, 48), (80, 50)][seed % 3 == 0], seed).save(tmp_path / "in" / f"{seed}.png")
    impasto("stylize", "in", "-o", "alone", "--batch", 1, "--workers", 1)
    assert impasto("stylize", "in", "-o", "out", *options).exit_code == 0
    for seed in range(7):
        difference = read(tmp_path / f"out/{seed}.png") - read(tmp_path / f"alone/{seed}.png")
        assert np.abs(difference).max() <= 1
