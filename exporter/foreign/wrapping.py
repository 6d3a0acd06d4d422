"""Nodes around a foreign network: bytes of pictures in, probabilities out.

Only operators that mean the same from opset 7 on, with their settings in ``Constant`` nodes: files
before IR version 4 would have to list initializers as inputs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from exporter.foreign.survey import Form, Port
from exporter.foreign.wishes import Wishes
from exporter.graph import drop_dead, list_graphs, replace_all

IMAGE, PROBABILITIES = "image", "probabilities"
OURS = "impasto/"  # what our tensors' names begin with
EXPLICIT_IR = 4  # from here on initializers need not be inputs


@dataclass(frozen=True)
class Wiring:
    """How a foreign network is wired.

    Attributes:
        entry: the input that takes pictures.
        form: how its axes lie.
        scores: the output that classifies.
    """

    entry: Port
    form: Form
    scores: Port


class Chain:
    """Nodes of ours, each reading what the one before it returned.

    Args:
        first: the tensor that the first of them reads.
    """

    def __init__(self, first: str) -> None:
        self.last = first
        self.nodes: list[NodeProto] = []

    def append(self, operator: str, name: str, *others: str, **attributes: Any) -> None:  # noqa: ANN401
        """Add a node; ``others`` are its further inputs."""
        output = f"{OURS}{name}"
        self.nodes.append(
            helper.make_node(operator, [self.last, *others], [output], output, **attributes)
        )
        self.last = output

    def store(self, name: str, values: NDArray[Any]) -> str:
        """Add a node that makes a constant, and return its tensor's name."""
        output, tensor = f"{OURS}{name}", numpy_helper.from_array(values)
        self.nodes.append(helper.make_node("Constant", [], [output], output, value=tensor))
        return output

    def finish(self, target: str) -> list[NodeProto]:
        """Return the nodes, the last of which returns ``target``."""
        self.nodes[-1].output[0] = target
        return self.nodes


def wrap(model: ModelProto, wiring: Wiring, wishes: Wishes, *, softmax: bool) -> ModelProto:
    """Return a model with the contract's input and output around a foreign network.

    Args:
        model: the foreign network; left as it is.
        wiring: of its input and output.
        wishes: how pixels become its numbers.
        softmax: whether its outputs are still to be made probabilities.

    Returns:
        A model of the same opset with ``image`` uint8 ``[N, H, W, C]`` and ``probabilities``
        float32 ``[N, K]``; nodes that only other outputs needed are gone.
    """
    wrapped = ModelProto()
    wrapped.CopyFrom(model)
    graph = wrapped.graph
    clear_names(graph)
    height, width = wishes.rule.size
    image = helper.make_tensor_value_info(
        IMAGE, TensorProto.UINT8, ["N", height, width, wishes.channels]
    )
    result = helper.make_tensor_value_info(
        PROBABILITIES, TensorProto.FLOAT, ["N", len(wishes.labels)]
    )
    entry = enter(wiring, wishes)
    exit_ = leave(rename(wiring.scores.name), softmax=softmax)
    replace_all(graph.node, [*entry, *graph.node, *exit_])
    replace_all(graph.output, [result])
    del graph.value_info[:]  # they may state a batch that is no longer fixed
    drop_dead(graph)
    weights = {tensor.name for tensor in graph.initializer}
    stored = [value for value in graph.input if value.name in weights]
    replace_all(graph.input, [image, *(stored if wrapped.ir_version < EXPLICIT_IR else [])])
    return wrapped


def enter(wiring: Wiring, wishes: Wishes) -> list[NodeProto]:
    """Return the nodes from ``image`` to the foreign network's input."""
    chain = Chain(IMAGE)
    if wishes.color == "bgr":
        chain.append("Gather", "reordered", chain.store("order", np.array([2, 1, 0])), axis=3)
    if wiring.form == "nchw":
        chain.append("Transpose", "planes", perm=[0, 3, 1, 2])
    chain.append("Cast", "floats", to=TensorProto.FLOAT)
    axes = (1, -1, 1, 1) if wiring.form == "nchw" else (1, 1, 1, -1)
    for operator, name, values, neutral in list_steps(wishes):
        if np.any(values != neutral):
            constant = chain.store(name, values.reshape(axes).astype(np.float32))
            chain.append(operator, "scaled" if operator == "Mul" else "shifted", constant)
    if wiring.form == "rows":
        chain.append("Flatten", "rows", axis=1)
    if wiring.entry.element != TensorProto.FLOAT:
        chain.append("Cast", "typed", to=wiring.entry.element)
    return chain.finish(rename(wiring.entry.name))


def list_steps(wishes: Wishes) -> list[tuple[str, str, NDArray[np.float64], float]]:
    """Return ``(x / scale - mean) / std`` as a product and a sum: operator, name, values, neutral.

    Both in the order in which the network reads the channels; a single number stands for all.
    """
    mean, std = (
        np.broadcast_to(np.array(values, np.float64), (wishes.channels,))
        for values in (wishes.mean, wishes.std)
    )
    if wishes.color == "bgr":
        mean, std = mean[::-1], std[::-1]
    return [("Mul", "scale", 1 / (wishes.scale * std), 1.0), ("Add", "shift", -mean / std, 0.0)]


def leave(scores: str, *, softmax: bool) -> list[NodeProto]:
    """Return the nodes from the foreign network's output to ``probabilities``."""
    chain = Chain(scores)
    chain.append("Cast", "scores", to=TensorProto.FLOAT)
    chain.append("Flatten", "classes", axis=1)  # [N, K, 1, 1] is [N, K]
    if softmax:
        chain.append("Softmax", "softmax", axis=1)
    return chain.finish(PROBABILITIES)


def rename(name: str) -> str:
    """Return what a foreign tensor is called beside ours."""
    return f"network/{name}" if name in (IMAGE, PROBABILITIES) or name.startswith(OURS) else name


def clear_names(graph: GraphProto) -> None:
    """Rename foreign tensors that are called as ours are, in branches and loops, too."""
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        value.name = rename(value.name)
    for node in graph.node:
        for field in (node.input, node.output):
            for position, name in enumerate(field):
                field[position] = rename(name)
        for inner in list_graphs(node):
            clear_names(inner)
