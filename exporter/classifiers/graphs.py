"""A ``classify`` model: bytes in, the network's layers, probabilities out.

In front of the network: layout, cast, scale and shift per channel. The transposition comes
first, on bytes, a quarter of what floats would move. Behind it: softmax, in float32 at least.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from exporter.classifiers.geometry import Geometry
from exporter.classifiers.layers import write_layer
from exporter.classifiers.storage import Weight, check_skeleton
from exporter.classifiers.taps import Filters, describe_shown, name_taps, show_filters
from exporter.classifiers.writing import Tap, Writing
from exporter.errors import ExportError
from models.classifiers.checkpoint import ClassifierCheckpoint
from models.classifiers.classifier import Classifier
from models.classifiers.networks import PixelScaling
from models.classifiers.preprocessing import InputRule

OPSET = 17
IR_VERSION = 8  # what opset 17 needs; older runtimes refuse newer
IMAGE, PROBABILITIES = "image", "probabilities"

Layers = Sequence[tuple[str, nn.Module]]


@dataclass(frozen=True)
class ClassifierModel:
    """A model and its weights, which are still the network's own memory.

    Attributes:
        skeleton: the model without initializers and metadata.
        weights: its initializers.
        taps: layers that are outputs too; empty without.
        filters: names of the first layer's filters before and after training; None without.
        layers: the modules in the order in which they run, each by the tensor that it returns.
    """

    skeleton: ModelProto
    weights: tuple[Weight, ...]
    taps: tuple[Tap, ...] = ()
    filters: Filters | None = None
    layers: Layers = ()


def build_classifier(
    checkpoint: ClassifierCheckpoint,
    net: Classifier,
    *,
    half: bool = False,
    fold: bool = False,
    taps: bool = False,
) -> ClassifierModel:
    """Write a classifier as ONNX, opset 17, checked.

    Args:
        checkpoint: what the network was made from.
        net: in evaluation mode, on the CPU.
        half: float16 weights and products; normalisation, softmax, input and output as ever.
        fold: batch normalisation goes into the convolution in front of it.
        taps: every layer's output and the first layer's filters become outputs too.

    Returns:
        The model; its weights share the network's memory.

    Raises:
        ExportError: a layer has no form in ONNX here, or the graph is not valid.
    """
    rule = checkpoint.input
    writing = Writing("network/in", Geometry((rule.channels, *rule.size)), half=half)
    entry = enter(writing, checkpoint.pixels)
    layers = write_layers(writing, list_layers(net, fold=fold))
    if writing.geometry.shape != (len(checkpoint.labels),):
        message = (
            f"the network gives {writing.geometry.shape}, not {len(checkpoint.labels)} classes"
        )
        raise ExportError(message)
    leave(writing)
    shown = name_taps(writing, last=False) if taps else ()
    filters = show_filters(writing, checkpoint.initial, net) if taps else None
    outputs = [describe_probabilities(len(checkpoint.labels))]
    skeleton = assemble_model(
        "classify",
        [*entry, *writing.nodes],
        describe_image(rule),
        [*outputs, *describe_shown(writing, shown, filters or {})],
    )
    weights = tuple(writing.weights.values())
    check_skeleton(skeleton, weights)
    return ClassifierModel(skeleton, weights, shown, filters, layers)


def write_layers(writing: Writing, modules: Iterable[tuple[str, nn.Module]]) -> Layers:
    """Add the nodes of modules that run one after another.

    Returns:
        The modules with the tensor that each of them returns, ``""`` where that is what it
        reads; the first is where the network begins.
    """
    layers: list[tuple[str, nn.Module]] = [(writing.tensor, nn.Identity())]
    for name, module in modules:
        before = writing.tensor
        write_layer(writing, name, module)
        layers.append(("" if writing.tensor == before else writing.tensor, module))
    return tuple(layers)


def assemble_model(
    name: str,
    nodes: Sequence[NodeProto],
    image: ValueInfoProto,
    outputs: Sequence[ValueInfoProto],
) -> ModelProto:
    """Return a model without weights and metadata."""
    graph = helper.make_graph(nodes, name, [image], outputs)
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)


def enter(writing: Writing, pixels: PixelScaling) -> list[NodeProto]:
    """Return the nodes from ``image`` to where the network begins.

    A scale of ones and a shift of zeros are left out.
    """
    nodes = [
        helper.make_node(
            "Transpose", [IMAGE], ["pixels/planes"], "pixels/planes", perm=[0, 3, 1, 2]
        ),
        helper.make_node(
            "Cast", ["pixels/planes"], ["pixels/floats"], "pixels/floats", to=TensorProto.FLOAT
        ),
    ]
    steps = (("Mul", "scale", "scaled", pixels.scale), ("Add", "shift", "shifted", pixels.shift))
    for operator, name, result, values in steps:
        neutral = 1.0 if operator == "Mul" else 0.0
        if any(value != neutral for value in values):
            array = np.array(values, np.float32).reshape(1, -1, 1, 1)
            constant = writing.store(f"pixels/{name}", array)
            inputs, output = [nodes[-1].output[0], constant], f"pixels/{result}"
            nodes.append(helper.make_node(operator, inputs, [output], output))
    writing.tensor = nodes[-1].output[0]
    return nodes


def leave(writing: Writing) -> None:
    """Add the nodes from the logits to ``probabilities``, in float32 at least."""
    if writing.element == TensorProto.FLOAT16:
        writing.use_float("softmax1")
    writing.append("Softmax", "softmax1", axis=1)
    writing.use_float(PROBABILITIES)
    writing.nodes[-1].output[0] = PROBABILITIES


def list_layers(net: Classifier, *, fold: bool) -> list[tuple[str, nn.Module]]:
    """Return the layers in the order in which they run, by their own names.

    Args:
        net: in evaluation mode.
        fold: whether batch normalisation goes into the convolution in front of it.
    """
    layers = [*net.features.named_children(), *net.classifier.named_children()]
    if not fold:
        return layers
    folded: list[tuple[str, nn.Module]] = []
    for name, module in layers:
        previous, conv = folded[-1] if folded else ("", None)
        if isinstance(module, nn.BatchNorm2d) and isinstance(conv, nn.Conv2d):
            folded[-1] = (previous, fuse_conv_bn_eval(conv, module))
        else:
            folded.append((name, module))
    return folded


def describe_image(rule: InputRule) -> ValueInfoProto:
    """Return the input ``image`` uint8 ``[N, H, W, C]``."""
    words = f"{rule.color} bytes of pictures at the network's size."
    shape: list[str | int | None] = ["N", *rule.size, rule.channels]
    return helper.make_tensor_value_info(IMAGE, TensorProto.UINT8, shape, doc_string=words)


def describe_probabilities(classes: int) -> ValueInfoProto:
    """Return the output ``probabilities`` float32 ``[N, K]``."""
    words = "Per picture the probability of each class; a row sums to 1."
    shape: list[str | int | None] = ["N", classes]
    return helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, shape, doc_string=words)
