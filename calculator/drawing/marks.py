"""What a drawing is made of, in whole units; y grows downwards."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from calculator.drawing.lettering import measure
from calculator.drawing.scales import Solid
from calculator.summary import Row

Area = tuple[int, int, int, int]  # left, top, right, bottom
Point = tuple[int, int]


@dataclass(frozen=True)
class Label:
    """A line of text with its baseline on y, centred on x, or starting there."""

    x: int
    y: int
    text: str
    size: int = 10
    bold: bool = False
    grey: bool = False
    starts: bool = False

    @property
    def area(self) -> Area:
        """What it covers at most, whichever font it is shown in."""
        width = measure(self.text, self.size, bold=self.bold)
        left = self.x if self.starts else self.x - (width + 1) // 2
        top, bottom = self.y - self.size * 4 // 5, self.y + self.size // 4
        return (left, top, left + width + (width % 2), bottom)


@dataclass(frozen=True)
class Body:
    """A tensor, by the upper left corner of what it covers."""

    x: int
    y: int
    solid: Solid
    family: str

    @property
    def area(self) -> Area:
        """What it covers."""
        return (self.x, self.y, self.x + self.solid.width, self.y + self.solid.tall)


@dataclass(frozen=True)
class Disc:
    """A sum, by its centre."""

    x: int
    y: int
    radius: int

    @property
    def area(self) -> Area:
        """What it covers."""
        r = self.radius
        return (self.x - r, self.y - r, self.x + r, self.y + r)


@dataclass(frozen=True)
class Badge:
    """A rounded box with text, by its upper left corner; plain where it is of no family."""

    x: int
    y: int
    text: str
    width: int
    height: int
    family: str = ""

    @property
    def area(self) -> Area:
        """What it covers."""
        return (self.x, self.y, self.x + self.width, self.y + self.height)


@dataclass(frozen=True)
class Frame:
    """A dashed box around what is folded, by its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> Area:
        """What it covers."""
        return (self.x, self.y, self.x + self.width, self.y + self.height)


@dataclass(frozen=True)
class Line:
    """Straight pieces with rounded corners.

    Args:
        points: from the source to the target.
        head: whether an arrow ends it.
        fine: drawn finely, as the edges of a window are.
    """

    points: tuple[Point, ...]
    head: bool = False
    fine: bool = False


Mark = Label | Body | Disc | Badge | Frame | Line


def move(mark: Mark, x: int, y: int) -> Mark:
    """Return a mark somewhere else."""
    if isinstance(mark, Line):
        return replace(mark, points=tuple((a + x, b + y) for a, b in mark.points))
    return replace(mark, x=mark.x + x, y=mark.y + y)


@dataclass(frozen=True)
class Group:
    """Marks of one layer.

    Args:
        row: the layer; None for the input and for what belongs to no layer.
        marks: in the order in which they are drawn.
        box: position of the box that the layer is in; None for what belongs to no layer.
        place: of the layer in its box.
    """

    row: Row | None
    marks: tuple[Mark, ...]
    box: int | None = None
    place: int = 0


@dataclass(frozen=True)
class Piece:
    """A part of the drawing, by its left end on the line that its arrows lie on.

    Args:
        width: of everything.
        above: height above that line.
        below: height below it.
        inlet: where an arrow that arrives ends.
        outlet: where one that leaves starts.
        groups: what is drawn, behind the children.
        children: parts inside, each with its place.
        head: whether a line that arrives ends in an arrow here.
        body: the tensor, where the piece is one.
        window: kernel and input size along height and width, where a window slides.
    """

    width: int
    above: int
    below: int
    inlet: int
    outlet: int
    groups: tuple[Group, ...] = ()
    children: "tuple[tuple[int, int, Piece], ...]" = ()
    head: bool = True
    body: Body | None = None
    window: tuple[Point, Point] | None = None


def list_groups(piece: Piece, x: int, y: int) -> Iterator[Group]:
    """Yield everything drawn with its place on the page.

    Args:
        piece: what to lay down.
        x: of its left end.
        y: of its line.
    """
    for group in piece.groups:
        yield replace(group, marks=tuple(move(mark, x, y) for mark in group.marks))
    for right, down, child in piece.children:
        yield from list_groups(child, x + right, y + down)
