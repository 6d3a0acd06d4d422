"""``impasto look`` as a user calls it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image

Run = Callable[..., Result]
Find = Callable[[str], Path]
SHEETS = [
    "filters.png", "maps-conv1_2.png", "maps-conv2_2.png", "maps.png", "patches-conv1_2.png",
    "patches-conv2_2.png",
]  # fmt: skip
PROBE = """
import json, sys
from impasto import main
try:
    main(sys.argv[1:], standalone_mode=False)
finally:
    print(json.dumps(sorted(name for name in sys.modules if "." not in name)), file=sys.stderr)
"""


@pytest.fixture
def model(find_model: Find) -> Path:
    """Return a small network of VGG's kind."""
    return find_model("vgg")


def test_all_sheets_are_written_and_named(
    impasto: Run, model: Path, scenes: Path, tmp_path: Path
) -> None:
    """Filters, maps of a picture and patches of a folder; each is a picture that fits a slide."""
    result = impasto(
        "look", model, "-o", "new/sheets", "--picture", scenes / "03.png", "--pictures", scenes
    )
    assert result.exit_code == 0, result.output
    assert sorted(result.stdout.splitlines()) == [f"new/sheets/{name}" for name in SHEETS]
    assert sorted(path.name for path in (tmp_path / "new/sheets").iterdir()) == SHEETS
    assert "looked at 12 in" in result.stderr
    for name in SHEETS:
        with Image.open(tmp_path / "new/sheets" / name) as sheet:
            assert sheet.format == "PNG"
            assert sheet.width <= 1600


def test_filters_alone_need_no_picture(impasto: Run, model: Path, tmp_path: Path) -> None:
    """Without options there is one sheet."""
    assert impasto("look", model, "-o", "sheets").exit_code == 0
    assert [path.name for path in (tmp_path / "sheets").iterdir()] == ["filters.png"]


def test_sheets_are_the_same_every_time(
    impasto: Run, model: Path, scenes: Path, tmp_path: Path
) -> None:
    """Two runs write the same bytes."""
    for folder in ("one", "two"):
        impasto("look", model, "-o", folder, "--pictures", scenes, "--picture", scenes / "01.png")
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_json_holds_the_sheets_data(impasto: Run, model: Path, scenes: Path) -> None:
    """One object on standard output: files, filters, maps, and where each patch was found."""
    picture = scenes / "03.png"
    result = impasto(
        "look", model, "-o", "s", "--json", "--pictures", scenes, "--picture", picture,
        "--layers", "conv2_2,fc1", "--unit", "6,7",
    )  # fmt: skip
    data: dict[str, Any] = json.loads(result.stdout)
    assert data["network"] == "handmade"
    assert data["sheets"][0] == "s/filters.png"
    filters = data["filters"]
    assert filters["shape"] == [6, 3, 3, 3]
    assert filters["scale"]["white"] == -filters["scale"]["black"]
    assert filters["scale"]["white"] >= filters["after"]["maximum"]
    assert [layer["layer"] for layer in data["maps"]["layers"]][::6] == ["conv1_1", "fc1"]
    assert [unit["unit"] for unit in data["maps"]["layers"][4]["units"]] == [6, 7]
    patches = data["patches"]
    assert (patches["ok"], patches["failed"]) == (12, 0)
    layer, dense = patches["layers"]
    assert (layer["layer"], layer["receptive_field"], layer["jump"]) == (
        "conv2_2",
        [14, 14],
        [2, 2],
    )
    lively, dead = layer["units"]
    assert len(lively["patches"]) == 9
    best = lively["patches"][0]
    row, column = best["position"]
    assert best["box"]["top"] == -6 + 2 * row
    assert best["box"]["right"] == -6 + 2 * column + 14
    assert best["activation"] == lively["maximum"]
    assert (dead["patches"], dead["maximum"], dead["active_pictures"]) == ([], 0.0, 0)
    positions = {patch["position"] for unit in dense["units"] for patch in unit["patches"]}
    assert positions == {None}


def test_maps_show_the_units_of_the_patches(impasto: Run, model: Path, scenes: Path) -> None:
    """The pictures choose the units; without them these lie at even distances."""
    command = ("look", model, "--picture", scenes / "03.png", "--units", "3", "--json")
    data = json.loads(impasto(*command, "-o", "a", "--pictures", scenes).stdout)
    maps = {layer["layer"]: layer["units"] for layer in data["maps"]["layers"]}
    for layer in data["patches"]["layers"]:
        units = [unit["unit"] for unit in layer["units"]]
        assert units == [unit["unit"] for unit in maps[layer["layer"]]]
        assert all(unit["active_pictures"] for unit in layer["units"])
    alone = json.loads(impasto(*command, "-o", "b").stdout)["maps"]["layers"]
    assert [unit["unit"] for unit in alone[0]["units"]] == [0, 2, 4]


