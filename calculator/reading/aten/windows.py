"""Convolutions and pooling of aten as layers."""

from typing import Any, Literal

from calculator.layers.base import Layer
from calculator.layers.convolutions import Conv, DepthwiseConv, TransposedConv
from calculator.layers.dense import Flatten
from calculator.layers.pools import AdaptivePool, GlobalPool, Mode, Pool
from calculator.layers.shapes import Borders, Padding, Sides
from calculator.reading.aten.steps import Activation, Call, Constant

Layers = tuple[Layer, ...]  # in the order in which they run; empty where there is none


def to_sides(value: Any, axes: int) -> Sides:  # noqa: ANN401 - a number or a list of numbers
    """Return one entry per axis from a number, or from a list of one or of all."""
    sides = (value,) if isinstance(value, int) else tuple(value)
    return sides * axes if len(sides) == 1 else sides


def to_padding(value: Any, axes: int) -> Padding:  # noqa: ANN401 - also "same" and "valid"
    """Return the same padding before and after, or ``"same"``."""
    if value == "same":
        return "same"
    sides = (0,) * axes if value == "valid" else to_sides(value, axes)
    return tuple((side, side) for side in sides)


def find_axes(call: Call) -> int | None:
    """Return the spatial axes of a convolution of one sample by weights; None for any other."""
    weight = call.settings["weight"]
    if not isinstance(weight, Constant) or not isinstance(call.settings["input"], Activation):
        return None
    axes = len(weight.shape) - 2
    return axes if 1 <= axes <= 3 and call.is_sample(axes) else None


def read_convolution(call: Call) -> Layers:
    """Read ``conv1d``, ``conv2d``, ``conv3d``; as many groups as channels make it depthwise."""
    axes, settings = find_axes(call), call.settings
    if axes is None:
        return ()
    filters, _, *kernel = settings["weight"].shape
    channels, groups = settings["input"].shape[1], settings["groups"]
    stride = to_sides(settings["stride"], axes)
    padding = to_padding(settings["padding"], axes)
    dilation = to_sides(settings["dilation"], axes)
    bias = settings["bias"] is not None
    if groups == channels > 1:
        return (
            DepthwiseConv(tuple(kernel), filters // channels, stride, padding, dilation, bias=bias),
        )
    return (Conv(filters, tuple(kernel), stride, padding, dilation, groups=groups, bias=bias),)


def read_transposed(call: Call) -> Layers:
    """Read ``conv_transpose1d`` and its like."""
    axes, settings = find_axes(call), call.settings
    if axes is None:
        return ()
    _, filters, *kernel = settings["weight"].shape
    layer = TransposedConv(
        filters * settings["groups"],
        tuple(kernel),
        to_sides(settings["stride"], axes),
        to_padding(settings["padding"], axes),
        output_padding=to_sides(settings["output_padding"], axes),
        dilation=to_sides(settings["dilation"], axes),
        groups=settings["groups"],
        bias=settings["bias"] is not None,
    )
    return (layer,)


def read_pool(call: Call) -> Layers:
    """Read ``max_pool2d``, ``avg_pool2d`` and their like, also those that return indices."""
    mode, _, rest = call.step.operator.partition("_pool")
    axes, settings = int(rest[0]), call.settings
    if not call.is_sample(axes):
        return ()
    kernel = to_sides(settings["kernel_size"], axes)
    stride = settings["stride"]
    pool = Pool(
        to_mode(mode),
        kernel,
        kernel if stride in ([], (), None) else to_sides(stride, axes),
        to_borders(settings["padding"], axes),
        dilation=to_sides(settings.get("dilation", 1), axes),
        ceil=settings["ceil_mode"],
    )
    return (pool,)


def to_mode(text: str) -> Mode:
    """Return the word of a pooling layer."""
    return "max" if text.endswith("max") else "avg"


def to_borders(value: Any, axes: int) -> Borders:  # noqa: ANN401 - a number or a list of numbers
    """Return the same padding before and after along each axis."""
    return tuple((side, side) for side in to_sides(value, axes))


def read_adaptive(call: Call) -> Layers:
    """Read ``adaptive_avg_pool2d`` and its like; one bin is a global pool."""
    mode, _, rest = call.step.operator.partition("_pool")
    axes = int(rest[0])
    if not call.is_sample(axes):
        return ()
    size = to_sides(call.settings["output_size"], axes)
    if set(size) == {1}:
        return (GlobalPool(to_mode(mode)),)
    return (AdaptivePool(to_mode(mode), size),)


def read_reduction(call: Call) -> Layers:
    """Read ``mean`` and ``amax`` over all spatial axes as a global pool, flattened if not kept."""
    (x,), dims = call.activations, call.settings.get("dim")
    if not call.is_sample() or len(x.shape) < 3 or dims is None:
        return ()
    listed = [dims] if isinstance(dims, int) else dims
    if sorted(dim % len(x.shape) for dim in listed) != list(range(2, len(x.shape))):
        return ()
    mode: Literal["max", "avg"] = "avg" if call.step.operator == "mean" else "max"
    pool = GlobalPool(mode)
    return (pool,) if call.settings["keepdim"] else (pool, Flatten())


WINDOWS = {
    **{f"conv{axes}d": read_convolution for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": read_transposed for axes in (1, 2, 3)},
    **{f"{mode}_pool{axes}d": read_pool for mode in ("max", "avg") for axes in (1, 2, 3)},
    **{f"max_pool{axes}d_with_indices": read_pool for axes in (1, 2, 3)},
    **{
        f"adaptive_{mode}_pool{axes}d": read_adaptive
        for mode in ("max", "avg")
        for axes in (1, 2, 3)
    },
    "mean": read_reduction,
    "amax": read_reduction,
}
