"""A classifier's graph: the contract outside, one node per layer inside, PyTorch's numbers."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto
from torch import nn

from calculator import load, parse, summarize
from exporter.classifiers.geometry import Geometry
from exporter.classifiers.graphs import ClassifierModel, build_classifier
from exporter.classifiers.layers import write_layer
from exporter.classifiers.storage import write_model
from exporter.classifiers.writing import Writing
from exporter.errors import ExportError
from models.classifiers.lenet5 import C3_TABLE

from .conftest import NETWORKS, Draw, ask_torch, draw_bytes, run

WRAPPING = {"scale", "shift"}  # of pixels, in front of the first layer
LEFT_OUT = {"dropout", "adaptiveavgpool"}


def build(draw: Draw, name: str, *, half: bool = False, fold: bool = False) -> ClassifierModel:
    """Return the model of a random network."""
    checkpoint = draw(name)
    return build_classifier(checkpoint, checkpoint.build(), half=half, fold=fold)


@pytest.mark.parametrize("name", NETWORKS)
def test_graph_gives_pytorch_s_probabilities(name: str, draw: Draw, tmp_path: Path) -> None:
    """Probabilities of random pictures agree to 1e-5, and they are neither flat nor all alike."""
    checkpoint = draw(name)
    images = draw_bytes(checkpoint)
    expected = ask_torch(checkpoint, images)
    assert np.ptp(expected, axis=1).min() > 0.1
    assert np.abs(expected[0] - expected[1]).max() > 0.01
    found = run(build(draw, name), tmp_path, images)[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["lenet5", "lenet5-1998", "alexnet-grouped", "vgg11-bn"])
def test_half_precision_is_close(name: str, draw: Draw, tmp_path: Path) -> None:
    """With float16 weights probabilities stay within 1e-2."""
    checkpoint = draw(name)
    images = draw_bytes(checkpoint)
    found = run(build(draw, name, half=True), tmp_path, images)[0]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, ask_torch(checkpoint, images), rtol=0, atol=1e-2)


def test_half_precision_spares_normalisation(draw: Draw) -> None:
    """Products have float16 weights; normalisation and softmax read float32."""
    for name in ("alexnet", "vgg11-bn"):
        model = build(draw, name, half=True)
        elements = {weight.name: weight.element for weight in model.weights}
        produced = {node.output[0]: node for node in model.skeleton.graph.node}
        for node in model.skeleton.graph.node:
            if node.op_type in ("Conv", "Gemm"):
                assert {elements[n] for n in node.input[1:]} == {TensorProto.FLOAT16}
            if node.op_type in ("BatchNormalization", "LRN", "Softmax"):
                cast = produced[node.input[0]]
                assert cast.op_type == "Cast"
                assert cast.attribute[0].i == TensorProto.FLOAT
                assert {elements[n] for n in node.input[1:]} <= {TensorProto.FLOAT}


@pytest.mark.parametrize("name", NETWORKS)
def test_inputs_and_outputs_are_the_contract_s(name: str, draw: Draw) -> None:
    """Bytes [N, H, W, C] in, float32 [N, K] out, opset 17, whatever the network."""
    model = build(draw, name).skeleton
    height, width = draw(name).input.size
    found = {
        value.name: (
            value.type.tensor_type.elem_type,
            [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim],
        )
        for value in [*model.graph.input, *model.graph.output]
    }
    channels = draw(name).input.channels
    assert found == {
        "image": (TensorProto.UINT8, ["N", height, width, channels]),
        "probabilities": (TensorProto.FLOAT, ["N", 10]),
    }
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    assert model.ir_version == 8


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "lenet5-1998"])
def test_calculator_reads_the_network_back(name: str, draw: Draw, tmp_path: Path) -> None:
    """Kinds, shapes, parameters, MACs and fields are those of the network's name."""
    model = build(draw, name)
    path = tmp_path / "network.onnx"
    write_model(model.skeleton, model.weights, path)
    line = parse(name)
    hidden = [row.node.layer.kind for row in summarize(line).rows]
    found = [r for r in summarize(load(path)).rows if r.node.layer.kind not in WRAPPING]
    expected = [r for r in summarize(line).rows if r.node.layer.kind not in LEFT_OUT]
    if "softmax" not in hidden:  # the name stands for a network that ends in its logits
        found = found[:-1]
    assert [r.node.layer.kind for r in found] == [r.node.layer.kind for r in expected]
    is_whole = name in ("lenet5", "simpleconvnet")  # the others have narrow dense layers here
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.fields is None) == (theirs.fields is None)
        if ours.fields is not None or is_whole:
            assert ours.derived.shape == theirs.derived.shape
            assert (ours.params, ours.macs) == (theirs.params, theirs.macs)


def test_the_1998_network_keeps_its_table_as_zeros(draw: Draw) -> None:
    """C3 is a full convolution whose kernels are zero exactly where table I has no link."""
    weights = {w.name: w.values for w in build(draw, "lenet5-1998").weights}
    linked = np.abs(weights["c3.weight"]).sum(axis=(2, 3)) > 0
    table = np.zeros((16, 6), bool)
    for row, seen in enumerate(C3_TABLE):
        table[row, list(seen)] = True
    np.testing.assert_array_equal(linked, table)
    assert table.sum() == 60