def test_shared_scale_can_be_given_up(impasto: Run, model: Path, scenes: Path) -> None:
    """With --scale layer each layer is white at its own peak."""
    command = ("look", model, "--picture", scenes / "01.png", "--json")
    shared = json.loads(impasto(*command, "-o", "a").stdout)["maps"]
    own = json.loads(impasto(*command, "-o", "b", "--scale", "layer").stdout)["maps"]
    assert len({layer["scale"]["white"] for layer in shared["layers"]}) == 1
    assert all(layer["scale"]["white"] == layer["maximum"] for layer in own["layers"])


def test_classifiers_say_what_they_take_a_picture_for(
    impasto: Run, find_model: Find, scenes: Path
) -> None:
    """A classify file without filters shows its maps; its layers may bear slashes."""
    result = impasto("look", find_model("lenet5"), "-o", "s", "--picture", scenes / "01.png")
    assert result.exit_code == 0, result.output
    names = ["maps.png", "maps-tanh1_out.png", "maps-tanh2_out.png"]
    assert result.stdout.splitlines() == [f"s/{name}" for name in names]


def test_broken_pictures_are_named_and_the_rest_is_used(
    impasto: Run, model: Path, scenes: Path
) -> None:
    """The exit status is 1, and the sheets are there."""
    (scenes / "05.png").write_text("no picture")
    result = impasto("look", model, "-o", "s", "--pictures", scenes)
    assert result.exit_code == 1
    assert "05.png: not a picture" in result.stderr
    assert "looked at 11, failed 1" in result.stderr
    assert "s/patches-conv2_2.png" in result.stdout


def test_nothing_is_written_where_no_picture_can_be_read(
    impasto: Run, model: Path, tmp_path: Path
) -> None:
    """A folder of broken pictures is failed work."""
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/a.png").write_text("no picture")
    result = impasto("look", model, "-o", "s", "--pictures", "bad")
    assert result.exit_code == 1
    assert "none of the 1 pictures could be looked at" in result.stderr
    assert not (tmp_path / "s").exists()


def test_one_picture_is_enough(impasto: Run, model: Path, scenes: Path, tmp_path: Path) -> None:
    """Fewer than nine pictures give fewer patches."""
    (tmp_path / "one").mkdir()
    shutil.copy(scenes / "01.png", tmp_path / "one")
    result = impasto("look", model, "-o", "s", "--pictures", "one", "--json")
    units = json.loads(result.stdout)["patches"]["layers"][0]["units"]
    assert {len(unit["patches"]) for unit in units} == {0, 1}


def test_sheets_are_not_replaced_unasked(
    impasto: Run, model: Path, scenes: Path, tmp_path: Path
) -> None:
    """Before any work the first one that exists is named; --overwrite replaces it."""
    command = ("look", model, "-o", "s", "--picture", scenes / "01.png")
    (tmp_path / "s").mkdir()
    (tmp_path / "s/maps.png").write_text("mine")
    result = impasto(*command)
    assert result.exit_code == 1
    assert "s/maps.png exists; pass --overwrite to replace it" in result.stderr
    assert not (tmp_path / "s/filters.png").exists()
    assert impasto(*command, "--overwrite").exit_code == 0
    assert (tmp_path / "s/maps.png").read_bytes().startswith(b"\x89PNG")


def test_sheets_are_not_counted_among_the_pictures(impasto: Run, model: Path, scenes: Path) -> None:
    """The folder itself is refused, and a folder in it is left out."""
    result = impasto("look", model, "-o", scenes, "--pictures", scenes)
    assert result.exit_code == 2
    assert "the sheets would lie among the pictures" in result.stderr
    command = ("look", model, "-o", scenes / "s", "--pictures", scenes, "--recursive")
    for more in ((), ("--overwrite",)):
        result = impasto(*command, *more)
        assert "looked at 12 in" in result.stderr


