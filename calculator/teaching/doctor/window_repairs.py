"""Repairs of windows: padding, stride, kernel, rounding, and poolings more or fewer."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from calculator.layers.convolutions import Conv, TransposedConv
from calculator.layers.dense import Dense, Flatten
from calculator.layers.joins import Add, Concat
from calculator.layers.pools import Pool, Subsample
from calculator.layers.resizing import Crop, Pad
from calculator.layers.shapes import render_shape, render_sides
from calculator.teaching.doctor.cases import SLIDING, Case, expand
from calculator.teaching.doctor.drafts import (
    drop_option,
    put_option,
    put_padding,
    put_value,
)
from calculator.teaching.doctor.repairs import Repair, propose

MOST_PADDING = 6  # tried beside half of the kernel, on the first window and the failing one
MOST_WINDOWS = 24  # layers that changes are tried on, nearest first


def repair_windows(case: Case) -> Iterator[Repair]:
    """Propose other settings of the windows on the path."""
    yield from repair_axes(case)
    yield from repair_margins(case)
    yield from repair_kernel(case)
    channels = case.stated is not None and not isinstance(case.layer, Dense)
    if channels or isinstance(case.layer, (Add, Concat)):
        return  # no window changes channels, and those of branches have repairs of their own
    yield from repair_all(case)
    for distance, position in enumerate(order_windows(case)):
        yield from repair_padding(case, position, distance=distance)
        yield from repair_stride(case, position, distance=distance)
        yield from repair_rounding(case, position, distance=distance)
        yield from repair_count(case, position, distance=distance)


def order_windows(case: Case) -> list[int]:
    """Return the windows of the path, likeliest first.

    A number of features is decided by the first layers as much as by the last, and there
    a padding is forgotten most often; where a window does not fit, those nearest to it come first.
    """
    order = case.windows if case.stated is not None else case.windows[::-1]
    return list(order[:MOST_WINDOWS])


def change(
    case: Case,
    position: int,
    *,
    item: str,
    name: str,
    values: Mapping[str, object] = MappingProxyType({}),
    distance: int = 0,
) -> Repair:
    """Propose other text for one layer."""
    text = case.draft.replace({position: item})
    named = {"layer": case.get_name(position), **values}
    return propose(name, text, distance=distance, values=named)


def repair_padding(case: Case, position: int, *, distance: int) -> Iterator[Repair]:
    """Propose half of the kernel, no padding, and on two layers every small one."""
    layer = case.get_layer(position)
    if not isinstance(layer, SLIDING) or isinstance(layer, Pool):
        return
    item, given = case.draft.get_item(position), layer.padding
    half = max(d * (k - 1) // 2 for k, d in zip(layer.kernel, layer.dilation * 3, strict=False))
    least = min(min(pair) for pair in given) if isinstance(given, tuple) else half
    if given != ((0, 0),):
        bare = put_padding(item, "0")
        yield change(case, position, item=bare, name="no_padding", distance=distance)
    every = range(1, MOST_PADDING + 1) if position in (case.windows[0], case.windows[-1]) else ()
    for padding in dict.fromkeys([half, *every]):
        if padding not in (0, least):
            name = "more_padding" if padding > least else "less_padding"
            name = "padding" if padding == half and given == ((0, 0),) else name
            padded, away = put_padding(item, str(padding)), distance + abs(padding - half)
            values = {"padding": padding}
            yield change(case, position, item=padded, name=name, values=values, distance=away)


def repair_stride(case: Case, position: int, *, distance: int) -> Iterator[Repair]:
    """Propose strides 1 and 2."""
    layer = case.get_layer(position)
    if not isinstance(layer, SLIDING):
        return
    name = "pool_stride" if layer.stride is None else "stride"
    given = layer.kernel if layer.stride is None else layer.stride
    # a pool without a stride that should step by 1 is rare outside branches
    for stride in (1, 2) if layer.stride is not None else (2,):
        if set(given) != {stride}:
            item = put_option(case.draft.get_item(position), "s", value=str(stride))
            values = {"given": render_sides(given), "stride": stride}
            yield change(case, position, item=item, name=name, values=values, distance=distance)


def repair_rounding(case: Case, position: int, *, distance: int) -> Iterator[Repair]:
    """Propose the other rounding of a pool."""
    layer = case.get_layer(position)
    if isinstance(layer, Pool):
        item = drop_option(case.draft.get_item(position), "ceil", "floor")
        name, item = ("floor", item) if layer.ceil else ("ceil", f"{item} ceil")
        yield change(case, position, item=item, name=name, distance=distance)


def repair_count(case: Case, position: int, *, distance: int) -> Iterator[Repair]:
    """Propose to take a pool away, or to repeat one in front of a later layer."""
    if not isinstance(case.get_layer(position), (Pool, Subsample)):
        return
    name, values = "fewer_pools", {"layer": case.get_name(position)}
    if case.stated is not None:
        name = "extra_pool"
        yield from repeat_pool(case, position, distance=distance)
    yield propose(name, case.draft.remove(position), distance=distance, values=values)


def repeat_pool(case: Case, position: int, *, distance: int) -> Iterator[Repair]:
    """Propose a pool like one that is there, in front of each later convolution and of flatten."""
    item, nodes = case.draft.get_item(position), case.draft.network.nodes
    for later in reversed(case.path):  # behind the last convolution it is forgotten most
        if later > position and isinstance(case.get_layer(later), (Conv, Flatten)):
            text = case.draft.insert_before(later, item)
            values = {"pool": item, "layer": nodes[later].name}
            yield propose("more_pools", text, distance=distance, values=values)


def repair_kernel(case: Case) -> Iterator[Repair]:
    """Propose a kernel that the map has room for, an odd one for a convolution."""
    layer, shape = case.layer, case.inputs[0]
    if not isinstance(layer, (*SLIDING, Subsample)) or len(shape) == 1:
        return
    sides = expand(layer.kernel, len(shape) - 1)
    if len(sides) != len(shape) - 1 or all(k <= n for k, n in zip(sides, shape[1:], strict=True)):
        return
    largest = min(*sides, *shape[1:])
    shown = str(largest - (isinstance(layer, Conv) and largest % 2 == 0))
    if shown == "1" and isinstance(layer, Conv):
        return  # it fits, and looks at nothing around
    kernel = "x".join([shown] * (len(shape) - 1))
    values = {"given": render_sides(sides), "map": render_shape(shape[1:]), "kernel": kernel}
    yield change(case, case.position, item=put_kernel(case, kernel), name="kernel", values=values)


def put_kernel(case: Case, kernel: str) -> str:
    """Return the failing layer's text with another kernel."""
    item, layer = case.draft.get_item(case.position), case.layer
    return put_value(item, f"{layer.filters}@{kernel}" if isinstance(layer, Conv) else kernel)


