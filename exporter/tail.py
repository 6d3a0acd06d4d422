"""The tail of a trunk: what follows its last normalisation, freed of borders and crops.

A network with a margin paints more than the picture, and what the tail paints there is cut
off in the end. As long as a normalisation follows, the margin counts: its statistics are
those of the whole map. Behind the last one nothing looks at it any more. So the tail

- is given only as much of the margin as its own kernels reach;
- pads nothing: each convolution shaves off what it cannot compute without zeros, and the crop
  behind each ``DepthToSpace`` goes, because it took away just such values;
- puts phases in order on interleaved maps (:mod:`exporter.blocks`).

What is left of the picture is computed from the same numbers in the same order: exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto

from exporter.blocks import INTERLEAVE, SEPARATE, make_node, order_blocks
from exporter.graph import (
    add_constant,
    count_uses,
    drop_dead,
    find_constants,
    find_producers,
    read_attribute,
    replace_all,
)
from exporter.joining import LATE, SIDE, join_weights, repeat_bias
from exporter.rewrite import CROP

ACTIVATIONS = ("Relu", "Sigmoid")
SIDES = ("tail/axes", np.array([2, 3], np.int64))


@dataclass(frozen=True)
class Step:
    """One convolution of the tail, with what belongs to it.

    Attributes:
        conv: of stride 1.
        activation: behind it and behind the ordering, if there is one.
        doubles: whether its channels are phases, which DepthToSpace and a crop put in order.
        reach: pixels, of its own output, that it cannot compute on each side without padding.
    """

    conv: NodeProto
    activation: NodeProto | None
    doubles: bool
    reach: int


@dataclass(frozen=True)
class Layout:
    """How a trunk gives out its painting.

    Attributes:
        first: pixels in front of the picture's first, along both sides.
        blocks: B, where ``painted`` is ``[N, B * B * 3, h, w]``; 1 if it is in order.
    """

    first: int
    blocks: int


def shave_tail(trunk: ModelProto, margin: int, *, join: bool = False) -> Layout:
    """Rewrite the tail of a trunk, as far as its margin allows.

    Args:
        trunk: with one output; changed in place.
        margin: pixels around the picture in what the trunk reads.
        join: whether two doublings at its end become one (:mod:`exporter.joining`).

    Returns:
        Where the picture stands in what the trunk now returns.
    """
    graph = trunk.graph
    steps = find_tail(graph)
    doubled = [step.doubles for step in steps]
    shaved = 0
    for step in steps:
        shaved = shaved * (1 + step.doubles) + step.reach
    if not steps or shaved > margin:
        return sink_phases(graph, margin)
    spare, first = divmod(margin - shaved, 2 ** sum(doubled))
    inside = {id(node) for step in steps for node in (step.conv, step.activation)}
    kept = [node for node in graph.node if id(node) not in inside]
    joined = join and doubled[-2:] == [True, True] and first >= LATE
    if joined:
        steps[-2:] = join_steps(graph, *steps[-2:])
    replace_all(graph.node, [*kept, *emit_tail(graph, steps, spare)])
    drop_dead(graph)
    return Layout(first - LATE, SIDE) if joined else Layout(first, 1 + doubled[-1])


def join_steps(graph: GraphProto, first: Step, second: Step) -> tuple[Step, Step]:
    """Return two doublings of which the second reads the first's phases and gives out 4x4."""
    constants, conv = find_constants(graph), NodeProto()
    conv.CopyFrom(second.conv)
    for place, (name, turn) in enumerate(
        zip(conv.input[1:], (join_weights, repeat_bias), strict=False), 1
    ):
        conv.input[place] = add_constant(graph, f"{name}/joined", turn(constants[name]))
    return replace(first, doubles=False), replace(second, conv=conv)


def find_tail(graph: GraphProto) -> list[Step]:
    """Return the steps behind the last normalisation, the first one first.

    Matched are, from the output backwards: an optional activation, an optional crop and
    ``DepthToSpace`` as :mod:`exporter.rewrite` writes them, and a convolution of stride 1 that
    pads with as many zeros as keep the size; nothing else reads what lies between.
    """
    constants, producers, uses = find_constants(graph), find_producers(graph), count_uses(graph)
    steps: list[Step] = []
    current = graph.output[0].name
    while (step := _match(current, constants, producers)) is not None:
        inner = {step.conv.output[0], current}
        if any(uses[name] != 1 for name in inner):
            break
        steps.insert(0, step)
        current = step.conv.input[0]
    return steps


