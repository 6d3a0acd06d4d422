"""The range of every tensor that becomes integers: counted on pictures, cut where it pays.

PyTorch computes the layers one picture at a time, and each tensor's values are counted in a
histogram at once, so that nothing but counts is kept. Two ways to choose a range:

- ``mse``: least mean squared error of rounding inside and cutting outside, as Sung, Shin and
  Hwang 2015, "Resiliency of Deep Neural Networks under Quantization", choose steps of weights;
- ``percentile``: 99.99% of the values are inside.

Least divergence of the distributions (Migacz 2017, "8-bit Inference with TensorRT") was tried and
left out: where tanh makes two peaks, it cut the pooled values of LeNet-5 from 1 to 0.18, and 8%
of the digits got other names.

Zeros are exact in every range and are not counted: behind a rectifier they are the majority.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from exporter.errors import ExportError

BINS = 4096  # over both signs
LEVELS = 255  # steps of a byte
MOST_COUNTED = 2**16  # values of a tensor and picture; bounds are of all
PERCENTILE = 0.9999

Counts = NDArray[np.float64]
Layers = Sequence[tuple[str, nn.Module]]


@dataclass(frozen=True)
class Range:
    """The values that a byte stands for.

    Attributes:
        low: value of 0; at most 0.
        high: value of 255; at least 0.
    """

    low: float
    high: float

    @property
    def step(self) -> np.float32:
        """What one unit is worth."""
        step = np.float32((self.high - self.low) / LEVELS)
        return step if step >= np.finfo(np.float32).tiny else np.float32(1)

    @property
    def zero(self) -> int:
        """The byte that stands for 0.0."""
        return round(-self.low / float(self.step))


class Histogram:
    """Counts in bins symmetric about zero; whatever comes later, bins are joined, never lost."""

    def __init__(self) -> None:
        self.counts: Counts = np.zeros(BINS)
        self.reach = 0.0
        self.low = 0.0
        self.high = 0.0

    def add(self, values: Tensor) -> None:
        """Count values.

        Args:
            values: float32 of any shape.

        Raises:
            ExportError: one of them is not finite.
        """
        low, high = (float(bound) for bound in values.aminmax())
        if not np.isfinite([low, high]).all():
            message = "the network returns infinite values on the pictures to calibrate on"
            raise ExportError(message)
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.widen(max(-low, high))
        if self.reach:
            # odd, so that it falls into step with no power of two that a side has
            some = values.flatten()[:: values.numel() // MOST_COUNTED | 1]
            self.counts += torch.histc(some, BINS, -self.reach, self.reach).numpy()
            self.counts[BINS // 2] -= some.numel() - int(some.count_nonzero())

    def widen(self, peak: float) -> None:
        """Double the bins' width until they reach ``peak``."""
        self.reach = self.reach or peak
        while self.reach < peak:
            quarter = np.zeros(BINS // 4)
            self.counts = np.concatenate([quarter, self.counts.reshape(-1, 2).sum(1), quarter])
            self.reach *= 2

    def choose(self, method: str) -> Range:
        """Return the range that a method chooses; values beyond it are cut.

        Args:
            method: a key of :data:`METHODS`.
        """
        half = BINS // 2
        counts = self.counts[half:] + self.counts[:half][::-1]
        if not counts.any():
            return Range(self.low, self.high)
        ends = np.arange(1, half + 1)
        width = self.reach / half
        spans = np.minimum(ends, self.high / width) + np.minimum(ends, -self.low / width)
        reach = METHODS[method](counts, spans / LEVELS) * width
        return Range(max(self.low, -reach), min(self.high, reach))


def find_least_error(counts: Counts, steps: Counts) -> int:
    """Return the number of bins, of magnitudes, beyond which cutting costs least.

    Args:
        counts: of magnitudes, the smallest first.
        steps: what a unit is worth, in bins, if all behind the same bin is cut.
    """
    places = np.arange(len(counts)) + 0.5
    ends = np.arange(1, len(counts) + 1)
    behind = [np.cumsum((counts * places**power)[::-1])[::-1] for power in range(3)]
    # of those behind the end T: sum of (x - T)^2 = sum of x^2 - 2 T x + T^2
    zeroth, first, second = (np.append(total[1:], 0.0) for total in behind)
    cut = second - 2 * ends * first + ends**2 * zeroth
    rounded = (counts.sum() - zeroth) * steps**2 / 12
    return int(np.argmin(cut + rounded)) + 1


def find_percentile(counts: Counts, _: Counts) -> int:
    """Return the number of bins of magnitudes that hold 99.99% of the values."""
    return int(np.searchsorted(np.cumsum(counts), PERCENTILE * counts.sum())) + 1


METHODS: Mapping[str, Callable[[Counts, Counts], int]] = {
    "mse": find_least_error,
    "percentile": find_percentile,
}


def count_values(
    layers: Layers, tensors: Collection[str], inputs: Iterable[Tensor]
) -> dict[str, Histogram]:
    """Run pictures through the layers and count the values of some tensors.

    Args:
        layers: in the order in which they run, each by the name of the tensor that it returns.
        tensors: to count.
        inputs: float32 ``[n, C, H, W]`` each.

    Raises:
        ExportError: a value is not finite.
    """
    found = {name: Histogram() for name in tensors}
    with torch.inference_mode():
        for values in inputs:
            current = values
            for name, module in layers:
                current = module(current)
                if name in found:
                    found[name].add(current)
    return found
