"""A style network's convolutions in eight bits: quantised and dequantised around each (QDQ).

Weights are signed and symmetric, one step per output channel; activations unsigned, one range
per tensor; biases int32 in the product of both steps (Jacob et al. 2018, "Quantization and
Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", section 2). ONNX
Runtime makes one integer kernel of a convolution, its rectifier and what stands around them.
The photo's bytes are integers already: one unit is one grey level.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, helper

from exporter.classifiers.integers import find_steps
from exporter.classifiers.ranges import Range
from exporter.graph import add_constant, count_uses, find_producers, read_attribute
from exporter.styles.lowering import (
    Lowering,
    copy_model,
    copy_node,
    find_convolutions,
    find_origin,
    find_rectifiers,
)

GREY_LEVELS = Range(0.0, 255.0)


def plan_ranges(model: ModelProto) -> list[str]:
    """Return the tensors whose ranges :func:`quantize_model` needs: each becomes integers once.

    These are what convolutions read, as it was before it was moved, what they return,
    behind their rectifier where there is one, and sums of two such.

    Args:
        model: a ``stylize`` model in float32.
    """
    graph = model.graph
    producers, rectifiers = find_producers(graph), find_rectifiers(graph)
    found: dict[str, None] = {}
    for conv in find_convolutions(graph):
        source = producers[find_origin(conv.input[0], producers)]
        if source.op_type != "Cast":
            found[source.output[0]] = None
        found[rectifiers.get(conv.output[0], conv.output[0])] = None
    sums = [node for node in graph.node if node.op_type == "Add"]
    found |= {node.output[0]: None for node in sums if found.keys() >= set(node.input)}
    return list(found)


def quantize_model(model: ModelProto, ranges: Mapping[str, Range]) -> ModelProto:
    """Return a model whose convolutions compute in integers.

    Args:
        model: a ``stylize`` model in float32, whose first convolution reads grey levels; left
            as it is.
        ranges: of the tensors that :func:`plan_ranges` names.
    """
    result = copy_model(model)
    delay_sigmoid(result.graph)
    Quantization(result.graph, ranges).run()
    return result


def delay_sigmoid(graph: GraphProto) -> None:
    """Let a sigmoid wait until its input has been transposed.

    Next to the pixels' ``QuantizeLinear`` it becomes a table of 256 bytes for ONNX Runtime.
    """
    uses, nodes = count_uses(graph), list(graph.node)
    for sigmoid, transpose in pairwise(nodes):
        kinds = [sigmoid.op_type, transpose.op_type]
        alone = uses[sigmoid.output[0]] == 1 and [*transpose.input] == [*sigmoid.output]
        if kinds == ["Sigmoid", "Transpose"] and alone:
            sigmoid.op_type, transpose.op_type = "Transpose", "Sigmoid"
            sigmoid.attribute.extend(transpose.attribute)
            del transpose.attribute[:]


class Quantization(Lowering):
    """Integers around convolutions.

    Args:
        graph: a ``stylize`` model's, in float32.
        ranges: by tensor.
    """

    def __init__(self, graph: GraphProto, ranges: Mapping[str, Range]) -> None:
        super().__init__(graph)
        self.ranges = dict(ranges)

    def rewrite(self, node: NodeProto) -> None:
        """Add what stands for a node."""
        result = node.output[0]
        if node.op_type == "Cast" and result in self.wanted:
            self.ranges[result] = GREY_LEVELS
            self.lowered[result] = node.input[0]
            self.lost.add(result)
        elif node.op_type == "Add" and self.ranges.keys() >= {*node.input, result}:
            self.sum_up(node)
        else:
            self.compute(node)

    def compute(self, node: NodeProto) -> None:
        """Add what is computed in floats, or is a convolution."""
        super().rewrite(node)
        result = node.output[0]
        is_last = node.op_type == "Relu" and node.input[0] in self.convolutions
        if is_last or (result in self.convolutions and result not in self.rectifiers):
            self.take_lowered(result)
            self.lost.add(result)

    def sum_up(self, node: NodeProto) -> None:
        """Add a sum of integers."""
        copy = copy_node(node)
        for place, name in enumerate(node.input):
            self.take_lowered(name)
            copy.input[place] = self.restore(name)
        self.nodes.append(copy)
        self.take_lowered(node.output[0])
        self.lost.add(node.output[0])

    def move(self, node: NodeProto, moved: list[str]) -> None:
        """Add a node that moves integers; what stands for 0 may be one of them."""
        super().move(node, moved)
        mode = read_attribute(node, "mode", b"constant")
        if node.op_type == "Pad" and mode == b"constant":
            owner = find_origin(node.output[0], self.producers)
            zero = np.array(self.ranges[owner].zero, np.uint8)
            self.nodes[-1].input.append(add_constant(self.graph, f"{owner}/zero", zero))

    def lower(self, tensor: str) -> str:
        """Add ``QuantizeLinear``."""
        return self.scale("QuantizeLinear", tensor, f"{tensor}/lowered", tensor)

    def restore(self, tensor: str) -> str:
        """Add ``DequantizeLinear``."""
        return self.scale("DequantizeLinear", self.lowered[tensor], f"{tensor}/rounded", tensor)

    def scale(self, operator: str, source: str, result: str, tensor: str) -> str:
        """Add a step into integers or back, in the range of a tensor or of what it was."""
        owner = tensor if tensor in self.ranges else find_origin(tensor, self.producers)
        found = self.ranges[owner]
        step = add_constant(self.graph, f"{owner}/step", np.array(found.step, np.float32))
        zero = add_constant(self.graph, f"{owner}/zero", np.array(found.zero, np.uint8))
        return self.append(helper.make_node(operator, [source, step, zero], [result], result))

    def convolve(self, node: NodeProto) -> None:
        """Add a convolution of integers."""
        self.take_lowered(node.input[0])
        copy = copy_node(node)
        weight, *biases = (self.constants[name] for name in node.input[1:])
        unit = self.ranges[find_origin(node.input[0], self.producers)].step
        steps = find_steps(weight, biases, unit)
        copy.input[0] = self.restore(node.input[0])
        copy.input[1] = self.store(node.input[1], weight, steps, np.int8)
        for bias in biases:
            copy.input[2] = self.store(node.input[2], bias, steps * unit, np.int32)
        self.nodes.append(copy)

    def store(
        self, name: str, values: NDArray[np.float32], steps: NDArray[np.float32], kind: type
    ) -> str:
        """Store constants as multiples of their steps, and return their name as floats."""
        most, shape = np.iinfo(kind).max, (-1, *[1] * (values.ndim - 1))
        units = np.rint(values / steps.reshape(shape).astype(np.float64))
        whole: NDArray[Any] = np.clip(units, -most, most).astype(kind)
        parts = {"integers": whole, "steps": steps, "zeros": np.zeros(len(steps), kind)}
        inputs = [add_constant(self.graph, f"{name}/{key}", v) for key, v in parts.items()]
        result = f"{name}/rounded"
        return self.append(helper.make_node("DequantizeLinear", inputs, [result], result, axis=0))
