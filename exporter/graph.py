"""What the graph rewrites ask of an ONNX graph: constants, producers, uses, dead ends."""

from collections import Counter
from collections.abc import MutableSequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper, numpy_helper

Value = TypeVar("Value")


def find_constants(graph: GraphProto) -> dict[str, NDArray[Any]]:
    """Return every initializer and every ``Constant`` node's tensor by name."""
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            tensors = [a.t for a in node.attribute if a.name == "value"]
            found.update((node.output[0], numpy_helper.to_array(tensor)) for tensor in tensors)
    return found


def find_producers(graph: GraphProto) -> dict[str, NodeProto]:
    """Return the node that makes each tensor."""
    return {name: node for node in graph.node for name in node.output if name}


def count_uses(graph: GraphProto) -> Counter[str]:
    """Count how often each tensor is read, by nodes and as an output of the graph."""
    read = [name for node in graph.node for name in node.input]
    return Counter(read + [value.name for value in graph.output])


def read_attribute(node: NodeProto, name: str, default: Value) -> Value:
    """Return a node's attribute as a Python value, or ``default`` where it is not given."""
    for attribute in node.attribute:
        if attribute.name == name:
            value: Value = helper.get_attribute_value(attribute)
            return value
    return default


def add_constant(graph: GraphProto, name: str, value: NDArray[Any]) -> str:
    """Add an initializer; one of the same name is taken to be the same constant.

    Args:
        graph: changed in place.
        name: of the tensor.
        value: any dtype and shape that ONNX knows.

    Returns:
        ``name``, ready to stand in a list of inputs.
    """
    if all(tensor.name != name for tensor in graph.initializer):
        graph.initializer.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
    return name


def list_graphs(node: NodeProto) -> list[GraphProto]:
    """Return the graphs inside a node: branches and bodies of loops."""
    inner = [graph for attribute in node.attribute for graph in attribute.graphs]
    return inner + [attribute.g for attribute in node.attribute if attribute.HasField("g")]


def list_read(node: NodeProto) -> list[str]:
    """Return the tensors that a node reads, those that only graphs inside it read among them."""
    read = list(node.input)
    for graph in list_graphs(node):
        read += [value.name for value in graph.output]
        read += [name for inner in graph.node for name in list_read(inner)]
    return read


def drop_dead(graph: GraphProto) -> None:
    """Remove nodes that no output needs, unread initializers and descriptions of lost tensors.

    Args:
        graph: sorted topologically, as ONNX demands; changed in place.
    """
    needed = {value.name for value in graph.output}
    alive = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            alive.append(node)
            needed.update(list_read(node))
    alive.reverse()
    replace_all(graph.node, alive)
    replace_all(graph.initializer, [t for t in graph.initializer if t.name in needed])
    replace_all(graph.value_info, [v for v in graph.value_info if v.name in needed])


def replace_all(field: MutableSequence[Any], items: list[Any]) -> None:
    """Put ``items`` in place of everything in a repeated protobuf field."""
    kept = [type(item).FromString(item.SerializeToString()) for item in items]
    del field[:]
    field.extend(kept)
