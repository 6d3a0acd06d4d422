"""Random single layers against PyTorch: shapes, parameters, multiply-adds."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from calculator import Network, Node
from calculator.errors import ShapeError
from calculator.layers.base import Layer
from calculator.layers.convolutions import Conv, DepthwiseConv, TransposedConv
from calculator.layers.pools import AdaptivePool, Mode, Pool
from calculator.layers.resizing import PixelShuffle, Upsample
from calculator.layers.shapes import Borders, Sides

Case = tuple[Layer, tuple[int, ...]]
ToTorch = Callable[[Network, Tensor], Any]
FormProducts = Callable[[Layer, tuple[int, ...]], int]

# The torch side runs in milliseconds; the examples are drawn fresh in every run.
many = settings(
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TO_SIDE = {1: 16, 2: 9, 3: 6}  # the largest input per number of axes


def draw_sides(draw: st.DrawFn, axes: int, low: int, high: int) -> Sides:
    """Draw one number for all axes, or one for each."""
    count = draw(st.sampled_from((1, axes)))
    return tuple(draw(st.integers(low, high)) for _ in range(count))


def draw_borders(draw: st.DrawFn, axes: int, high: int, *, symmetric: bool) -> Borders:
    """Draw padding per axis."""
    before = draw_sides(draw, axes, 0, high)
    after = before if symmetric else tuple(draw(st.integers(0, high)) for _ in before)
    return tuple(zip(before, after, strict=True))


def draw_shape(draw: st.DrawFn, axes: int, channels: int) -> tuple[int, ...]:
    """Draw an input."""
    return (channels, *(draw(st.integers(1, TO_SIDE[axes])) for _ in range(axes)))


@st.composite
def conv_cases(draw: st.DrawFn) -> Case:
    """Draw a convolution and an input, which may be too small for it."""
    axes, groups = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    channels = groups * draw(st.integers(1, 2))
    stride = draw_sides(draw, axes, 1, 3)
    borders = draw_borders(draw, axes, 3, symmetric=draw(st.booleans()))
    same = set(stride) == {1} and draw(st.booleans())  # PyTorch has "same" at stride 1 only
    conv = Conv(
        filters=groups * draw(st.integers(1, 2)),
        kernel=draw_sides(draw, axes, 1, 4),
        stride=stride,
        padding="same" if same else borders,
        dilation=draw_sides(draw, axes, 1, 3),
        groups=groups,
        bias=draw(st.booleans()),
    )
    return conv, draw_shape(draw, axes, channels)


@st.composite
def depthwise_cases(draw: st.DrawFn) -> Case:
    """Draw a depthwise convolution and an input."""
    axes = draw(st.integers(1, 3))
    conv = DepthwiseConv(
        kernel=draw_sides(draw, axes, 1, 4),
        multiplier=draw(st.integers(1, 3)),
        stride=draw_sides(draw, axes, 1, 3),
        padding=draw_borders(draw, axes, 2, symmetric=True),
        dilation=draw_sides(draw, axes, 1, 2),
        bias=draw(st.booleans()),
    )
    return conv, draw_shape(draw, axes, draw(st.integers(1, 3)))


@st.composite
def transposed_cases(draw: st.DrawFn) -> Case:
    """Draw a transposed convolution and an input."""
    axes, groups = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    conv = TransposedConv(
        filters=groups * draw(st.integers(1, 2)),
        kernel=draw_sides(draw, axes, 1, 4),
        stride=draw_sides(draw, axes, 1, 3),
        padding=draw_borders(draw, axes, 2, symmetric=True),
        output_padding=draw_sides(draw, axes, 0, 2),
        dilation=draw_sides(draw, axes, 1, 3),
        groups=groups,
        bias=draw(st.booleans()),
    )
    return conv, draw_shape(draw, axes, groups * draw(st.integers(1, 2)))


@st.composite
def pool_cases(draw: st.DrawFn) -> Case:
    """Draw a pooling layer and an input; PyTorch wants paddings of half the kernel at most."""
    axes = draw(st.integers(1, 3))
    mode: Mode = draw(st.sampled_from(("max", "avg")))
    kernel = draw_sides(draw, axes, 1, 4)
    pool = Pool(
        mode,
        kernel,
        stride=draw(st.sampled_from((None, draw_sides(draw, axes, 1, 4)))),
        padding=draw_borders(draw, axes, min(kernel) // 2, symmetric=True),
        dilation=draw_sides(draw, axes, 1, 2) if mode == "max" else (1,),
        ceil=draw(st.booleans()),
    )
    shape = draw_shape(draw, axes, draw(st.integers(1, 2)))
    # PyTorch's 3-D mean, unlike all its others, refuses what fits only with its padding
    assume(axes < 3 or mode == "max" or not pool.ceil or min(shape[1:]) >= max(kernel))
    return pool, shape


@st.composite
def resizing_cases(draw: st.DrawFn) -> Case:
    """Draw an upsampling, a pixel shuffle, or adaptive pooling, and an input."""
    axes, factor = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    which = draw(st.sampled_from(("upsample", "shuffle", "max", "avg")))
    if which == "upsample":
        return Upsample(factor), draw_shape(draw, axes, 2)
    if which == "shuffle":
        return PixelShuffle(factor), draw_shape(draw, axes, 2 * factor**axes)
    size = draw_sides(draw, axes, 1, 7)
    return AdaptivePool("max" if which == "max" else "avg", size), draw_shape(draw, axes, 2)


def check(case: Case, to_torch: ToTorch, form_products: FormProducts | None) -> None:
    """Compare one layer; where it does not fit, PyTorch must refuse it as well."""
    layer, shape = case
    x = torch.ones(1, *shape, dtype=torch.float64)
    network = Network("one", shape, (Node("layer", layer, (-1,)),))
    try:
        derived = layer.derive((shape,))
    except ShapeError:
        with pytest.raises((RuntimeError, ValueError), match=r".") as refusal:
            to_torch(network, x)
        assert refusal.value.args
        return
    built = to_torch(network, x)
    assert derived.shape == tuple(built.output.shape[1:])
    expected = built.count_params(0)
    assert (derived.params.result if derived.params else 0) == expected
    if form_products is not None:
        assert derived.macs is not None
        assert derived.macs.result == form_products(layer, shape)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(conv_cases())
@settings(many, max_examples=8_000)
def test_convolution_equals_torch(
    to_torch: ToTorch, form_products: FormProducts, case: Case
) -> None:
    """Shape, parameters, and the products that are formed, in one to three dimensions."""
    check(case, to_torch, form_products)


@given(depthwise_cases())
@settings(many, max_examples=2_000)
def test_depthwise_convolution_equals_torch(
    to_torch: ToTorch, form_products: FormProducts, case: Case
) -> None:
    """A depthwise convolution is the one with as many groups as channels."""
    check(case, to_torch, form_products)


@given(transposed_cases())
@settings(many, max_examples=5_000)
def test_transposed_convolution_equals_torch(
    to_torch: ToTorch, form_products: FormProducts, case: Case
) -> None:
    """Shape with output padding, parameters, and every product, cropped ones included."""
    check(case, to_torch, form_products)


@given(pool_cases())
@settings(many, max_examples=4_000)
def test_pooling_equals_torch(to_torch: ToTorch, case: Case) -> None:
    """Shapes in both rounding modes, windows in the padding behind left out."""
    check(case, to_torch, None)


@given(resizing_cases())
@settings(many, max_examples=1_500)
def test_resizing_equals_torch(to_torch: ToTorch, case: Case) -> None:
    """Shapes of upsampling, pixel shuffle and adaptive pooling."""
    check(case, to_torch, None)
