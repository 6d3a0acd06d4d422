"""Classifiers as torchvision, Keras and scikit-learn export them, and some that are older."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from runner.session import open_session

Foreign = Callable[..., ModelProto]
CLASSES = 5
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
RANDOM = np.random.default_rng(4)
FILTERS = RANDOM.normal(size=(6, 3, 3, 3)).astype(np.float32) / 5
DENSE = RANDOM.normal(size=(6, CLASSES)).astype(np.float32) * 3
TREES = RANDOM.normal(size=(CLASSES, 64)).astype(np.float32) / 4


def make(
    nodes: list[NodeProto],
    inputs: list[ValueInfoProto],
    outputs: list[ValueInfoProto],
    weights: dict[str, NDArray[Any]],
    **versions: int,
) -> ModelProto:
    """Return a model of some opset and IR version."""
    stored = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    ir_version = versions.pop("ir", 6)
    if ir_version < 4:
        inputs = [*inputs, *(describe(t.name, t.data_type, list(t.dims)) for t in stored)]
    opsets = [helper.make_opsetid("", versions.pop("opset", 11))]
    opsets += [helper.make_opsetid("ai.onnx.ml", version) for version in versions.values()]
    graph = helper.make_graph(nodes, "foreign", inputs, outputs, stored)
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)


def describe(name: str, element: int, dims: list[Any]) -> ValueInfoProto:
    """Return an input or output."""
    return helper.make_tensor_value_info(name, element, dims)


def build_torchvision(
    batch: int | str = "batch", *, element: int = TensorProto.FLOAT, opset: int = 11, ir: int = 6
) -> ModelProto:
    """Return NCHW pictures to logits; a fixed batch also stands in a reshape."""
    dtype = helper.tensor_dtype_to_np_dtype(element)
    weights = {"conv.weight": FILTERS.astype(dtype), "fc.weight": DENSE.astype(dtype)}
    nodes = [
        helper.make_node("Conv", ["input", "conv.weight"], ["c"]),
        helper.make_node("Relu", ["c"], ["probabilities"]),  # called as our output is
        helper.make_node("GlobalAveragePool", ["probabilities"], ["p"]),
    ]
    if isinstance(batch, int):
        nodes.append(helper.make_node("Reshape", ["p", "sizes"], ["f"]))
        weights["sizes"] = np.array([batch, 6], np.int64)
    else:
        nodes.append(helper.make_node("Flatten", ["p"], ["f"]))
    nodes.append(helper.make_node("MatMul", ["f", "fc.weight"], ["logits"]))
    return make(
        nodes,
        [describe("input", element, [batch, 3, 12, 16])],
        [describe("logits", element, [batch, CLASSES])],
        weights,
        opset=opset,
        ir=ir,
    )


def build_keras() -> ModelProto:
    """Return NHWC pictures to probabilities, transposed inside as tf2onnx does."""
    nodes = [
        helper.make_node("Transpose", ["image"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", "conv.weight"], ["c"]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("ReduceMean", ["r"], ["p"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["p", "fc.weight"], ["l"]),
        helper.make_node("Softmax", ["l"], ["dense_1"], axis=-1),
    ]
    return make(
        nodes,
        [describe("image", TensorProto.FLOAT, ["unk__1", 12, 16, 3])],  # called as our input is
        [describe("dense_1", TensorProto.FLOAT, ["unk__2", CLASSES])],
        {"conv.weight": FILTERS / 50, "fc.weight": DENSE},
        opset=13,
        ir=7,
    )


def build_sklearn(*, zipped: bool = True) -> ModelProto:
    """Return rows of 8x8 pictures to a label and probabilities, as skl2onnx does."""
    linear = helper.make_node(
        "LinearClassifier",
        ["X"],
        ["label", "scores"],
        domain="ai.onnx.ml",
        coefficients=TREES.reshape(-1).tolist(),
        intercepts=[0.1] * CLASSES,
        classlabels_ints=list(range(CLASSES)),
        post_transform="SOFTMAX",
    )
    nodes, result = [linear], describe("scores", TensorProto.FLOAT, [None, CLASSES])
    if zipped:
        numbers = list(range(CLASSES))
        nodes.append(
            helper.make_node(
                "ZipMap", ["scores"], ["maps"], domain="ai.onnx.ml", classlabels_int64s=numbers
            )
        )
        kind = helper.make_map_type_proto(
            TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, [])
        )
        result = helper.make_value_info("maps", helper.make_sequence_type_proto(kind))
    return make(
        nodes,
        [describe("X", TensorProto.FLOAT, [None, 64])],
        [describe("label", TensorProto.INT64, [None]), result],
        {},
        opset=15,
        ir=8,
        ml=1,
    )


def build_rows() -> ModelProto:
    """Return rows of float64 to logits of float64."""
    return make(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [describe("x", TensorProto.DOUBLE, ["N", 64])],
        [describe("y", TensorProto.DOUBLE, ["N", CLASSES])],
        {"w": TREES.T.astype(np.float64)},
    )


def build_convolutional() -> ModelProto:
    """Return a network that ends in [N, K, 1, 1], sizes of pictures open."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Conv", ["p", "v"], ["y"]),
    ]
    weights: dict[str, NDArray[Any]] = {
        "w": FILTERS,
        "v": DENSE.T.reshape(CLASSES, 6, 1, 1).copy(),
    }
    dims = ["N", 3, "H", "W"]
    return make(
        nodes,
        [describe("x", TensorProto.FLOAT, dims)],
        [describe("y", TensorProto.FLOAT, ["N", CLASSES, 1, 1])],
        weights,
        opset=9,
        ir=4,
    )


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Five names, a line each."""
    path = tmp_path / "labels.txt"
    path.write_text("ant\nbee\n\ncat\ndog\nélan\n", encoding="utf-8")
    return path


@pytest.fixture
def save(tmp_path: Path) -> Callable[[ModelProto], Path]:
    """Return a function that writes a model and returns where."""

    def write(model: ModelProto) -> Path:
        path = tmp_path / "foreign.onnx"
        onnx.save(model, path)
        return path

    return write


def ask(model: ModelProto, name: str, feeds: Any, batch: int = 1) -> NDArray[np.float64]:  # noqa: ANN401
    """Return a foreign network's numbers, so many pictures at a time."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (entry,) = (value.name for value in session.get_inputs())
    parts = np.split(feeds, len(feeds) // batch)
    return np.concatenate([session.run([name], {entry: part})[0] for part in parts]).astype(float)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return logits as probabilities."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def as_planes(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pictures as torchvision's networks read them, written out once more."""
    rows = [(images[..., c] / 255 - MEAN[c]) / STD[c] for c in range(3)]
    return np.stack(rows, axis=1).astype(np.float32)


def as_caffe(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pictures as Keras's VGG reads them: blue first, less the mean."""
    blue_first = images[..., [2, 1, 0]].astype(np.float32)
    return blue_first - np.array([103.939, 116.779, 123.68], np.float32)


def classify(path: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what a wrapped file says, opened as the runner opens it."""
    session = open_session(path, "cpu")
    shapes = [(v.name, v.type, v.shape) for v in [*session.get_inputs(), *session.get_outputs()]]
    assert shapes == [
        ("image", "tensor(uint8)", ["N", *images.shape[1:]]),
        ("probabilities", "tensor(float)", ["N", CLASSES]),
    ]
    rows: NDArray[np.float32] = session.run(None, {"image": images})[0]
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-3)
    return rows


def read_entries(path: Path) -> dict[str, Any]:
    """Return a file's metadata, decoded."""
    props = onnx.load(path, load_external_data=False).metadata_props
    return {p.key.removeprefix("impasto."): json.loads(p.value) for p in props}
