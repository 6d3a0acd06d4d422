"""The page of a drawing: title, rows of one width, legend."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from calculator.drawing.boxes import FAMILIES, SHORT, Box, find_family, fold_layers
from calculator.drawing.lanes import Item, Weaver
from calculator.drawing.lettering import clean, clip, measure, shorten
from calculator.drawing.marks import Badge, Body, Group, Label, Line, Mark, Piece, list_groups
from calculator.drawing.placing import GAP, Placer, line_up
from calculator.drawing.scales import RULE, RULE_VOLUMES, Solid, choose_scales
from calculator.drawing.steps import Step, find_twins, list_steps, unroll
from calculator.layers.shapes import render_shape
from calculator.summary import Report

WIDTH = 1200
MARGIN = 36
ROOM = WIDTH - 2 * MARGIN
BETWEEN = 36  # rows, for the line that leads from one to the next
TALLEST = 1200  # of a row; more lanes than this holds are drawn one after another
RAIL = 16  # from the border to that line
TOP = 84  # of the first row
WIDEST_GAP = 96  # between neighbours; a short row is centred instead
LONGEST_TITLE = 60
SWATCH = Solid(9, 10, 5, 4)


@dataclass(frozen=True)
class Page:
    """Everything that is drawn, in its place.

    Args:
        width: of the page, in units; font sizes are of the same units.
        height: of the page.
        groups: in the order in which they are drawn.
        twins: for each box that is drawn for others as well, those others.
        boxes: of the network.
    """

    width: int
    height: int
    groups: tuple[Group, ...]
    twins: dict[int, list[int]]
    boxes: tuple[Box, ...]


def lay_out(report: Report) -> Page:
    """Return the page for a network; its width is always the same."""
    boxes = fold_layers(report)
    placer = Placer(boxes, choose_scales(box.shape for box in boxes))
    whole = Weaver(boxes).weave()
    items = list(unroll(whole, lambda item: fits(*placer.measure(item))))
    steps = list_steps(items, boxes)
    rows = [steps[first:stop] for first, stop in wrap([placer.place_step(s).width for s in steps])]
    groups, bottom = set_rows(rows, placer)
    legend = Legend(bottom + 14)
    legend.write_keys(list_families(groups))
    for line in list_notes(boxes, steps, items=items):
        legend.write(line)
    title = Group(None, tuple(write_title(report)))
    all_groups = (title, *groups, Group(None, tuple(legend.marks)))
    return Page(WIDTH, legend.y + 16, all_groups, find_twins(items), boxes)


def fits(width: int, height: int) -> bool:
    """Tell whether something can stand in a row."""
    return width <= ROOM and height <= TALLEST


def wrap(widths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield first and stop of rows that are as even as the least number of rows allows."""
    low, high = max(widths), ROOM
    most = len(fill(widths, ROOM))
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if len(fill(widths, middle)) <= most else (middle + 1, high)
    starts = fill(widths, high)
    return zip(starts, [*starts[1:], len(widths)], strict=True)


def fill(widths: Sequence[int], limit: int) -> list[int]:
    """Return where rows start that take as much as fits the limit."""
    starts, used = [0], -GAP
    for i, width in enumerate(widths):
        used += GAP + width
        if used > limit and i > starts[-1]:
            starts.append(i)
            used = width
    return starts


def set_rows(rows: Sequence[Sequence[Step]], placer: Placer) -> tuple[list[Group], int]:
    """Return the groups of all rows with the lines between them, and where they end."""
    groups: list[Group] = []
    bottom, end = TOP - BETWEEN, (0, 0)
    for number, row in enumerate(rows):
        piece = set_row(row, placer)
        left, y = (WIDTH - piece.width) // 2, bottom + BETWEEN + piece.above
        start = (left + piece.inlet, y)
        if number and row[0].follows:
            middle = bottom + BETWEEN // 2
            line = lead(end, start, middle=middle, head=piece.head)
            groups.append(Group(None, (line,)))
        groups.extend(list_groups(piece, left, y))
        end, bottom = (left + piece.outlet, y), y + piece.below
    return groups, bottom


