"""What a command imports, seen from a fresh interpreter."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto import COMMANDS

# Runs the command and then names every imported module that has no dot in its name.
PROBE = """
import json, sys
from impasto import main
try:
    main(sys.argv[1:], standalone_mode=False)
finally:
    print(json.dumps(sorted(name for name in sys.modules if "." not in name)), file=sys.stderr)
"""
ROOMS = {"models", "exporter", "runner", "calculator"}
ARROWS = {"exporter": {"models"}, "runner": {"calculator"}}  # room -> the rooms it may import
TRAINING = {"torch", "onnx", "onnxscript", "safetensors", "matplotlib"}
SERVER = {"starlette", "uvicorn", "prometheus_client"}
HEAVY = TRAINING | SERVER | {"onnxruntime", "numpy", "PIL", "rich", "yaml"}

ListImports = Callable[..., set[str]]


@pytest.fixture
def list_imports(tmp_path: Path) -> ListImports:
    """Return a function that runs ``impasto`` afresh and returns the modules it imported."""

    def run(*arguments: object, probe: str = PROBE) -> set[str]:
        command = [sys.executable, "-I", "-c", probe, *(str(argument) for argument in arguments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return set(json.loads(done.stderr.splitlines()[-1]))

    return run


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Return a small photo of noise."""
    path = tmp_path / "photo.png"
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


@pytest.mark.parametrize("module", ["numpy", "onnxruntime", "PIL", "rich"])
def test_the_detector_can_fail(module: str, list_imports: ListImports) -> None:
    """A module that is imported on purpose is reported: the other tests here can fail."""
    assert module in list_imports("--help", probe=f"import {module}\n{PROBE}")
    assert module not in list_imports("--help")


def test_the_detector_sees_what_a_command_imports(list_imports: ListImports, photo: Path) -> None:
    """A real run is seen to import what it cannot do without."""
    modules = list_imports("stylize", photo, "-o", "b.png")
    assert {"runner", "onnxruntime", "numpy", "PIL"} <= modules


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("--version",)])
def test_the_front_door_imports_no_room(
    arguments: tuple[str, ...], list_imports: ListImports
) -> None:
    """The list of commands and the version cost click and nothing of ours."""
    assert not list_imports(*arguments) & (HEAVY | ROOMS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_nothing_heavy(command: str, list_imports: ListImports) -> None:
    """The help of a command imports its own room and no library of weight."""
    own_room = COMMANDS[command][0].partition(".")[0]
    modules = list_imports(command, "--help")
    assert own_room in modules
    others = ROOMS - {own_room} - ARROWS.get(own_room, set())
    assert not modules & (HEAVY | others)


@pytest.mark.parametrize(
    "arguments",
    [
        ("stylize", "photo.png", "-o", "b.png"),
        ("stylize", "photo.png", "-o", "out", "--json"),
        ("styles",),
        ("styles", "--json"),
        ("styles", "--sheet", "photo.png", "-o", "sheet.png"),
        ("info", "MODEL"),
        ("info", "MODEL", "--json"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("photo")
def test_the_runner_runs_without_the_other_rooms(
    arguments: tuple[str, ...], list_imports: ListImports
) -> None:
    """Painting and asking need neither PyTorch, nor ONNX's own package, nor the other rooms."""
    from runner.model import COLLECTION

    found = list_imports(*(COLLECTION if word == "MODEL" else word for word in arguments))
    assert "onnxruntime" in found
    assert not found & (TRAINING | SERVER | ROOMS - {"runner"})


def test_the_server_runs_without_the_training_libraries(tmp_path: Path) -> None:
    """A server that has loaded its models, and is then ended, imported no library of training."""
    command = [sys.executable, "-I", "-c", PROBE, "serve", "--port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Listening at ")
        assert process.stdout.readline().startswith("Ready: ")
        process.terminate()
        _, log = process.communicate(timeout=120)
    assert process.returncode == 0
    found = set(json.loads(log.splitlines()[-1]))
    assert {"starlette", "uvicorn", "onnxruntime"} <= found
    assert not found & (TRAINING | {"models", "exporter", "rich", "yaml"})


@pytest.mark.parametrize(
    "arguments",
    [
        ("shapes", "vgg16"),
        ("shapes", "lenet5", "--explain", "conv1", "--lang", "ko"),
        ("shapes", "lenet5", "--format", "svg"),
        ("shapes", "vgg16", "--input", "3xHxW", "--batch", "N"),
        ("compare", "vgg16", "vgg19"),
        ("solve", "227 -> 55, k=11"),
        ("why", "vgg16", "138.4M"),
        ("doctor", "3x5x5 | conv 4@7x7"),
        ("quiz", "--seed", "1", "--show"),
        ("conv", "1 2; 3 4", "--kernel", "1 0; 0 1"),
    ],
    ids=" ".join,
)
def test_calculating_imports_nothing_heavy(
    arguments: tuple[str, ...], list_imports: ListImports
) -> None:
    """Numbers, drawings and lessons need no library of weight and no other room."""
    modules = list_imports(*arguments)
    assert "calculator" in modules
    assert not modules & (HEAVY | ROOMS - {"calculator"})


def test_only_a_picture_brings_arrays_into_the_calculator(
    list_imports: ListImports, photo: Path
) -> None:
    """A convolution of a picture needs NumPy and Pillow, and still no other room."""
    modules = list_imports("conv", photo, "--kernel", "sobel", "-o", "edges.png")
    assert {"numpy", "PIL"} <= modules
    assert not modules & (TRAINING | {"onnxruntime"} | ROOMS - {"calculator"})


def test_the_api_is_imported_when_it_is_used(list_imports: ListImports) -> None:
    """``import runner`` costs nothing; its names bring what they need and no PyTorch."""
    assert not list_imports("--help", probe=f"import runner\n{PROBE}") & HEAVY
    found = list_imports("--help", probe=f"from runner import Stylizer\n{PROBE}")
    assert {"onnxruntime", "numpy", "PIL"} <= found
    assert not found & (TRAINING | {"models", "exporter"})


def test_the_api_paints_without_the_other_rooms(list_imports: ListImports, photo: Path) -> None:
    """``Stylizer`` at work imports no more than the commands do."""
    work = "from runner import Stylizer; Stylizer().stylize('photo.png').save('b.png')"
    found = list_imports("--help", probe=f"{work}\n{PROBE}")
    assert not found & (TRAINING | {"models", "exporter", "rich"})
    assert photo.with_name("b.png").is_file()
