"""The window of a convolution, drawn on the tensor that it slides over."""

from calculator.drawing.marks import Line, Piece

LEAST_HEIGHT, LEAST_SIDE = 24, 8  # of a face on which a window can be seen
LEAST_WINDOW = 5
LARGEST_SHARE = 70  # percent of the face; larger windows would look like the face itself


def cast_window(before: Piece, piece: Piece, *, starts: tuple[int, int]) -> list[Line]:
    """Return the outline of the window and two lines to the unit that it makes.

    It lies in the upper part of the face, where the lines stay clear of the arrow. Nothing is
    returned where the face is too small.

    Args:
        before: with the tensor.
        piece: with the window.
        starts: left ends of both.
    """
    if before.body is None or piece.body is None or piece.window is None:
        return []
    body, goal = before.body, piece.body
    solid = body.solid
    if solid.sheets or solid.height < LEAST_HEIGHT or solid.side < LEAST_SIDE:
        return []
    (tall, wide), (height, width) = piece.window
    drop, span = max(LEAST_WINDOW, solid.height * tall // height), solid.side * wide // width
    span = max(LEAST_WINDOW - 1, span)
    if max(100 * drop // solid.height, 100 * span // solid.side) > LARGEST_SHARE:
        return []
    left, rise = (solid.side - span) // 2, solid.rise * span // solid.side
    x = starts[0] + body.x + solid.front + left
    y = body.y + solid.rise - solid.rise * left // solid.side + (solid.height - drop) // 8
    far, low = (x + span, y - rise), (x + span, y - rise + drop)
    tip = (starts[1] + goal.x, goal.y + goal.solid.rise + goal.solid.height // 4)
    outline = ((x, y), far, low, (x, y + drop), (x, y))
    return [Line(points, fine=True) for points in (outline, (far, tip), (low, tip))]
