"""What a layer is given and what it returns, and the spatial values it is written with."""

from dataclasses import dataclass
from math import prod
from typing import Literal

from calculator.arithmetic.expressions import Derivation
from calculator.arithmetic.receptive import Rule
from calculator.errors import ShapeError

# (channels, *spatial sizes); only (features,) after flatten. The batch is not in it.
Shape = tuple[int, ...]
Sides = tuple[int, ...]  # one entry per spatial axis, or one entry for all of them
Borders = tuple[tuple[int, int], ...]  # (before, after) in the same way
Padding = Borders | Literal["same"]

LARGEST_AXES = 3


@dataclass(frozen=True)
class Window:
    """Kernel, stride, padding, dilation as they are used, one entry per spatial axis."""

    kernel: Sides
    stride: Sides
    padding: Borders
    dilation: Sides


@dataclass(frozen=True)
class Derived:
    """Everything a layer says about one application to one input.

    Args:
        shape: of the output.
        sizes: how each spatial size of the output came out; empty where nothing changes.
        params: trainable numbers.
        buffers: numbers that are stored and not trained.
        macs: multiply-adds of the batch, bias not counted.
        connections: what LeCun et al. 1998 count: products and biases.
        window: what slides over the input; None where nothing does.
        groups: of a convolution; None elsewhere.
        rules: how each axis of the receptive field grows; None where it ends.
    """

    shape: Shape
    sizes: tuple[Derivation, ...] = ()
    params: Derivation | None = None
    buffers: Derivation | None = None
    macs: Derivation | None = None
    connections: Derivation | None = None
    window: Window | None = None
    groups: int | None = None
    rules: tuple[Rule, ...] | None = ()


def render_shape(shape: Shape) -> str:
    """Return ``3x227x227``."""
    return "x".join(str(side) for side in shape)


def render_borders(padding: Borders) -> str:
    """Return ``2``, ``1x2``, or ``0:1x0:1`` where the two sides differ."""
    sides = [str(a) if a == b else f"{a}:{b}" for a, b in padding]
    return sides[0] if len(set(sides)) == 1 else "x".join(sides)


def render_sides(sides: Sides) -> str:
    """Return ``3x3``."""
    return "x".join(str(side) for side in sides)


def expand_sides(sides: Sides, axes: int, *, what: str) -> Sides:
    """Return one entry per spatial axis.

    Raises:
        ShapeError: there are several entries, and not one per axis.
    """
    if len(sides) == 1:
        return sides * axes
    if len(sides) != axes:
        raise ShapeError(describe_misfit(what, render_sides(sides), given=len(sides), axes=axes))
    return sides


def expand_borders(padding: Borders, axes: int) -> Borders:
    """Return one pair per spatial axis.

    Raises:
        ShapeError: there are several pairs, and not one per axis.
    """
    if len(padding) == 1:
        return padding * axes
    if len(padding) != axes:
        shown = render_borders(padding)
        raise ShapeError(describe_misfit("padding", shown, given=len(padding), axes=axes))
    return padding


def describe_misfit(what: str, shown: str, *, given: int, axes: int) -> str:
    """Return the message for a value with the wrong number of sides."""
    return (
        f"{what} {shown} has {given} sides, the input has {axes} spatial "
        f"{'axis' if axes == 1 else 'axes'}; give one number or {axes}"
    )


def require_spatial(shape: Shape) -> int:
    """Return the number of spatial axes, 1 to 3.

    Raises:
        ShapeError: the input is flat.
    """
    axes = len(shape) - 1
    if axes < 1:
        message = (
            f"the input is flat ({shape[0]} values) and this layer slides over "
            "spatial axes; put it before flatten"
        )
        raise ShapeError(message)
    return axes


def require_flat(shape: Shape) -> int:
    """Return the number of features of a flat input.

    Raises:
        ShapeError: the input has spatial axes.
    """
    if len(shape) != 1:
        message = (
            f"the input {render_shape(shape)} is not flat; put 'flatten' before this layer "
            f"(it then sees {prod(shape)} values)"
        )
        raise ShapeError(message)
    return shape[0]
