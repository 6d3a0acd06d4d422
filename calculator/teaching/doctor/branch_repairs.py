"""Repairs of branches that do not meet: projections, strides, padding, filters."""

from collections.abc import Iterator
from dataclasses import dataclass

from calculator.layers.convolutions import Conv, DepthwiseConv, TransposedConv
from calculator.layers.joins import Add, Concat
from calculator.layers.pools import Pool
from calculator.layers.shapes import Shape, render_borders, render_shape, render_sides
from calculator.teaching.doctor.cases import SLIDING, Case
from calculator.teaching.doctor.channel_repairs import put_filters
from calculator.teaching.doctor.drafts import drop_option, put_option, put_padding
from calculator.teaching.doctor.repairs import Repair, propose

MOST_WANTED = 3  # shapes that branches are changed to, the commonest
MOST_CROPPED = 3  # of so many positions one may be cropped or padded
STEP = 10  # of distance for a branch that all others agree against


@dataclass(frozen=True)
class Branch:
    """One branch that should bring another shape.

    Args:
        number: 1 for the first.
        span: where it stands in the text.
        positions: of its layers.
        shape: what it brings.
        wanted: what another branch brings.
        distance: how unlikely it is that this one is wrong.
    """

    number: int
    span: tuple[int, int]
    positions: tuple[int, ...]
    shape: Shape
    wanted: Shape
    distance: int


def repair_branches(case: Case) -> Iterator[Repair]:
    """Propose changes of each branch towards the shape of another."""
    if not isinstance(case.layer, (Add, Concat)):
        return
    branches = list(list_branches(case))
    yield from pad_all(case, branches)
    for branch in branches:
        yield from match_size(case, branch)
        yield from project(case, branch)
        yield from repair_filters(case, branch)
        for position in branch.positions:
            yield from repair_settings(case, branch, position=position)
    if isinstance(case.layer, Add) and len({shape[1:] for shape in case.inputs}) == 1:
        item = drop_option(case.draft.get_item(case.position)).replace("add", "concat")
        text = case.draft.replace({case.position: item})
        yield propose("concat", text, values={"layer": case.node.name})


def list_branches(case: Case) -> Iterator[Branch]:
    """Yield each branch with each shape that it does not bring and another does."""
    spans = case.draft.list_branches(case.position)
    if len(spans) != len(case.inputs):
        return
    common = sorted(dict.fromkeys(case.inputs), key=case.inputs.count, reverse=True)[:MOST_WANTED]
    for number, (span, shape) in enumerate(zip(spans, case.inputs, strict=True), start=1):
        places = enumerate(case.draft.places[: case.position])
        positions = tuple(i for i, place in places if span[0] <= place.start < span[1])
        for wanted in common:
            if isinstance(case.layer, Concat):
                wanted = (shape[0], *wanted[1:])  # noqa: PLW2901 - the channels are its own
            if wanted != shape and len(wanted) == len(shape):
                distance = STEP * (len(case.inputs) - case.inputs.count(wanted))
                yield Branch(number, span, positions, shape, wanted, distance)


