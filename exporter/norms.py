"""Constant shapes around instance normalisation.

The networks normalise a batch as one picture of N C channels, so that every picture's
own scale and shift go into the one ``InstanceNormalization`` (models.style.style_net). Where
sizes are dynamic, PyTorch's exporter computes both target shapes from the input's shape
with a tail of Shape, Div, Mul and Concat. ``Reshape`` needs none of that: 0 copies a
dimension and -1 is what remains.
"""

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto

from exporter.graph import add_constant, count_uses, drop_dead, find_producers

Shapes = dict[str, list[int]]


def fix_norm_shapes(model: ModelProto) -> int:
    """Give every ``Reshape, InstanceNormalization, Reshape`` over N C channels constant shapes.

    Matched are reshapes whose described shapes are ``[N, C, H, W]`` to ``[1, N C, H, W]`` and
    back, with C known; the rest of the graph stays.

    Args:
        model: with its tensors' shapes described (``value_info``); changed in place.

    Returns:
        How many normalisations were changed.
    """
    graph = model.graph
    shapes, producers, uses = _read_shapes(graph), find_producers(graph), count_uses(graph)
    readers = {name: node for node in graph.node for name in node.input}
    changed = 0
    for norm in graph.node:
        if norm.op_type != "InstanceNormalization" or uses[norm.output[0]] != 1:
            continue
        before, after = producers.get(norm.input[0]), readers.get(norm.output[0])
        if before is not None and after is not None and _flattens(before, after, shapes):
            channels = shapes[before.input[0]][1]
            _set_shape(graph, before, [1, -1, 0, 0])
            _set_shape(graph, after, [-1, channels, 0, 0])
            changed += 1
    if changed:
        drop_dead(graph)
    return changed


def _read_shapes(graph: GraphProto) -> Shapes:
    """Return each described shape; a dynamic dimension is 0."""
    values = [*graph.value_info, *graph.input, *graph.output]
    return {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}


def _flattens(before: NodeProto, after: NodeProto, shapes: Shapes) -> bool:
    if before.op_type != "Reshape" or after.op_type != "Reshape":
        return False
    pictures, flat = shapes.get(before.input[0], []), shapes.get(before.output[0], [])
    restored = shapes.get(after.output[0], [])
    return (
        len(pictures) == len(flat) == len(restored) == 4
        and flat[0] == 1
        and pictures[0] == restored[0] == 0
        and pictures[1] == restored[1] > 0
        and pictures[2:] == flat[2:] == restored[2:]
    )


def _set_shape(graph: GraphProto, reshape: NodeProto, shape: list[int]) -> None:
    name = "norm/" + "x".join(str(side) for side in shape)
    reshape.input[1] = add_constant(graph, name, np.array(shape, np.int64))
    del reshape.attribute[:]  # allowzero=1 would take 0 for an empty dimension