def test_picture_is_not_overwritten_by_its_sheet(
    impasto: Run, model: Path, scenes: Path, tmp_path: Path
) -> None:
    """Even --overwrite does not replace what is being looked at."""
    (tmp_path / "s").mkdir()
    shutil.copy(scenes / "01.png", tmp_path / "s/maps.png")
    result = impasto("look", model, "-o", "s", "--picture", "s/maps.png", "--overwrite")
    assert result.exit_code == 1
    assert "the sheet would overwrite its own picture" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--layers", "conv12"), 2, "no layer 'conv12'; there are conv1_2"),
        (("--unit", "3,99"), 2, "layer conv1_2 has no unit 99; it has 0 to 5"),
        (("--unit", "three"), 2, "'three' is no unit; give at most 64 numbers such as 3,17"),
        (("--unit", "-3"), 2, "'-3' is no unit"),
        (("--unit", "9" * 5000), 2, "give at most 64 numbers"),
        (("--unit", ",".join(map(str, range(65)))), 2, "give at most 64 numbers"),
        (("--unit", "3", "--units", "2"), 2, "give only one of them"),
        (("--units", "0"), 2, "0 is not in the range 1<=x<=64"),
        (("--recursive",), 2, "--recursive goes with --pictures FOLDER"),
        (("--pictures", "missing"), 2, "--pictures missing: no such folder"),
        (("--pictures", "empty"), 1, "empty: no pictures"),
        (("--picture", "missing.png"), 1, "missing.png: no such file"),
        (("--picture", "empty"), 1, "empty: not a file"),
        (("--scale", "log"), 2, "'log' is not one of"),
        (("-o", "file"), 2, "file is a file, and a folder is needed"),
        (("-o", "-"), 2, "give a folder, not standard output"),
    ],
)
def test_wrong_usage_is_told(
    arguments: tuple[str, ...], status: int, message: str, impasto: Run, model: Path, tmp_path: Path
) -> None:
    """Options that make no sense end with status 2, missing things with 1; one line each."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    result = impasto("look", model, "-o", "s", *arguments)
    assert result.exit_code == status
    assert message in result.stderr
    assert not (tmp_path / "s").exists()


def test_models_without_layers_are_told_the_remedy(impasto: Run) -> None:
    """The shipped classifiers give out no layers; the message names the export that does."""
    result = impasto("look", "lenet5", "-o", "s")
    assert result.exit_code == 1
    assert "gives out none of its layers" in result.stderr
    assert "impasto export CHECKPOINT -o FILE.onnx --taps" in result.stderr


def test_nothing_to_show_is_wrong_usage(impasto: Run, find_model: Find) -> None:
    """A file without filters needs a picture or a folder."""
    result = impasto("look", find_model("lenet5"), "-o", "s")
    assert result.exit_code == 2
    assert "has no filters to show; pass --picture FILE or --pictures FOLDER" in result.stderr


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"after": "conv1_1"}, "are not [K, C, height, width]"),
        ({"after": "filters/none"}, "it has no outputs ['filters/none']"),
        ({"after": ["filters/after"]}, "it has no outputs"),
        ({"after": "filters/after", "before": "fc1"}, "are not [K, C, height, width]"),
        ("filters/after", "names no filters but 'filters/after'"),
    ],
)
def test_filters_that_are_none_are_refused(
    filters: object, message: str, impasto: Run, alter: Callable[..., Path], find_model: Find
) -> None:
    """Whatever a file calls its filters is checked before it is drawn."""
    from runner.look.network import LayeredNetwork

    taps = dict(LayeredNetwork(find_model("vgg")).card.values["taps"])
    result = impasto("look", alter("vgg", taps=taps | {"filters": filters}), "-o", "s")
    assert result.exit_code == 1
    assert message in result.stderr


def test_standard_input_is_a_picture(impasto: Run, model: Path, scenes: Path) -> None:
    """A picture may come through a pipe."""
    data = (scenes / "01.png").read_bytes()
    result = impasto("look", model, "-o", "s", "--picture", "-", "--json", stdin=data)
    assert json.loads(result.stdout)["maps"]["picture"] == "standard input"


def test_looking_needs_neither_torch_nor_onnx(model: Path, scenes: Path, tmp_path: Path) -> None:
    """A whole run imports ONNX Runtime, and none of the packages that made the file."""
    arguments = ["look", model, "-o", "s", "--pictures", scenes, "--picture", scenes / "01.png"]
    command = [sys.executable, "-I", "-c", PROBE, *map(str, arguments)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    imported = set(json.loads(done.stderr.splitlines()[-1]))
    assert {"onnxruntime", "numpy", "PIL"} <= imported
    assert not imported & {"torch", "onnx", "safetensors", "matplotlib", "models", "exporter"}
