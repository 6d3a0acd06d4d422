"""A classifier's graph in eight bits: quantised and dequantised around every product (QDQ).

Weights are signed and symmetric, one step per output channel; activations unsigned, one range
per tensor; biases int32 in the product of both steps. Where a ``DequantizeLinear`` in front and
a ``QuantizeLinear`` behind stand around a node, ONNX Runtime makes one integer kernel of the
three: convolutions, rectifiers, max pools and dense layers compute in integers from the picture
to the logits; normalisation, tanh and softmax stay in float32. The steps are those of Jacob et
al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", section 2.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from exporter.classifiers.normalization import expand_response_norm
from exporter.classifiers.ranges import Range
from exporter.classifiers.storage import Weight

Steps = NDArray[np.float32]

PRODUCTS = ("Conv", "Gemm")
SAME_RANGE = ("MaxPool", "Flatten")  # what they return has the range of what they read
LARGEST_WEIGHT = 127
LARGEST_BIAS = 2**30  # half of int32: products are added to it


def plan_ranges(nodes: Sequence[NodeProto]) -> dict[str, str]:
    """Return the tensors that become integers, each with the tensor whose range it has.

    These are what products read, and what convolutions return, behind their rectifier where
    there is one; the logits stay floats, because a rounded logit is a rounded probability.

    Args:
        nodes: of a chain, each reading what the one before it returned.
    """
    owners: dict[str, str] = {}
    kinds = [node.op_type for node in nodes]
    for node, before, behind in zip(nodes, ["", *kinds], [*kinds[1:], ""], strict=False):
        source, result = node.input[0], node.output[0]
        if node.op_type in PRODUCTS:
            owners.setdefault(source, source)
        ends_conv = node.op_type == "Conv" and behind != "Relu"
        if ends_conv or (node.op_type == "Relu" and before in PRODUCTS):
            owners[result] = result
        elif node.op_type in SAME_RANGE and source in owners:
            owners[result] = owners[source]
    return owners


def quantize_chain(
    nodes: Sequence[NodeProto], weights: Iterable[Weight], ranges: Mapping[str, Range]
) -> tuple[list[NodeProto], tuple[Weight, ...]]:
    """Return nodes and weights of a chain in QDQ form.

    Args:
        nodes: in float32, each reading what the one before it returned.
        weights: their constants.
        ranges: of the tensors whose own range :func:`plan_ranges` asks for.
    """
    writer = QDQWriter(plan_ranges(nodes), weights, ranges)
    if nodes[0].input[0] in writer.owners:
        writer.quantize(nodes[0].input[0])
    for node in nodes:
        writer.rewrite(node)
    return writer.nodes, tuple(writer.weights)


class QDQWriter:
    """Rewrites a chain node by node; its tensors keep their names.

    Args:
        owners: of :func:`plan_ranges`.
        weights: of the chain, float32.
        ranges: by the tensors that own them.
    """

    def __init__(
        self, owners: Mapping[str, str], weights: Iterable[Weight], ranges: Mapping[str, Range]
    ) -> None:
        self.owners = owners
        self.floats = {weight.name: weight for weight in weights}
        self.ranges = ranges
        self.nodes: list[NodeProto] = []
        self.weights: list[Weight] = []
        self.channels = 0  # of the current tensor

    def rewrite(self, node: NodeProto) -> None:
        """Add a node, its constants, and what turns its result into integers and back."""
        copy = NodeProto()
        copy.CopyFrom(node)
        source, constants = node.input[0], [self.floats[name] for name in node.input[1:]]
        if node.op_type in PRODUCTS:
            names = self.store_product(constants, self.ranges[self.owners[source]].step)
            del copy.input[1:]
            copy.input.extend(names)
        else:
            self.weights += constants
        if source in self.owners:
            copy.input[0] = name_dequantized(source)
        if node.op_type == "LRN":
            nodes, weights = expand_response_norm(copy, self.channels)
            self.nodes += nodes
            self.weights += weights
        else:
            self.nodes.append(copy)
        if node.output[0] in self.owners:
            self.quantize(node.output[0])

    def quantize(self, tensor: str) -> None:
        """Add a tensor's way into integers and back."""
        owner = self.owners[tensor]
        if tensor == owner:
            found = self.ranges[tensor]
            self.store(f"{tensor}/step", np.array(found.step), TensorProto.FLOAT)
            self.store(f"{tensor}/zero", np.array(found.zero), TensorProto.UINT8)
        integers = f"{tensor}/integers"
        self.append("QuantizeLinear", tensor, integers, owner)
        self.append("DequantizeLinear", integers, name_dequantized(tensor), owner)

    def store_product(self, constants: Sequence[Weight], unit: np.float32) -> list[str]:
        """Add a product's weight and bias as integers, and return their names as floats.

        Args:
            constants: the weight, and the bias where there is one.
            unit: what a unit of the product's input is worth.
        """
        weight, *biases = constants
        self.channels = len(weight.values)
        steps = find_steps(weight.values, [bias.values for bias in biases], unit)
        names = [self.store_integers(weight, steps, TensorProto.INT8)]
        return names + [self.store_integers(b, steps * unit, TensorProto.INT32) for b in biases]

    def store_integers(self, weight: Weight, steps: Steps, element: int) -> str:
        """Add a weight as multiples of its steps, and return its name as floats."""
        name, result = weight.name, name_dequantized(weight.name)
        self.weights.append(Weight(name, weight.values, element, steps))
        self.store(f"{name}/step", steps, TensorProto.FLOAT)
        self.store(f"{name}/zero", np.zeros(len(steps)), element)
        self.append("DequantizeLinear", name, result, name, axis=0)
        return result

    def store(self, name: str, values: NDArray[Any], element: int) -> None:
        """Add a constant."""
        self.weights.append(Weight(name, values, element))

    def append(self, operator: str, source: str, result: str, owner: str, **others: Any) -> None:  # noqa: ANN401
        """Add a node into integers or back, with the step and the zero of ``owner``."""
        inputs = [source, f"{owner}/step", f"{owner}/zero"]
        self.nodes.append(helper.make_node(operator, inputs, [result], result, **others))


def name_dequantized(tensor: str) -> str:
    """Return what a tensor is called after its way into integers and back."""
    return f"{tensor}/rounded"


def find_steps(weight: NDArray[Any], biases: Sequence[NDArray[Any]], unit: np.float32) -> Steps:
    """Return what a unit of the weights is worth, per output channel.

    Args:
        weight: float32 ``[K, ...]``; the largest of a channel becomes 127.
        biases: none or one, float32 ``[K]``; where weights are next to nothing, it sets the step.
        unit: what a unit of the product's input is worth.

    Returns:
        float32 ``[K]``, above 0.
    """
    rows = weight.reshape(len(weight), -1)
    steps = np.maximum(rows.max(1), -rows.min(1)) / np.float32(LARGEST_WEIGHT)
    for bias in biases:
        steps = np.maximum(steps, np.abs(bias) / (unit * np.float32(LARGEST_BIAS)))
    found: Steps = np.where(steps > 0, steps, 1).astype(np.float32)
    return found