def test_response_normalisation_is_one_node(draw: Draw) -> None:
    """LRN, Conv, Gemm, Flatten and pools are one node each; dropout is gone."""
    graph = build(draw, "alexnet").skeleton.graph
    operators = Counter(node.op_type for node in graph.node)
    assert operators["LRN"] == 2
    assert (operators["Conv"], operators["Gemm"], operators["Flatten"]) == (5, 3, 1)
    assert not {"Pow", "Div", "Pad", "Dropout", "Identity", "Mul"} & set(operators)
    lrn = next(node for node in graph.node if node.op_type == "LRN")
    found = {a.name: onnx.helper.get_attribute_value(a) for a in lrn.attribute}
    assert found == pytest.approx({"size": 5, "alpha": 5e-4, "beta": 0.75, "bias": 2.0})


def test_neutral_scaling_is_left_out(draw: Draw) -> None:
    """A scale of ones or a shift of zeros is no node."""

    def list_steps(name: str) -> list[str]:
        return [n.op_type for n in build(draw, name).skeleton.graph.node][:4]

    assert list_steps("simpleconvnet") == ["Transpose", "Cast", "Mul", "Conv"]
    assert list_steps("alexnet") == ["Transpose", "Cast", "Add", "Conv"]
    assert list_steps("lenet5") == ["Transpose", "Cast", "Mul", "Add"]


def test_folding_changes_nothing_but_the_nodes(draw: Draw, tmp_path: Path) -> None:
    """With --fold no BatchNormalization is left, and probabilities stay within 1e-5."""
    checkpoint = draw("vgg11-bn")
    images = draw_bytes(checkpoint)
    plain, folded = build(draw, "vgg11-bn"), build(draw, "vgg11-bn", fold=True)
    kinds = [{n.op_type for n in m.skeleton.graph.node} for m in (plain, folded)]
    assert kinds[0] - kinds[1] == {"BatchNormalization"}
    found = run(folded, tmp_path, images)[0]
    np.testing.assert_allclose(found, ask_torch(checkpoint, images), rtol=0, atol=1e-5)


def test_weights_are_the_network_s_own_memory(draw: Draw) -> None:
    """Building a model copies no weight of a convolution or a dense layer."""
    checkpoint = draw("alexnet")
    net = checkpoint.build()
    model = build_classifier(checkpoint, net)
    stored = {weight.name: weight.values for weight in model.weights}
    for name, module in (*net.features.named_children(), *net.classifier.named_children()):
        if isinstance(module, nn.Conv2d | nn.Linear):
            assert stored[f"{name}.weight"].ctypes.data == module.weight.data_ptr()


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.GELU(), r"layer 'it' is a GELU, which has no form in ONNX here; there are Conv2d"),
        (nn.Conv2d(1, 1, 3, padding="same"), r"layer 'it' pads same with zeros; give zeros"),
        (nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"), r"with reflect; give zeros"),
        (nn.MaxPool2d(2, ceil_mode=True), r"layer 'it' rounds sizes up"),
        (nn.AvgPool2d(2, divisor_override=3), r"has its own divisor"),
        (nn.AdaptiveAvgPool2d((3, 3)), r"pools \(8, 8\) to \(3, 3\); only the size that is there"),
        (nn.BatchNorm2d(1, affine=False), r"lacks a scale, a shift or running statistics"),
        (nn.Conv2d(1, 1, 9), r"a window of \(9, 9\) does not fit into \(1, 8, 8\)"),
    ],
)
def test_unknown_layers_are_refused(module: nn.Module, words: str) -> None:
    """What cannot be written exactly is named, not written roughly."""
    with pytest.raises(ExportError, match=words):
        write_layer(Writing("x", Geometry((1, 8, 8))), "it", module)


def test_two_layers_of_one_name_are_refused() -> None:
    """Names are tensors' names: the second would overwrite the first."""
    writing = Writing("x", Geometry((1, 8, 8)))
    write_layer(writing, "it", nn.ReLU())
    with pytest.raises(ExportError, match="two layers are called 'it'"):
        write_layer(writing, "it", nn.ReLU())


def test_average_pooling_counts_its_padding(tmp_path: Path) -> None:
    """Padded zeros count in the mean, or not, as PyTorch's module says."""
    x = torch.ones(1, 1, 4, 4)
    for counted in (True, False):
        module = nn.AvgPool2d(2, padding=1, count_include_pad=counted)
        writing = Writing("x", Geometry((1, 4, 4)))
        write_layer(writing, "pool", module)
        value = onnx.helper.make_tensor_value_info
        graph = onnx.helper.make_graph(
            writing.nodes,
            "pool",
            [value("x", TensorProto.FLOAT, [1, 1, 4, 4])],
            [value("pool/out", TensorProto.FLOAT, None)],
        )
        model = onnx.helper.make_model(
            graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
        )
        path = tmp_path / "pool.onnx"
        onnx.save(model, path)
        import onnxruntime as ort

        session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        found = session.run(None, {"x": x.numpy()})[0]
        np.testing.assert_allclose(found, module(x).numpy())
        assert writing.geometry.shape == tuple(module(x).shape[1:])
