"""``impasto classify``: its options, what it prints and writes, and how it refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image

from runner import Classifier

Classify = Callable[..., Result]
ReadRows = Callable[[str | bytes], list[dict[str, Any]]]
COLORS = ("red", "green", "blue")


def test_table_is_the_default(classify: Classify, tiles: Path, colors: Path) -> None:
    """A header, and per picture its classes with the most probable first; the rest on stderr."""
    result = classify(tiles, "--model", colors)
    lines = [line.split() for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert lines[0] == ["input", "label", "probability"]
    assert len(lines) == 1 + 3 * 3
    assert [line[-2] for line in lines[1::3]] == ["red", "green", "blue"]
    assert lines[1][-1] == "99.6%"  # e^(8 * 200/255) / (e^(8 * 200/255) + 2)
    assert result.stderr.startswith("classified 3 in ")


def test_json_is_one_line_per_picture(
    classify: Classify, tiles: Path, colors: Path, read_rows: ReadRows
) -> None:
    """Rows come in the order of the inputs; a bad picture fails alone, and the status is 1."""
    (tiles / "b_bad.png").write_text("Dear diary,")
    result = classify("tiles", "nobody.png", "--model", colors, "--format", "json", "--top", 1)
    rows = read_rows(result.stdout)
    assert result.exit_code == 1
    assert [list(row) for row in rows] == [["input", "status", "error", "predictions"]] * 5
    assert [(row["input"], row["status"]) for row in rows] == [
        ("tiles/a_red.png", "ok"),
        ("tiles/b_bad.png", "failed"),
        ("tiles/b_green.webp", "ok"),
        ("tiles/c_blue.bmp", "ok"),
        ("nobody.png", "failed"),
    ]
    assert [[p["label"] for p in row["predictions"]] for row in rows] == [
        ["red"], [], ["green"], ["blue"], [],
    ]  # fmt: skip
    assert rows[1]["error"].startswith("not a picture")
    assert rows[4]["error"] == "no such file"
    assert "tiles/b_bad.png: not a picture" in result.stderr
    assert "classified 3, failed 2 in " in result.stderr


def test_csv_on_standard_output(classify: Classify, tiles: Path, colors: Path) -> None:
    """A header and one line per prediction."""
    result = classify(tiles / "a_red.png", "--model", colors, "--format", "csv", "--top", 2)
    lines = result.stdout.splitlines()
    assert lines[0] == "input,status,error,rank,index,label,probability"
    assert [line.split(",")[3:6] for line in lines[1:]] == [["1", "0", "red"], ["2", "1", "green"]]
    assert result.stderr == ""


def test_standard_input_is_one_picture(
    classify: Classify, tiles: Path, colors: Path, read_rows: ReadRows
) -> None:
    """``-`` reads a picture and is its name."""
    data = (tiles / "b_green.webp").read_bytes()
    result = classify("-", "--model", colors, "--format", "json", stdin=data)
    (row,) = read_rows(result.stdout)
    assert (row["input"], row["status"], row["predictions"][0]["label"]) == ("-", "ok", "green")
    empty = classify("-", "--model", colors, stdin=b"")
    assert (empty.exit_code, empty.stderr) == (1, "-: the file is empty\n")


def test_folders_of_folders(classify: Classify, tiles: Path, colors: Path) -> None:
    """--recursive goes into them; without it the message names the option."""
    outer = tiles.parent / "outer"
    outer.mkdir()
    tiles.rename(outer / "tiles")
    refused = classify("outer", "--model", colors)
    assert refused.exit_code == 1
    assert "outer: no pictures (.jpg, " in refused.stderr
    assert "pass --recursive to look into its folders" in refused.stderr
    found = classify("outer", "--model", colors, "--recursive", "--top", 1)
    assert found.stdout.count("outer/tiles/") == 3


def test_a_picture_is_classified_once(classify: Classify, tiles: Path, colors: Path) -> None:
    """A picture that is named twice has one row."""
    result = classify(tiles / "a_red.png", tiles, "--model", colors, "--top", 1)
    assert result.stdout.count("a_red.png") == 1


def test_predictions_do_not_depend_on_how_they_are_made(
    classify: Classify, digits: Path, strokes: Path, read_rows: ReadRows
) -> None:
    """Any batch and number of workers, and the class, give the same probabilities to 1e-6."""
    found = []
    for options in (("--batch", 1), ("--batch", 64, "--workers", 1), ("--workers", 3)):
        result = classify(digits, "--model", strokes, "--format", "json", "--top", 10, *options)
        found.append(sort_probabilities(read_rows(result.stdout)))
    classifier = Classifier(strokes, "cpu")
    exact = [classifier.probabilities(path).tolist() for path in sorted(digits.iterdir())]
    for rows in found:
        assert len(rows) == len(exact) == 60
        for row, expected in zip(rows, exact, strict=True):
            assert row == pytest.approx(expected, abs=2e-6)


def sort_probabilities(rows: list[dict[str, Any]]) -> list[list[float]]:
    """Return the probabilities of each row in the order of the classes."""
    ranked = [sorted((p["index"], p["probability"]) for p in row["predictions"]) for row in rows]
    return [[probability for _, probability in row] for row in ranked]


def test_draft_decodes_less_and_finds_the_same(
    classify: Classify, colors: Path, tmp_path: Path, read_rows: ReadRows
) -> None:
    """--draft may move probabilities a little, and finds the same class."""
    gradient = Image.linear_gradient("L").resize((1600, 1200))
    image = Image.merge("RGB", (gradient, gradient.rotate(180), Image.new("L", (1600, 1200), 90)))
    image.save(tmp_path / "large.jpg", quality=95)
    arguments = ("large.jpg", "--model", colors, "--format", "json")
    (whole,) = sort_probabilities(read_rows(classify(*arguments).stdout))
    (reduced,) = sort_probabilities(read_rows(classify(*arguments, "--draft").stdout))
    assert reduced == pytest.approx(whole, abs=0.02)


@pytest.mark.parametrize(
    ("name", "options", "first"),
    [
        ("r.jsonl", (), '{"input": "tiles/a_red.png", '),
        ("r.json", (), '{"input": "tiles/a_red.png", '),
        ("r.csv", (), "input,status,error,"),
        ("r.txt", (), "input  "),
        ("r.txt", ("--format", "csv"), "input,status,error,"),
        ("new/deep/r", ("--format", "json"), '{"input": "tiles/a_red.png", '),
    ],
)
def test_results_in_a_file(
    name: str, options: tuple[str, ...], first: str, classify: Classify, tiles: Path, colors: Path
) -> None:
    """-o writes what standard output would have had; the suffix decides the format."""
    result = classify("tiles", "--model", colors, "-o", name, *options)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("classified 3 in ")
    text = Path(name).read_text()
    assert text.startswith(first)
    forms = {"i": "table", "{": "json"}
    form = "csv" if first.startswith("input,") else forms[first[0]]
    assert text == classify("tiles", "--model", colors, "--format", form).stdout
    assert not list(Path(name).parent.glob("*-part"))
    assert len(list(tiles.iterdir())) == 3


def test_existing_results_stay(classify: Classify, tiles: Path, colors: Path) -> None:
    """What exists is replaced with --overwrite only."""
    Path("r.csv").write_text("mine")
    refused = classify(tiles, "--model", colors, "-o", "r.csv")
    assert (refused.exit_code, Path("r.csv").read_text()) == (1, "mine")
    assert "r.csv exists; pass --overwrite to replace it" in refused.stderr
    resumed = classify(tiles, "--model", colors, "-o", "r.csv", "--resume")
    assert (resumed.exit_code, Path("r.csv").read_text()) == (1, "mine")
    assert "r.csv exists; it is not known to be an earlier run's results" in resumed.stderr
    assert classify(tiles, "--model", colors, "-o", "r.csv", "--overwrite").exit_code == 0
    assert Path("r.csv").read_text().startswith("input,")


def test_resume_does_only_what_is_new(
    classify: Classify, tiles: Path, colors: Path, read_rows: ReadRows
) -> None:
    """Later pictures join the results in order; what failed is tried again."""
    (tiles / "b_bad.png").write_text("Dear diary,")
    arguments = ("tiles", "--model", colors, "-o", "r.jsonl", "--top", 1)
    assert classify(*arguments).exit_code == 1
    statuses = [row["status"] for row in read_rows(Path("r.jsonl").read_bytes())]
    assert statuses == ["ok", "failed", "ok", "ok"]
    Image.new("RGB", (20, 20), (0, 0, 99)).save(tiles / "b_bad.png")
    Image.new("RGB", (20, 20), (0, 99, 0)).save(tiles / "d.png")
    again = classify(*arguments, "--resume")
    assert again.exit_code == 0
    assert "classified 2, skipped 3 in " in again.stderr
    rows = read_rows(Path("r.jsonl").read_bytes())
    assert [row["status"] for row in rows] == ["ok"] * 5
    labels = [row["predictions"][0]["label"] for row in rows]
    assert labels == ["red", "blue", "green", "blue", "green"]


def test_resume_knows_the_picture_and_the_settings(
    classify: Classify, tiles: Path, colors: Path, alter: Callable[..., Path]
) -> None:
    """A picture that was changed, another --top or another model is new work."""
    arguments = ("tiles", "-o", "r.jsonl", "--resume", "--model")
    classify(*arguments, colors)
    assert "classified 0, skipped 3" in classify(*arguments, colors).stderr
    Image.new("RGB", (20, 20), (0, 0, 98)).save(tiles / "a_red.png")
    assert "classified 1, skipped 2" in classify(*arguments, colors).stderr
    assert "classified 3 in" in classify(*arguments, colors, "--top", 2).stderr
    other = alter(colors, license='"other"')
    assert "classified 3 in" in classify(*arguments, other, "--top", 2).stderr


def test_help_fits_80_columns(classify: Classify) -> None:
    """The help says what the command does, within a terminal."""
    result = classify("--help")
    assert "Name what is in pictures" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
