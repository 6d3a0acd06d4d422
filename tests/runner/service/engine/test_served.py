"""One open model: what it says of itself, what it takes, and that batches change nothing."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import load, save

from runner.errors import ModelError
from runner.model import COLLECTION, SHIPPED
from runner.network import open_network
from runner.service.engine.engine import Engine
from runner.service.engine.served import ServedModel
from runner.service.engine.tensors import read_spec
from runner.service.errors import BadRequest
from runner.service.settings import ServiceSettings

Gate = Any  # of conftest.py
STYLES = 11
REST = [0.0] * (STYLES - 1)  # no share of the other styles


def open_model(name: str, path: Path) -> ServedModel:
    """Open a file as it is, on one thread."""
    return ServedModel(name, "1", open_network(path, "cpu", 1, precision="fp32"))


@pytest.fixture(scope="module")
def style() -> ServedModel:
    """Return the shipped collection."""
    return open_model("style-fast", COLLECTION)


@pytest.fixture(scope="module")
def lenet5() -> ServedModel:
    """Return the shipped LeNet-5."""
    return open_model("lenet5", SHIPPED / "lenet5.onnx")


def build_feeds(sizes: list[tuple[int, int]]) -> list[dict[str, Any]]:
    """Build a request of one picture and a blend of styles for each size."""
    random = np.random.default_rng(0)
    return [
        {
            "image": random.integers(0, 256, (1, *size, 3), dtype=np.uint8),
            "style_weights": random.dirichlet(np.ones(STYLES), 1).astype(np.float32),
        }
        for size in sizes
    ]


def test_tensors_are_described_in_the_protocols_words(style: ServedModel) -> None:
    """Names, datatypes and shapes are those of the file; what is free is -1."""
    described = [(spec.name, spec.datatype, spec.shape) for spec in style.inputs]
    assert described == [
        ("image", "UINT8", (-1, -1, -1, 3)),
        ("style_weights", "FP32", (-1, STYLES)),
    ]
    (output,) = style.outputs
    assert (output.name, output.datatype, str(output.dtype)) == ("stylized", "UINT8", "uint8")
    assert style.joinable
    assert style.provider == "cpu"
    assert style.labels == ()


def test_classifier_has_its_labels(lenet5: ServedModel) -> None:
    """The class names come from the file."""
    assert lenet5.labels == tuple("0123456789")
    assert lenet5.joinable


@pytest.mark.parametrize("kind", ["tensor(string)", "tensor(bfloat16)", "seq(map(int64,float))"])
def test_tensors_that_cannot_be_sent_are_refused(kind: str) -> None:
    """Texts, bfloat16 and what is no tensor stop the load, not a request."""
    with pytest.raises(ValueError, match="only tensors of numbers and truth values"):
        read_spec("x", kind, [1])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "input 'image' of model 'lenet5' is missing; send all of: image"),
        ({"image": np.ones((1, 32, 32, 1), np.float32)}, "is float32; .* takes UINT8"),
        ({"image": np.ones((1, 32, 32), np.uint8)}, r"shape \[1, 32, 32\]; .* \[-1, 32, 32, 1\]"),
        ({"image": np.ones((1, 32, 31, 1), np.uint8)}, r"shape \[1, 32, 31, 1\]"),
        ({"image": np.ones((0, 32, 32, 1), np.uint8)}, "a side is 0; send 1 or more"),
        (
            {"image": np.ones((1, 32, 32, 1), np.uint8), "b" * 999: np.ones(1)},
            "input 'b{80}' is unk",
        ),
    ],
    ids=["missing", "type", "rank", "side", "empty", "unknown"],
)
def test_tensors_that_do_not_fit_are_refused(
    lenet5: ServedModel, inputs: dict[str, Any], message: str
) -> None:
    """Names, types and shapes are compared with the file's before anything runs."""
    with pytest.raises(BadRequest, match=message):
        lenet5.check(inputs)


