"""``impasto classify``: how it refuses, and with which status."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Classify = Callable[..., Result]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("tiles", "--top", "0"), "--top 0 must lie between 1 and the 3 classes"),
        (("tiles", "--top", "4"), "--top 4 must lie between 1 and the 3 classes"),
        (("tiles", "--top", "many"), "'many' is not a valid integer"),
        (("tiles", "--format", "xml"), "'xml' is not one of 'table', 'json', 'csv'"),
        (("tiles", "--format", "json", "-o", "r.csv"), "--format json contradicts r.csv"),
        (("tiles", "-o", "r.png"), "r.png is called like a picture, and results are text"),
        (("tiles", "--resume"), "--resume needs a file for the results: -o FILE"),
        (("tiles", "--resume", "-o", "-"), "--resume needs a file for the results: -o FILE"),
        (("-", "tiles"), "standard input is one picture: give - alone"),
        (("tiles", "--batch", "0"), "0 is not in the range 1<=x<=4096"),
        (("tiles", "--provider", "gpu"), "'gpu' is not one of 'auto', 'cpu', 'cuda', 'openvino'"),
        ((), "Missing argument 'INPUT...'"),
    ],
)
def test_wrong_usage_is_status_2(
    arguments: tuple[str, ...], reason: str, classify: Classify, tiles: Path, colors: Path
) -> None:
    """Wrong options end with status 2 and their reason, before anything is written."""
    result = classify(*arguments, "--model", colors)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in " ".join(result.stderr.split())
    assert [path.name for path in tiles.parent.iterdir()] == ["tiles"]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("nobody.onnx", "nobody.onnx: no such model file"),
        ("tiles/a_red.png", "not an ONNX file that ONNX Runtime"),
        ("vgg61", "model 'vgg61' is no file, and the classifiers that ship here are"),
        ("tiles", "tiles: no such model file"),
    ],
)
@pytest.mark.usefixtures("tiles")
def test_a_model_that_is_none_is_status_1(model: str, reason: str, classify: Classify) -> None:
    """A model that is missing or damaged is told before anything is written."""
    result = classify("tiles", "--model", model, "-o", "r.csv")
    assert (result.exit_code, result.stdout) == (1, "")
    assert reason in result.stderr
    assert not Path("r.csv").exists()


def test_a_truncated_model_is_status_1(classify: Classify, tiles: Path, strokes: Path) -> None:
    """The beginning of a model is no model."""
    Path("half.onnx").write_bytes(strokes.read_bytes()[:5000])
    result = classify(tiles, "--model", "half.onnx")
    assert result.exit_code == 1
    assert "half.onnx: not an ONNX file that ONNX Runtime" in result.stderr


def test_outputs_that_cannot_be_written_are_status_1(
    classify: Classify, tiles: Path, colors: Path
) -> None:
    """A folder or a file in the way is named, and a picture is never overwritten."""
    Path("file").write_text("in the way")
    Path("photo.dat").symlink_to(tiles / "a_red.png")
    for output, reason in (
        (tiles, "a folder is in the way"),
        ("file/r.csv", "file: cannot be made a folder for the results (File exists)"),
        ("photo.dat", "the results would overwrite a picture"),
    ):
        result = classify(tiles, "--model", colors, "-o", output, "--overwrite")
        assert result.exit_code == 1
        assert reason in result.stderr
    assert Path("file").read_text() == "in the way"
    assert len(list(tiles.iterdir())) == 3


def test_a_pipe_is_not_opened(classify: Classify, tiles: Path, colors: Path) -> None:
    """A named pipe in a folder is no file; nothing waits for it."""
    os.mkfifo(tiles / "pipe.jpg")
    result = classify("tiles", "--model", colors, "--top", 1)
    assert result.exit_code == 1
    assert "tiles/pipe.jpg: not a file" in result.stderr


@pytest.mark.usefixtures("tiles")
def test_a_failing_network_fails_every_picture_alone(
    classify: Classify, colors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture that makes its batch fail does not take the others along."""
    from runner.classify.network import Network

    predict = Network.predict

    def fail(network: Network, pixels: Any) -> Any:  # noqa: ANN401
        if (pixels[:, 0, 0, 1] > 100).any():
            message = "green"
            raise MemoryError(message)
        return predict(network, pixels)

    monkeypatch.setattr(Network, "predict", fail)
    result = classify("tiles", "--model", colors, "--format", "json", "--workers", 1)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["status"] for row in rows] == ["ok", "failed", "ok"]
    assert rows[1]["error"] == "unexpected MemoryError: green"
