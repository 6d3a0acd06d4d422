"""How large a tensor is drawn: edges grow with the square root of the size."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isqrt

from calculator.layers.shapes import Shape

RULE = (
    "Edges grow with the square root of the size: height upwards, width into the page, "
    "channels to the right; flat layers are bars."
)
RULE_VOLUMES = "In volumes depth goes to the right, and the sheets behind stand for the channels."


@dataclass(frozen=True)
class Scale:
    """The rule for one kind of side.

    Args:
        largest: the size that is drawn ``longest`` units long.
        longest: in units of the drawing.
        shortest: the least that is drawn, so that a side of 1 can be seen.
    """

    largest: int
    longest: int
    shortest: int

    def draw(self, size: int) -> int:
        """Return the drawn length; a larger size never has a smaller one."""
        return max(self.shortest, isqrt(size * self.longest**2 // self.largest))


@dataclass(frozen=True)
class Scales:
    """The rules of one drawing.

    Args:
        sides: of the spatial sizes.
        channels: of channels, to the right.
        features: of flat layers, upwards.
    """

    sides: Scale
    channels: Scale
    features: Scale


def choose_scales(shapes: Iterable[Shape]) -> Scales:
    """Return rules under which the largest tensor of each kind fits its column.

    Networks of small tensors are drawn smaller, so that a drawing of ``1x32x32`` is not the
    drawing of ``3x224x224`` with other numbers.
    """
    shown = list(shapes)
    spatial = [shape for shape in shown if len(shape) > 1]
    return Scales(
        Scale(max([64, *(side for shape in spatial for side in shape[1:])]), 96, 5),
        Scale(max([256, *(shape[0] for shape in spatial)]), 48, 4),
        Scale(max([1024, *(shape[0] for shape in shown if len(shape) == 1)]), 96, 5),
    )


SHEET = 4  # how far a sheet shows behind the one before it


@dataclass(frozen=True)
class Solid:
    """A drawn tensor: a front face, and an oblique edge that goes up and to the right.

    Args:
        front: width of the front face.
        height: of the front face.
        side: width that the oblique edge covers.
        rise: height that the oblique edge covers.
        sheets: outlines behind the solid.
    """

    front: int
    height: int
    side: int
    rise: int
    sheets: int = 0

    @property
    def width(self) -> int:
        """Of everything."""
        return self.front + self.side + SHEET * self.sheets

    @property
    def tall(self) -> int:
        """Height of everything."""
        return self.height + self.rise + SHEET * self.sheets

    @property
    def inlet(self) -> int:
        """Where half the height meets the left edge."""
        return min(left for left, _ in self.list_profiles())

    @property
    def outlet(self) -> int:
        """Where half the height meets the right edge."""
        return max(right for _, right in self.list_profiles())

    def list_profiles(self) -> Iterator[tuple[int, int]]:
        """Yield the edges at half the height of the solid and of the sheets that reach there."""
        for sheet in range(self.sheets + 1):
            down = self.tall // 2 - SHEET * (self.sheets - sheet)
            up = self.height + self.rise - down
            if min(down, up) >= 0:
                left = self.side * max(0, self.rise - down) // self.rise
                right = self.front + self.side - self.side * max(0, self.rise - up) // self.rise
                yield left + SHEET * sheet, right + SHEET * sheet


def shape_solid(shape: Shape, scales: Scales) -> Solid:
    """Return what is drawn for a tensor.

    Args:
        shape: ``(C,)`` is a bar, ``(C, L)`` a plate, ``(C, H, W)`` a box; ``(C, D, H, W)`` is a
            box of D, H and W with sheets behind it for the channels.
        scales: of the drawing.
    """
    if len(shape) == 1:
        return Solid(9, scales.features.draw(shape[0]), 4, 4)
    if len(shape) == 2:
        return Solid(scales.channels.draw(shape[0]), scales.sides.draw(shape[1]), 4, 4)
    height, width = (scales.sides.draw(side) for side in shape[-2:])
    oblique = {"side": width * 2 // 5, "rise": max(1, width * 3 // 10)}
    if len(shape) == 3:
        return Solid(scales.channels.draw(shape[0]), height, **oblique)
    # One sheet for every fourfold: the base-4 digits of the channels.
    sheets = min(3, (shape[0].bit_length() - 1) // 2)
    return Solid(scales.sides.draw(shape[1]), height, **oblique, sheets=sheets)
