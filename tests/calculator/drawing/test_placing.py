"""Where things stand in a drawing: nothing on anything else, nothing outside, nothing lost."""

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calculator import Report, parse, summarize
from calculator.drawing.boxes import fold_layers
from calculator.drawing.lanes import Item, Parallel, Repeat, Weaver
from calculator.drawing.marks import Area, Badge, Body, Disc, Frame, Label, Line
from calculator.drawing.pages import Page, fits, lay_out
from calculator.drawing.placing import Placer
from calculator.drawing.scales import choose_scales
from calculator.drawing.steps import find_end, list_steps, unroll
from calculator.drawing.svg import render_svg
from calculator.layers.convolutions import Conv
from calculator.layers.joins import Add, Concat
from calculator.layers.operators import Source
from calculator.layers.pointwise import Activation, Dropout
from calculator.network import Network, Node
from calculator.reading.networks import NETWORKS

SVG = "{http://www.w3.org/2000/svg}"
MONSTER = " || ".join(f"conv {i + 1}@{1 + 2 * (i % 3)} p{i % 3} | relu" for i in range(60))
OTHERS = {
    "two layers": "10 | fc 5 | fc 2",
    "one axis": "2x1000 | conv 16@9 s2 | bn | relu | maxpool 4 | globalavgpool | flatten | fc 10",
    "three axes": "1x16x112x112 | conv 64@3x7x7 s1x2x2 p1x3x3 | maxpool 1x3x3 s2 | flatten | fc 4",
    "flat picture": "3x1x4000 | conv 8@1x9 | relu | maxpool 1x9",
    "monster": f"3x32x32 | [ {MONSTER} || ] concat | relu",
    "equal branches": f"3x8x8 | [ {' || '.join(['conv 4@1'] * 32)} ] concat | [ || || ] add",
    "nested": "4x9x9 | [ [ relu || tanh ] concat | conv 8@1 || [ bn || ] add | bn || ] concat",
    "deep": "2x4x4 | " + "[ " * 15 + "conv 2@1" + " || ] add" * 15,
    "wide": "2x4x4 | [ " + " | ".join(f"conv {i}@1 | relu" for i in range(1, 40)) + " || ] concat",
    "huge numbers": "999999999x999999999 | conv 999999999@1 | flatten | fc 999999999",
    "repeated": "2x4x4 | " + " | ".join(["conv 2@1 | relu | conv 2@3 p1"] * 100),
    "folds in folds": "4x8x8 | " + " | ".join(["[ conv 4@1 || conv 4@1 || relu ] add"] * 3),
    "alone": "3x8x8 | relu | [ bn | relu | dropout || tanh ] add",
}


def count(text: str) -> Report:
    """Return the report of a network, or of one of the others above."""
    return summarize(parse(OTHERS.get(text, text)))


def make_dense(layers: int) -> Report:
    """Return a network in which every convolution reads all before it, as no lanes can show."""
    nodes = [Node("stem", Conv(2, (1,)), (-1,))]
    ends = [0]
    for i in range(layers):
        nodes.append(Node(f"concat{i}", Concat(), tuple(ends)))
        nodes.append(Node(f"conv{i}", Conv(2, (1,)), (len(nodes) - 1,)))
        ends.append(len(nodes) - 1)
    return summarize(Network("dense", (3, 8, 8), tuple(nodes)))


def list_areas(page: Page, *kinds: type) -> list[Area]:
    """Return what marks of some kinds cover."""
    marks = (mark for group in page.groups for mark in group.marks)
    return [m.area for m in marks if isinstance(m, kinds) and not isinstance(m, Line)]


def overlap(first: Area, second: Area) -> bool:
    """Tell whether two areas share more than an edge."""
    return max(first[0], second[0]) < min(first[2], second[2]) and max(first[1], second[1]) < min(
        first[3], second[3]
    )


