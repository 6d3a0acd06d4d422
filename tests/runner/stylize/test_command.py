"""``impasto stylize``: its options, what it prints, and how it refuses."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

MakePhoto = Callable[..., Image.Image]
Impasto = Callable[..., Result]
ReadRows = Callable[[str], list[dict[str, Any]]]
FIELDS = [
    *["input", "output", "status", "error", "width", "height", "style", "seconds"],
    "precision",
]


def read(path: Path) -> np.ndarray:
    """Return the pixels of a file as integers."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_json_is_one_line_per_picture(impasto: Impasto, photos: Path, read_rows: ReadRows) -> None:
    """Standard output has a row per picture with all fields, and nothing else."""
    (photos / "bad.jpg").write_text("Dear diary,")
    result = impasto("stylize", "photos", "-o", "out", "--json", "--style", "udnie:3,the_scream")
    rows = read_rows(result.stdout)
    assert [list(row) for row in rows] == [FIELDS] * 5
    for row in rows:
        assert Path(row["input"]).is_file()
        assert row["style"] == "the_scream:0.25,udnie:0.75"
        assert row["seconds"] >= 0
        if row["status"] == "ok":
            with Image.open(row["output"]) as painted:
                assert painted.size == (row["width"], row["height"])
            assert row["error"] is None
        else:
            assert (row["input"], row["output"]) == ("photos/bad.jpg", None)
            assert row["error"].startswith("not a picture")
            assert (row["width"], row["height"]) == (None, None)


def test_json_names_the_default_style(impasto: Impasto, photos: Path, read_rows: ReadRows) -> None:
    """Without --style the first style of the file is used, and named."""
    rows = read_rows(impasto("stylize", photos, "-o", "out", "--json").stdout)
    assert {row["style"] for row in rows} == {"starry_night"}


@pytest.mark.usefixtures("photos")
def test_plain_lines_go_to_standard_error(impasto: Impasto) -> None:
    """Where there is no terminal, a line per picture and a summary, and nothing on stdout."""
    result = impasto("stylize", "photos", "-o", "out")
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 5
    assert any(line.startswith("out/c.webp  48x64  ") for line in lines)
    assert lines[-1].startswith("painted 4 in ")
    assert lines[-1].endswith(" pictures/s)")


def test_one_file_into_a_named_file(impasto: Impasto, photos: Path) -> None:
    """One picture goes into the file that is named, in the format of its suffix."""
    result = impasto("stylize", photos / "a.jpg", "-o", "new/deep/painting.webp")
    assert result.exit_code == 0
    with Image.open("new/deep/painting.webp") as painted:
        assert (painted.format, painted.size) == ("WEBP", (64, 48))
    assert [path.name for path in Path("new/deep").iterdir()] == ["painting.webp"]


def test_one_file_into_a_folder(impasto: Impasto, photos: Path) -> None:
    """Without a picture's suffix the output is a folder, also for one picture."""
    assert impasto("stylize", photos / "a.jpg", "-o", "painted").exit_code == 0
    assert Path("painted/a.jpg").is_file()


def test_files_and_folders_together(impasto: Impasto, photos: Path, make_photo: MakePhoto) -> None:
    """Inputs may be files and folders in any mixture."""
    make_photo().save("single.png")
    assert impasto("stylize", "single.png", photos, "-o", "out").exit_code == 0
    names = {path.name for path in Path("out").iterdir() if not path.name.startswith(".")}
    assert names == {"single.png", "a.jpg", "b.png", "c.webp", "d.jpg"}


@pytest.mark.parametrize(
    ("options", "format_name"),
    [((), "WEBP"), (("--format", "png"), "PNG"), (("--format", "jpeg"), "JPEG")],
)
def test_standard_streams(
    options: tuple[str, ...], format_name: str, impasto: Impasto, photos: Path
) -> None:
    """``-`` reads standard input and writes a whole picture to standard output."""
    data = (photos / "c.webp").read_bytes()
    result = impasto("stylize", "-", "-o", "-", *options, stdin=data)
    assert result.exit_code == 0
    with Image.open(io.BytesIO(result.stdout_bytes)) as painted:
        assert (painted.format, painted.size) == (format_name, (48, 64))
        painted.load()
    assert result.stderr == ""


def test_standard_input_into_a_file(impasto: Impasto, photos: Path, read_rows: ReadRows) -> None:
    """Standard input may go into a file, and its row calls it ``-``."""
    data = (photos / "a.jpg").read_bytes()
    result = impasto("stylize", "-", "-o", "b.png", "--json", stdin=data)
    (row,) = read_rows(result.stdout)
    assert (row["input"], row["output"], row["status"]) == ("-", "b.png", "ok")


