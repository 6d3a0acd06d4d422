"""Shapes and receptive fields of a chain of layers, exact and not clipped to the picture.

Araujo, Norris and Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks",
section 2. Deviation: the start is the first position that unit 0 sees, an integer, rather
than its centre.
"""

from dataclasses import dataclass, replace

from exporter.errors import ExportError

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """A window that slides over both axes.

    Attributes:
        kernel: taps, ``(height, width)`` as everything here.
        stride: positions from one place of the window to the next.
        padding: positions added in front and behind.
        dilation: positions from one tap to the next.
    """

    kernel: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)


@dataclass(frozen=True)
class Geometry:
    """What a layer returns for one picture, and how much of the picture one value of it sees.

    Attributes:
        shape: ``(C, H, W)``, or ``(F,)`` behind flatten.
        extent: receptive field in pixels; None behind flatten.
        jump: pixels from what one unit sees to what its neighbour sees; None behind flatten.
        start: first row and column that unit 0 sees, negative in the padding; None behind flatten.
    """

    shape: tuple[int, ...]
    extent: Pair | None = (1, 1)
    jump: Pair | None = (1, 1)
    start: Pair | None = (0, 0)

    def slide(self, window: Window, *, channels: int | None = None) -> "Geometry":
        """Return the geometry behind a window.

        Args:
            window: of a convolution or a pooling.
            channels: of the result; as before without.

        Raises:
            ExportError: there are no two axes to slide over, or the window does not fit.
        """
        if self.extent is None or self.jump is None or self.start is None:
            message = f"a window cannot slide over {self.shape}; only [C, H, W] has two axes"
            raise ExportError(message)
        reach = scale(window.dilation, tuple(taps - 1 for taps in window.kernel))
        sides = tuple(
            (side + 2 * padding - far - 1) // stride + 1
            for side, padding, far, stride in zip(
                self.shape[1:], window.padding, reach, window.stride, strict=True
            )
        )
        if min(sides) < 1:
            message = f"a window of {window.kernel} does not fit into {self.shape}"
            raise ExportError(message)
        grown, shifted = scale(reach, self.jump), scale(window.padding, self.jump)
        return Geometry(
            shape=(self.shape[0] if channels is None else channels, *sides),
            extent=(self.extent[0] + grown[0], self.extent[1] + grown[1]),
            jump=scale(self.jump, window.stride),
            start=(self.start[0] - shifted[0], self.start[1] - shifted[1]),
        )

    def flatten(self, features: int) -> "Geometry":
        """Return the geometry of ``features`` values that see the whole picture."""
        return replace(self, shape=(features,), extent=None, jump=None, start=None)


def scale(left: tuple[int, ...], right: tuple[int, ...]) -> Pair:
    """Return the products of two pairs, axis by axis."""
    return left[0] * right[0], left[1] * right[1]
