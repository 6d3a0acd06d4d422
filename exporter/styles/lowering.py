"""Which tensors of a style network change their type around its convolutions, and where.

A tensor changes where it is made and stays so through everything that only moves values, so
that a reflection, a crop or an ordering of phases moves the smaller type. It changes back
where anything but a convolution reads it: normalisation, the sigmoid and most sums stay in float32.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto

from exporter.graph import (
    count_uses,
    drop_dead,
    find_constants,
    find_producers,
    read_attribute,
    replace_all,
)

MOVES = ("Transpose", "Reshape", "Slice", "Split", "Pad")  # of their first input

Producers = Mapping[str, NodeProto]


class Lowering(ABC):
    """Rewrites a graph node by node; what stays float32 keeps its names.

    Args:
        graph: a ``stylize`` model's, in float32; changed by :meth:`run`.
    """

    def __init__(self, graph: GraphProto) -> None:
        self.graph = graph
        self.constants, self.producers = find_constants(graph), find_producers(graph)
        self.rectifiers = find_rectifiers(graph)
        self.convolutions = {node.output[0] for node in find_convolutions(graph)}
        self.wanted = find_wanted(graph, self.producers, self.convolutions)
        self.lowered: dict[str, str] = {}  # tensor -> the same in the smaller type
        self.lost: set[str] = set()  # tensors that are in the smaller type only
        self.nodes: list[NodeProto] = []

    @abstractmethod
    def lower(self, tensor: str) -> str:
        """Add what turns a tensor into the smaller type, and return the result's name."""

    @abstractmethod
    def restore(self, tensor: str) -> str:
        """Add what turns a tensor of the smaller type back, and return the result's name."""

    @abstractmethod
    def convolve(self, node: NodeProto) -> None:
        """Add a convolution that reads the smaller type."""

    def run(self) -> None:
        """Rewrite the whole graph."""
        for node in list(self.graph.node):
            self.rewrite(node)
        replace_all(self.graph.node, self.nodes)
        drop_dead(self.graph)

    def rewrite(self, node: NodeProto) -> None:
        """Add what stands for a node."""
        moved = list_moved(node, self.producers)
        if node.output[0] in self.convolutions:
            self.convolve(node)
        elif moved and (self.lost.issuperset(moved) or self.wanted.issuperset(node.output)):
            self.move(node, moved)
        else:
            self.keep(node)

    def keep(self, node: NodeProto) -> None:
        """Add a node as it was, reading floats."""
        copy = copy_node(node)
        for place, name in enumerate(node.input):
            copy.input[place] = self.take_floats(name)
        self.nodes.append(copy)

    def move(self, node: NodeProto, moved: list[str]) -> None:
        """Add a node that moves the smaller type."""
        copy = copy_node(node)
        for place, name in enumerate(moved):
            copy.input[place] = self.take_lowered(name)
        for place, name in enumerate(node.output):
            copy.output[place] = self.lowered[name] = f"{name}/lowered"
        self.lost.update(node.output)
        self.nodes.append(copy)

    def take_lowered(self, tensor: str) -> str:
        """Return a tensor in the smaller type."""
        if tensor not in self.lowered:
            self.lowered[tensor] = self.lower(tensor)
        return self.lowered[tensor]

    def take_floats(self, tensor: str) -> str:
        """Return a tensor in float32."""
        return self.restore(tensor) if tensor in self.lost else tensor

    def append(self, node: NodeProto) -> str:
        """Add a node unless it is there, and return the name of its result."""
        if all(known.output[0] != node.output[0] for known in self.nodes):
            self.nodes.append(node)
        return str(node.output[0])


def copy_model(model: ModelProto) -> ModelProto:
    """Return a copy that may be changed."""
    copy = ModelProto()
    copy.CopyFrom(model)
    return copy


def copy_node(node: NodeProto) -> NodeProto:
    """Return a copy that may be changed."""
    copy = NodeProto()
    copy.CopyFrom(node)
    return copy


def list_moved(node: NodeProto, producers: Producers) -> list[str]:
    """Return what a node moves or repeats without making a value; nothing if it makes some.

    Zeros around a map count as moved: every type has something that stands for 0.

    Args:
        node: to look at.
        producers: of the graph's tensors.
    """
    if node.op_type == "Concat":
        makers = [producers.get(name) for name in node.input]
        parts = makers[0] is not None and makers[0].op_type == "Split"
        return list(node.input) if parts and all(m == makers[0] for m in makers) else []
    constant = read_attribute(node, "mode", b"constant") == b"constant"
    adds = node.op_type == "Pad" and constant and len(node.input) > 2
    return [node.input[0]] if node.op_type in MOVES and not adds else []


def find_convolutions(graph: GraphProto) -> list[NodeProto]:
    """Return the convolutions with constant float32 weights and biases, in order."""
    constants = find_constants(graph)
    floats = {name for name, value in constants.items() if value.dtype == np.float32}
    return [
        node for node in graph.node if node.op_type == "Conv" and floats.issuperset(node.input[1:])
    ]


def find_origin(tensor: str, producers: Producers) -> str:
    """Return the tensor that a moved tensor was before."""
    while tensor in producers and (moved := list_moved(producers[tensor], producers)):
        tensor = moved[0]
    return tensor


def find_rectifiers(graph: GraphProto) -> dict[str, str]:
    """Return what rectifiers return by what they read, where nothing else reads it."""
    uses = count_uses(graph)
    return {
        node.input[0]: node.output[0]
        for node in graph.node
        if node.op_type == "Relu" and uses[node.input[0]] == 1
    }


def find_wanted(graph: GraphProto, producers: Producers, convolutions: set[str]) -> set[str]:
    """Return the tensors that are read by convolutions alone, directly or moved."""
    readers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in list_moved(node, producers) or node.input:
            readers.setdefault(name, []).append(node)
    wanted: set[str] = set()

    def passes(reader: NodeProto) -> bool:
        moves = bool(list_moved(reader, producers))
        return reader.output[0] in convolutions or (moves and wanted.issuperset(reader.output))

    for node in reversed(graph.node):
        found = {name: readers.get(name, []) for name in node.output}
        wanted |= {name for name, some in found.items() if some and all(map(passes, some))}
    return wanted