def project(case: Case, branch: Branch) -> Iterator[Repair]:
    """Propose a 1x1 convolution (He et al. 2016, section 3.3, option B) that makes the shape."""
    strides = {
        -(-have // want) for have, want in zip(branch.shape[1:], branch.wanted[1:], strict=True)
    }
    if len(strides) != 1 or len(branch.wanted) == 1:
        return
    (stride,) = strides
    kernel = render_sides((1,) * (len(branch.wanted) - 1))
    item = f"conv {branch.wanted[0]}@{kernel}" + (f" s{stride}" if stride > 1 else "")
    start, end = branch.span
    inside = case.draft.text[start:end].strip()
    name = "appended_projection" if inside else "projection"
    content = f" {inside} | {item} " if inside else f" {item} "
    text = case.draft.text[:start] + content + case.draft.text[end:]
    shapes = {"given": render_shape(branch.shape), "wanted": render_shape(branch.wanted)}
    values = {"layer": case.node.name, "branch": branch.number, "item": item, **shapes}
    yield propose(name, text, distance=branch.distance, values=values)


def pad_all(case: Case, branches: list[Branch]) -> Iterator[Repair]:
    """Propose half of the kernel as padding of every convolution in the branches."""
    items = {}
    for position in dict.fromkeys(i for branch in branches for i in branch.positions):
        layer = case.get_layer(position)
        if isinstance(layer, Conv) and layer.padding == ((0, 0),) and min(layer.kernel) > 1:
            half = str(layer.dilation[0] * (layer.kernel[0] - 1) // 2)
            items[position] = put_padding(case.draft.get_item(position), half)
    if items:
        text = case.draft.replace(items)
        yield propose("pad_branches", text, values={"layer": case.node.name})


def match_size(case: Case, branch: Branch) -> Iterator[Repair]:
    """Propose to crop what a branch has too much (Ronneberger et al. 2015, figure 1), or to pad."""
    rests = [have - want for have, want in zip(branch.shape[1:], branch.wanted[1:], strict=True)]
    inside = case.draft.text[slice(*branch.span)].strip()
    if branch.shape[0] != branch.wanted[0] or not any(rests) or min(rests) * max(rests) < 0:
        return
    if MOST_CROPPED * max(map(abs, rests)) > max(*branch.shape[1:], *branch.wanted[1:]):
        return  # a stride or pooling, not a margin
    pairs = [(abs(rest) // 2, abs(rest) - abs(rest) // 2) for rest in rests]
    crop = max(rests) > 0
    borders = render_borders(tuple(pairs if len(set(pairs)) > 1 else pairs[:1]))
    item = f"{'crop' if crop else 'pad'} {borders}"
    start, end = branch.span
    content = f" {inside} | {item} " if inside else f" {item} "
    text = case.draft.text[:start] + content + case.draft.text[end:]
    values = {"branch": branch.number, "layer": case.node.name, "item": item}
    shown = {"rest": max(map(abs, rests)), **values}
    name = "crop_branch" if crop else "pad_branch"
    yield propose(name, text, distance=branch.distance, values=shown)


def repair_filters(case: Case, branch: Branch) -> Iterator[Repair]:
    """Propose another number of filters for the last convolution of a branch."""
    wanted = branch.wanted[0]
    for position in reversed(branch.positions):
        layer = case.get_layer(position)
        if isinstance(layer, (Conv, TransposedConv)):
            if layer.filters != wanted:
                item = put_filters(case.draft.get_item(position), layer, filters=wanted)
                text = case.draft.replace({position: item})
                values = {
                    "made": layer.filters,
                    "wanted": wanted,
                    **name_place(case, branch, position=position),
                }
                yield propose("branch_filters", text, distance=branch.distance, values=values)
            return


def repair_settings(case: Case, branch: Branch, *, position: int) -> Iterator[Repair]:
    """Propose another stride or padding for one layer of a branch."""
    layer, item = case.get_layer(position), case.draft.get_item(position)
    if not isinstance(layer, SLIDING):
        return
    values, away = name_place(case, branch, position=position), branch.distance
    given = layer.kernel if layer.stride is None else layer.stride
    half = str(layer.dilation[0] * (layer.kernel[0] - 1) // 2)
    for stride in ("1", "2", "4"):
        if set(map(str, given)) != {stride}:
            text = case.draft.replace({position: put_option(item, "s", value=stride)})
            shown = {"given": render_sides(given), "stride": stride, **values}
            yield propose("branch_stride", text, distance=away + int(stride), values=shown)
    for padding in dict.fromkeys(("0", half, find_padding(layer, branch))):
        text = case.draft.replace({position: put_padding(item, padding)})
        if text != case.draft.text:
            shown = {"padding": padding, **values}
            yield propose("branch_padding", text, distance=away, values=shown)
    if isinstance(layer, Pool):
        text = case.draft.replace({position: put_option(put_padding(item, half), "s", value="1")})
        named = {"layer": values["before"], "padding": half}
        yield propose("same_pool", text, distance=away, values=named)


def find_padding(layer: Conv | DepthwiseConv | Pool, branch: Branch) -> str:
    """Return the padding with which a layer of stride 1 makes a branch as large as another.

    None, ``0``, where that is more than half of the kernel.
    """
    given = 0 if layer.padding == "same" else layer.padding[0][0]
    sizes = zip(branch.shape[1:], branch.wanted[1:], strict=True)
    rest = max([0, *(want - have for have, want in sizes)])
    padding = given + rest // 2
    return str(padding) if 2 * padding < layer.kernel[0] else "0"


def name_place(case: Case, branch: Branch, *, position: int) -> dict[str, object]:
    """Return the values that name a layer of a branch."""
    before = case.draft.network.nodes[position].name
    return {"before": before, "branch": branch.number, "layer": case.node.name}
