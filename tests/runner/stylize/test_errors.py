"""``impasto stylize``: how it refuses, and with which status."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Impasto = Callable[..., Result]
ReadRows = Callable[[str], list[dict[str, Any]]]


def test_a_missing_input_is_a_failed_picture(
    impasto: Impasto, photos: Path, read_rows: ReadRows
) -> None:
    """A name without a file fails by itself; what can be painted is."""
    result = impasto("stylize", "nobody.jpg", photos / "a.jpg", "-o", "out", "--json")
    status = {row["input"]: (row["status"], row["error"]) for row in read_rows(result.stdout)}
    assert result.exit_code == 1
    assert status["nobody.jpg"] == ("failed", "no such file")
    assert status[str(photos / "a.jpg")] == ("ok", None)


def test_a_failing_network_is_a_failed_picture(impasto: Impasto, photos: Path, data: Path) -> None:
    """What ONNX Runtime refuses is told in a line per picture, without a traceback."""
    options = ("--model", data / "brittle.onnx", "--style", "plain,bold")
    result = impasto("stylize", photos, "-o", "out", *options)
    assert result.exit_code == 1
    assert result.stderr.count("a.jpg: ONNX Runtime cannot paint it (") == 1
    assert len(result.stderr.splitlines()) == 5


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("photos", "-o", "out", "--style", "the_screm"), "the model has the_scream, "),
        (("photos", "-o", "out", "--style", "udnie:0"), "share '0' of style 'udnie' must be"),
        (("photos", "-o", "out", "--style", "udnie:1,nobody:1"), "style 'nobody' is unknown"),
        (("photos", "-o", "out", "--strength", "1.5"), "1.5 is not in the range 0<=x<=1"),
        (("photos", "-o", "out", "--strength", "nan"), "nan is not a number"),
        (("photos", "-o", "out", "--strength", "much"), "'much' is not a valid float"),
        (("photos", "-o", "out", "--quality", "0"), "0 is not in the range 1<=x<=100"),
        (("photos", "-o", "out", "--size", "0"), "0 is not in the range x>=1"),
        (("photos", "-o", "out", "--workers", "0"), "0 is not in the range x>=1"),
        (("photos", "-o", "out", "--batch", "none"), "'none' is not a valid integer"),
        (("photos", "-o", "out", "--provider", "gpu"), "'gpu' is not one of 'auto', 'cpu', 'cuda'"),
        (("photos", "-o", "out", "--format", "bmp"), "'bmp' is not one of 'same', 'png', 'jpeg'"),
        (("photos", "-o", "out", "--sepia"), "No such option"),
        (("photos",), "Missing option '-o'"),
        (("-o", "out"), "Missing argument 'INPUT...'"),
        (("photos", "-o", "-"), "-o - takes exactly one picture"),
        (("photos/a.jpg", "photos/b.png", "-o", "-"), "-o - takes exactly one picture"),
        (("photos/a.jpg", "-o", "-", "--json"), "--json and the picture would share standard"),
        (("photos/a.jpg", "-o", "a.png", "--format", "jpeg"), "--format jpeg contradicts a.png"),
        (("photos/a.jpg", "-o", "a.png", "--resume"), "--resume needs a folder as output"),
        (("-", "-o", "out"), "standard input needs a file"),
        (("-", "photos", "-o", "out"), "standard input needs a file"),
        (("photos", "-o", "photos/a.jpg"), "is a file, and a folder is needed"),
    ],
)
def test_wrong_usage_is_status_2(
    arguments: tuple[str, ...], reason: str, impasto: Impasto, photos: Path
) -> None:
    """Wrong options end with status 2 and their reason, before anything is painted."""
    result = impasto("stylize", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in " ".join(result.stderr.split())
    assert {path.name for path in photos.parent.iterdir()} <= {"photos", "out"}


def test_an_empty_folder_is_status_1(impasto: Impasto, tmp_path: Path) -> None:
    """A folder without pictures is failed work: there is nothing to paint."""
    (tmp_path / "empty").mkdir()
    result = impasto("stylize", "empty", "-o", "out")
    assert result.exit_code == 1
    assert "Error: empty: no pictures (.jpg, " in result.stderr


def test_an_output_folder_that_cannot_be_made_is_status_1(impasto: Impasto, photos: Path) -> None:
    """A file in the way of the output folder's parent is an error that names the folder."""
    Path("file").write_text("in the way")
    result = impasto("stylize", photos, "-o", "file/out")
    assert result.exit_code == 1
    assert "file/out: cannot be made a folder for the paintings (Not a directory)" in result.stderr


@pytest.mark.parametrize(
    ("model", "reason"),
    [("nobody.onnx", "no such model file"), ("photos/a.jpg", "not an ONNX file that ONNX Runtime")],
)
def test_a_model_that_is_none_is_status_1(
    model: str, reason: str, impasto: Impasto, photos: Path
) -> None:
    """A model that is missing or damaged is told before anything is painted."""
    result = impasto("stylize", photos, "-o", "out", "--model", model)
    assert result.exit_code == 1
    assert f"Error: {model}: {reason}" in result.stderr
    assert not Path("out").exists()


def test_missing_cuda_is_status_1(
    impasto: Impasto, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--provider cuda without CUDA names the package that brings it, and paints nothing."""
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    result = impasto("stylize", photos, "-o", "out", "--provider", "cuda")
    assert result.exit_code == 1
    assert "pip install 'onnxruntime-gpu[cuda,cudnn]'" in result.stderr
    assert not Path("out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_a_pipe_is_not_opened(impasto: Impasto, photos: Path) -> None:
    """A named pipe in a folder is no file; it is named, and nothing waits for it."""
    os.mkfifo(photos / "pipe.jpg")
    result = impasto("stylize", "photos", "-o", "out")
    assert result.exit_code == 1
    assert "photos/pipe.jpg: not a file" in result.stderr
