"""Marks as SVG elements.

They have presentation attributes only: the style sheets of a page and of a drawing inside it
would act on each other.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from calculator.drawing.lettering import escape
from calculator.drawing.marks import Badge, Body, Disc, Frame, Label, Line, Mark, Point
from calculator.drawing.scales import SHEET

# Okabe and Ito 2008, "Color Universal Design", lightened: front, top and side of a solid.
PALETTE = {
    "input": ("#f4f4f4", "#ffffff", "#e2e2e2"),
    "convolution": ("#8fc1de", "#c9e1ef", "#5fa5cd"),
    "pooling": ("#f3cf7e", "#faebc9", "#e8b440"),
    "normalisation": ("#f2c4a3", "#f9e3d3", "#e8a273"),
    "activation": ("#ececec", "#f6f6f6", "#dcdcdc"),
    "dense": ("#84cdb5", "#c5e8dc", "#4cb593"),
    "join": ("#e3b4d0", "#f2dbe8", "#d18cb5"),
    "resizing": ("#f3ea82", "#faf6c8", "#e5d944"),
    "other": ("#cfcfcf", "#e7e7e7", "#b4b4b4"),
}
INK, GREY, FLOW, EDGE = "#1a1a1a", "#555555", "#444444", "#333333"
LETTERS = {13: 9, 14: 9, 17: 11, 20: 10}  # font size in a badge, by its height
CORNER = 6  # radius
HEAD, SPREAD = 7, 3  # length of an arrow's head and half its width


def render_mark(mark: Mark) -> str:
    """Return a mark as SVG."""
    if isinstance(mark, Label):
        return render_label(mark)
    if isinstance(mark, Body):
        return render_body(mark)
    if isinstance(mark, Badge):
        return render_badge(mark)
    if isinstance(mark, Disc):
        return render_disc(mark)
    return render_frame(mark) if isinstance(mark, Frame) else render_line(mark)


def render_label(label: Label) -> str:
    """Return a line of text."""
    weight = ' font-weight="bold"' if label.bold else ""
    anchor = ' text-anchor="start"' if label.starts else ""
    colour = GREY if label.grey else INK
    place = f'x="{label.x}" y="{label.y}" font-size="{label.size}"'
    return f'<text {place}{weight}{anchor} fill="{colour}">{escape(label.text)}</text>'


def render_badge(badge: Badge) -> str:
    """Return a rounded box with its text."""
    fill = PALETTE[badge.family][1] if badge.family else "#ffffff"
    size = LETTERS[badge.height]
    middle, baseline = badge.x + badge.width // 2, badge.y + (badge.height + size * 7 // 10) // 2
    outline = (
        f'<rect x="{badge.x}" y="{badge.y}" width="{badge.width}" height="{badge.height}" '
        f'rx="{badge.height // 2}" fill="{fill}" stroke="#777777" stroke-width="0.8"/>'
    )
    if not badge.text:
        return outline
    return outline + render_label(
        Label(middle, baseline, badge.text, size, bold=size == LETTERS[17])
    )


def render_disc(disc: Disc) -> str:
    """Return the circled plus of a sum."""
    x, y, arm = disc.x, disc.y, disc.radius * 6 // 10
    fill = PALETTE["join"][0]
    circle = f'<circle cx="{x}" cy="{y}" r="{disc.radius}" fill="{fill}" stroke="{EDGE}"/>'
    plus = f"M{x - arm} {y}h{2 * arm}M{x} {y - arm}v{2 * arm}"
    return f'{circle}<path d="{plus}" stroke="{EDGE}" stroke-width="1.5"/>'


def render_frame(frame: Frame) -> str:
    """Return the dashed box around what is repeated."""
    return (
        f'<rect x="{frame.x}" y="{frame.y}" width="{frame.width}" height="{frame.height}" '
        'rx="8" fill="#fafafa" stroke="#888888" stroke-dasharray="5 3"/>'
    )


def render_body(body: Body) -> str:
    """Return the faces of a solid, the sheets behind it first."""
    sheets = range(body.solid.sheets, -1, -1)
    faces = "".join(render_faces(body, SHEET * sheet) for sheet in sheets)
    return f'<g stroke="{EDGE}" stroke-width="0.8" stroke-linejoin="round">{faces}</g>'


def render_faces(body: Body, behind: int) -> str:
    """Return front, top and side of a solid, so many units further up and right."""
    solid = body.solid
    x, y = body.x + behind, body.y + SHEET * solid.sheets - behind + solid.rise
    front, top, side = PALETTE[body.family]
    slope, back = f"l{solid.side} {-solid.rise}", f"l{-solid.side} {solid.rise}"
    right, down = solid.front, solid.height
    return (
        f'<path d="M{x} {y}h{right}v{down}h{-right}z" fill="{front}"/>'
        f'<path d="M{x} {y}{slope}h{right}{back}z" fill="{top}"/>'
        f'<path d="M{x + right} {y}{slope}v{down}{back}z" fill="{side}"/>'
    )


def render_line(line: Line) -> str:
    """Return a line with rounded corners, and the head of its arrow."""
    points = [line.points[0], *(b for a, b in pairwise(line.points) if a != b)]
    if line.fine:
        path = "M" + "L".join(f"{x} {y}" for x, y in points)
        return f'<path d="{path}" fill="none" stroke="{EDGE}" stroke-width="0.7"/>'
    head = ""
    if line.head:
        (a, b), (x, y) = points[-2:]
        ahead, down = compare(a, x), compare(b, y)
        points[-1] = (x - ahead * HEAD // 2, y - down * HEAD // 2)
        start = f"M{x} {y}l{-HEAD * ahead - SPREAD * down} {-HEAD * down - SPREAD * ahead}"
        head = f'<path d="{start}l{2 * SPREAD * down} {2 * SPREAD * ahead}z" fill="{FLOW}"/>'
    path = round_corners(points)
    return f'<path d="{path}" fill="none" stroke="{FLOW}" stroke-width="1.3"/>{head}'


def compare(a: int, b: int) -> int:
    """Return 1 where ``b`` is larger, -1 where it is smaller, 0 where they are equal."""
    return (b > a) - (b < a)


def round_corners(points: Sequence[Point]) -> str:
    """Return the path of horizontal and vertical pieces with round corners."""
    path = [f"M{points[0][0]} {points[0][1]}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (a, b), (c, d) = near(corner, before), near(corner, after)
        path.append(f"L{a} {b}Q{corner[0]} {corner[1]} {c} {d}")
    return "".join(path) + f"L{points[-1][0]} {points[-1][1]}"


def near(corner: Point, other: Point) -> Point:
    """Return the point on the way to another at which a round corner starts."""
    steps = (
        compare(here, there) * min(CORNER, abs(there - here) // 2)
        for here, there in zip(corner, other, strict=True)
    )
    across, down = steps
    return corner[0] + across, corner[1] + down


def render_marks(marks: Iterable[Mark]) -> str:
    """Return marks as SVG, in order."""
    return "".join(map(render_mark, marks))