def test_standard_input_without_a_picture(impasto: Impasto) -> None:
    """Nothing on standard input is a failed picture; nothing is written."""
    result = impasto("stylize", "-", "-o", "-", stdin=b"")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "-: the file is empty\n"


def test_size_caps_the_long_side(impasto: Impasto, make_photo: MakePhoto) -> None:
    """--size reduces what is larger and leaves the rest."""
    make_photo(200, 100).save("large.png")
    make_photo(60, 40).save("small.png")
    assert impasto("stylize", "large.png", "small.png", "-o", "out", "--size", 80).exit_code == 0
    assert read(Path("out/large.png")).shape == (40, 80, 3)
    assert read(Path("out/small.png")).shape == (40, 60, 3)


def test_strength_mixes_photo_and_painting(impasto: Impasto, photos: Path) -> None:
    """0 is the photo, 1 the painting, 0.5 the rounded mean of both."""
    for strength in (0, 0.5, 1):
        impasto("stylize", photos / "b.png", "-o", f"{strength}.png", "--strength", strength)
    photo, half, painted = (read(Path(f"{strength}.png")) for strength in (0, 0.5, 1))
    np.testing.assert_array_equal(photo, read(photos / "b.png"))
    assert np.abs(half - (photo + painted) / 2).max() <= 0.5
    assert np.abs(painted - photo).mean() > 10


def test_keep_color_keeps_cb_and_cr(impasto: Impasto, photos: Path) -> None:
    """With --keep-color Cb and Cr are the photo's wherever no channel is clipped."""
    impasto("stylize", photos / "b.png", "-o", "kept.png", "--keep-color")
    painted, photo = read(Path("kept.png")), read(photos / "b.png")
    chroma = np.array([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]).T
    inside = ((painted > 0) & (painted < 255)).all(axis=-1)
    assert inside.mean() > 0.5
    assert np.abs((painted @ chroma - photo @ chroma)[inside]).max() <= 2
    assert np.abs(painted - photo).mean() > 3


def test_quality_decides_the_size(impasto: Impasto, photos: Path) -> None:
    """A lower --quality gives a smaller JPEG."""
    for quality in (20, 95):
        impasto("stylize", photos / "a.jpg", "-o", f"{quality}.jpg", "--quality", quality)
    assert Path("20.jpg").stat().st_size < Path("95.jpg").stat().st_size


def test_format_decides_all_outputs(impasto: Impasto, photos: Path) -> None:
    """--format gives every painting one format; same suffixes stay as they are."""
    impasto("stylize", photos, "-o", "out", "--format", "webp")
    names = sorted(path.name for path in Path("out").iterdir() if path.suffix != ".jsonl")
    assert names == ["a.webp", "b.webp", "c.webp", "d.webp"]
    for name in names:
        with Image.open(Path("out") / name) as painted:
            assert painted.format == "WEBP"


def test_an_existing_output_is_refused(impasto: Impasto, photos: Path, read_rows: ReadRows) -> None:
    """What exists stays as it is, its photo fails, and the others are painted."""
    Path("out").mkdir()
    Path("out/a.jpg").write_text("mine")
    result = impasto("stylize", photos, "-o", "out", "--json")
    status = {Path(row["input"]).name: row["status"] for row in read_rows(result.stdout)}
    assert status == {"a.jpg": "failed", "b.png": "ok", "c.webp": "ok", "d.jpg": "ok"}
    assert "out/a.jpg exists; pass --overwrite to replace it" in result.stderr
    assert result.exit_code == 1
    assert Path("out/a.jpg").read_text() == "mine"


def test_a_link_to_nothing_is_an_existing_output(impasto: Impasto, photos: Path) -> None:
    """A link that leads nowhere is not silently replaced either."""
    Path("b.png").symlink_to("nowhere")
    result = impasto("stylize", photos / "b.png", "-o", "b.png")
    assert result.exit_code == 1
    assert "b.png exists" in result.stderr
    assert Path("b.png").is_symlink()


def test_overwrite_replaces(impasto: Impasto, photos: Path) -> None:
    """With --overwrite the output is replaced."""
    Path("out").mkdir()
    Path("out/a.jpg").write_text("mine")
    assert impasto("stylize", photos, "-o", "out", "--overwrite").exit_code == 0
    assert read(Path("out/a.jpg")).shape == (48, 64, 3)


def test_overwrite_never_replaces_a_photo(impasto: Impasto, photos: Path) -> None:
    """Not even --overwrite lets a painting take its own photo's place."""
    before = {path: path.read_bytes() for path in photos.iterdir()}
    result = impasto("stylize", photos, "-o", photos, "--overwrite")
    assert result.exit_code == 1
    assert result.stderr.count("would overwrite its own photo; choose another output") == 4
    assert {path: path.read_bytes() for path in before} == before


