"""Random small networks against PyTorch, receptive fields against the support of gradients."""

from collections.abc import Callable
from math import lcm
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st
from torch import Tensor

from calculator import CalculatorError, Network, Report, Row, parse, summarize
from calculator.arithmetic.receptive import Field
from calculator.layers.base import Layer

ToTorch = Callable[[Network, Tensor], Any]
FormProducts = Callable[[Layer, tuple[int, ...]], int]

many = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
MOST_PIXELS = 40_000


def draw_window(draw: st.DrawFn, *, most: int = 3) -> tuple[str, int]:
    """Draw kernel, dilation and a padding, as text, and the kernel."""
    kernel, dilation = draw(st.integers(1, most)), draw(st.integers(1, 2))
    return f"{kernel} p{draw(st.integers(0, 2))} d{dilation}", kernel


def draw_item(draw: st.DrawFn) -> str:
    """Draw one layer or one pair of branches; every channel count is 2."""
    which = draw(st.sampled_from(("conv", "dwconv", "tconv", "avgpool", "upsample", "branches")))
    stride = draw(st.integers(1, 3))
    if which == "conv":
        return f"conv 2@{draw_window(draw)[0]} s{stride} g{draw(st.integers(1, 2))}"
    if which == "dwconv":
        return f"dwconv {draw_window(draw)[0]} s{stride}"
    if which == "tconv":
        return f"tconv 2@{draw_window(draw)[0]} s{min(stride, 2)}"
    if which == "avgpool":
        ceil = draw(st.sampled_from(("", " ceil")))
        kernel = draw(st.integers(1, 3))
        return f"avgpool {kernel} s{stride} p{draw(st.integers(0, kernel // 2))}{ceil}"
    if which == "upsample":
        return "upsample 2"
    wide = draw(st.sampled_from((3, 5)))
    return f"[ conv 2@{wide} p{wide // 2} s{stride} | relu || conv 2@1 s{stride} ] add"


@st.composite
def lines(draw: st.DrawFn) -> tuple[int, str]:
    """Draw the number of axes and layers behind an input of two channels."""
    items = [draw_item(draw) for _ in range(draw(st.integers(1, 4)))]
    return draw(st.sampled_from((1, 1, 2, 2, 3))), " | ".join(items)