def list_overlaps(areas: Sequence[Area]) -> list[tuple[Area, Area]]:
    """Return the pairs that overlap."""
    found, open_areas = [], list[Area]()
    for area in sorted(areas, key=lambda area: area[1]):
        open_areas = [other for other in open_areas if other[3] > area[1]]
        found += [(other, area) for other in open_areas if overlap(other, area)]
        open_areas.append(area)
    return found


def list_lines(page: Page) -> Iterator[Area]:
    """Yield the straight pieces of all lines, as areas without breadth made one unit wide."""
    for group in page.groups:
        for mark in group.marks:
            if isinstance(mark, Line) and not mark.fine:
                for (a, b), (c, d) in zip(mark.points, mark.points[1:], strict=False):
                    yield min(a, c), min(b, d), max(a, c) + 1, max(b, d) + 1


@pytest.mark.parametrize("name", [*NETWORKS, *OTHERS])
def test_nothing_lies_on_anything_else(name: str) -> None:
    """No text, badge or box covers another one, in any font that is not wider than assumed."""
    page = lay_out(count(name))
    assert list_overlaps(list_areas(page, Label, Badge, Body, Disc)) == []


@pytest.mark.parametrize("name", [*NETWORKS, *OTHERS])
def test_no_line_crosses_text(name: str) -> None:
    """Arrows and lanes stay clear of captions."""
    page = lay_out(count(name))
    texts = list_areas(page, Label)
    assert [(a, b) for a in list_lines(page) for b in texts if overlap(a, b)] == []


@pytest.mark.parametrize("name", [*NETWORKS, *OTHERS])
def test_everything_is_inside_the_view_box(name: str) -> None:
    """All marks lie on the page, which is always 1200 wide."""
    page = lay_out(count(name))
    assert page.width == 1200
    areas = [*list_areas(page, Label, Badge, Body, Disc, Frame), *list_lines(page)]
    for left, top, right, bottom in areas:
        assert left >= 0
        assert top >= 0
        assert right <= page.width
        assert bottom <= page.height


Edge = tuple[int, int]


def list_edges(items: Sequence[Item], entry: int | None) -> Iterator[Edge]:
    """Yield the edges that the lines of a sequence stand for, also of what is folded away."""
    for item in items:
        if isinstance(item, int):
            yield from [] if entry is None else [(entry, item)]
        elif isinstance(item, Repeat):
            yield from list_edges([inner for unit in item.units for inner in unit], entry)
        elif isinstance(item, Parallel):
            assert entry in (item.entry, None)
            if item.join is not None:
                yield from [(item.entry, item.join)] * item.skips
            for branch in (b for lane in item.lanes for b in (lane.items, *lane.twins)):
                yield from list_edges(branch, item.entry)
                end = find_end(branch[-1])
                if item.join is not None and end is not None:
                    yield end, item.join
        entry = find_end(item)


def list_shown(report: Report) -> tuple[set[Edge], set[Edge]]:
    """Return the edges that a drawing shows, by line or name, and those of the network."""
    boxes = fold_layers(report)
    placer = Placer(boxes, choose_scales(box.shape for box in boxes))
    items = list(unroll(Weaver(boxes).weave(), lambda item: fits(*placer.measure(item))))
    shown: set[Edge] = set()
    last = None
    for step in list_steps(items, boxes):
        entry = last if step.follows else None
        first = step.item
        if isinstance(first, int):
            shown.update((source, first) for source in step.others)
        elif entry is None and isinstance(first, Parallel) and step.others:
            (entry,) = step.others
        shown.update(list_edges([step.item], entry))
        last = find_end(step.item)
    real = {(source, i) for i, box in enumerate(boxes) for source in box.sources}
    return {edge for edge in shown if edge[0] >= 0}, real


@pytest.mark.parametrize("name", [*NETWORKS, *OTHERS])
def test_every_edge_is_drawn_or_named(name: str) -> None:
    """What feeds a box is the item before it, a lane, or a name at the box; nothing else is."""
    shown, real = list_shown(count(name))
    assert shown == real


