"""Ranges of integers: counted without loss, cut where the error is least."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from exporter.classifiers.ranges import BINS, MOST_COUNTED, Histogram, Range, count_values
from exporter.errors import ExportError

RANDOM = np.random.default_rng(4)


def count(*parts: object) -> Histogram:
    """Return the histogram of some arrays, added one after another."""
    histogram = Histogram()
    for part in parts:
        histogram.add(torch.tensor(np.asarray(part), dtype=torch.float32))
    return histogram


def measure_error(values: np.ndarray, found: Range) -> float:
    """Return the mean squared error of values as bytes."""
    step, zero = float(found.step), found.zero
    integers = np.clip(np.rint(values / step) + zero, 0, 255)
    return float(np.mean(((integers - zero) * step - values) ** 2))


def test_later_larger_values_lose_no_count() -> None:
    """Whatever the order, every value but the zeros is counted, under the right sign."""
    histogram = count([1.0, 0.5, -0.25, 0.0], [7.5, -3.0], [100.0])
    assert histogram.counts.sum() == 6
    assert histogram.counts[: BINS // 2].sum() == 2
    assert histogram.reach == 128
    assert (histogram.low, histogram.high) == (-3.0, 100.0)


def test_widened_bins_are_those_of_the_whole() -> None:
    """Counts that were widened equal counts of all values at once."""
    values = RANDOM.normal(size=1000).astype(np.float32)
    apart = count([0.5], values, [63.0])
    assert apart.reach == 64
    together = count([64.0], values, [0.5, 63.0])
    assert np.abs(apart.counts - together.counts).sum() <= 4  # at edges, and the 64 itself


@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize("farthest", [4.0, 7.0, 20.0])
def test_least_error_is_found(farthest: float, *, rectified: bool) -> None:
    """The error of ``mse`` is within 2% of the best of a hundred cuts."""
    values = RANDOM.normal(size=60_000)
    values = np.append(np.maximum(values, 0) if rectified else values, farthest)
    found = count(values).choose("mse")
    low = 0.0 if rectified else values.min()
    cuts = np.linspace(farthest / 100, farthest, 100)
    best = min(measure_error(values, Range(max(low, -cut), cut)) for cut in cuts)
    assert measure_error(values, found) < 1.02 * best


def test_even_values_are_not_cut() -> None:
    """Where large values are as many as small ones, none is lost."""
    found = count(np.linspace(0, 6, 5000)).choose("mse")
    assert found.low == 0
    assert found.high == pytest.approx(6, rel=0.01)


def test_percentile_leaves_one_of_ten_thousand_outside() -> None:
    """Of 50,000 even values the largest five are cut."""
    found = count(np.linspace(0.001, 1, 50_000)).choose("percentile")
    assert found.high == pytest.approx(0.9999, abs=2 / BINS)


def test_tensor_of_zeros_has_a_range() -> None:
    """A layer that returns nothing but zeros is written, too."""
    found = count(np.zeros(9)).choose("mse")
    assert (found.low, found.high, found.zero) == (0.0, 0.0, 0)
    assert found.step == 1


def test_large_tensors_are_counted_in_part() -> None:
    """Of many values a part is counted; the bounds are those of all."""
    values = RANDOM.normal(size=10 * MOST_COUNTED)
    histogram = count(values)
    assert MOST_COUNTED / 2 < histogram.counts.sum() <= MOST_COUNTED
    assert histogram.high == pytest.approx(values.max())
    assert histogram.choose("mse").high == pytest.approx(
        count(values[:50_000]).choose("mse").high, rel=0.2
    )


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_infinite_values_are_refused(value: float) -> None:
    """A network that overflows cannot be brought to bytes."""
    with pytest.raises(ExportError, match="returns infinite values on the pictures"):
        count([0.0, value])


@given(
    low=st.floats(-1e4, 0),
    high=st.floats(0, 1e4),
    share=st.floats(0, 1),
)
def test_bytes_stand_for_their_values(low: float, high: float, share: float) -> None:
    """Zero is exact, and every value inside the range is at most a step away."""
    found = Range(low, high)
    assert 0 <= found.zero <= 255
    value = low + share * (high - low)
    integer = np.clip(np.rint(value / float(found.step)) + found.zero, 0, 255)
    assert abs((integer - found.zero) * float(found.step) - value) <= float(found.step) * 1.001


def test_layers_run_in_order_and_are_counted_by_name() -> None:
    """Each tensor's values are those behind its own layer, over all pictures."""
    layers = [("in", nn.Identity()), ("relu", nn.ReLU()), ("", nn.Dropout()), ("tanh", nn.Tanh())]
    for _, module in layers:
        module.eval()
    inputs = [torch.tensor([[-2.0, 1.0]]), torch.tensor([[3.0, -0.5]])]
    found = count_values(layers, ["in", "tanh"], inputs)
    assert list(found) == ["in", "tanh"]
    assert (found["in"].low, found["in"].high) == (-2.0, 3.0)
    assert found["tanh"].low == 0
    assert found["tanh"].high == pytest.approx(np.tanh(3))
