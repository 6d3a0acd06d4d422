"""Reshapings with other operations: pixel shuffle, normalisation of a view."""

from collections.abc import Mapping
from dataclasses import replace

from calculator.reading.onnx_file.values import Operation, Sizes, Value

Makers = Mapping[str, Operation]
Values = Mapping[str, Value]
Found = tuple[list[Operation], Operation] | None  # the inner operations, and what they are

# channels first: sizes in the middle as (0 for the channels, 1 for the factor), transposition
FIRST = (((0, 1, 1), (0, 1, 4, 2, 5, 3)), ((1, 1, 0), (0, 3, 4, 1, 5, 2)))
LAST = ((0, 1, 3, 2, 4), (0, 1, 3, 2, 4, 5))


def find_shuffle(operation: Operation, makers: Makers, *, values: Values) -> Found:
    """Return a pixel shuffle in two dimensions that is written as views and a transposition.

    Args:
        operation: a Reshape, the last of the group.
        makers: the operation behind every tensor.
        values: every tensor.
    """
    transposition = makers.get(operation.inputs[0])
    if transposition is None or transposition.kind != "Transpose":
        return None
    view = makers.get(transposition.inputs[0])
    if view is None or view.kind != "Reshape":
        return None
    perm = transposition.settings.get("perm")
    perm = tuple(perm) if isinstance(perm, list) else ()
    before, middle, after = (
        values[name].sizes for name in (view.inputs[0], view.outputs[0], operation.outputs[0])
    )
    factor, layout = read_factor(before, after)
    if factor < 2 or not is_shuffle(middle, perm, before=before, factor=factor, layout=layout):
        return None
    settings = {"blocksize": factor, "layout": layout}
    shuffle = replace(operation, kind="DepthToSpace", inputs=view.inputs[:1], settings=settings)
    return [view, transposition], shuffle


def read_factor(before: Sizes, after: Sizes) -> tuple[int, str]:
    """Return the factor between two pictures, and where their channels lie; 0 if none does."""
    if len(before) != 4 or len(after) != 4 or before[0] != after[0]:
        return 0, ""
    for layout, channels, sides in (("NCHW", 1, (2, 3)), ("NHWC", 3, (1, 2))):
        factor = after[sides[0]] // max(before[sides[0]], 1)
        grown = all(after[side] == factor * before[side] for side in sides)
        if grown and factor > 1 and before[channels] == after[channels] * factor**2:
            return factor, layout
    return 0, ""


def is_shuffle(
    middle: Sizes, perm: tuple[int, ...], *, before: Sizes, factor: int, layout: str
) -> bool:
    """Return whether a view and a transposition move blocks of channels into the picture."""
    if layout == "NHWC":
        n, height, width, channels = before
        rest = (factor, channels // factor)
        split = (factor, factor, channels // factor**2)
        return perm in LAST and middle in ((n, height, width, *rest), (n, height, width, *split))
    n, channels, height, width = before
    sizes = {0: channels // factor**2, 1: factor}
    return any(
        perm == order and middle == (n, *(sizes[part] for part in parts), height, width)
        for parts, order in FIRST
    )


def find_blocks(operation: Operation, makers: Makers, *, values: Values) -> Found:
    """Return a pixel shuffle of channels that lie last, written as split, join and view.

    A block's channels are its rows one after another: split into the rows, which are joined
    along the width, they lie as the larger picture does, and a view says so.

    Args:
        operation: a Reshape, the last of the group.
        makers: the operation behind every tensor.
        values: every tensor.
    """
    join = makers.get(operation.inputs[0])
    if join is None or join.kind != "Concat":
        return None
    split = makers.get(join.inputs[0])
    if split is None or split.kind != "Split" or split.outputs != join.inputs:
        return None
    before, after = values[split.inputs[0]].sizes, values[operation.outputs[0]].sizes
    factor, layout = read_factor(before, after)
    # joined along the width, the parts are equal
    axes = [one.read_number("axis", 0) % 4 for one in (split, join)]
    if layout != "NHWC" or len(split.outputs) != factor or axes != [3, 2]:
        return None
    settings = {"blocksize": factor, "layout": layout}
    shuffle = replace(operation, kind="DepthToSpace", inputs=split.inputs[:1], settings=settings)
    return [split, join], shuffle


def find_view(operation: Operation, makers: Makers, *, values: Values) -> Found:
    """Return an instance normalisation of which every sample's channels are a view.

    Args:
        operation: a Reshape, the last of the group.
        makers: the operation behind every tensor.
        values: every tensor.
    """
    norm = makers.get(operation.inputs[0])
    if norm is None or norm.kind != "InstanceNormalization":
        return None
    view = makers.get(norm.inputs[0])
    if view is None or view.kind != "Reshape":
        return None
    sizes, seen = values[view.inputs[0]].sizes, values[view.outputs[0]].sizes
    if values[operation.outputs[0]].sizes != sizes or seen[:1] != (1,) or seen[2:] != sizes[2:]:
        return None
    inputs = (view.inputs[0], *norm.inputs[1:])
    return [view, norm], replace(norm, inputs=inputs, outputs=operation.outputs)
