"""A first convolution on columns that are channels, against the one that it replaces."""

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

from exporter.columns import fold_columns

Floats = NDArray[np.float32]


def build_stem(kernel: tuple[int, int], pads: tuple[int, int], step: int) -> ModelProto:
    """Return one convolution of three channels, with different kernels and pads of both axes."""
    weights = np.random.default_rng(4).standard_normal((5, 3, *kernel)).astype(np.float32)
    conv = helper.make_node(
        "Conv",
        ["padded", "w"],
        ["y"],
        kernel_shape=kernel,
        strides=[2, step],
        pads=[*pads, *pads],
    )
    graph = helper.make_graph(
        [conv],
        "stem",
        [helper.make_tensor_value_info("padded", TensorProto.FLOAT, ["N", 3, "H", "W"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 5, "h", "w"])],
        [numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model: ModelProto, padded: Floats) -> Floats:
    """Run a model in ONNX Runtime."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    result: Floats = session.run(None, {"padded": padded})[0]
    return result


@pytest.mark.parametrize(
    ("kernel", "pads", "step"),
    [
        ((8, 8), (2, 2), 4),
        ((3, 8), (1, 0), 4),
        ((5, 9), (0, 3), 4),
        ((5, 7), (2, 2), 4),
        ((3, 5), (1, 1), 4),
        ((3, 4), (0, 0), 4),
        ((3, 3), (1, 3), 4),
        ((4, 16), (1, 4), 8),
    ],
)
def test_columns_as_channels_are_the_same_convolution(
    kernel: tuple[int, int], pads: tuple[int, int], step: int
) -> None:
    """Whatever the kernel and the zeros around, all positions are computed, and alike."""
    model = build_stem(kernel, pads, step)
    padded = np.random.default_rng(5).standard_normal((2, 3, 11, 5 * step), np.float32)
    expected = run(model, padded)
    assert fold_columns(model)
    checker.check_model(model, full_check=True)
    assert {node.op_type for node in model.graph.node} >= {"Transpose", "Reshape", "Conv"}
    np.testing.assert_allclose(run(model, padded), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("kernel", "pads", "step"),
    [((8, 8), (2, 2), 2), ((9, 9), (4, 4), 1), ((3, 4), (0, 1), 4)],
    ids=["six channels", "single steps", "columns to spare"],
)
def test_columns_that_do_not_serve_stay(
    kernel: tuple[int, int], pads: tuple[int, int], step: int
) -> None:
    """Channels that are no multiple of four gain nothing, and what does not fit is left alone."""
    model = build_stem(kernel, pads, step)
    before = model.SerializeToString(deterministic=True)
    assert not fold_columns(model)
    assert model.SerializeToString(deterministic=True) == before