def find_interior(rows: tuple[Row, ...], side: int) -> list[int]:
    """Return the units of the last layer whose fields lie well inside, one per phase."""
    (field, *_), units = fields_of(rows[-1]), range(rows[-1].derived.shape[1])
    inside = (u for u in units if (field.first_of(u) or -1) >= side // 3)
    unit = next(inside, len(units) // 2)  # the middle where no unit sees anything
    return list(range(unit, unit + field.period))


def fields_of(row: Row) -> tuple[Field, ...]:
    """Return the fields of a layer that has some."""
    assert row.fields is not None
    return row.fields


def grow_input(axes: int, layers: str) -> Report | None:
    """Return the network on an input that is three times its receptive field and more."""
    try:
        small = summarize(parse(f"2{'x60' * axes} | {layers}"))
    except CalculatorError:
        return None
    if small.rows[-1].fields is None:
        return None
    widest = max(field.extent for row in small.rows for field in row.fields or ())
    reach = max(abs(field.start) for row in small.rows for field in row.fields or ())
    jump = lcm(*(int(field.advance) for row in small.rows for field in row.fields or ()))
    side = 3 * (widest + reach + 2 * jump) + 6
    if side**axes > MOST_PIXELS:
        return None
    return summarize(parse(f"2{f'x{side}' * axes} | {layers}"))


def check_gradients(report: Report, built: Any, x: Tensor) -> None:  # noqa: ANN401
    """Compare every phase's field with the extent of the gradient's support."""
    (field, *_), side = fields_of(report.rows[-1]), x.shape[2]
    axes = x.dim() - 2
    for unit in find_interior(report.rows, side):
        x.grad = torch.zeros_like(x)
        built.output[(0, 0, *(unit,) * axes)].backward(retain_graph=True)
        support = x.grad[0].abs().sum(0).nonzero()
        if field.first_of(unit) is None:
            assert support.numel() == 0
            continue
        for axis in range(axes):
            seen = support[:, axis]
            assert int(seen.min()) == field.first_of(unit)
            assert int(seen.max()) == field.last_of(unit)


@given(lines())
@settings(many, max_examples=500)
def test_receptive_field_is_the_gradients_support(to_torch: ToTorch, line: tuple[int, str]) -> None:
    """First and last position that an interior unit sees are those with a gradient."""
    report = grow_input(*line)
    assume(report is not None)
    assert report is not None
    assume(fields_of(report.rows[-1])[0].period <= 8)
    x = torch.ones(1, *report.network.input, dtype=torch.float64, requires_grad=True)
    check_gradients(report, to_torch(report.network, x), x)


@given(lines(), st.integers(4, 12), st.integers(1, 3))
@settings(many, max_examples=600)
def test_network_equals_torch(
    to_torch: ToTorch, form_products: FormProducts, line: tuple[int, str], side: int, batch: int
) -> None:
    """Every layer's shape, activations, parameters and multiply-adds, for a batch."""
    axes, layers = line
    assume(axes < 3 or "ceil" not in layers)  # PyTorch's 3-D mean refuses what others take
    try:
        network = parse(f"2{f'x{side}' * axes} | {layers}")
    except CalculatorError:
        reject()
    x = torch.ones(batch, *network.input, dtype=torch.float64)
    built = to_torch(network, x)
    for position, row in enumerate(summarize(network, batch=batch).rows):
        assert row.derived.shape == tuple(built.values[position].shape[1:])
        assert row.activations.result == built.values[position].numel()
        assert row.params == built.count_params(position)
        if row.macs:
            assert row.macs == batch * form_products(row.node.layer, row.inputs[0])


@pytest.mark.parametrize(
    ("layers", "period"),
    [
        ("upsample 3 | conv 2@3 p1", 3),
        ("upsample 2 | conv 2@5 p2 | upsample 2 | conv 2@3 p1", 4),
        ("conv 2@3 s2 p1 | tconv 2@2 s3 | conv 2@2", 3),
        ("tconv 2@3 s2 d2 p1 | conv 2@3 d2", 2),
        ("conv 2@3 s3 | upsample 2 | conv 2@3 s3", 2),
    ],
)
@pytest.mark.parametrize("axes", [1, 2])
def test_every_phase_behind_upsampling_is_exact(
    to_torch: ToTorch, layers: str, period: int, axes: int
) -> None:
    """Neighbouring units behind upsampling see different extents; each is the gradient's."""
    report = grow_input(axes, layers)
    assert report is not None
    assert fields_of(report.rows[-1])[0].period == period
    x = torch.ones(1, *report.network.input, dtype=torch.float64, requires_grad=True)
    check_gradients(report, to_torch(report.network, x), x)


@pytest.mark.parametrize(("side", "bins"), [(12, 4), (12, 5), (7, 3), (3, 7), (10, 10)])
def test_adaptive_bins_are_exact(to_torch: ToTorch, side: int, bins: int) -> None:
    """Every bin of an adaptive mean sees exactly the positions with a gradient."""
    report = summarize(parse(f"1x{side} | conv 1@3 p1 | adaptiveavgpool {bins}"))
    (field,) = fields_of(report.rows[-1])
    x = torch.ones(1, 1, side, dtype=torch.float64, requires_grad=True)
    built = to_torch(report.network, x)
    for unit in range(bins):
        x.grad = torch.zeros_like(x)
        built.output[0, 0, unit].backward(retain_graph=True)
        seen = x.grad[0, 0].nonzero()
        first, last = field.first_of(unit), field.last_of(unit)
        assert first is not None
        assert last is not None
        # the field is not clipped to the input, the gradient is
        assert (int(seen.min()), int(seen.max())) == (max(first, 0), min(last, side - 1))
