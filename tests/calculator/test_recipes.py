"""YAML files: the same networks, and nothing else."""

from pathlib import Path

import pytest

from calculator import CalculatorError, load, parse

RECIPE = """\
name: small
input: 3x32x32
layers:
  - conv 8@3x3 p1
  - conv2: conv 8@3x3 p1
  - add: [[conv 8@3x3 p1, batchnorm], []]
  - both: {concat: [[relu], [tanh]]}
"""
LINE = (
    "3x32x32 | conv 8@3x3 p1 | conv2: conv 8@3x3 p1 "
    "| [ conv 8@3x3 p1 | batchnorm || ] add | [ relu || tanh ] both: concat"
)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """Return the path of a file to write."""
    return tmp_path / "net.yaml"


def test_file_says_the_same_as_the_line(recipe: Path) -> None:
    """Layers, names and branches are those of the grammar."""
    recipe.write_text(RECIPE)
    network, line = load(recipe), parse(LINE)
    assert (network.input, network.nodes) == (line.input, line.nodes)
    assert network.name == "small"


def test_input_may_be_a_list_or_given(recipe: Path) -> None:
    """The shape can be a list, and the caller's shape replaces it."""
    recipe.write_text("input: [3, 8, 8]\nlayers: [relu]")
    assert load(recipe).input == (3, 8, 8)
    assert load(recipe, input_shape=(1, 5)).input == (1, 5)
    assert load(recipe).name == "net"
    recipe.write_text("layers: [relu]")
    assert load(str(recipe), input_shape=(1, 5)).input == (1, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a mapping with layers"),
        ("- relu", "expected a mapping with layers"),
        ("layers: [relu]\ninputs: 3x8x8", "expected a mapping with layers"),
        ("layers: [relu]", "input is missing"),
        ("input: 3x8x8\nlayers: relu", "layers must be a list, not 'relu'"),
        ("input: 3x8x8\nlayers: []", "as one line, column .*expected a layer"),
        ("input: 3x8x8\nlayers: [3]", "3 is no layer"),
        ("input: 3x8x8\nlayers: [relu | tanh]", "must be one layer"),
        ("input: 3x8x8\nlayers: [{add: 3}]", "add must be a list of branches"),
        ("input: 3x8x8\nlayers: [{a: {sum: []}}]", "is no layer"),
        ("input: 3x8x8\nlayers: [{a: relu, b: relu}]", "is no layer"),
        ("input: 3x8x8\nlayers: [rleu]", "did you mean 'relu'"),
        ("input: 3x8x8\nlayers: [conv 8@9x9]", "kernel 9 is larger than the input 3x8x8"),
        ("input: {a: 1}\nlayers: [relu]", "expected the input's shape"),
        ("input: -3\nlayers: [relu]", "expected the input's shape"),
        ("layers: [", "is not valid YAML"),
        ("layers: &a [relu, *a]", "aliases are not read"),
        ("layers: !!python/object/apply:os.system [true]", "tags are not read"),
        ("layers: " + "[" * 60 + "]" * 60, "nested deeper than"),
        ("layers: [" + "a, " * 25_000 + "a]", "more than 2000 layers"),
        ("# " + "x" * 100_001, "larger than the 100000 bytes"),
        ("input: 2024-99-99\nlayers: [relu]", "is not valid YAML"),
        ("a: \x00", "is not valid YAML"),
    ],
)
def test_wrong_file_is_refused(recipe: Path, text: str, message: str) -> None:
    """Every mistake gets one message with the file's name."""
    recipe.write_text(text)
    with pytest.raises(CalculatorError, match=message) as caught:
        load(recipe)
    assert caught.value.message.startswith(str(recipe))


def test_bytes_that_are_no_text_are_refused(recipe: Path) -> None:
    """A binary file is not YAML."""
    recipe.write_bytes(b"\x80\x81layers")
    with pytest.raises(CalculatorError, match="is not valid YAML"):
        load(recipe)


@pytest.mark.parametrize("name", ["none.yaml", "."])
def test_unreadable_path_is_refused(tmp_path: Path, name: str) -> None:
    """A missing file and a folder are named with the reason."""
    (tmp_path / "folder.yaml").mkdir()
    path = tmp_path / name if name != "." else tmp_path / "folder.yaml"
    with pytest.raises(CalculatorError, match="cannot be read"):
        load(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    """The ending decides, and it is named."""
    with pytest.raises(CalculatorError, match=r"type '.txt' are not read"):
        load(tmp_path / "net.txt")


def test_misfit_in_a_file_suggests_a_fix(tmp_path: Path) -> None:
    """The remedy that a line would get is there for a file as well."""
    path = tmp_path / "net.yaml"
    path.write_text("input: 3x5x5\nlayers: [conv 4@7x7]")
    with pytest.raises(CalculatorError, match="kernel 7 is larger than the input") as caught:
        load(path)
    assert "try: use padding 3 on the first layer" in caught.value.format_message()
