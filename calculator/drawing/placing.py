"""Where boxes and repeated units of a drawing stand, and the arrows between them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from calculator.drawing.boxes import Box
from calculator.drawing.branches import enclose
from calculator.drawing.captions import RADIUS, make_box
from calculator.drawing.lanes import Item, Lane, Loose, Parallel
from calculator.drawing.lettering import clean, clip, measure
from calculator.drawing.marks import Badge, Frame, Group, Line, Piece
from calculator.drawing.scales import Scales, shape_solid
from calculator.drawing.steps import Step
from calculator.drawing.windows import cast_window

GAP = 18  # between neighbours, for the arrow
EDGE = 9  # inside a frame
HEADER = 18  # above the contents of a frame, for the number of repetitions
TAG = 14  # height of a name that stands for a line
MOST_TAGS = 4
LONGEST_NAME = 14


@dataclass
class Placer:
    """Puts the items of one drawing together.

    Args:
        boxes: of the network.
        scales: of the drawing.
    """

    boxes: Sequence[Box]
    scales: Scales
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)  # of items, by identity

    def measure(self, item: Item) -> tuple[int, int]:
        """Return width and height of an item; the items must stay alive in between."""
        if id(item) not in self.sizes:
            self.place(item)
        return self.sizes[id(item)]

    def place(self, item: Item, reach: int = 0, *, others: Sequence[str] = ()) -> Piece:
        """Return an item as a piece.

        Args:
            item: what to draw.
            reach: half the height that its row keeps free for solids, so that captions align.
            others: names of boxes that feed it without a line.
        """
        if isinstance(item, int):
            box = self.boxes[item]
            solid = shape_solid(box.shape, self.scales)
            piece = make_box(box, item, solid=solid, reach=reach, others=others)
        elif isinstance(item, Parallel):
            lanes = [self.place_branch(lane) for lane in item.lanes]
            join = None if item.join is None else self.place(item.join, reach)
            piece = enclose(lanes, join, skips=item.skips, forked=item.entry >= 0)
        elif isinstance(item, Loose):
            piece = self.place_lane(item.boxes)
        else:
            piece = frame(self.place_lane(item.units[0]), f"x{len(item.units)}")
        self.sizes[id(item)] = (piece.width, piece.above + piece.below)
        return piece

    def find_reach(self, item: Item) -> int:
        """Return half the height of the solid that lies on an item's own line."""
        if isinstance(item, int):
            box = self.boxes[item]
            tall = shape_solid(box.shape, self.scales).tall
            return (tall + 1) // 2 if box.form == "solid" else RADIUS
        if isinstance(item, Parallel) and item.join is not None:
            return self.find_reach(item.join)
        return 0

    def place_lane(self, items: Sequence[Item]) -> Piece:
        """Return items one after another."""
        reach = max(map(self.find_reach, items), default=0)
        return line_up([self.place(item, reach) for item in items])

    def place_branch(self, lane: Lane) -> Piece:
        """Return a lane, framed where it stands for several."""
        piece = self.place_lane(lane.items)
        return frame(piece, f"x{len(lane.twins) + 1} side by side") if lane.twins else piece

    def place_step(self, step: Step, reach: int = 0) -> Piece:
        """Return an item of the main line, with names in place of the lines that it lacks."""
        names = [clip(clean(self.boxes[source].name), LONGEST_NAME) for source in step.others]
        if step.follows or not names:
            return self.place(step.item, reach, others=names)
        return line_up([make_tags(names), self.place(step.item, reach)])


def line_up(
    pieces: Sequence[Piece], follows: Sequence[bool] | None = None, *, gap: int = GAP
) -> Piece:
    """Return pieces one after another with arrows between them.

    Args:
        pieces: at least one.
        follows: whether an arrow comes from the piece before, for each; None for always.
        gap: between them.
    """
    children: list[tuple[int, int, Piece]] = []
    lines: list[Line] = []
    right = 0
    for i, piece in enumerate(pieces):
        if i and (follows is None or follows[i]):
            left, _, before = children[-1]
            ends = ((left + before.outlet, 0), (right + piece.inlet, 0))
            lines += [Line(ends, piece.head), *cast_window(before, piece, starts=(left, right))]
        children.append((right, 0, piece))
        right += piece.width + gap
    width, last = right - gap, pieces[-1]
    above, below = (max(getattr(p, side) for p in pieces) for side in ("above", "below"))
    children.append((0, 0, Piece(0, 0, 0, 0, 0, (Group(None, tuple(lines)),))))
    outlet = width - last.width + last.outlet
    return Piece(
        width, above, below, pieces[0].inlet, outlet, children=tuple(children), head=pieces[0].head
    )


def frame(piece: Piece, text: str) -> Piece:
    """Return a piece inside a frame with a text at its upper left corner."""
    written = measure(text, 11, bold=True) + 12
    width = max(piece.width, written) + 2 * EDGE
    above, below = piece.above + HEADER, piece.below + EDGE
    box, badge = Frame(0, -above, width, above + below), Badge(6, -above - 8, text, written, 17)
    left = (width - piece.width) // 2
    return Piece(
        width,
        above + 8,
        below,
        left + piece.inlet,
        left + piece.outlet,
        (Group(None, (box, badge)),),
        ((left, 0, piece),),
        head=piece.head,
    )


def make_tags(names: Sequence[str]) -> Piece:
    """Return a column of names that stand for the lines from them."""
    shown = [f"from {name}" for name in names[:MOST_TAGS]]
    if len(names) > MOST_TAGS:
        shown[-1] = f"and {len(names) - MOST_TAGS + 1} more"
    step, width = TAG + 3, max(measure(text, 9) + 8 for text in shown)
    top = -(len(shown) * step - 3) // 2
    badges = (Badge(0, top + i * step, text, width, TAG) for i, text in enumerate(shown))
    bottom = top + len(shown) * step
    return Piece(width, -top, bottom, 0, width, (Group(None, tuple(badges)),))
