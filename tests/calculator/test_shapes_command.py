"""The command ``shapes``."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from calculator.cli.shapes import shapes


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(shapes, arguments)


def test_name_is_answered_with_a_table() -> None:
    """The first line names the network, the totals stand below."""
    result = run("vgg16")
    assert result.exit_code == 0
    assert result.output.startswith("vgg16: input 3x224x224, batch 1\n")
    assert "138,357,544" in result.output


def test_options_reach_the_report() -> None:
    """Input and batch change the numbers, columns and unit what is shown."""
    result = run("vgg16", "--input", "3x64x64", "--batch", "2", "--format", "json")
    values = json.loads(result.output)
    assert (values["input"], values["batch"]) == ([3, 64, 64], 2)
    result = run("lenet5", "--columns", "layer,macs", "--unit", "K")
    assert result.output.splitlines()[2].split() == ["layer", "macs"]
    assert "416.52K" in result.output


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
def test_every_form_is_written(form: str) -> None:
    """Each form names the first layer."""
    result = run("lenet5", "--format", form)
    assert result.exit_code == 0
    assert "conv1" in result.output


def test_file_is_read(tmp_path: Path) -> None:
    """A path that ends in .yaml is a file."""
    path = tmp_path / "net.YAML"
    path.write_text("input: 1x8x8\nlayers: [conv 2@3]")
    assert run(str(path)).output.startswith("net: input 1x8x8, batch 1\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vg16"], "no network 'vg16'; choose from: vgg16"),
        (["3x8x8 | pol 2"], "did you mean 'pool'"),
        (["vgg16", "--input", "3,224,224"], "separate the numbers, of at most 9 digits, with x"),
        (["vgg16", "--input", "3x0x224"], "all at least 1"),
        (["vgg16", "--input", "3x16x16"], "kernel 2 is larger than the input 512x1x1"),
        (["vgg16", "--batch", "0"], "0 is not in the range"),
        (["vgg16", "--format", "svgg"], "'svgg' is not one of"),
        (["vgg16", "--columns", "parms"], "did you mean 'params'"),
        (["vgg16", "--format", "json", "--columns", "all"], "does not go with --format json"),
        (["vgg16", "--format", "csv", "--unit", "M"], "does not go with --format csv"),
        (["none.yaml"], "none.yaml: cannot be read"),
        ([], "Missing argument 'NET'"),
    ],
)
def test_wrong_usage_is_status_two(arguments: list[str], message: str) -> None:
    """One clear error and no traceback."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


PROBE = """
import json, sys
from click.testing import CliRunner
from calculator.cli.shapes import shapes
result = CliRunner().invoke(shapes, sys.argv[1:])
print(json.dumps([result.exit_code, sorted(sys.modules)]))
"""
HEAVY = {"torch", "onnx", "numpy", "yaml", "PIL", "onnxruntime", "rich", "models", "runner"}


def list_modules(*arguments: str) -> set[str]:
    """Return what a fresh interpreter has imported after the command."""
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    status, modules = json.loads(done.stdout)
    assert status == 0
    return set(modules)


def test_command_imports_nothing_heavy() -> None:
    """A name is answered with click and the standard library alone."""
    modules = list_modules("vgg16")
    assert "calculator.reading.networks" in modules
    assert not modules & HEAVY


def test_help_imports_only_the_options() -> None:
    """The help needs none of the calculator."""
    modules = {name for name in list_modules("--help") if name.startswith("calculator")}
    commands = {"calculator.cli", "calculator.cli.options", "calculator.cli.shapes"}
    assert modules == {"calculator", *commands}


def test_yaml_is_imported_for_files_only(tmp_path: Path) -> None:
    """The detector above can fail: a file does bring PyYAML."""
    path = tmp_path / "net.yaml"
    path.write_text("input: 1x8x8\nlayers: [relu]")
    assert "yaml" in list_modules(str(path))


def test_letters_stand_for_any_size() -> None:
    """Expressions in the letters, and the smallest input that works."""
    output = run("vgg16", "--input", "3xHxW", "--batch", "N").output
    assert "1,728*H*W*N" in output
    assert "3x32x32" in output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--batch", "N", "--format", "svg"], "--format svg needs numbers for all sizes"),
        (["--input", "3xSxS", "--unit", "M"], "--unit M needs numbers for all sizes"),
        (["--input", "3xSxS", "--explain"], "--explain needs numbers for all sizes"),
        (["--format", "svg", "--unit", "M"], "do not go with --format svg"),
        (["--lang", "ko"], "--lang ko goes with --explain"),
        (["--batch", "n"], "batch 'n' must be a number of at least 1, or a letter"),
        (["--batch", "1000000001"], "is not in the range 1 to 1,000,000,000"),
        (["--batch", "-1"], "must be a number of at least 1"),
    ],
)
def test_options_that_do_not_go_together_are_status_two(options: list[str], message: str) -> None:
    """Said in one line, before anything is counted."""
    result = run("vgg16", *options)
    assert result.exit_code == 2
    assert message in result.output


def test_drawing_is_written() -> None:
    """SVG is a form of the answer."""
    assert run("lenet5", "--format", "svg").output.startswith("<svg ")


def test_derivations_come_in_korean() -> None:
    """The formulas stay, the sentences change."""
    english = run("lenet5", "--explain", "conv1").output
    korean = run("lenet5", "--explain", "conv1", "--lang", "ko").output
    assert english.splitlines()[:6] == korean.splitlines()[:6]
    assert "수용 영역" in korean
