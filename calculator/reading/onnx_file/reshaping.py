"""Operations that move values: views, transpositions, padding, cropping, resizing, joins."""

from collections.abc import Mapping
from math import prod

from calculator.arithmetic.receptive import Slide
from calculator.layers.dense import Flatten
from calculator.layers.joins import Concat
from calculator.layers.operators import Operator
from calculator.layers.pools import GlobalPool
from calculator.layers.resizing import Crop, Pad, PixelShuffle
from calculator.layers.shapes import Borders
from calculator.reading.onnx_file.builder import Builder, Home, keep_order
from calculator.reading.onnx_file.inputs import Order
from calculator.reading.onnx_file.naming import Wish
from calculator.reading.onnx_file.placing import (
    Place,
    add_operator,
    name_operator,
    place_operator,
    split_inputs,
)
from calculator.reading.onnx_file.values import Operation, Sizes

CHANNELS_LAST: Order = (0, 3, 1, 2)
MODES = {"constant": "zeros", "reflect": "reflect", "edge": "edge"}
POOLS = {"ReduceMean": "avg", "ReduceMax": "max"}
GLOBAL = {"GlobalAveragePool": "avg", "GlobalMaxPool": "max"}


def place_transpose(builder: Builder, operation: Operation) -> None:
    """Remember the order of axes; a layer that needs another one will ask for it."""
    source = operation.inputs[0]
    home, rank = builder.locate(source), len(builder.values[source].sizes)
    perm = read_list(builder, operation, position=9, name="perm") or list(range(rank)[::-1])
    if sorted(perm) != list(range(rank)):
        message = f"perm is {perm!s:.60}, and must name {rank} axes once each"
        raise operation.refuse(message)
    order = tuple(perm.index(axis) for axis in home.order)
    builder.pass_on(operation, Home(home.position, order))


def place_view(builder: Builder, operation: Operation) -> None:
    """Add a flatten, nothing where the shape stays, columns as channels, or a reshape."""
    source, target = operation.inputs[0], operation.outputs[0]
    home, sizes = builder.locate(source), builder.values[source].sizes
    before = builder.shape_of(source)
    after = builder.to_shape(builder.values[target].sizes)
    moved = keep_batch(home.order, sizes, target=builder.values[target].sizes)
    if moved is not None:
        place_moved(builder, operation, order=moved)
    elif len(after) == 1 < len(before) and prod(before) == after[0]:
        builder.add(operation, Flatten(), inputs=[source])
    elif home.order == keep_order(len(sizes)) and before == after:
        builder.pass_on(
            operation, Home(home.position, keep_order(len(builder.values[target].sizes)))
        )
    elif columns := count_columns(home.order, sizes, target=builder.values[target].sizes):
        shape = builder.order_shape(builder.values[target].sizes, home.order)
        layer = Operator("reshape", shape, rules=(Slide(), Slide(columns, columns)))
        builder.add(operation, layer, inputs=[source], order=home.order)
    else:
        place_operator(builder, operation)