def set_row(row: Sequence[Step], placer: Placer) -> Piece:
    """Return one row, its gaps as wide as the page allows."""
    reach = max(placer.find_reach(step.item) for step in row)
    pieces = [placer.place_step(step, reach) for step in row]
    spare = ROOM - sum(piece.width for piece in pieces)
    gap = max(GAP, min(WIDEST_GAP, spare // max(1, len(pieces) - 1)))
    return line_up(pieces, [step.follows for step in row], gap=gap)


def lead(end: tuple[int, int], start: tuple[int, int], *, middle: int, head: bool) -> Line:
    """Return the line from the end of a row to the start of the next.

    Args:
        end: of the upper row.
        start: of the lower row.
        middle: y of the free space between them.
        head: whether an arrow ends it.
    """
    right, left = WIDTH - RAIL, RAIL
    corners = ((right, end[1]), (right, middle), (left, middle), (left, start[1]))
    return Line((end, *corners, start), head)


def write_title(report: Report) -> list[Label]:
    """Return name, input and totals."""
    network = report.network
    totals = (
        f"input {clip(render_shape(network.input), LONGEST_TITLE)}, batch {report.batch}, "
        f"{shorten(report.params)} parameters, {shorten(report.macs)} MACs"
    )
    name = clip(clean(network.name), LONGEST_TITLE)
    return [
        Label(MARGIN, 34, name, 18, bold=True, starts=True),
        Label(MARGIN, 54, totals, 12, grey=True, starts=True),
    ]


def list_families(groups: Iterable[Group]) -> list[tuple[str, bool]]:
    """Return the families that are drawn, and whether any is more than a badge, in fixed order."""
    badges, figures = set(), set()
    for group in groups:
        for mark in group.marks:
            if isinstance(mark, Badge):
                badges.add(mark.family)
            elif group.row is not None and not isinstance(mark, Label | Line):
                figures.add(find_family(group.row.node.layer))
    drawn = (badges | figures) - {"", "input"}
    return [(family, family in figures) for family in FAMILIES if family in drawn]


def list_notes(
    boxes: Sequence[Box], steps: Sequence[Step], *, items: Sequence[Item]
) -> Iterator[str]:
    """Yield what a reader has to know about this drawing."""
    yield RULE
    if any(len(box.shape) == 4 for box in boxes):
        yield RULE_VOLUMES
    kinds = {row.node.layer.kind for box in boxes for row in box.rows}
    short = [f"{short}: {kind}" for kind, short in SHORT.items() if kind in kinds]
    if any(len(box.rows) > 1 for box in boxes):
        counts = "Numbers below a box include the layers folded into it"
        yield f"{counts}; {', '.join(short)}." if short else f"{counts}."
    if find_twins(items):
        yield "xN: so many equal units; the first of them is drawn."
    if any(step.others for step in steps):
        yield "from A, + A: A feeds this box as well, and no line is drawn."


class Legend:
    """The lines below a drawing.

    Args:
        y: where the first one starts.
    """

    def __init__(self, y: int) -> None:
        self.y = y
        self.marks: list[Mark] = []

    def write_keys(self, families: Sequence[tuple[str, bool]]) -> None:
        """Show the colour of each family, as a solid or as a badge."""
        x = MARGIN
        self.y += 16
        for family, is_solid in families:
            swatch = (
                Body(x, self.y - 12, SWATCH, family)
                if is_solid
                else Badge(x, self.y - 12, "", 18, 13, family)
            )
            self.marks += [swatch, Label(x + 24, self.y, family, 11, starts=True)]
            x += 24 + measure(family, 11) + 20
        self.y += 6 if families else -16

    def write(self, text: str) -> None:
        """Add a line of text."""
        self.y += 14
        self.marks.append(Label(MARGIN, self.y, text, 10, grey=True, starts=True))
