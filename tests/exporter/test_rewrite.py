"""The phase rewrite against the graph it replaces, and the graphs that it leaves alone."""

from collections import Counter
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

from exporter.graph import drop_dead
from exporter.rewrite import merge_phases, rewrite_upsampling

Floats = NDArray[np.float32]

NEAREST = {
    "mode": "nearest",
    "nearest_mode": "floor",
    "coordinate_transformation_mode": "asymmetric",
}


def build_upsampling(
    weights: Floats,
    *,
    reflect: bool = False,
    bias: Floats | None = None,
    scales: tuple[float, ...] = (1, 1, 2, 2),
    resize: dict[str, Any] = NEAREST,
    conv: dict[str, Any] | None = None,
) -> ModelProto:
    """Return Resize, (Pad,) Conv, Relu over float32 ``x`` ``[N, C, H, W]``."""
    constants: dict[str, NDArray[Any]] = {"w": weights, "s": np.array(scales, np.float32)}
    nodes = [helper.make_node("Resize", ["x", "", "s"], ["up"], **resize)]
    if reflect:
        constants["p"] = np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)
        nodes.append(helper.make_node("Pad", ["up", "p"], ["ready"], mode="reflect"))
    inputs = ["ready" if reflect else "up", "w"]
    if bias is not None:
        constants["b"] = bias
        inputs.append("b")
    attributes = conv if conv is not None else {"pads": [0 if reflect else 1] * 4}
    nodes.append(helper.make_node("Conv", inputs, ["sum"], **attributes))
    nodes.append(helper.make_node("Relu", ["sum"], ["y"]))
    floats = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "upsampling",
        [helper.make_tensor_value_info("x", floats, ["N", weights.shape[1], "H", "W"])],
        [helper.make_tensor_value_info("y", floats, ["N", weights.shape[0], "H2", "W2"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model: ModelProto, x: Floats) -> Floats:
    """Run a model of one input and one output in ONNX Runtime."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    result: Floats = session.run(None, {"x": x})[0]
    return result


def count_operators(model: ModelProto) -> Counter[str]:
    """Count the nodes of each operator."""
    return Counter(node.op_type for node in model.graph.node)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    reflect=st.booleans(),
    with_bias=st.booleans(),
    batch=st.integers(1, 3),
    channels=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    size=st.tuples(st.integers(1, 11), st.integers(1, 11)),
    seed=st.integers(0, 99),
)
def test_rewrite_computes_the_same(
    reflect: bool,  # noqa: FBT001
    with_bias: bool,  # noqa: FBT001
    batch: int,
    channels: tuple[int, int],
    size: tuple[int, int],
    seed: int,
) -> None:
    """Any widths and sizes, down to one row or column, give the unrewritten graph's numbers."""
    random = np.random.default_rng(seed)
    inputs, outputs = channels
    weights = random.standard_normal((outputs, inputs, 3, 3), np.float32)
    bias = random.standard_normal(outputs, np.float32) if with_bias else None
    x = random.standard_normal((batch, inputs, *size), np.float32)
    model = build_upsampling(weights, reflect=reflect, bias=bias)
    expected = run(model, x)
    assert rewrite_upsampling(model) == 1
    checker.check_model(model, full_check=True)
    np.testing.assert_allclose(run(model, x), expected, rtol=0, atol=1e-5 * inputs**0.5)


@pytest.mark.parametrize("reflect", [False, True])
def test_rewrite_removes_the_upsampled_map(*, reflect: bool) -> None:
    """No Resize, no reflection and none of their constants remain."""
    model = build_upsampling(np.ones((4, 3, 3, 3), np.float32), reflect=reflect)
    rewrite_upsampling(model)
    expected = {"Conv": 1, "DepthToSpace": 1, "Slice": 1, "Relu": 1} | (
        {"Pad": 1} if reflect else {}
    )
    assert count_operators(model) == expected
    read = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} == read & {
        tensor.name for tensor in model.graph.initializer
    }
    assert not {"w", "s", "p"} & {tensor.name for tensor in model.graph.initializer}


def test_merged_phases_spend_four_ninths() -> None:
    """Of 36 taps per low-resolution pixel and channel pair 16 remain, and their sum is kept."""
    weights = np.arange(2 * 3 * 9, dtype=np.float32).reshape(2, 3, 3, 3)
    merged = merge_phases(weights)
    assert merged.shape == (8, 3, 2, 2)
    expected = np.tile(weights.sum(axis=(2, 3)), (4, 1))
    np.testing.assert_array_equal(merged.sum(axis=(2, 3)), expected)


SQUARE = np.ones((4, 4, 3, 3), np.float32)
OTHERS: dict[str, ModelProto] = {
    "stride 2": build_upsampling(SQUARE, conv={"pads": [1] * 4, "strides": [2, 2]}),
    "dilation 2": build_upsampling(SQUARE, conv={"pads": [2] * 4, "dilations": [2, 2]}),
    "groups": build_upsampling(SQUARE[:, :1], conv={"pads": [1] * 4, "group": 4}),
    "5x5": build_upsampling(np.ones((4, 4, 5, 5), np.float32), conv={"pads": [2] * 4}),
    "no padding": build_upsampling(SQUARE, conv={}),
    "uneven padding": build_upsampling(SQUARE, conv={"pads": [1, 1, 0, 0]}),
    "padded twice": build_upsampling(SQUARE, reflect=True, conv={"pads": [1] * 4}),
    "automatic padding": build_upsampling(SQUARE, conv={"auto_pad": "SAME_UPPER"}),
    "bilinear": build_upsampling(SQUARE, resize={"mode": "linear"}),
    "half pixels": build_upsampling(SQUARE, resize={"mode": "nearest"}),
    "threefold": build_upsampling(SQUARE, scales=(1, 1, 3, 3)),
    "one side": build_upsampling(SQUARE, scales=(1, 1, 2, 1)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_rewrite_leaves_other_graphs_alone(name: str) -> None:
    """What is not exactly the pattern stays as it is, byte for byte."""
    model = OTHERS[name]
    before = model.SerializeToString()
    assert rewrite_upsampling(model) == 0
    assert model.SerializeToString() == before


def test_rewrite_leaves_a_shared_map_alone() -> None:
    """An upsampled map that something else reads must be made anyway, and is."""
    model = build_upsampling(SQUARE)
    model.graph.output.append(helper.make_tensor_value_info("up", TensorProto.FLOAT, None))
    assert rewrite_upsampling(model) == 0


def test_rewrite_leaves_computed_weights_alone() -> None:
    """A convolution whose weights are no constant stays as it is."""
    model = build_upsampling(SQUARE)
    model.graph.node.insert(0, helper.make_node("Neg", ["w"], ["computed"]))
    conv = next(node for node in model.graph.node if node.op_type == "Conv")
    conv.input[1] = "computed"
    assert rewrite_upsampling(model) == 0


def test_dead_ends_are_dropped() -> None:
    """Nodes and constants that no output needs disappear; the others stay."""
    model = build_upsampling(SQUARE)
    model.graph.node.append(helper.make_node("Add", ["sum", "unused"], ["nowhere"]))
    model.graph.initializer.append(numpy_helper.from_array(np.ones(1, np.float32), "unused"))
    drop_dead(model.graph)
    assert count_operators(model) == {"Resize": 1, "Conv": 1, "Relu": 1}
    assert [tensor.name for tensor in model.graph.initializer] == ["w", "s"]
