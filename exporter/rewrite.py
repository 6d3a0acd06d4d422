"""The exact rewrite of nearest upsampling plus 3x3 convolution into phase convolutions.

After nearest upsampling by 2, the three taps of a 3x3 row fall on two low-resolution
pixels only. Output row ``2 i + p`` (phase ``p``) reads

    p = 0:  w0 x[i - 1] + (w1 + w2) x[i]
    p = 1:  (w0 + w1) x[i] + w2 x[i + 1]

and columns likewise, so that each of the four phases is a 2x2 convolution of the
low-resolution map with summed taps. At the border, zeros around the upsampled map are
zeros around the small one, and a reflection by one pixel is a repeated edge.

Which form. Per low-resolution position, with C channels in and K out:

======================================  =============  =================================
form                                    multiply-adds  extra memory traffic
======================================  =============  =================================
as it was: Resize, (Pad,) Conv 3x3      36 C K         4 C written and read (twice with Pad)
one 3x3 Conv to 4 K, half the taps 0    36 C K         DepthToSpace
four 2x2 Convs, Concat                  16 C K         Concat of 4 K, DepthToSpace
one 2x2 Conv to 4 K, crop (this one)    16 C K         DepthToSpace, crop of 4 K
======================================  =============  =================================

The last needs no shifted slice per phase: one 2x2 convolution of the map padded by one
has (H + 1) x (W + 1) positions, and phase ``p`` of pixel ``i`` is at position ``i + p``.
Storing the phases in reverse order inside each 2x2 block therefore leaves them in
order, shifted by one pixel, and one crop by a pixel on every side ends it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, helper

from exporter.graph import (
    add_constant,
    count_uses,
    drop_dead,
    find_constants,
    find_producers,
    read_attribute,
    replace_all,
)

# [phase, low-resolution tap, full-resolution tap]: which of three taps fall on which of two pixels
PHASE_TAPS = np.array([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]], np.float64)

CROP = ("phase/starts", "phase/ends", "phase/axes")  # one pixel off every side, as Slice takes it


@dataclass(frozen=True)
class Upsampling:
    """A match: the convolution, what the upsampling reads, and how the border is padded."""

    conv: NodeProto
    source: str
    reflected: bool
    weights: NDArray[np.float32]
    bias: NDArray[np.float32] | None


def rewrite_upsampling(model: ModelProto) -> int:
    """Replace every nearest upsampling by 2 followed by a 3x3 convolution.

    Matched are ``Resize`` (nearest, asymmetric, floor, constant scales 1, 1, 2, 2), then
    either ``Pad`` (reflect, 1 on all four sides) and an unpadded ``Conv``, or a ``Conv``
    that pads 1 with zeros; the convolution has constant weights, stride, dilation and
    groups of 1, and nothing else reads what lies between. The rest of the graph stays.

    Args:
        model: changed in place; results differ by float rounding only.

    Returns:
        How many convolutions were rewritten.
    """
    graph = model.graph
    matches = {match.conv.output[0]: match for match in _find_upsamplings(graph)}
    nodes: list[NodeProto] = []
    for node in graph.node:
        match = matches.get(node.output[0]) if node.output else None
        nodes.extend(_emit_phases(graph, match) if match else [node])
    if matches:
        replace_all(graph.node, nodes)
        drop_dead(graph)
    return len(matches)


def merge_phases(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum the taps of a 3x3 convolution into the 2x2 convolution of all four phases.

    Args:
        weights: float32 ``[K, C, 3, 3]``.

    Returns:
        float32 ``[4 K, C, 2, 2]``; the channel of phase ``(p, q)`` and output ``k`` is
        ``((1 - p) * 2 + (1 - q)) * K + k``, the order that ``DepthToSpace`` calls DCR.
    """
    outputs, inputs = weights.shape[:2]
    phases = np.einsum("pai,qbj,kcij->pqkcab", PHASE_TAPS, PHASE_TAPS, weights.astype(np.float64))
    merged = phases[::-1, ::-1].reshape(4 * outputs, inputs, 2, 2)
    result: NDArray[np.float32] = merged.astype(np.float32)
    return result