def count_columns(order: Order, sizes: Sizes, *, target: Sizes) -> int:
    """Return how many neighbouring columns a view makes channels of one; 0 if it does not.

    That is a view of a picture whose channels lie last.

    Args:
        order: of the axes of what is viewed.
        sizes: of what is viewed, as in the file.
        target: sizes of the view.
    """
    if order != CHANNELS_LAST or len(target) != len(sizes) or sizes[:2] != target[:2]:
        return 0
    columns = target[3] // max(sizes[3], 1)
    wider = columns > 1 and target[2:] == (sizes[2] // columns, sizes[3] * columns)
    return columns if wider else 0


def place_moved(builder: Builder, operation: Operation, *, order: Order) -> None:
    """Add a view of a tensor whose batch is not its first axis, and stays as it is."""
    source, target = operation.inputs[0], operation.outputs[0]
    before = builder.shape_of(source)
    after = builder.order_shape(builder.values[target].sizes, order)
    if before == after:
        builder.pass_on(operation, Home(builder.locate(source).position, order))
    elif len(after) == 1:
        builder.add(operation, Flatten(), inputs=[source], order=order)
    else:
        word = name_operator(operation)
        add_operator(builder, operation, active=[source], word=word, order=order)


def keep_batch(order: Order, sizes: Sizes, *, target: Sizes) -> Order | None:
    """Return the order of a view's axes where the batch is an inner axis of both.

    Args:
        order: of the axes of what is viewed.
        sizes: of what is viewed, as in the file.
        target: sizes of the view.

    Returns:
        The batch, then all other axes as they lie; None where axes are mixed otherwise.
    """
    batch = order[0] if order else 0
    if not batch or order != put_first(batch, len(sizes)):
        return None
    ahead = prod(sizes[:batch])
    for axis, size in enumerate(target):
        if size == sizes[batch] and prod(target[:axis]) == ahead:
            return put_first(axis, len(target))
    return None


def put_first(axis: int, rank: int) -> Order:
    """Return the order of axes in which one comes first and the others stay."""
    return (axis, *(other for other in range(rank) if other != axis))


def read_pairs(
    builder: Builder, operation: Operation, *, pairs: Mapping[int, tuple[int, int]]
) -> Borders | None:
    """Return values per spatial axis of the table from values per axis of the file.

    None where the batch or the channels change, or where there are no spatial axes.
    """
    order = builder.locate(operation.inputs[0]).order
    ordered = [pairs.get(axis, (0, 0)) for axis in order]
    if len(ordered) < 3 or len(builder.shape_of(operation.inputs[0])) != len(ordered) - 1:
        return None
    return tuple(ordered[2:]) if not any((*ordered[0], *ordered[1])) else None


def read_list(
    builder: Builder, operation: Operation, *, position: int, name: str
) -> list[int] | None:
    """Return integers given as an input or, in older files, as an attribute; None if unknown."""
    source = operation.find_input(position)
    if source:
        array = builder.values[source].array
        return None if array is None else [int(value) for value in array.reshape(-1)]
    value = operation.settings.get(name)
    is_list = isinstance(value, list) and all(isinstance(number, int) for number in value)
    return value if is_list else None


def place_pad(builder: Builder, operation: Operation) -> None:
    """Add padding, or cropping where all of it is negative."""
    rank = len(builder.values[operation.inputs[0]].sizes)
    pads = read_list(builder, operation, position=1, name="pads") or read_list(
        builder, operation, position=1, name="paddings"
    )
    axes = read_list(builder, operation, position=3, name="axes") or list(range(rank))
    mode = MODES.get(operation.read_text("mode", "constant"))
    borders = None
    if pads is not None and len(pads) == 2 * len(axes) and mode is not None:
        half = len(axes)
        pairs = {axes[i] % rank: (pads[i], pads[i + half]) for i in range(half)}
        borders = read_pairs(builder, operation, pairs=pairs)
    sides = [side for pair in borders or () for side in pair]
    source = operation.inputs[:1]
    order = builder.locate(operation.inputs[0]).order
    if borders is None or min(sides) < 0 < max(sides):
        place_operator(builder, operation)
    elif not any(sides):
        builder.pass_on(operation, builder.locate(operation.inputs[0]))
    elif min(sides) < 0:
        cut = tuple((-before, -after) for before, after in borders)
        builder.add(operation, Crop(cut), inputs=source, order=order)
    else:
        builder.add(operation, Pad(borders, mode or "zeros"), inputs=source, order=order)  # type: ignore[arg-type]


def place_slice(builder: Builder, operation: Operation) -> None:
    """Add a crop, nothing where all stays, or a slice."""
    source = operation.inputs[0]
    pairs = read_cuts(builder, operation, sizes=builder.values[source].sizes)
    borders = None if pairs is None else read_pairs(builder, operation, pairs=pairs)
    home = builder.locate(source)
    if pairs is not None and not any(side for pair in pairs.values() for side in pair):
        builder.pass_on(operation, home)
    elif borders is None:
        place_operator(builder, operation)
    else:
        builder.add(operation, Crop(borders), inputs=[source], order=home.order)


def read_cuts(
    builder: Builder, operation: Operation, *, sizes: Sizes
) -> dict[int, tuple[int, int]] | None:
    """Return what a slice takes away before and behind along each axis; None if it skips."""
    starts = read_list(builder, operation, position=1, name="starts")
    ends = read_list(builder, operation, position=2, name="ends")
    if starts is None or ends is None or len(starts) != len(ends):
        return None
    axes = read_list(builder, operation, position=3, name="axes") or list(range(len(starts)))
    steps = read_list(builder, operation, position=4, name="steps") or [1] * len(starts)
    if set(steps) != {1} or len(axes) != len(starts):
        return None
    cuts = {}
    for axis, start, end in zip(axes, starts, ends, strict=True):
        size = sizes[axis % len(sizes)]
        first, last, _ = slice(start, end).indices(size)
        cuts[axis % len(sizes)] = (first, size - max(first, last))
    return cuts


def place_shuffle(builder: Builder, operation: Operation) -> None:
    """Add a pixel shuffle."""
    source = operation.inputs[0]
    factor = operation.read_number("blocksize", 1)
    is_last = operation.read_text("layout", "NCHW") == "NHWC"
    home = builder.locate(source) if is_last else builder.arrange(source)
    fits = home.order == (CHANNELS_LAST if is_last else (0, 1, 2, 3))
    if factor < 1 or not fits or len(builder.shape_of(source)) != 3:
        place_operator(builder, operation)
    else:
        builder.add(operation, PixelShuffle(factor), inputs=[source], order=home.order)


def place_concat(builder: Builder, operation: Operation) -> None:
    """Add the join of channels, or a concatenation along another axis."""
    active, constants = split_inputs(builder, operation)
    homes = [builder.locate(name) for name in active]
    rank = len(builder.values[operation.outputs[0]].sizes)
    axis = operation.read_number("axis", 1) % max(rank, 1)
    orders = {home.order for home in homes}
    shapes = [builder.shape_of(name) for name in active]
    is_join = (
        not constants
        and len(orders) == 1
        and rank > 1
        and homes[0].order.index(axis) == 1
        and len({shape[1:] for shape in shapes}) == 1
    )
    if is_join:
        builder.add(operation, Concat(), inputs=active, order=homes[0].order)
    else:
        place_operator(builder, operation)


def place_reduction(builder: Builder, operation: Operation) -> None:
    """Add global pooling for a mean or maximum over all spatial axes, and a flatten behind it."""
    source = operation.inputs[0]
    home, rank = builder.locate(source), len(builder.values[source].sizes)
    axes = read_list(builder, operation, position=1, name="axes") or []
    spatial = sorted(home.order[2:])
    shape = builder.shape_of(source)
    if rank < 3 or len(shape) != rank - 1 or sorted(a % rank for a in axes) != spatial:
        place_operator(builder, operation)
        return
    layer = GlobalPool(POOLS[operation.kind])  # type: ignore[arg-type]
    builder.add(operation, layer, inputs=[source], order=home.order)
    if operation.read_number("keepdims", 1) == 0:
        wish = Wish("", "flatten", weighted=False)
        position = builder.append(wish, Flatten(), inputs=(len(builder.nodes) - 1,))
        builder.pass_on(operation, Home(position, keep_order(2)))


def place_global(builder: Builder, operation: Operation) -> None:
    """Add global pooling."""
    source = operation.inputs[0]
    builder.arrange(source)
    if len(builder.shape_of(source)) < 2:
        place_operator(builder, operation)
    else:
        layer = GlobalPool(GLOBAL[operation.kind])  # type: ignore[arg-type]
        builder.add(operation, layer, inputs=[source])


PLACES: Mapping[str, Place] = {
    "Transpose": place_transpose,
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), place_view),
    "Pad": place_pad,
    "Slice": place_slice,
    "DepthToSpace": place_shuffle,
    "Concat": place_concat,
    **dict.fromkeys(POOLS, place_reduction),
    **dict.fromkeys(GLOBAL, place_global),
}
