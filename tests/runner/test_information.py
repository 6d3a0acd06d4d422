"""``impasto styles`` and ``impasto info``."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from runner import Stylizer
from runner.images import read
from runner.info import describe_labels, flatten
from runner.model import COLLECTION
from runner.stylize import Painter
from runner.stylize.sheet import arrange, render_sheet

MakePhoto = Callable[..., Image.Image]
Impasto = Callable[..., Result]


def test_styles_lists_the_collection(impasto: Impasto) -> None:
    """A line per style: its name, painting, painter, year and licence."""
    lines = impasto("styles").stdout.splitlines()
    expected = "starry_night  The Starry Night, Vincent van Gogh, 1889, public domain"
    assert lines[0] == expected
    assert [line.split()[0] for line in lines] == list(Stylizer(provider="cpu").styles)


def test_styles_as_json(impasto: Impasto) -> None:
    """One object per line with name, title, artist and year."""
    rows = [json.loads(line) for line in impasto("styles", "--json").stdout.splitlines()]
    assert rows[0] == {
        "name": "starry_night",
        "title": "The Starry Night",
        "artist": "Vincent van Gogh",
        "year": 1889,
    }
    assert all(list(row) == ["name", "title", "artist", "year"] for row in rows)


def test_styles_of_another_model(impasto: Impasto, data: Path) -> None:
    """--model lists what that file holds, also where little is known of it."""
    result = impasto("styles", "--model", data / "brittle.onnx")
    assert result.stdout.splitlines() == ["plain", "bold"]


def test_sheet_shows_every_style_once(impasto: Impasto, photos: Path, painter: Painter) -> None:
    """The sheet holds the photo and each of its paintings, as the API paints them."""
    result = impasto("styles", "--sheet", photos / "b.png", "-o", "sheet.png")
    assert (result.exit_code, result.stdout) == (0, "sheet.png\n")
    with Image.open("sheet.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB"))
    picture = read(photos / "b.png")
    tiles = [picture.frames[0]]
    tiles += [painter.paint([tiles[0]], painter.choose(name))[0] for name in painter.names]
    for tile in tiles:
        assert contains(pixels, tile)


def test_sheet_never_replaces_its_photo(impasto: Impasto, photos: Path) -> None:
    """The photo stays, with --overwrite too."""
    before = (photos / "b.png").read_bytes()
    photo = photos / "b.png"
    result = impasto("styles", "--sheet", photo, "-o", photo, "--overwrite")
    assert result.exit_code == 1
    assert "the sheet would overwrite its own photo" in result.stderr
    assert photo.read_bytes() == before


def test_sheet_replaces_a_file_only_when_told(impasto: Impasto, photos: Path) -> None:
    """An existing file is refused without --overwrite and replaced with it."""
    arguments = ("styles", "--sheet", photos / "b.png", "-o", photos / "a.jpg")
    before = (photos / "a.jpg").read_bytes()
    refused = impasto(*arguments)
    assert refused.exit_code == 1
    assert "a.jpg exists; pass --overwrite to replace it" in refused.stderr
    assert (photos / "a.jpg").read_bytes() == before
    assert impasto(*arguments, "--overwrite").exit_code == 0
    assert (photos / "a.jpg").read_bytes() != before


def contains(sheet: np.ndarray, tile: np.ndarray) -> bool:
    """Tell whether ``tile`` stands somewhere in ``sheet``, to one grey level."""
    height, width = tile.shape[:2]
    tops = range(sheet.shape[0] - height + 1)
    for top in tops:
        for left in range(sheet.shape[1] - width + 1):
            corner = sheet[top, left].astype(int) - tile[0, 0]
            if np.abs(corner).max() <= 1:
                part = sheet[top : top + height, left : left + width].astype(int)
                if np.abs(part - tile).max() <= 1:
                    return True
    return False


def test_sheet_turns_the_photo_and_shrinks_tiles(
    painter: Painter, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """A large photo is painted at its size and shown in tiles of 480 px, upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    make_photo(600, 400).save(tmp_path / "a.jpg", exif=exif)
    sheet = render_sheet(painter, read(tmp_path / "a.jpg"))
    columns = sheet.width // 320
    assert sheet.height >= -(-(len(painter.names) + 1) // columns) * 480


@pytest.mark.parametrize("count", [1, 2, 5, 13])
@pytest.mark.parametrize("size", [(480, 320), (320, 480), (480, 32), (32, 480)])
def test_arrange_gives_every_tile_a_place(count: int, size: tuple[int, int]) -> None:
    """Any number of tiles of any shape fit, none over another, captions cut to the tile."""
    tiles = [(f"{i} a caption that is far too long " * 3, Image.new("RGB", size, (i, 0, 0)))
             for i in range(count)]  # fmt: skip
    sheet = np.asarray(arrange(tiles))
    for i in range(count):
        assert ((sheet == (i, 0, 0)).all(axis=-1)).sum() >= size[0] * size[1] * 0.99


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (("--sheet", "photos/a.jpg"), 2, "--sheet PHOTO and -o FILE go together"),
        (("-o", "sheet.png"), 2, "--sheet PHOTO and -o FILE go together"),
        (("--sheet", "nobody.jpg", "-o", "s.png"), 1, "nobody.jpg: cannot be read (No such file"),
        (
            ("--sheet", "photos/a.jpg", "-o", "s.txt"),
            1,
            "s.txt: its suffix names no picture format",
        ),
        (("--sheet", "photos/a.jpg", "-o", "photos/a.jpg/s.png"), 1, "s.png: cannot be written"),
        (("--model", "photos/a.jpg"), 1, "photos/a.jpg: not an ONNX file"),
    ],
)
@pytest.mark.usefixtures("photos")
def test_styles_explains_what_it_cannot_do(
    arguments: tuple[str, ...], status: int, reason: str, impasto: Impasto
) -> None:
    """What is missing or contradicts is told in one line, with the right status."""
    result = impasto("styles", *arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert reason in result.stderr


def test_info_tells_what_a_file_is(impasto: Impasto) -> None:
    """Task, tensors, styles, training, parity and providers, a line each."""
    lines = impasto("info", COLLECTION).stdout.splitlines()
    labels = [line.split()[0] for line in lines]
    assert set(labels) >= {
        *("file", "sha256", "task", "input", "output", "style", "network", "training", "parity"),
        *("license", "providers"),
    }
    assert "input      image  uint8 [N, H, W, 3]" in lines
    assert any(line.startswith("output     stylized  uint8 [N, H, W, 3]") for line in lines)
    assert any("CPUExecutionProvider" in line for line in lines if line.startswith("providers"))


def test_info_as_json_is_the_metadata(impasto: Impasto) -> None:
    """--json prints every entry of the file as one object."""
    values = json.loads(impasto("info", COLLECTION, "--json").stdout)
    assert (values["schema"], values["task"]) == (1, "stylize")
    assert values["input"]["minimum_side"] == 32
    assert values["styles"][0]["name"] == "starry_night"


def test_info_counts_labels(impasto: Impasto, data: Path) -> None:
    """A classifier's labels are counted, and the first are named."""
    lines = impasto("info", data / "classify.onnx").stdout.splitlines()
    assert "task       classify" in lines
    assert "labels     2: cat, dog" in lines
    many = describe_labels([f"class {number}" for number in range(1000)])
    assert many == ["1,000: " + ", ".join(f"class {number}" for number in range(10)) + ", …"]


def test_info_tells_what_a_classifier_takes(impasto: Impasto, data: Path) -> None:
    """Size and rule of the input in words, precision, training and parity, a line each."""
    lines = impasto("info", data / "colors.onnx").stdout.splitlines()
    assert "input      8x8 RGB, shorter side to 10, centre cut out, bilinear" in lines
    assert {"precision  fp32", "training   steps 0", "parity     largest_difference 0"} <= {*lines}
    assert "labels     3: red, green, blue" in lines


def test_info_puts_values_into_words() -> None:
    """No braces, no quotes, four digits; --json has the rest."""
    values = {"share": 0.12345678, "flag": True, "none": None, "cases": [{"n": 1, "deep": [2.5]}]}
    expected = ["share 0.1235", "flag yes", "none none", "cases n 1, deep 2.5"]
    assert flatten(values) == expected


@pytest.mark.parametrize("value", ["red, green", {"0": "red"}, None])
def test_info_survives_labels_that_are_none(value: object) -> None:
    """What is no list is shown as what it is."""
    assert describe_labels(value)[0].startswith("cannot be used: ")


def test_info_reads_foreign_files(impasto: Impasto, data: Path) -> None:
    """A file without our metadata still has tensors; its task is unknown."""
    lines = impasto("info", data / "foreign.onnx").stdout.splitlines()
    assert "task       unknown: the file has no impasto metadata" in lines
    assert "input      x  float [N, 4]" in lines
    assert json.loads(impasto("info", data / "foreign.onnx", "--json").stdout) == {}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("newer.onnx", "metadata schema 2 is not 1"),
        ("damaged.onnx", "cannot be read (Unterminated"),
    ],
)
def test_info_explains_damaged_metadata(
    name: str, reason: str, impasto: Impasto, data: Path
) -> None:
    """Metadata that cannot be read is an error in one line."""
    result = impasto("info", data / name)
    assert (result.exit_code, result.stdout) == (1, "")
    assert reason in result.stderr
