"""The graph in integers: what ONNX Runtime makes of it, and how much its weights are rounded."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from exporter.classifiers.graphs import ClassifierModel, build_classifier
from exporter.classifiers.integers import find_steps, name_dequantized, plan_ranges, quantize_chain
from exporter.classifiers.quantization import replace_chain
from exporter.classifiers.ranges import Range
from exporter.classifiers.storage import write_model

from .conftest import Draw

# convolutions, dense layers, poolings in integers, ways out of integers at most
KERNELS = {
    "lenet5": (2, 3, 0, 2),  # tanh and mean pools compute in floats
    "simpleconvnet": (1, 2, 1, 0),
    "alexnet": (5, 3, 3, 8),  # two response normalisations, for squares and for the quotient
    "alexnet-grouped": (5, 3, 3, 8),
    "alexnet-torchvision": (5, 3, 3, 0),
    "vgg11-bn": (8, 3, 5, 0),
}


def build(draw: Draw, name: str) -> tuple[ClassifierModel, ClassifierModel]:
    """Return a random network's model and the same in integers, of some ranges."""
    checkpoint = draw(name)
    model = build_classifier(checkpoint, checkpoint.build(), fold=True)
    owners = plan_ranges(model.skeleton.graph.node)
    ranges = {o: Range(0.0 if "relu" in o else -1.0, 4.0) for o in owners.values()}
    return model, replace_chain(model, ranges)


def optimize(model: ClassifierModel, folder: Path) -> list[onnx.NodeProto]:
    """Return the nodes that ONNX Runtime computes."""
    path, optimized = folder / "it.onnx", folder / "optimized.onnx"
    write_model(model.skeleton, model.weights, path)
    options = ort.SessionOptions()
    options.log_severity_level = 4  # it warns that optimised files are for one machine
    options.optimized_model_filepath = str(optimized)
    ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return list(onnx.load(optimized).graph.node)


@pytest.mark.parametrize("name", KERNELS)
def test_products_and_pools_compute_in_integers(name: str, draw: Draw, tmp_path: Path) -> None:
    """Every product becomes an integer kernel with its rectifier; none computes in floats."""
    kinds = Counter(node.op_type for node in optimize(build(draw, name)[1], tmp_path))
    pools = kinds["NhwcMaxPool"] + kinds["MaxPool"]
    *expected, ways_out = KERNELS[name]
    assert [kinds["QLinearConv"], kinds["QGemm"], pools] == expected
    assert kinds["DequantizeLinear"] <= ways_out
    assert not {"Conv", "FusedConv", "Gemm", "FusedGemm", "LRN", "Relu"} & set(kinds)


def test_range_of_a_pool_is_that_of_what_it_reads(draw: Draw) -> None:
    """Pools and flatten own no range; inputs of products and ends of convolutions do."""
    model, _ = build(draw, "simpleconvnet")
    owners = plan_ranges(model.skeleton.graph.node)
    assert owners["pool1/out"] == owners["flatten1/out"] == "relu1/out"
    assert set(owners.values()) == {"pixels/scaled", "relu1/out", "relu2/out"}


@pytest.mark.parametrize("name", ["simpleconvnet", "alexnet-grouped", "vgg11-bn"])
def test_weights_are_rounded_by_half_a_step(name: str, draw: Draw, tmp_path: Path) -> None:
    """Weights are signed bytes, the largest of a channel 127; biases are of both steps."""
    model, quantized = build(draw, name)
    path = tmp_path / "it.onnx"
    write_model(quantized.skeleton, quantized.weights, path)
    loaded = onnx.load(path)
    stored = {t.name: numpy_helper.to_array(t) for t in loaded.graph.initializer}
    products = [n for n in model.skeleton.graph.node if n.op_type in ("Conv", "Gemm")]
    originals = {weight.name: weight.values for weight in model.weights}
    for node in products:
        for tensor, dtype in zip(node.input[1:], (np.int8, np.int32), strict=True):
            steps = stored[f"{tensor}/step"].reshape(-1, *[1] * (originals[tensor].ndim - 1))
            assert stored[tensor].dtype == dtype
            error = np.abs(stored[tensor] * steps - originals[tensor])
            assert (error <= steps * 0.5001 + 1e-6 * np.abs(originals[tensor])).all()
        largest = np.abs(stored[node.input[1]].reshape(len(steps), -1).astype(int)).max(1)
        assert (largest == 127).all()
    onnx.checker.check_model(loaded, full_check=True)


def test_channel_of_zeros_keeps_its_bias() -> None:
    """Where weights are next to nothing the bias sets the step, so that it fits into int32."""
    weight = np.array([[0.0, 0.0], [1e-30, 0.0], [1.27, 0.0]], np.float32)
    bias = np.array([0.0, 1000.0, 1.0], np.float32)
    unit = np.float32(0.01)
    steps = find_steps(weight, [bias], unit)
    np.testing.assert_allclose(steps[[0, 2]], [1, 0.01], rtol=1e-6)
    assert abs(bias[1] / (steps[1] * unit)) <= 2**30 * 1.001


def test_product_without_bias_is_written() -> None:
    """A bias is optional, as in convolutions in front of batch normalisation."""
    from exporter.classifiers.storage import Weight

    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"], "conv")
    weight = Weight("w", np.ones((2, 1, 1, 1), np.float32))
    nodes, weights = quantize_chain([node], [weight], {"y": Range(0, 1), "x": Range(0, 1)})
    conv = next(node for node in nodes if node.op_type == "Conv")
    assert list(conv.input) == [name_dequantized("x"), name_dequantized("w")]
    assert {weight.name for weight in weights} >= {"w", "w/step", "x/step", "y/zero"}


def test_original_is_left_as_it_is(draw: Draw) -> None:
    """The float32 model can still be written after the integers were made of it."""
    model, quantized = build(draw, "simpleconvnet")
    kinds = [node.op_type for node in model.skeleton.graph.node]
    assert "QuantizeLinear" not in kinds
    assert "QuantizeLinear" in [node.op_type for node in quantized.skeleton.graph.node]
    assert all(weight.values.dtype == np.float32 for weight in model.weights)
