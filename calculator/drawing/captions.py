"""One box of a drawing with what stands above and below it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from calculator.drawing.boxes import Box, describe_badge, describe_operation, find_family
from calculator.drawing.lettering import clean, clip, measure, shorten
from calculator.drawing.marks import Badge, Body, Disc, Group, Label, Piece, Point, move
from calculator.drawing.scales import Solid
from calculator.layers.convolutions import Conv, DepthwiseConv
from calculator.layers.shapes import render_shape
from calculator.summary import Row

SMALL, NORMAL, TINY = 10, 11, 9  # font sizes
LONGEST = 24  # characters of a caption
FULL = 66  # width that badges fill before they wrap
RADIUS = 10
MARGIN = 5  # between a solid and its captions
MOST_NAMED = 3  # boxes that feed one without a line, and are named


@dataclass
class Caption:
    """What stands above a box, laid from the bottom upwards.

    Args:
        box: its position.
        top: y of what is already there.
    """

    box: int
    top: int
    groups: list[Group] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    width: int = 0

    def write(self, text: str, size: int, *, bold: bool = False, grey: bool = False) -> None:
        """Put a line of text on top."""
        shown = clip(clean(text), LONGEST)
        self.labels.append(Label(0, self.top - size // 4, shown, size, bold, grey))
        self.top -= size + 3
        self.width = max(self.width, measure(shown, size, bold=bold))

    def pin(self, rows: Sequence[Row], place: int) -> None:
        """Put badges on top, in reading order.

        Args:
            rows: the folded layers.
            place: of the first one in its box.
        """
        for line in reversed(list(wrap_badges(list(enumerate(rows, start=place))))):
            left = -sum(width + 3 for _, _, _, width in line) // 2
            self.width = max(self.width, -2 * left)
            for number, row, text, width in line:
                family = find_family(row.node.layer)
                badge = Badge(left + 1, self.top - 14, text, width, 13, family)
                self.groups.append(Group(row, (badge,), self.box, number))
                left += width + 3
            self.top -= 16


def wrap_badges(
    rows: Sequence[tuple[int, Row]],
) -> Iterator[list[tuple[int, Row, str, int]]]:
    """Yield lines of place, layer, text and width of a badge."""
    line: list[tuple[int, Row, str, int]] = []
    for place, row in rows:
        text = clip(clean(describe_badge(row)), LONGEST)
        width = measure(text, TINY) + 8
        if line and sum(w + 3 for *_, w in line) + width > FULL:
            yield line
            line = []
        line.append((place, row, text, width))
    if line:
        yield line


def make_box(
    box: Box, position: int, *, solid: Solid, reach: int, others: Sequence[str] = ()
) -> Piece:
    """Return a box with its captions.

    Args:
        box: what to draw.
        position: of the box.
        solid: what its tensor looks like.
        reach: half the height that its row keeps free, so that captions align.
        others: names of boxes that feed it without a line.
    """
    if box.form == "capsule" and box.host is not None:
        return make_capsule(box, box.host, position=position, others=others)
    is_disc = box.form == "disc"
    half = RADIUS if is_disc else max(reach, (solid.tall + 1) // 2)
    caption = write_above(box, position, top=-half - MARGIN, others=others)
    below = write_below(box, half + MARGIN)
    wide = 2 * RADIUS if is_disc else solid.width
    width = max(caption.width, wide, *(2 * label.area[2] for label in below))
    middle, left = width // 2, width // 2 - wide // 2
    body = None if is_disc else Body(left, -(solid.tall // 2), solid, box.family)
    labels = tuple(move(label, middle, 0) for label in (*caption.labels, *below))
    figure = Disc(middle, 0, RADIUS) if body is None else body
    host = Group(box.host, (figure, *labels), position, len(box.before))
    return Piece(
        width,
        above=-caption.top,
        below=below[-1].area[3],
        inlet=left + (0 if is_disc else solid.inlet),
        outlet=left + (wide if is_disc else solid.outlet),
        groups=(host,),
        children=((middle, 0, Piece(0, 0, 0, 0, 0, tuple(caption.groups))),),
        body=body,
        window=find_window(box),
    )


def make_capsule(box: Box, host: Row, *, position: int, others: Sequence[str]) -> Piece:
    """Return a layer that keeps the shape and stands alone."""
    text = clip(clean(describe_badge(host)), LONGEST)
    wide = measure(text, SMALL) + 16
    caption = Caption(position, -10 - MARGIN)
    caption.pin(box.after, len(box.before) + 1)
    name_sources(caption, others)
    width = max(wide, caption.width)
    badge = Badge(-(wide // 2), -10, text, wide, 20, box.family)
    group = Group(host, (badge, *caption.labels), position, len(box.before))
    inner = Piece(0, 0, 0, 0, 0, (group, *caption.groups))
    left = width // 2 - wide // 2
    return Piece(width, -caption.top, 10, left, left + wide, children=((width // 2, 0, inner),))


def write_above(box: Box, position: int, *, top: int, others: Sequence[str]) -> Caption:
    """Return name, operation and folded layers; read downwards they are in order."""
    caption = Caption(position, top)
    caption.pin(box.after, len(box.before) + 1)
    if box.host is not None and box.form != "disc":
        for text in reversed(describe_operation(box.host)):
            caption.write(text, NORMAL, bold=True)
    caption.pin(box.before, 0)
    caption.write(box.name, SMALL, grey=True)
    name_sources(caption, others)
    return caption


def name_sources(caption: Caption, others: Sequence[str]) -> None:
    """Write which boxes feed one without a line."""
    shown = [f"+ {name}" for name in others[:MOST_NAMED]]
    if len(others) > MOST_NAMED:
        shown[-1] = f"+ {len(others) - MOST_NAMED + 1} more"
    for text in reversed(shown):
        caption.write(text, TINY, grey=True)


def write_below(box: Box, top: int) -> list[Label]:
    """Return the shape, and what the box and all folded into it count."""
    params, macs = (sum(getattr(row, key) for row in box.rows) for key in ("params", "macs"))
    labels = [Label(0, top + NORMAL, clip(render_shape(box.shape), LONGEST), NORMAL)]
    for count, what in ((params, "params"), (macs, "MACs")):
        if count:
            y = labels[-1].y + SMALL + 3
            labels.append(Label(0, y, f"{shorten(count)} {what}", SMALL, grey=True))
    return labels


def find_window(box: Box) -> tuple[Point, Point] | None:
    """Return kernel and input size of a convolution in two dimensions; None of anything else."""
    if box.host is None or not isinstance(box.host.node.layer, Conv | DepthwiseConv):
        return None
    window, shape = box.host.derived.window, box.host.inputs[0]
    if window is None or len(shape) != 3 or max(window.kernel) == 1:
        return None
    tall, wide = (d * (k - 1) + 1 for k, d in zip(window.kernel, window.dilation, strict=True))
    return (tall, wide), (shape[1], shape[2])