def test_edges_without_lanes_are_named() -> None:
    """A network in which everything reads everything loses no edge."""
    shown, real = list_shown(make_dense(5))
    assert shown == real
    texts = [
        mark.text
        for group in lay_out(make_dense(5)).groups
        for mark in group.marks
        if isinstance(mark, Label)
    ]
    assert "+ stem" in texts
    assert any("no line is drawn" in text for text in texts)


@st.composite
def any_networks(draw: st.DrawFn) -> Network:
    """Draw a graph in which every layer reads any earlier ones, and some read none."""
    nodes: list[Node] = []
    for i in range(draw(st.integers(1, 12))):
        inputs = tuple(draw(st.lists(st.integers(-1, i - 1), min_size=1, max_size=3)))
        few = draw(st.sampled_from([Conv(4, (1,)), Activation("relu"), Dropout()]))
        node = Node(f"layer{i}", few if len(inputs) == 1 else Add(), inputs)
        if draw(st.integers(0, 9)) == 0:
            node = Node(f"layer{i}", Source((4, 8, 8)), ())
        nodes.append(node)
    return Network("any", (4, 8, 8), tuple(nodes))


@given(any_networks())
@settings(max_examples=200, deadline=None)
def test_any_graph_is_drawn_whole(network: Network) -> None:
    """Whatever is connected to whatever: all edges, all layers, nothing on anything else."""
    report = summarize(network)
    shown, real = list_shown(report)
    assert shown == real
    page = lay_out(report)
    assert list_overlaps(list_areas(page, Label, Badge, Body, Disc)) == []
    assert_whole(report)


def test_arrows_end_where_boxes_begin() -> None:
    """Along a plain row every arrow runs from outline to outline."""
    page = lay_out(count("lenet5"))
    marks = [mark for group in page.groups for mark in group.marks]
    bodies = [mark for mark in marks if isinstance(mark, Body)][:9]
    arrows = [mark for mark in marks if isinstance(mark, Line) and mark.head]
    assert [arrow.points[0][0] for arrow in arrows] == [b.x + b.solid.outlet for b in bodies[:-1]]
    assert [arrow.points[1][0] for arrow in arrows] == [b.x + b.solid.inlet for b in bodies[1:]]


def assert_whole(report: Report) -> None:
    """Check that every layer is one group or is named by one."""
    groups = list(ET.fromstring(render_svg(report)).iter(f"{SVG}g"))  # noqa: S314 - our own
    named = [group.attrib["data-layer"] for group in groups if "data-layer" in group.attrib]
    also = [name for group in groups for name in group.attrib.get("data-also", "").split()]
    assert sorted([*named, *also]) == sorted(row.node.name for row in report.rows)


@pytest.mark.parametrize("name", [*NETWORKS, *OTHERS])
def test_every_layer_has_its_group(name: str) -> None:
    """Each layer is one group, or is named by the one group that stands for it."""
    assert_whole(count(name))


@pytest.mark.parametrize("name", ["resnet18", "inception-3a", "nested", "equal branches"])
def test_lanes_lead_from_box_to_box(name: str) -> None:
    """No line of a lane ends in the open: each end lies on a solid, a disc, a badge or a line."""
    page = lay_out(count(name))
    areas = [*list_areas(page, Body, Disc, Badge), *list_lines(page)]
    ends = [
        point
        for group in page.groups
        for mark in group.marks
        if isinstance(mark, Line) and not mark.fine
        for point in (mark.points[0], mark.points[-1])
    ]
    for x, y in ends:
        touched = [a for a in areas if a[0] <= x <= a[2] and a[1] <= y <= a[3]]
        assert len(touched) >= 2, (x, y)  # the line itself is one


@pytest.mark.parametrize("name", NETWORKS)
def test_text_has_few_sizes(name: str) -> None:
    """However long the network is, captions are as large as in the shortest."""
    groups = [group for group in lay_out(count(name)).groups if group.row is not None]
    labels = (mark for group in groups for mark in group.marks if isinstance(mark, Label))
    assert {label.size for label in labels} <= {9, 10, 11}