@pytest.mark.parametrize(
    ("size", "weights", "message"),
    [
        ((31, 64), [[1.0, *REST]], "64x31 px; model 'style-fast' needs 32 px on each side"),
        (
            (32, 32),
            [[0.5, *REST]],
            r"row that sums to 0\.5; the shares of the styles sum to 1",
        ),
        ((32, 32), [[np.nan, *REST]], "row that sums to"),
        ((32, 32), [[np.inf, -np.inf, *REST[1:]]], "row that sums to"),
        ((32, 32), [[1.0, *REST]] * 2, r"differ in rows \(image 1, style_weights 2\)"),
    ],
    ids=["small", "sum", "nan", "inf", "rows"],
)
def test_pictures_that_cannot_be_painted_are_refused(
    style: ServedModel, size: tuple[int, int], weights: list[list[float]], message: str
) -> None:
    """Small pictures, and weights that are no blend, are refused with the reason."""
    inputs: dict[str, Any] = {
        "image": np.ones((1, *size, 3), np.uint8),
        "style_weights": np.array(weights, np.float32),
    }
    with pytest.raises(BadRequest, match=message):
        style.check(inputs)


def test_rows_are_counted(style: ServedModel, models: Path) -> None:
    """A request counts as many rows as its first dimension says; a foreign model's as one."""
    feeds = build_feeds([(32, 32)] * 3)
    joined = {name: np.concatenate([feed[name] for feed in feeds]) for name in feeds[0]}
    assert style.check(joined) == 3
    foreign = open_model("foreign", models / "foreign.onnx")
    assert foreign.check({"x": np.ones((5, 2), np.float32)}) == 1


def test_warm_up_measures(lenet5: ServedModel, style: ServedModel, models: Path) -> None:
    """After the warm-up the cost of a byte is known; a foreign file of open sizes has none."""
    for model in (lenet5, style):
        model.warm_up()
        assert model.ns_per_byte > 0
    scale = open_model("scale", models / "scale.onnx")
    assert scale.build_inputs() is not None
    whole = load(models / "scale.onnx")
    del whole.metadata_props[:]
    save(whole, models / "scale.onnx")
    assert open_model("scale", models / "scale.onnx").build_inputs() is None


@pytest.mark.parametrize(
    ("model", "task", "message"),
    [
        ("lenet5.onnx", "stylize", "do not fit a stylize network"),
        ("styles.onnx", "classify", "cannot be read|no list of names|must"),
        ("lenet5.onnx", 7, None),
    ],
)
def test_file_that_breaks_its_contract_is_refused(
    tmp_path: Path, model: str, task: object, message: str | None
) -> None:
    """A file must have the tensors of the task that it names; without a known one it is foreign."""
    whole = load(SHIPPED / model)
    for entry in whole.metadata_props:
        if entry.key == "impasto.task":
            entry.value = json.dumps(task)
    save(whole, tmp_path / "model.onnx")
    if message is None:
        assert not open_model("model", tmp_path / "model.onnx").joinable
        return
    with pytest.raises(ModelError, match=message):
        open_model("model", tmp_path / "model.onnx")


def test_pictures_of_one_batch_are_those_painted_alone(style: ServedModel, gate: Gate) -> None:
    """Only pictures of the same size run together, and to one grey level nothing changes."""
    feeds = build_feeds([(32, 48), (48, 32), (32, 48), (33, 48), (32, 48), (48, 32)])

    async def main() -> list[Any]:
        settings = ServiceSettings(
            provider="cpu", precision="fp32", workers=1, watch_seconds=0, max_run_ms=60_000
        )
        async with Engine(settings) as engine:
            assert {"style-fast", "lenet5"} <= {*engine.repository.names()}
            answers = [engine.infer("style-fast", feed) for feed in feeds]
            return await asyncio.gather(*answers)

    for feed, answer in zip(feeds, asyncio.run(main()), strict=True):
        alone = style.run(feed, ["stylized"])["stylized"].astype(int)
        painted = answer.outputs["stylized"]
        assert painted.shape == feed["image"].shape
        assert abs(painted - alone).max() <= 1
        assert painted.std() > 5, "a painting, not a blank"
    assert gate.runs == [("style-fast", 3), ("style-fast", 2), ("style-fast", 1)]


def test_large_runs_give_their_memory_back(style: ServedModel, resident: Callable[[], int]) -> None:
    """A large picture leaves nothing behind that grows with it."""
    weights = np.array([[1.0, *REST]], np.float32)

    def paint(side: int) -> None:
        picture = np.zeros((1, side, side, 3), np.uint8)
        style.run({"image": picture, "style_weights": weights}, ["stylized"])

    paint(1024)
    before = resident()
    for side in (1100, 1300, 1600):
        paint(side)
    paint(1024)
    assert resident() - before < 60 * 2**20