def _find_upsamplings(graph: GraphProto) -> list[Upsampling]:
    """Find all matches; several convolutions of one upsampled map are left alone."""
    constants, producers, uses = find_constants(graph), find_producers(graph), count_uses(graph)
    found = []
    for conv in graph.node:
        if conv.op_type != "Conv" or conv.input[1] not in constants:
            continue
        between = producers.get(conv.input[0])
        pad = between if between is not None and _reflects_one(between, constants) else None
        resize = producers.get(pad.input[0]) if pad is not None else between
        if resize is None or not _doubles(resize, constants):
            continue
        chain = [resize] if pad is None else [resize, pad]
        weights = constants[conv.input[1]]
        bias = constants.get(conv.input[2]) if len(conv.input) > 2 else None
        if (
            all(uses[node.output[0]] == 1 for node in chain)
            and _is_plain(conv, weights, margin=0 if pad is not None else 1)
            and (len(conv.input) == 2 or bias is not None)
        ):
            found.append(Upsampling(conv, resize.input[0], pad is not None, weights, bias))
    return found


def _doubles(node: NodeProto, constants: dict[str, NDArray[Any]]) -> bool:
    scales = constants.get(node.input[2]) if len(node.input) == 3 else None
    return (
        node.op_type == "Resize"
        and scales is not None
        and scales.tolist() == [1, 1, 2, 2]
        and read_attribute(node, "mode", b"nearest") == b"nearest"
        and read_attribute(node, "nearest_mode", b"round_prefer_floor") == b"floor"
        and read_attribute(node, "coordinate_transformation_mode", b"half_pixel") == b"asymmetric"
    )


def _reflects_one(node: NodeProto, constants: dict[str, NDArray[Any]]) -> bool:
    pads = constants.get(node.input[1]) if len(node.input) > 1 else None
    return (
        node.op_type == "Pad"
        and len(node.input) < 4
        and pads is not None
        and pads.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
        and read_attribute(node, "mode", b"constant") == b"reflect"
    )


def _is_plain(conv: NodeProto, weights: NDArray[Any], *, margin: int) -> bool:
    return (
        weights.dtype == np.float32
        and weights.shape[2:] == (3, 3)
        and read_attribute(conv, "auto_pad", b"NOTSET") == b"NOTSET"
        and read_attribute(conv, "group", 1) == 1
        and list(read_attribute(conv, "pads", [0] * 4)) == [margin] * 4
        and list(read_attribute(conv, "strides", [1, 1])) == [1, 1]
        and list(read_attribute(conv, "dilations", [1, 1])) == [1, 1]
    )


def _emit_phases(graph: GraphProto, match: Upsampling) -> list[NodeProto]:
    """Return the nodes that replace a match, and add their constants to the graph."""
    result = match.conv.output[0]
    source, nodes = match.source, []
    if match.reflected:
        ones = add_constant(graph, "phase/pads", np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
        source = f"{result}/padded"
        nodes.append(helper.make_node("Pad", [match.source, ones], [source], mode="edge"))
    inputs = [source, add_constant(graph, f"{result}/weights", merge_phases(match.weights))]
    if match.bias is not None:
        inputs.append(add_constant(graph, f"{result}/bias", np.tile(match.bias, 4)))
    for name, values in zip(CROP, ([1, 1], [-1, -1], [2, 3]), strict=True):
        add_constant(graph, name, np.array(values, np.int64))
    phases, blocks = f"{result}/phases", f"{result}/blocks"
    pads = [0 if match.reflected else 1] * 4
    return [
        *nodes,
        helper.make_node("Conv", inputs, [phases], kernel_shape=[2, 2], pads=pads),
        helper.make_node("DepthToSpace", [phases], [blocks], blocksize=2, mode="DCR"),
        helper.make_node("Slice", [blocks, *CROP], [result]),
    ]
