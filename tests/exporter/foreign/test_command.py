"""``impasto annotate`` as a user meets it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from click.testing import CliRunner, Result
from onnx import ModelProto

from exporter.cli import annotate
from exporter.errors import ExportError
from exporter.foreign.labels import read_labels

from .conftest import build_convolutional, build_keras, build_sklearn, build_torchvision

Save = Callable[[ModelProto], Path]
MEAN = ("--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225")


def run(*arguments: object) -> Result:
    """Run ``impasto annotate``."""
    return CliRunner().invoke(annotate, [str(argument) for argument in arguments])


def test_annotate_tells_what_was_written(save: Save, labels: Path, tmp_path: Path) -> None:
    """One line: the file, its size, its classes, and how closely it follows the original."""
    path = tmp_path / "out.onnx"
    done = run(
        save(build_torchvision()), "--labels", labels, *MEAN, "--resize", "crop:20", "-o", path
    )
    assert done.exit_code == 0, done.output
    assert f"{path}: {path.stat().st_size:,} bytes, 5 classes; probabilities differ" in done.output
    entries = {p.key: json.loads(p.value) for p in onnx.load(path).metadata_props}
    assert entries["impasto.input"]["size"] == [12, 16]  # what the file fixes
    assert entries["impasto.input"]["resize"] == {"rule": "crop", "short_side": 20}
    assert entries["impasto.labels"] == ["ant", "bee", "cat", "dog", "élan"]


def test_every_option_reaches_the_file(save: Save, labels: Path, tmp_path: Path) -> None:
    """Grey digits of scikit-learn, inverted and fitted, by name of input and output."""
    path = tmp_path / "out.onnx"
    options = "--mean 0 --std 1 --scale 15.9375 --size 8x8 --resize fit --color grey --invert auto"
    more = "--interpolation lanczos --background 3 --softmax no --input X --output scores"
    done = run(
        save(build_sklearn(zipped=False)),
        "--labels",
        labels,
        *options.split(),
        *more.split(),
        "--license",
        "MIT",
        "-o",
        path,
    )
    assert done.exit_code == 0, done.output
    entries = {p.key: json.loads(p.value) for p in onnx.load(path).metadata_props}
    assert entries["impasto.input"] == {
        "size": [8, 8],
        "color": "grey",
        "dtype": "uint8",
        "layout": "NHWC",
        "resize": {"rule": "fit", "box": [8, 8]},
        "interpolation": "lanczos",
        "invert": "auto",
        "background": 3,
    }
    assert entries["impasto.license"] == "MIT"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--mean 1,2 --std 1", "'1,2' is neither one number nor three, R,G,B."),
        ("--mean red --std 1", "'red' is neither one number nor three"),
        ("--mean nan --std 1", "'nan' is neither one number nor three"),
        ("--mean 0 --std 0", "--std and --scale divide; give finite numbers above 0"),
        ("--mean 0 --std 1 --scale 0", "0.0 is not in the range x>0"),
        ("--mean 0 --std 1 --scale inf", "--std and --scale divide"),
        ("--mean 0 --std 1 --size 224", "'224' is not HxW, such as 224x224."),
        ("--mean 0 --std 1 --size 0x9", "sides are 1 to 4096 pixels"),
        ("--mean 0 --std 1 --size 9x99999999999999", "is not HxW"),
        ("--mean 0 --std 1 --resize crop", "'crop' is none of stretch, fit and crop:S"),
        ("--mean 0 --std 1 --resize crop:8", "short_side 8 must be at least 16 pixels"),
        ("--mean 0 --std 1 --resize squash", "'squash' is none of stretch, fit and crop:S"),
        (
            "--mean 0,0,0 --std 1 --color grey",
            "--mean has 3 numbers, and grey pictures one channel",
        ),
        ("--mean 0 --std 1 --color cmyk", "'cmyk' is not one of 'rgb', 'bgr', 'grey'"),
    ],
)
def test_wrong_usage_has_status_2(
    options: str, words: str, save: Save, labels: Path, tmp_path: Path
) -> None:
    """Numbers that make no sense are told with their option."""
    path = tmp_path / "out.onnx"
    done = run(save(build_torchvision()), "--labels", labels, *options.split(), "-o", path)
    assert done.exit_code == 2
    assert words in " ".join(done.output.split())
    assert not path.exists()


def test_open_sizes_must_be_given(save: Save, labels: Path, tmp_path: Path) -> None:
    """A file that leaves the pictures' size open does not get one by guessing."""
    path = tmp_path / "out.onnx"
    source = save(build_convolutional())
    done = run(source, "--labels", labels, *MEAN, "-o", path)
    assert done.exit_code == 2
    assert "leaves the size of its pictures open; pass --size HxW" in done.output
    assert run(source, "--labels", labels, *MEAN, "--size", "12x16", "-o", path).exit_code == 0


