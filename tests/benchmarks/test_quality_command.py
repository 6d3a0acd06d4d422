"""The whole script on tiny pictures, with a network that paints the photo itself."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from quality import main
from quality_report import shorten, wrap

DATA = Path(__file__).parents[1] / "runner" / "data"
IDENTITY = DATA / "brittle.onnx"  # paints the photo itself, as "plain" and as "bold"
Report = pytest.CaptureFixture[str]


@pytest.fixture
def options(vgg_file: Path, photos: Path, paintings: Path, tmp_path: Path) -> list[str]:
    """Return the options of a tiny run."""
    words: list[object] = [
        *("--vgg", vgg_file, "--photos", photos, "--paintings", paintings),
        *("--hold-out", 3, "--count", 2, "--size", 64, "--style-size", 64, "--large", 0),
        *("--steps", 1, "--workers", 1, "--cache", tmp_path / "cache"),
    ]
    return [str(word) for word in words]


def test_script_scores_and_goes_on_from_its_cache(
    options: list[str], tmp_path: Path, capsys: Report
) -> None:
    """A network that does nothing has Q 0 and passes noise on; the table says so and fits."""
    main([*options, "--only-cache"])
    said = capsys.readouterr()
    assert (said.out, "4/4 " in said.err) == ("", True)
    sheet = tmp_path / "sheet.jpg"
    main([*options, "--sheet", str(sheet), str(IDENTITY)])
    said = capsys.readouterr()
    assert "4 of 4 optima are kept" in said.err
    assert all(len(line) <= 100 for line in said.out.splitlines()[1:])
    rows = {line.split()[0]: line.split() for line in said.out.splitlines() if line}
    assert rows["L*"][1:4] == ["4", "1.000", "1.000"]
    with Image.open(sheet) as picture:  # two rows of photo, painting, optimum and network
        assert picture.size == (4 * 72 + 8, 2 * 96 + 8)
    main([*options, "--json", str(IDENTITY)])
    (grid,) = json.loads(capsys.readouterr().out)["grids"]
    photo, optimum, network = grid["all"]
    assert photo["q_mean"] == photo["content"] == 0.0
    assert (optimum["q_mean"], optimum["ratio"]) == (1.0, 1.0)
    assert network["ratio"] == pytest.approx(photo["ratio"], rel=1e-4)
    assert network["q_mean"] == pytest.approx(0.0, abs=1e-4)
    (beside,) = grid["beside"]
    assert (beside["lattice_2_db"], beside["by_shift"], beside["by_noise"]) == (0.0, 0.0, 1.0)


def test_script_has_a_larger_grid(options: list[str], capsys: Report) -> None:
    """The second grid has its own size and paintings, and no measures beside Q."""
    large = ["--large", "80", "--large-styles", "plain", "--styles", "plain,bold"]
    main([*options, *large, "--json", str(IDENTITY)])
    first, second = json.loads(capsys.readouterr().out)["grids"]
    assert first["paintings"] == ["plain", "bold"]
    assert (second["size"], second["paintings"], second["beside"]) == (80, ["plain"], [])
    assert [score["size"] for score in second["scores"]] == [80] * 6  # both ends among them


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--styles", "dull"], "no painting called 'dull'; there are "),
        (["--count", "3"], "2 of the last 3 photos have a short side of at least 256 px"),
        (["--large", "64", "--large-styles", "dull"], "no painting 'dull'"),
        (["--sheet", "sheet.gif"], "--sheet sheet.gif: use one of .jpg, .jpeg, .png"),
        (["--record"], "no FILE-int8.onnx or FILE-fp16.onnx is given together"),
        (["--json", str(DATA / "foreign.onnx")], "without impasto metadata, not 'stylize'"),
    ],
)
def test_mistakes_are_told_in_words(options: list[str], words: list[str], message: str) -> None:
    """What cannot be measured is said before anything is computed."""
    with pytest.raises(SystemExit, match=message):
        main([*options, *words, str(IDENTITY)])


def test_network_without_these_paintings_is_refused(options: list[str], paintings: Path) -> None:
    """A network that knows none of the paintings is named with what it knows."""
    shutil.move(paintings / "bold.png", paintings / "wind.png")
    (paintings / "plain.png").unlink()
    with pytest.raises(SystemExit, match="knows plain, bold, and none of the paintings wind"):
        main([str(IDENTITY), *options])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give networks, or --only-cache without them"),
        (["--only-cache", "a.onnx"], "give networks, or --only-cache without them"),
        (["--size", "63", "a.onnx"], "sizes must be at least 64 px"),
        (["--hold-out", "0", "a.onnx"], "--hold-out must be at least 1"),
    ],
)
def test_wrong_usage_ends_with_status_2(
    options: list[str], words: list[str], message: str, capsys: Report
) -> None:
    """Options that make no sense are refused at once."""
    with pytest.raises(SystemExit, match="2"):
        main([*options, *words])
    assert message in capsys.readouterr().err


def test_long_names_are_cut_in_the_middle() -> None:
    """Both ends of a name stay, since they tell networks apart."""
    assert shorten("fast", 11) == "fast"
    assert shorten("run-one/style-int8", 11) == "run-o…-int8"


def test_lists_are_broken_into_lines() -> None:
    """No line is longer than 100 columns, and no name is lost."""
    names = [f"painting_{number}" for number in range(20)]
    lines = wrap("all know: ", names)
    assert all(len(line) <= 100 for line in lines)
    assert "".join(lines).count("painting_") == 20