def test_resume_skips_what_is_done(
    impasto: Impasto, photos: Path, read_rows: ReadRows, make_photo: MakePhoto
) -> None:
    """The second run does only what is new, missing or was changed."""
    assert impasto("stylize", photos, "-o", "out", "--resume").exit_code == 0
    make_photo(seed=9).save(photos / "new.png")
    Path("out/c.webp").unlink()
    result = impasto("stylize", photos, "-o", "out", "--resume", "--json")
    status = {Path(row["input"]).name: row["status"] for row in read_rows(result.stdout)}
    assert result.exit_code == 0
    assert status == {
        "a.jpg": "skipped", "b.png": "skipped", "c.webp": "ok", "d.jpg": "skipped", "new.png": "ok"
    }  # fmt: skip
    skipped = [row for row in read_rows(result.stdout) if row["status"] == "skipped"]
    assert all(Path(row["output"]).is_file() for row in skipped)


@pytest.mark.parametrize(
    "options",
    [
        ("--style", "udnie"),
        ("--strength", 0.5),
        ("--keep-color",),
        ("--size", 60),
        ("--quality", 50),
    ],
)
def test_resume_knows_the_settings(
    options: tuple[object, ...], impasto: Impasto, photos: Path
) -> None:
    """Paintings of other settings are not taken for these; --overwrite paints them again."""
    impasto("stylize", photos, "-o", "out")
    result = impasto("stylize", photos, "-o", "out", "--resume", *options)
    assert result.exit_code == 1
    assert result.stderr.count("it is not known to be this photo painted with these settings") == 4
    again = impasto("stylize", photos, "-o", "out", "--resume", "--overwrite", *options)
    assert "painted 4 in" in again.stderr


def test_resume_knows_the_photo(
    impasto: Impasto, photos: Path, read_rows: ReadRows, make_photo: MakePhoto
) -> None:
    """A photo that was changed since is painted again with --overwrite, the others are not."""
    impasto("stylize", photos, "-o", "out")
    make_photo(seed=9).save(photos / "b.png")
    result = impasto("stylize", photos, "-o", "out", "--resume", "--overwrite", "--json")
    status = {Path(row["input"]).name: row["status"] for row in read_rows(result.stdout)}
    assert status == {"a.jpg": "skipped", "b.png": "ok", "c.webp": "skipped", "d.jpg": "skipped"}


def test_resume_knows_the_model(impasto: Impasto, photos: Path, data: Path) -> None:
    """Paintings of another network are not taken for this one's."""
    impasto("stylize", photos, "-o", "out")
    result = impasto("stylize", photos, "-o", "out", "--resume", "--model", data / "brittle.onnx")
    assert result.exit_code == 1
    assert result.stderr.count("it is not known to be this photo painted with these settings") == 4


def test_rows_come_as_pictures_are_finished(
    start_impasto: Callable[..., Any], photos: Path, read_rows: Callable[[bytes], list[Any]]
) -> None:
    """The program itself, with its streams apart: rows on stdout, the summary on stderr."""
    process = start_impasto("stylize", "photos", "-o", "out", "--json")
    stdout, stderr = process.communicate()
    assert process.returncode == 0
    assert {row["status"] for row in read_rows(stdout)} == {"ok"}
    assert len(read_rows(stdout)) == len(list(photos.iterdir()))
    assert stderr.decode().startswith("painted 4 in ")


@pytest.mark.usefixtures("photos")
def test_a_reader_that_leaves_is_no_crash(start_impasto: Callable[..., Any]) -> None:
    """A closed pipe ends the program without a traceback or a word, for rows and for pictures."""
    for arguments in (("photos", "-o", "out", "--json"), ("photos/b.png", "-o", "-")):
        process = start_impasto("stylize", *arguments)
        process.stdout.close()
        stderr = process.stderr.read().decode()
        process.stderr.close()
        assert process.wait() == 1
        assert "Traceback" not in stderr
        assert "Exception" not in stderr
        assert "Broken pipe" not in stderr


def test_json_is_ascii(impasto: Impasto, make_photo: MakePhoto, tmp_path: Path) -> None:
    """Rows survive any encoding of the terminal and any reader of lines."""
    make_photo().save(tmp_path / "ü\u2028.png")
    result = impasto("stylize", "ü\u2028.png", "-o", "out", "--json")
    assert result.stdout.isascii()
    assert json.loads(result.stdout)["input"] == "ü\u2028.png"


def test_every_row_is_told_on_standard_error_too(impasto: Impasto, photos: Path) -> None:
    """With --json, failures and remarks are still told in words on standard error."""
    (photos / "bad.jpg").write_text("Dear diary,")
    result = impasto("stylize", "photos", "-o", "out", "--json")
    assert "photos/bad.jpg: not a picture" in result.stderr
    assert "painted 4, failed 1 in" in result.stderr
