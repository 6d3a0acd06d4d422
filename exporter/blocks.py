"""Phases of square blocks put in order on interleaved maps, where a pixel's channels lie together.

``DepthToSpace`` says the same in one node, on planes: value by value, and the CUDA provider
has none for uint8. On interleaved maps rows are copied whole, and behind or in front of a
convolution ONNX Runtime interleaves inside its own change of layout. No shape is computed; of
blocks of 2x2: ::

    [N, h, w, 2 * 2 * C]        a block's channels are row, column, channel
    2 x [N, h, w, 2 * C]        Split: the blocks' upper rows, and their lower rows
    [N, h, 2 * w, 2 * C]        Concat: first all upper, then all lower rows of a row of blocks
    [N, 2 * h, 2 * w, C]        Reshape: the same bytes
"""

from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, helper

from exporter.graph import (
    add_constant,
    find_constants,
    find_producers,
    read_attribute,
    replace_all,
)

INTERLEAVE = [0, 2, 3, 1]  # NCHW to NHWC
SEPARATE = [0, 3, 1, 2]  # NHWC to NCHW
NODES_OF_BLOCKS = 5  # in place of one DepthToSpace


def order_blocks(
    graph: GraphProto, source: str, result: str, *, channels: int, side: int = 2
) -> list[NodeProto]:
    """Return the nodes from ``[N, h, w, B * B * C]`` to ``[N, B h, B w, C]``.

    Args:
        graph: to which their constants are added.
        source: of any type.
        result: what the ordered map is called.
        channels: C.
        side: B, pixels along a block.
    """
    rows = [f"{result}/row{number}" for number in range(side)]
    shape = np.array([0, -1, 0, channels], np.int64)
    return [
        helper.make_node("Split", [source], rows, f"{result}/rows", axis=3),
        make_node("Concat", rows, f"{result}/lines", axis=2),
        make_node(
            "Reshape",
            [f"{result}/lines", add_constant(graph, f"blocks/{channels}", shape)],
            result,
        ),
    ]


def make_node(operator: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:  # noqa: ANN401
    """Return a node of one output, after which it is named."""
    return helper.make_node(operator, inputs, [output], output, **attributes)


def spread_blocks(model: ModelProto) -> int:
    """Write every ``DepthToSpace`` of 2x2 blocks (order DCR) on interleaved maps.

    Args:
        model: with constant weights in front of each; changed in place, and exact.

    Returns:
        How many there were.
    """
    graph, constants = model.graph, find_constants(model.graph)
    producers = find_producers(graph)
    nodes: list[NodeProto] = []
    for node in graph.node:
        conv = producers.get(node.input[0]) if node.op_type == "DepthToSpace" else None
        if conv is None or conv.op_type != "Conv" or not is_plain(node):
            nodes.append(node)
            continue
        source, result, channels = node.input[0], node.output[0], len(constants[conv.input[1]]) // 4
        nodes.append(make_node("Transpose", [source], f"{source}/interleaved", perm=INTERLEAVE))
        ordered = f"{result}/interleaved"
        nodes += order_blocks(graph, f"{source}/interleaved", ordered, channels=channels)
        nodes.append(make_node("Transpose", [ordered], result, perm=SEPARATE))
    spread = (len(nodes) - len(graph.node)) // (NODES_OF_BLOCKS - 1)
    if spread:
        replace_all(graph.node, nodes)
    return spread


def is_plain(node: NodeProto) -> bool:
    """Return whether a ``DepthToSpace`` is of 2x2 blocks in the order row, column, channel."""
    order = read_attribute(node, "mode", b"DCR")
    return read_attribute(node, "blocksize", 0) == 2 and order == b"DCR"