def test_failed_work_has_status_1(save: Save, labels: Path, tmp_path: Path) -> None:
    """A network that is no match for its labels gives one line and nothing else."""
    labels.write_text("ant\nbee\n")
    done = run(save(build_keras()), "--labels", labels, *MEAN, "-o", tmp_path / "out.onnx")
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert "has 5 numbers per picture and --labels 2 names" in done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["foreign.onnx", "labels.txt"]


def test_unknown_input_is_told_with_its_file(save: Save, labels: Path, tmp_path: Path) -> None:
    """Also where the sides are still to be read from it."""
    source = save(build_keras())
    done = run(source, "--labels", labels, *MEAN, "--input", "x", "-o", tmp_path / "out.onnx")
    assert done.exit_code == 1
    assert f"{source}: has no input 'x'; there are 'image'" in done.output


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.txt", "b\n a \n\nü\n", ["b", "a", "ü"]),
        ("a.json", '["b", "a"]', ["b", "a"]),
        ("a.json", '{"1": "a", "0": "b"}', ["b", "a"]),
        ("a.json", '{"a": 1, "b": 0}', ["b", "a"]),
    ],
)
def test_labels_are_read(name: str, text: str, found: list[str], tmp_path: Path) -> None:
    """Lines, a list, or an object either way round."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert read_labels(path) == found


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.txt", b"one\n", "1 labels; a classifier tells two classes apart at least"),
        ("a.txt", b"\xff\xfe", "cannot be read as text"),
        ("a.json", b"{", "not JSON"),
        ("a.json", b"[" * 100_000, "not JSON"),
        ("a.json", b'{"0": "a", "2": "b"}', "neither a list of labels, nor an object"),
        ("a.json", b'{"a": 0, "b": 0}', "neither a list of labels, nor an object"),
        ("a.json", b'["a", 1]', "neither a list of labels, nor an object"),
        ("a.json", b"7", "neither a list of labels, nor an object"),
        ("a.txt", b"a\n" * 5_000_001, "more than 10,000,000 bytes, too many for labels"),
    ],
    ids=str,
)
def test_other_labels_are_refused(name: str, text: bytes, words: str, tmp_path: Path) -> None:
    """What is no list of names is told with its file."""
    path = tmp_path / name
    path.write_bytes(text)
    with pytest.raises(ExportError, match=f"{name}: .*{words}"):
        read_labels(path)
    with pytest.raises(ExportError, match="nothing: cannot be read as text"):
        read_labels(tmp_path / "nothing")


def test_annotating_needs_no_torch(save: Save, labels: Path, tmp_path: Path) -> None:
    """A whole run imports neither PyTorch nor the rest of the extra 'train'."""
    code = (
        "import sys; from exporter.cli import annotate as c; "
        "c.main(sys.argv[1:], standalone_mode=False); "
        "sys.exit(bool({'torch', 'onnxscript', 'safetensors'} & set(sys.modules)))"
    )
    words = [save(build_keras()), "--labels", labels, *MEAN, "-o", tmp_path / "out.onnx"]
    command = [sys.executable, "-c", code, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.onnx").exists()


def test_help_needs_no_library() -> None:
    """The command explains itself without ONNX, ONNX Runtime and numpy."""
    code = (
        "import sys; from exporter.cli import annotate as c; "
        "c.main(['--help'], standalone_mode=False); "
        "sys.exit(bool({'torch', 'onnx', 'onnxruntime', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "OUT.onnx" in done.stdout


def test_missing_extra_is_named(
    save: Save, labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without ONNX's own package the command says what to install."""
    source = save(build_keras())
    monkeypatch.setitem(sys.modules, "onnx", None)
    done = run(source, "--labels", labels, *MEAN, "-o", tmp_path / "out.onnx")
    assert done.exit_code == 1
    assert "pip install '.[onnx]'" in done.output
