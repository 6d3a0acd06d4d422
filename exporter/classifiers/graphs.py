"""A ``classify`` model: bytes in, the network's layers, probabilities out.

In front of the network: layout, cast, scale and shift per channel. The transposition comes
first, on bytes, a quarter of what floats would move. Behind it: softmax, in float32 at least.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from exporter.classifiers.geometry import Geometry
from exporter.classifiers.layers import view, write_layer
from exporter.classifiers.storage import Weight, check_skeleton
from exporter.classifiers.writing import Tap, Writing
from exporter.errors import ExportError
from models.classifiers.checkpoint import ClassifierCheckpoint
from models.classifiers.classifier import Classifier

OPSET = 17
IR_VERSION = 8  # what opset 17 needs; older runtimes refuse newer
IMAGE, PROBABILITIES = "image", "probabilities"
BEFORE, AFTER = "filters/before", "filters/after"


@dataclass(frozen=True)
class ClassifierModel:
    """A model and its weights, which are still the network's own memory.

    Attributes:
        skeleton: the model without initializers and metadata.
        weights: its initializers.
        taps: layers that are outputs too; empty without.
        filters: names of the first layer's filters before and after training; None without.
    """

    skeleton: ModelProto
    weights: tuple[Weight, ...]
    taps: tuple[Tap, ...] = ()
    filters: dict[str, str | None] | None = None


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
    entry = enter(writing, checkpoint)
    for name, module in list_layers(net, fold=fold):
        write_layer(writing, name, module)
    if writing.geometry.shape != (len(checkpoint.labels),):
        message = (
            f"the network gives {writing.geometry.shape}, not {len(checkpoint.labels)} classes"
        )
        raise ExportError(message)
    leave(writing)
    shown = name_taps(writing) if taps else ()
    filters = show_filters(writing, checkpoint, net) if taps else None
    outputs = [describe_probabilities(len(checkpoint.labels)), *map(describe_tap, shown)]
    outputs += [describe_filter(writing, name) for name in (filters or {}).values() if name]
    graph = helper.make_graph(
        [*entry, *writing.nodes], "classify", [describe_image(checkpoint)], outputs
    )
    skeleton = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    weights = tuple(writing.weights.values())
    check_skeleton(skeleton, weights)
    return ClassifierModel(skeleton, weights, shown, filters)


def enter(writing: Writing, checkpoint: ClassifierCheckpoint) -> list[NodeProto]:
    """Return the nodes from ``image`` to where the network begins.

    A scale of ones and a shift of zeros are left out.
    """
    pixels = checkpoint.pixels
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


def name_taps(writing: Writing) -> tuple[Tap, ...]:
    """Give the tensors behind each layer, the last excepted, the layers' names.

    The last layer's logits are left out: the probabilities tell them.
    """
    shown = writing.taps[:-1]
    names = {tap.tensor: tap.name for tap in shown}
    for node in writing.nodes:
        for field in (node.input, node.output):
            for position, tensor in enumerate(field):
                field[position] = names.get(tensor, tensor)
    return tuple(Tap(tap.name, tap.kind, tap.name, tap.geometry) for tap in shown)


def show_filters(
    writing: Writing, checkpoint: ClassifierCheckpoint, net: Classifier
) -> dict[str, str | None]:
    """Add the first layer's filters, before and after training, as constants to give out.

    Returns:
        ``before``, None where the checkpoint does not know them, and ``after``.
    """
    name, first = next((n, m) for n, m in net.named_modules() if isinstance(m, nn.Conv2d))
    initial = checkpoint.initial.get(f"{name}.weight")
    arrays = {BEFORE: None if initial is None else view(initial), AFTER: view(first.weight)}
    for output, array in arrays.items():
        if array is not None:
            stored = writing.store(f"{output}/values", array, TensorProto.FLOAT)
            writing.nodes.append(helper.make_node("Identity", [stored], [output], output))
    return {"before": None if initial is None else BEFORE, "after": AFTER}


def describe_taps(model: ClassifierModel) -> dict[str, Any]:
    """Return what ``impasto.taps`` says: each output's layer and receptive field, in pixels."""
    outputs = [
        {
            "name": tap.name,
            "kind": tap.kind,
            "receptive_field": to_list(tap.geometry.extent),
            "jump": to_list(tap.geometry.jump),
            "start": to_list(tap.geometry.start),
            "shape": list(tap.geometry.shape),
        }
        for tap in model.taps
    ]
    return {"outputs": outputs, "filters": model.filters}


def to_list(pair: Sequence[int] | None) -> list[int] | None:
    """Return a pair as JSON has it; None stays None."""
    return None if pair is None else list(pair)


def describe_image(checkpoint: ClassifierCheckpoint) -> ValueInfoProto:
    """Return the input ``image`` uint8 ``[N, H, W, C]``."""
    rule = checkpoint.input
    words = f"{rule.color} bytes of pictures at the network's size."
    shape: list[str | int | None] = ["N", *rule.size, rule.channels]
    return helper.make_tensor_value_info(IMAGE, TensorProto.UINT8, shape, doc_string=words)


def describe_probabilities(classes: int) -> ValueInfoProto:
    """Return the output ``probabilities`` float32 ``[N, K]``."""
    words = "Per picture the probability of each class; a row sums to 1."
    shape: list[str | int | None] = ["N", classes]
    return helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, shape, doc_string=words)


def describe_tap(tap: Tap) -> ValueInfoProto:
    """Return the output of one layer, float32 ``[N, C, H, W]`` or ``[N, F]``."""
    words = f"What layer {tap.name} returns, behind its activation."
    shape: list[str | int | None] = ["N", *tap.geometry.shape]
    return helper.make_tensor_value_info(tap.tensor, TensorProto.FLOAT, shape, doc_string=words)


def describe_filter(writing: Writing, name: str) -> ValueInfoProto:
    """Return an output of filters, float32 ``[K, C, height, width]``."""
    words = f"The first layer's filters {name.rpartition('/')[2]} training."
    shape = list(writing.weights[f"{name}/values"].values.shape)
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape, doc_string=words)
