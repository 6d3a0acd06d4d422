"""Opening classify files, running them, and refusing what does not keep the contract."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from runner.classify.network import Network
from runner.classify.predictions import check_top, name_predictions, rank
from runner.errors import ModelError, PictureError
from runner.model import COLLECTION
from runner.session import open_session

Alter = Callable[..., Path]


def test_network_believes_the_file(colors: Path) -> None:
    """Labels and input rule come from the file alone."""
    network = Network(colors, "cpu")
    assert network.labels == ("red", "green", "blue")
    assert (network.rule.size, network.rule.short_side, network.provider) == ((8, 8), 10, "cpu")


@pytest.mark.usefixtures("tiles")
def test_openvino_is_asked_for_with_the_workers(
    classify: Callable[..., Result], colors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenVINO is told how many batches run at once; without it the command says what to do."""
    asked: list[tuple[str, int]] = []

    def open_instead(path: Path, provider: str, threads: int | None, *, runs: int) -> object:
        asked.append((provider, runs))
        return open_session(path, "cpu", threads)

    command = ("tiles", "--model", colors, "--provider", "openvino", "--workers", "3")
    with monkeypatch.context() as patch:
        patch.setattr("runner.classify.network.open_session", open_instead)
        assert classify(*command).exit_code == 0
    assert asked == [("openvino", 3)]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    result = classify(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "provider openvino: this onnxruntime has only CPUExecutionProvider" in result.stderr


def test_predict_returns_probabilities(colors: Path) -> None:
    """Each picture's row is the softmax of its channels' means, as the file says."""
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    pixels[0] = 0
    logits = 8 * pixels.mean(axis=(1, 2)) / 255
    exact = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = Network(colors, "cpu").predict(pixels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, exact, atol=1e-6)


@pytest.mark.parametrize("batch", [2, 7, 64])
def test_predict_does_not_depend_on_the_batch(batch: int, network: Network) -> None:
    """A picture among 63 others has the probabilities that it has alone, to 1e-6."""
    pixels = np.random.default_rng(1).integers(0, 256, (64, 32, 32, 1), dtype=np.uint8)
    alone = np.concatenate([network.predict(picture[None]) for picture in pixels])
    parts = [network.predict(pixels[i : i + batch]) for i in range(0, 64, batch)]
    np.testing.assert_allclose(np.concatenate(parts), alone, atol=1e-6, rtol=0)
    assert alone.std(axis=0).max() > 0.01  # the pictures do differ


def test_batch_follows_the_size_of_the_input(network: Network, colors: Path, alter: Alter) -> None:
    """Small inputs are run by the dozens, those of photographs by few."""
    assert network.batch == Network(colors, "cpu").batch == 64
    rule = {"size": [224, 224], "resize": {"rule": "stretch"}, "dtype": "uint8", "layout": "NHWC"}
    with pytest.raises(ModelError, match=r"do not fit a classify network of input image uint8"):
        Network(alter(colors, input=rule), "cpu")


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"labels": {"0": "red"}}, r"impasto\.labels is no list of names; export or annotate it"),
        ({"labels": []}, r"impasto\.labels is no list of names"),
        ({"labels": ["red", 2, "blue"]}, r"impasto\.labels is no list of names"),
        ({"labels": ["red", "green"]}, r"probabilities \[1, 3\] for 1 pictures and 2 labels"),
        ({"labels": "[" * 100_000}, r"its impasto metadata cannot be read"),
        ({"labels": '["red'}, r"its impasto metadata cannot be read \(Unterminated"),
        ({"input": []}, r"its impasto metadata cannot be read"),
        ({"input": {}}, r"its input size None must be two sides of 1 to 4096"),
        ({"input": {"size": [-8, 8]}}, r"its input size \[-8, 8\] must be two sides"),
        ({"schema": 2}, r"metadata schema 2 is not 1; use the impasto that wrote it"),
        ({"task": '"features"'}, r"made for 'features', not 'classify'"),
    ],
)
def test_network_refuses_metadata_that_cannot_be_used(
    entries: dict[str, object], reason: str, colors: Path, alter: Alter
) -> None:
    """Metadata that is damaged or contradicts the tensors is refused before the first picture."""
    with pytest.raises(ModelError, match=reason):
        Network(alter(colors, **entries), "cpu")


def test_network_counts_stated_classes(strokes: Path, alter: Alter) -> None:
    """Where the file states the number of classes, the labels must be as many."""
    with pytest.raises(ModelError, match=r"11 labels for 10 classes; annotate it again"):
        Network(alter(strokes, labels=["x"] * 11), "cpu")


def test_network_refuses_other_tensors(data: Path, alter: Alter) -> None:
    """A file that takes or returns something else is named with what it has."""
    rule = {"size": [8, 8], "resize": {"rule": "stretch"}, "dtype": "uint8", "layout": "NHWC"}
    with pytest.raises(ModelError, match=r"its tensors \(x tensor\(float\) \['N', 4\], y .*do not"):
        Network(alter(data / "classify.onnx", input=rule), "cpu")


def test_network_tells_how_to_describe_a_foreign_file(data: Path) -> None:
    """A file without metadata can be annotated; the message says how."""
    with pytest.raises(ModelError, match=r"without impasto metadata.* impasto annotate FILE\.onnx"):
        Network(data / "foreign.onnx", "cpu")


def test_network_refuses_a_style_network() -> None:
    """A file that paints is told by its task."""
    with pytest.raises(ModelError, match=r"made for 'stylize', not 'classify'; use a file that"):
        Network(COLLECTION, "cpu")


def test_network_names_what_ships() -> None:
    """A name that is neither a file nor a shipped classifier is answered with those that are."""
    with pytest.raises(ModelError, match=r"model 'lenet55' is no file, and the classifiers that"):
        Network("lenet55", "cpu")
    with pytest.raises(ModelError, match=r"nobody\.onnx: no such model file"):
        Network("nobody.onnx", "cpu")


def test_predict_explains_a_failing_run(network: Network) -> None:
    """What ONNX Runtime refuses is an error with its first line."""
    with pytest.raises(PictureError, match=r"^ONNX Runtime cannot classify it \(.*er --batch$"):
        network.predict(np.zeros((1, 31, 32, 1), np.uint8))


def test_rank_puts_the_most_probable_first() -> None:
    """Rankings fall; of equals the first class comes first."""
    found = rank(np.array([[0.25, 0.5, 0.25], [0.1, 0.2, 0.7]], np.float32), 2)
    assert found[0] == ((1, 0.5), (0, 0.25))
    assert [index for index, _ in found[1]] == [2, 1]
    assert name_predictions(found[0], ("a", "b", "c"))[0].label == "b"


def test_check_top_is_five_where_there_are_as_many() -> None:
    """By default five classes are told, or all; a number out of range is refused."""
    assert (check_top(None, 10), check_top(None, 3), check_top(10, 10)) == (5, 3, 10)
    for top in (0, -1, 11):
        with pytest.raises(ValueError, match=rf"top {top} must lie between 1 and the 10 classes"):
            check_top(top, 10)


def test_network_opens_what_ships_by_name(
    strokes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the collection is called by its name; a file here of that name goes first."""
    monkeypatch.setattr("runner.model.SHIPPED", tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scribble.onnx").write_bytes(strokes.read_bytes())
    assert Network("scribble", "cpu").card.path == tmp_path / "scribble.onnx"
    with pytest.raises(ModelError, match=r"ship here are: scribble; give one of them or FILE\.onn"):
        Network("scrible", "cpu")