def repair_axes(case: Case) -> Iterator[Repair]:
    """Propose one number for all axes, in the place of as many as there are not."""
    layer, axes = case.layer, len(case.inputs[0]) - 1
    if not isinstance(layer, (*SLIDING, Subsample)) or len(layer.kernel) in (1, axes) or axes < 1:
        return
    best = str(layer.kernel[0])
    given = f"kernel {render_sides(layer.kernel)}"
    values = {"given": given, "best": best, "axes": "1 axis" if axes == 1 else f"{axes} axes"}
    yield change(case, case.position, item=put_kernel(case, best), name="axes", values=values)


def repair_margins(case: Case) -> Iterator[Repair]:
    """Propose margins that the map, or the window, has room for."""
    layer, item, shape = case.layer, case.draft.get_item(case.position), case.inputs[0]
    side = min(shape[1:], default=0)
    if isinstance(layer, Pool) and layer.padding not in ("same", ((0, 0),)):
        yield change_margin(case, "pool_padding", put=put_padding, most=min(layer.kernel) // 2)
    if isinstance(layer, Pad) and side > 1:
        yield change_margin(case, "reflection", put=put_value, most=side - 1)
        edge = item.replace("reflect", "edge")
        yield change(case, case.position, item=edge, name="edge")
    if isinstance(layer, Crop) and side > 0:
        yield change_margin(case, "crop", put=put_value, most=(side - 1) // 2)
    if isinstance(layer, TransposedConv):
        bare, plain = put_padding(item, "0"), drop_option(item, "o")
        yield change(case, case.position, item=plain, name="output_padding")
        yield change(case, case.position, item=bare, name="no_padding")


def change_margin(case: Case, name: str, *, put: Callable[[str, str], str], most: int) -> Repair:
    """Propose the widest margin that is possible."""
    item = put(case.draft.get_item(case.position), str(most))
    values = {"padding": most, "map": render_shape(case.inputs[0][1:])}
    return change(case, case.position, item=item, name=name, values=values)


def repair_all(case: Case) -> Iterator[Repair]:
    """Propose half of the kernel as padding of every convolution that has none."""
    items = {}
    for position in case.windows:
        layer = case.get_layer(position)
        if isinstance(layer, Conv) and layer.padding == ((0, 0),) and min(layer.kernel) > 1:
            half = str(layer.kernel[0] // 2)
            items[position] = put_padding(case.draft.get_item(position), half)
    if len(items) > 1:
        text = case.draft.replace(items)
        yield propose("all_padding", text, values={"count": len(items)})
