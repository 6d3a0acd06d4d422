"""Lanes above each other, with the lines from where they part to where they meet."""

from collections.abc import Sequence
from itertools import accumulate

from calculator.drawing.lettering import measure
from calculator.drawing.marks import Badge, Group, Line, Mark, Piece

TURN = 16  # beside the lanes, for the lines to them
START = 8  # where the lines part
SPACE = 14  # between lanes
TAG = 14  # height of the number on a line

Child = tuple[int, int, Piece]


def enclose(lanes: Sequence[Piece], join: Piece | None, *, skips: int, forked: bool) -> Piece:
    """Return lanes between two boxes.

    Args:
        lanes: from top to bottom.
        join: where they meet; None where they do not.
        skips: number of empty lanes.
        forked: whether lines lead to the lanes.
    """
    width = max((lane.width for lane in lanes), default=TURN)
    end = START + TURN + width + TURN
    lefts = [START + TURN + (width - lane.width) // 2 for lane in lanes]
    children = list(zip(lefts, stack(lanes), lanes, strict=True))
    above = max([0, *(lane.above - top for _, top, lane in children)])
    below = max([0, *(lane.below + top for _, top, lane in children)])
    marks: list[Mark] = [*draw_forks(children)] if forked else []
    if join is not None:
        marks += draw_merges(children, end)
        marks += draw_skips(skips, end, above=above, alone=not lanes)
        marks.append(Line(((end, 0), (end + TURN + join.inlet, 0)), head=join.head))
        above += SPACE + TAG // 2 if skips else 0
        children.append((end + TURN, 0, join))
    # Behind the lanes' frames the lines would not be seen.
    lines = Piece(0, 0, 0, 0, 0, (Group(None, tuple(marks)),))
    tail = Piece(0, 0, 0, 0, -TURN) if join is None else join
    return Piece(
        end if join is None else end + TURN + join.width,
        max(above, tail.above),
        max(below, tail.below),
        START,
        end + TURN + tail.outlet,
        children=(*children, (0, 0, lines)),
        head=False,
    )


def stack(lanes: Sequence[Piece]) -> list[int]:
    """Return how far below the line each lane lies: of two the longer one is on the line."""
    heights = [lane.above + lane.below + SPACE for lane in lanes]
    tops = [
        start + lane.above
        for start, lane in zip(accumulate(heights, initial=0), lanes, strict=False)
    ]
    if len(lanes) > 2:
        middle = (sum(heights) - SPACE) // 2
    else:
        widths = [lane.width for lane in lanes]
        middle = tops[widths.index(max(widths))] if lanes else 0
    return [top - middle for top in tops]


def draw_forks(children: Sequence[Child]) -> list[Line]:
    """Return the lines to the lanes; only the outer ones turn a corner."""
    outer = find_outer(children)
    lines = []
    for left, top, lane in children:
        corner = [(START, 0)] if top in outer else []
        points = (*corner, (START, top), (left + lane.inlet, top))
        lines.append(Line(points, head=lane.head))
    return lines


def draw_merges(children: Sequence[Child], end: int) -> list[Line]:
    """Return the lines from the lanes; only the outer ones turn a corner."""
    outer = find_outer(children)
    lines = []
    for left, top, lane in children:
        corner = [(end, 0)] if top in outer else []
        lines.append(Line(((left + lane.outlet, top), (end, top), *corner)))
    return lines


def find_outer(children: Sequence[Child]) -> set[int]:
    """Return the heights of the highest and the lowest lane."""
    tops = [top for _, top, _ in children]
    return {min(tops), max(tops)} if tops else set()


def draw_skips(skips: int, end: int, *, above: int, alone: bool) -> list[Mark]:
    """Return the line that passes the lanes, with a number where it stands for several.

    Args:
        skips: edges from the entry to the join.
        end: x where the lanes meet.
        above: height of the lanes.
        alone: whether there are no lanes; then one of the edges is straight.
    """
    marks: list[Mark] = [Line(((START, 0), (end, 0)))] if alone else []
    arched = skips - alone
    if arched:
        over = -above - SPACE
        marks.append(Line(((START, 0), (START, over), (end, over), (end, 0))))
    if arched > 1:
        width = measure(f"x{arched}", 9) + 8
        middle = (START + end - width) // 2
        marks.append(Badge(middle, over - TAG // 2, f"x{arched}", width, TAG))
    return marks
