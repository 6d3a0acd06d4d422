"""Repairs of what arrives at a layer: flat or spatial, how many channels, how many features."""

from collections.abc import Iterator
from math import isqrt, prod

from calculator.layers.convolutions import Conv, DepthwiseConv, TransposedConv
from calculator.layers.dense import Dense, Flatten, RadialUnits
from calculator.layers.resizing import PixelShuffle
from calculator.layers.shapes import Shape, render_shape, render_sides
from calculator.teaching.doctor.cases import Case
from calculator.teaching.doctor.drafts import put_option, put_value
from calculator.teaching.doctor.repairs import Repair, propose

FLAT = (Dense, RadialUnits)
FILTERED = (Conv, TransposedConv)
MANY_CHANNELS = 64  # enough for a classifier to see nothing but their means
TIDY = 4  # filters are usually a multiple of it


def repair_channels(case: Case) -> Iterator[Repair]:
    """Propose flatten where it is missing, and numbers of channels and features that fit."""
    yield from repair_flatness(case)
    yield from repair_statement(case)
    yield from repair_groups(case)
    yield from repair_shuffle(case)


def repair_flatness(case: Case) -> Iterator[Repair]:
    """Propose flatten in front of a dense layer, and none in front of one with windows."""
    shape, layer = case.inputs[0], case.node.name
    if isinstance(case.layer, FLAT) and len(shape) > 1:
        values = {"layer": layer, "shape": render_shape(shape)}
        text = case.draft.insert_before(case.position, "flatten")
        yield propose("flatten", text, values=values)
        if shape[0] >= MANY_CHANNELS:
            text = case.draft.insert_before(case.position, "globalavgpool | flatten")
            yield propose("pool_flatten", text, values=values)
    if isinstance(case.layer, FLAT) or len(shape) > 1:
        return
    for position in case.path:
        if isinstance(case.get_layer(position), Flatten):
            yield from move_flatten(case, position)


def move_flatten(case: Case, position: int) -> Iterator[Repair]:
    """Propose a line without a flatten, or with it before the next dense layer."""
    names = {"flatten": case.get_name(position), "layer": case.node.name}
    yield propose("unflatten", case.draft.remove(position), values=names)
    nodes = case.draft.network.nodes
    dense = next(
        (i for i, n in enumerate(nodes) if i > position and isinstance(n.layer, FLAT)), None
    )
    if dense is not None:
        start, end = case.draft.find_start(position), case.draft.find_start(dense)
        head, middle = case.draft.text[:start], case.draft.text[start:end]
        _, _, kept = middle.partition("|")
        text = f"{head}{kept.strip()} flatten | {case.draft.text[end:]}"
        yield propose("late_flatten", text, values={"dense": nodes[dense].name, **names})


def repair_statement(case: Case) -> Iterator[Repair]:
    """Propose to state what arrives, or to let the layer before make what is stated."""
    if case.stated is None:
        return
    arriving, item = case.inputs[0][0], case.draft.get_item(case.position)
    shape = find_flattened(case)
    factors = "" if shape is None else f" = {render_product(shape)}"
    text = case.draft.replace({case.position: put_option(item, "in", value=str(arriving))})
    values = {"stated": case.stated, "arriving": arriving, "layer": case.node.name}
    yield propose("stated", text, values={"factors": factors, **values})
    # a map of s x s features per channel: the channels may be wrong as well as the size
    area = 1 if shape is None else prod(shape[1:])
    if case.stated % (area * (1 if shape is None else TIDY)) == 0:
        yield from change_makers(case, case.stated // area)


def change_makers(case: Case, wanted: int) -> Iterator[Repair]:
    """Propose other filters, or units, for the layer that makes what arrives."""
    position = next((i for i in reversed(case.path[:-1]) if is_maker(case, i)), None)
    if position is None:
        return
    layer, item = case.get_layer(position), case.draft.get_item(position)
    nodes = case.draft.network.nodes
    values: dict[str, object] = {"before": nodes[position].name, "layer": case.node.name}
    if isinstance(layer, FILTERED):
        text = case.draft.replace({position: put_filters(item, layer, filters=wanted)})
        values |= {"made": layer.filters, "wanted": wanted}
        yield propose("filters", text, values=values)
    elif isinstance(layer, Dense):
        text = case.draft.replace({position: put_value(item, str(wanted))})
        values |= {"made": layer.units, "wanted": wanted}
        yield propose("units", text, values=values)


def is_maker(case: Case, position: int) -> bool:
    """Return whether a layer decides how many channels or features go on."""
    return isinstance(case.get_layer(position), (*FILTERED, DepthwiseConv, *FLAT))


def put_filters(item: str, layer: Conv | TransposedConv, *, filters: int) -> str:
    """Return a convolution's text with another number of filters."""
    return put_value(item, f"{filters}@{render_sides(layer.kernel)}")


def repair_groups(case: Case) -> Iterator[Repair]:
    """Propose groups that divide the channels, and filters that the groups divide."""
    layer = case.layer
    if not isinstance(layer, FILTERED) or layer.groups == 1:
        return
    item, channels = case.draft.get_item(case.position), case.inputs[0][0]
    values = {"groups": layer.groups, "layer": case.node.name, "channels": channels}
    if channels % layer.groups:
        best = next(g for g in range(min(layer.groups, channels), 0, -1) if channels % g == 0)
        text = case.draft.replace({case.position: put_option(item, "g", value=str(best))})
        yield propose("groups", text, values={"best": best, **values})
        yield from change_makers(case, round_to_multiple(channels, layer.groups))
    elif layer.filters % layer.groups:
        best = round_to_multiple(layer.filters, layer.groups)
        text = case.draft.replace({case.position: put_filters(item, layer, filters=best)})
        shown = {"filters": layer.filters, "best": best, **values}
        yield propose("group_filters", text, values=shown)


def repair_shuffle(case: Case) -> Iterator[Repair]:
    """Propose filters of which a pixel shuffle can make whole channels."""
    if not isinstance(case.layer, PixelShuffle):
        return
    block = case.layer.factor ** (len(case.inputs[0]) - 1)
    if block > 1:
        best = round_to_multiple(case.inputs[0][0], block)
        for repair in change_makers(case, best):
            values = {**dict(repair.values), "block": block, "best": best}
            yield propose("shuffle", repair.text, values=values)


def round_to_multiple(number: int, of: int) -> int:
    """Return the nearest multiple that is not 0, the larger of two."""
    return max(of, (number + of // 2) // of * of)


def find_flattened(case: Case) -> Shape | None:
    """Return the shape that was flattened into what the failing layer is given."""
    flattened = None
    for position in case.path:
        layer = case.get_layer(position)
        if isinstance(layer, Flatten):
            flattened = case.get_input(position)
        elif isinstance(layer, FLAT) and position != case.position:
            flattened = None
    if flattened is None or len(flattened) == 1 or prod(flattened) != case.inputs[0][0]:
        return None
    return flattened


def render_product(shape: Shape) -> str:
    """Return ``16*4*4``."""
    return "*".join(str(side) for side in shape)


def guess_product(number: int, shape: Shape) -> str:
    """Return features as channels and a square map like those of a shape: 400 as ``16*5*5``.

    Empty where the channels of the shape leave no square.
    """
    area, rest = divmod(number, shape[0])
    side = isqrt(area)
    if rest or len(shape) != 3 or side * side != area:
        return ""
    return render_product((shape[0], side, side))