def _match(
    result: str, constants: Mapping[str, NDArray[np.generic]], producers: Mapping[str, NodeProto]
) -> Step | None:
    node = producers.get(result)
    activation = node if node is not None and node.op_type in ACTIVATIONS else None
    if activation is not None:
        node = producers.get(activation.input[0])
    doubles = node is not None and node.op_type == "Slice" and [*node.input[1:]] == [*CROP]
    if doubles and node is not None:
        blocks = producers.get(node.input[0])
        node = producers.get(blocks.input[0]) if blocks is not None else None
    if node is None or node.op_type != "Conv" or node.input[1] not in constants:
        return None
    kernel = constants[node.input[1]].shape[2:]
    sides = [2, 2] if doubles else [2 * read_attribute(node, "pads", [0] * 4)[0] + 1] * 2
    reach = 1 if doubles else sides[0] // 2
    plain = (
        list(kernel) == sides
        and list(read_attribute(node, "pads", [0] * 4)) == [reach] * 4
        and list(read_attribute(node, "strides", [1, 1])) == [1, 1]
        and list(read_attribute(node, "dilations", [1, 1])) == [1, 1]
        and read_attribute(node, "auto_pad", b"NOTSET") == b"NOTSET"
    )
    return Step(node, activation, doubles, reach) if plain else None


def emit_tail(graph: GraphProto, steps: list[Step], spare: int) -> list[NodeProto]:
    """Return the nodes of a tail without padding; what is not ordered stays in phases.

    Args:
        graph: to which constants are added.
        steps: of :func:`find_tail`.
        spare: pixels of the tail's input, on each side, that none of them needs.
    """
    source = steps[0].conv.input[0]
    nodes, current = cut(graph, source, spare) if spare else ([], source)
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        result = graph.output[0].name if last else f"tail/{number}"
        orders = step.doubles and not last
        flat = f"{result}/phases" if orders else result
        nodes += emit_step(step, current, flat)
        if orders:
            nodes.append(make_node("Transpose", [flat], f"{flat}/interleaved", perm=INTERLEAVE))
            channels = count_channels(graph, step.conv) // 4
            ordered = f"{result}/interleaved"
            nodes += order_blocks(graph, f"{flat}/interleaved", ordered, channels=channels)
            nodes.append(make_node("Transpose", [ordered], result, perm=SEPARATE))
        current = result
    return nodes


def cut(graph: GraphProto, source: str, spare: int) -> tuple[list[NodeProto], str]:
    """Return a node that takes pixels off every side of a map, and what it returns."""
    ends = zip(("tail/starts", "tail/ends"), (spare, -spare), strict=True)
    inputs = [add_constant(graph, name, np.array([end] * 2, np.int64)) for name, end in ends]
    inputs.append(add_constant(graph, *SIDES))
    return [make_node("Slice", [source, *inputs], "tail/source")], "tail/source"


def emit_step(step: Step, source: str, result: str) -> list[NodeProto]:
    """Return a convolution without padding and its activation."""
    conv = NodeProto()
    conv.CopyFrom(step.conv)
    kept = [attribute for attribute in conv.attribute if attribute.name != "pads"]
    replace_all(conv.attribute, kept)
    conv.input[0] = source
    conv.output[0] = f"{result}/sums" if step.activation is not None else result
    if step.activation is None:
        return [conv]
    return [conv, make_node(step.activation.op_type, [conv.output[0]], result)]


def count_channels(graph: GraphProto, conv: NodeProto) -> int:
    """Return how many channels a convolution gives out."""
    return next(int(tensor.dims[0]) for tensor in graph.initializer if tensor.name == conv.input[1])


def sink_phases(graph: GraphProto, margin: int) -> Layout:
    """Take DepthToSpace and its crop out of a trunk that ends in them and a sigmoid."""
    blocks, crop, sigmoid = graph.node[-3:]
    in_phases = (
        [node.op_type for node in graph.node[-3:]] == ["DepthToSpace", "Slice", "Sigmoid"]
        and [*crop.input] == [*blocks.output, *CROP]
        and [*sigmoid.input] == [*crop.output]
    )
    if not in_phases:
        return Layout(margin, blocks=1)
    sigmoid.input[0] = blocks.input[0]
    drop_dead(graph)
    return Layout(margin + 1, blocks=2)  # phases begin one pixel early
