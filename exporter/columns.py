"""The first convolution of a style network, on columns of pixels that are channels.

A photo's bytes lie pixel by pixel: four pixels of three channels are by their bytes one pixel of
twelve. A convolution that steps over four columns reads such wide pixels one by one ::

    [N, 3, H, W]  ->  [N, H, W, 3]  ->  [N, H, W / 4, 12]  ->  [N, 12, H, W / 4]

with the weights in the same order. The multiply-adds stay what they were if the kernel's width is
a multiple of the step; else some of its columns are zeros. Integer kernels work on four channels
at a time: three leave one of them empty, and the whole convolution to a slower way.
"""

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, helper

from exporter.blocks import INTERLEAVE, SEPARATE, make_node
from exporter.graph import (
    add_constant,
    drop_dead,
    find_constants,
    read_attribute,
    replace_all,
)
from exporter.trunk import INPUTS

FOLDED, PADDED = "columns/planes", "columns/padded"
LANES = 4  # channels that an integer kernel takes at a time


def fold_columns(model: ModelProto) -> bool:
    """Let the convolution that reads the padded photo read columns as channels, if it can.

    Args:
        model: as :func:`exporter.pixels.wrap_pixels` returns it; changed in place, and exact.

    Returns:
        Whether it could be done: one convolution reads the photo, and the columns that it steps
        over have as many channels as kernels take at a time, or a multiple.
    """
    graph, constants = model.graph, find_constants(model.graph)
    readers = [node for node in graph.node if INPUTS[0] in node.input]
    conv = readers[0]
    if len(readers) > 1 or conv.op_type != "Conv" or not is_plain(conv):
        return False
    weights, step = constants[conv.input[1]], read_attribute(conv, "strides", [1, 1])[1]
    channels = weights.shape[1] * step
    sides = find_sides(weights.shape[3], read_attribute(conv, "pads", [0] * 4)[1], step)
    if channels % LANES or min(sides) < 0:
        return False
    name = add_constant(graph, f"{conv.input[1]}/columns", fold_weights(weights, step))
    nodes = [*emit_columns(graph, sides, channels), emit_conv(conv, name, step)]
    place = [node.output[0] for node in graph.node].index(conv.output[0])
    replace_all(graph.node, [*graph.node[:place], *nodes, *graph.node[place + 1 :]])
    drop_dead(graph)
    return True


def is_plain(conv: NodeProto) -> bool:
    """Return whether a convolution has no dilation, no groups, and pads alike before and after."""
    pads = list(read_attribute(conv, "pads", [0] * 4))
    return (
        list(read_attribute(conv, "dilations", [1, 1])) == [1, 1]
        and read_attribute(conv, "group", 1) == 1
        and read_attribute(conv, "auto_pad", b"NOTSET") == b"NOTSET"
        and pads[:2] == pads[2:]
    )


def find_sides(width: int, pad: int, step: int) -> tuple[int, int]:
    """Return how many columns of zeros stand on the left and on the right of whole steps.

    Args:
        width: of the kernel, columns.
        pad: columns of zeros on both sides that the convolution adds itself.
        step: columns; the photo's width is a multiple of it.
    """
    steps = -(-width // step) + (2 * pad - width) // step
    return pad, steps * step - pad


def fold_weights(weights: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Return ``[K, C, h, w]`` as ``[K, step * C, h, ceil(w / step)]``; inputs: column, channel."""
    outputs, inputs, height, width = weights.shape
    columns = -(-width // step)
    whole = np.zeros((outputs, inputs, height, columns * step), np.float32)
    whole[..., :width] = weights
    parts = whole.reshape(outputs, inputs, height, columns, step)
    return parts.transpose(0, 4, 1, 2, 3).reshape(outputs, step * inputs, height, columns)


def emit_columns(graph: GraphProto, sides: tuple[int, int], channels: int) -> list[NodeProto]:
    """Return the nodes from the padded photo to one whose channels are columns."""
    source, nodes = INPUTS[0], []
    if any(sides):
        pads = np.array([0, 0, 0, sides[0], 0, 0, 0, sides[1]], np.int64)
        inputs = [source, add_constant(graph, "columns/sides", pads)]
        nodes, source = [make_node("Pad", inputs, PADDED, mode="constant")], PADDED
    shape = add_constant(graph, "columns/shape", np.array([0, 0, -1, channels], np.int64))
    return [
        *nodes,
        make_node("Transpose", [source], "columns/pixels", perm=INTERLEAVE),
        make_node("Reshape", ["columns/pixels", shape], "columns/wide"),
        make_node("Transpose", ["columns/wide"], FOLDED, perm=SEPARATE),
    ]


def emit_conv(conv: NodeProto, weights: str, step: int) -> NodeProto:
    """Return the convolution on columns: it steps over one, and pads rows only."""
    copy = NodeProto()
    copy.CopyFrom(conv)
    copy.input[0], copy.input[1] = FOLDED, weights
    height, width = read_attribute(conv, "kernel_shape", [0, 0])
    pads = read_attribute(conv, "pads", [0] * 4)
    shape = helper.make_node(
        "Conv",
        [],
        [],
        kernel_shape=[height, -(-width // step)],
        strides=[read_attribute(conv, "strides", [1, 1])[0], 1],
        pads=[pads[0], 0, pads[2], 0],
    )
    replace_all(copy.attribute, list(shape.attribute))
    return copy
