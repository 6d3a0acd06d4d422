"""One contrast scale: which grey stands for which value."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runner.images import Pixels

Values = NDArray[np.float32]
FAR_APART = 4.0  # peaks beyond this ratio are not told apart from black on even steps
LINEAR_PART = 3000.0  # even steps up to the limit divided by this, then even ratios


@dataclass(frozen=True)
class Scale:
    """A mapping of values to greys that rises everywhere.

    Attributes:
        limit: value shown white, above 0.
        signed: the negative limit is black and 0 the middle grey; else 0 is black.
        logarithmic: equal ratios, not equal differences, look alike.
    """

    limit: float
    signed: bool = False
    logarithmic: bool = False

    def tone(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return 0 (black) to 1 (white) for values of any shape; what lies beyond is clipped."""
        share = np.clip(np.asarray(values, np.float64) / self.limit, -1, 1)
        if self.logarithmic:
            bent = np.log1p(np.abs(share) * LINEAR_PART) / math.log1p(LINEAR_PART)
            share = np.copysign(bent, share)
        return (share + 1) / 2 if self.signed else np.maximum(share, 0)

    def paint(self, values: NDArray[np.floating]) -> Pixels:
        """Return greys 0 to 255 for values of any shape."""
        return np.rint(self.tone(values) * 255).astype(np.uint8)

    def list_ticks(self) -> tuple[float, ...]:
        """Return the values that a legend names, rising."""
        inner = (
            tuple(self.limit / part for part in (1000, 100, 10))
            if self.logarithmic
            else (self.limit / 2,)
        )
        above = (*inner, self.limit)
        if not self.signed:
            return (0.0, *above)
        outer = above[-2:] if self.logarithmic else above[-1:]
        return (*(-value for value in reversed(outer)), 0.0, *outer)

    @property
    def steps(self) -> str:
        """``linear`` or ``logarithmic``."""
        return "logarithmic" if self.logarithmic else "linear"


def choose_scale(arrays: Iterable[Values]) -> Scale:
    """Return one scale for all arrays.

    It is signed where any value is negative, and logarithmic where the peaks of the arrays
    differ by more than a factor of four: on even steps the weaker ones would be black.

    Args:
        arrays: one per layer, of any shape.
    """
    arrays = list(arrays)
    peaks = [float(np.abs(array).max(initial=0)) for array in arrays]
    signed = any(float(array.min(initial=0)) < 0 for array in arrays)
    weakest = min((peak for peak in peaks if peak > 0), default=1.0)
    strongest = max(peaks, default=0.0)
    return Scale(strongest or 1.0, signed, strongest > FAR_APART * weakest)


def format_value(value: float) -> str:
    """Return a number with three significant digits, without an exponent where it is readable."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    magnitude = math.floor(math.log10(abs(value)))
    if not -4 <= magnitude < 9:
        return f"{value:.2e}"
    text = f"{value:,.{max(0, 2 - magnitude)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
