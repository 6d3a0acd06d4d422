"""Padding, cropping, upsampling and rearrangements of aten as layers."""

from dataclasses import dataclass
from typing import Any, Literal

from calculator.layers.dense import Flatten
from calculator.layers.operators import Operator
from calculator.layers.resizing import Crop, Pad, PixelShuffle, Upsample
from calculator.layers.shapes import Borders, Shape
from calculator.reading.aten.orders import (
    Order,
    find_shuffle,
    is_alike,
    keeps_positions,
    permute_order,
    reshape_order,
    start_order,
)
from calculator.reading.aten.steps import Activation, Call, take_sample
from calculator.reading.aten.windows import Layers

PAD_MODES: dict[str, Literal["zeros", "reflect", "edge"]] = {
    "constant": "zeros",
    "reflect": "reflect",
    "replicate": "edge",
}
VIEWS = {
    *("view", "reshape", "_unsafe_view", "view_as", "reshape_as", "ravel"),
    *("flatten", "unflatten", "squeeze", "unsqueeze"),
}
SWAPS = {"transpose", "swapaxes", "swapdims", "t", "permute"}


def read_upsampling(call: Call) -> Layers:
    """Read nearest upsampling by one integer along all axes."""
    (x,) = call.activations
    factor = call.shape[2] // x.shape[2]
    exact = call.shape[2:] == tuple(size * factor for size in x.shape[2:])
    return (Upsample(factor),) if exact and factor and call.is_sample() else ()


def read_pixel_shuffle(call: Call) -> Layers:
    """Read pixel shuffle of one picture."""
    return (PixelShuffle(call.settings["upscale_factor"]),) if call.is_sample(2) else ()


def read_pad(call: Call) -> Layers:
    """Read padding of spatial axes; negative padding crops."""
    mode = PAD_MODES.get(call.settings.get("mode", "constant"))
    borders = list_borders(call.settings["pad"], len(call.shape) - 2)
    if mode is None or not borders or not call.is_sample():
        return ()
    added = tuple((max(before, 0), max(after, 0)) for before, after in borders)
    cut = tuple((max(-before, 0), max(-after, 0)) for before, after in borders)
    if not any(map(any, cut)):
        return (Pad(added, mode),)
    if not any(map(any, added)):
        return (Crop(cut),)
    return (Crop(cut), Pad(added, mode)) if mode == "zeros" else ()


def list_borders(sides: list[int], axes: int) -> Borders:
    """Return aten's list, the last axis first, as pairs per axis; nothing if it pads channels."""
    pairs = list(zip(sides[::2], sides[1::2], strict=True))[::-1]
    if axes < 1 or any(map(any, pairs[:-axes])):
        return ()
    return ((0, 0),) * (axes - len(pairs)) + tuple(pairs[-axes:])


def read_slice(call: Call) -> Borders | None:
    """Return what a slice of a spatial axis cuts away; None for any other slice."""
    (x,), settings = call.activations, call.settings
    axis = call.axis()
    if axis < 2 or settings["step"] != 1 or not call.is_sample() or len(x.shape) > 5:
        return None
    start, _, _ = slice(settings["start"], settings["end"]).indices(x.shape[axis])
    cut = (start, x.shape[axis] - start - call.shape[axis])
    return tuple(cut if other == axis else (0, 0) for other in range(2, len(x.shape)))


def add_borders(first: Borders, second: Borders) -> Borders:
    """Return what two crops, one after the other, cut away."""
    return tuple((a + c, b + d) for (a, b), (c, d) in zip(first, second, strict=True))


@dataclass(frozen=True)
class Rearrangement:
    """A chain of views and transpositions, or of crops.

    Args:
        root: what it started from.
        order: of the values now; None where it is not known.
        crop: what has been cut away, for a chain of crops.
    """

    root: Activation
    order: Order | None = None
    crop: Borders | None = None


def rearrange(call: Call, before: Rearrangement | None) -> Rearrangement:
    """Return the chain of which this view or transposition is the last member.

    Args:
        call: one of ``VIEWS`` or ``SWAPS``.
        before: the chain that its input ends; None if there is none.
    """
    (x,) = call.activations
    chain = before or Rearrangement(x, start_order(x.shape))
    if chain.order is None:
        return chain
    if call.step.operator in VIEWS:
        return Rearrangement(chain.root, reshape_order(chain.order, call.shape))
    return Rearrangement(chain.root, permute_order(chain.order, list_axes(call, len(x.shape))))


def list_axes(call: Call, axes: int) -> list[int]:
    """Return which axis of the input stands where after a transposition."""
    settings: Any = call.settings
    if call.step.operator == "permute":
        return [axis % axes for axis in settings["dims"]]
    places = list(range(axes))
    if call.step.operator == "t":
        return places[::-1]
    named = ("dim0", "dim1") if "dim0" in settings else ("axis0", "axis1")
    first, second = (settings[name] % axes for name in named)
    places[first], places[second] = second, first
    return places


def read_rearrangement(chain: Rearrangement, shape: Shape) -> Layers:
    """Read a chain that returns ``shape``; nothing if it changes nothing."""
    before, sample = chain.root.shape, take_sample(shape)
    if chain.order is None:
        return (Operator("permute", sample),)
    ordered = is_alike(chain.order, start_order(before))
    if ordered and sample == take_sample(before) and len(shape) == len(before):
        return ()  # with other axes the chain goes on, though the sample looks the same
    if ordered and len(shape) == 2 and shape[0] == 1:
        return (Flatten(),)
    if ordered:
        return (Operator("reshape", sample),)
    factor = find_shuffle(before, shape, chain.order)
    if factor is not None:
        return (PixelShuffle(factor),)
    still = keeps_positions(before, shape, chain.order)
    return (Operator("channel_shuffle" if still else "permute", sample, pointwise=still),)


RESIZING = {
    **dict.fromkeys(
        (
            f"{name}{axes}d"
            for name in ("upsample_nearest", "_upsample_nearest_exact")
            for axes in (1, 2, 3)
        ),
        read_upsampling,
    ),
    "pixel_shuffle": read_pixel_shuffle,
    **dict.fromkeys(("pad", "constant_pad_nd"), read_pad),
}
