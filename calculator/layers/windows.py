"""Sizes of sliding windows: from settings and an input shape to an output shape."""

from dataclasses import dataclass

from calculator.arithmetic import formulas
from calculator.arithmetic.choices import choose
from calculator.arithmetic.expressions import Derivation
from calculator.arithmetic.receptive import Rule, Slide
from calculator.errors import ShapeError
from calculator.layers.shapes import (
    Borders,
    Padding,
    Shape,
    Sides,
    Window,
    expand_borders,
    expand_sides,
    render_shape,
    require_spatial,
)


@dataclass(frozen=True)
class Placement:
    """A window on an input, and the sizes that come out."""

    window: Window
    sizes: tuple[Derivation, ...]

    @property
    def output(self) -> Shape:
        """Spatial sizes of the output."""
        return tuple(size.result for size in self.sizes)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """How each axis of the receptive field grows."""
        w = self.window
        return tuple(
            Slide(kernel, stride, before, dilation)
            for kernel, stride, (before, _), dilation in zip(
                w.kernel, w.stride, w.padding, w.dilation, strict=True
            )
        )


def split_same(shape: Shape, window: tuple[Sides, Sides, Sides]) -> Borders:
    """Return the padding that makes ``ceil(size/stride)`` outputs; odd rests go behind.

    Args:
        shape: spatial sizes.
        window: kernel, stride and dilation, one entry per axis.
    """
    borders = []
    for size, kernel, stride, dilation in zip(shape, *window, strict=True):
        reach = dilation * (kernel - 1) + 1
        total = choose("max", ((-(-size // stride) - 1) * stride + reach - size, 0))
        borders.append((total // 2, total - total // 2))
    return tuple(borders)


def place_window(
    shape: Shape,
    kernel: Sides,
    *,
    stride: Sides,
    padding: Padding,
    dilation: Sides,
    ceil: bool = False,
) -> Placement:
    """Lay a window over every spatial axis.

    Args:
        shape: ``(channels, *sizes)``.
        kernel: taps per axis, one entry or one per axis; so are the others.
        stride: step.
        padding: values added before and after each axis, or ``"same"``.
        dilation: distance between taps.
        ceil: round the number of windows up instead of down.

    Raises:
        ShapeError: the window does not fit, or a setting has the wrong number of sides.
    """
    axes, sizes = require_spatial(shape), shape[1:]
    kernel = expand_sides(kernel, axes, what="kernel")
    stride = expand_sides(stride, axes, what="stride")
    dilation = expand_sides(dilation, axes, what="dilation")
    same = padding == "same"
    borders = (
        split_same(sizes, (kernel, stride, dilation))
        if isinstance(padding, str)
        else expand_borders(padding, axes)
    )
    window = Window(kernel, stride, borders, dilation)
    taps = zip(kernel, stride, borders, dilation, strict=True)
    placement = Placement(
        window,
        tuple(
            derive_size(name, size, taps=tap, same=same, ceil=ceil)
            for name, size, tap in zip(formulas.AXES[axes], sizes, taps, strict=True)
        ),
    )
    check_window(shape, placement)
    return placement


def derive_size(
    axis: str, size: int, *, taps: tuple[int, int, tuple[int, int], int], same: bool, ceil: bool
) -> Derivation:
    """Derive the output size along one axis from kernel, stride, padding and dilation."""
    kernel, stride, (before, after), dilation = taps
    if same:
        return formulas.same_size(axis).derive(**{axis: size, "s": stride})
    symmetric = before == after
    formula = formulas.ceil_window_size if ceil else formulas.window_size
    padding = {"p": before} if symmetric else {"p_0": before, "p_1": after}
    values = {axis: size, **padding, "d": dilation, "k": kernel, "s": stride}
    return formula(axis, symmetric=symmetric).derive(**values)


def check_window(shape: Shape, placement: Placement) -> None:
    """Refuse a window that is larger than the padded input.

    In ceil mode such a window may still begin inside the input; then it is one output.

    Raises:
        ShapeError: no window fits.
    """
    window = placement.window
    for size, output, kernel, (before, after), dilation in zip(
        shape[1:],
        placement.output,
        window.kernel,
        window.padding,
        window.dilation,
        strict=True,
    ):
        if output < 1:
            reach = dilation * (kernel - 1) + 1
            spread = f" (dilated to {reach})" if dilation > 1 else ""
            message = (
                f"kernel {kernel}{spread} is larger than the input {render_shape(shape)} with "
                f"padding {before} + {after}, {size + before + after} in all; "
                "use a smaller kernel, more padding, or a larger input"
            )
            raise ShapeError(message)


def check_pool_padding(window: Window) -> None:
    """Refuse padding so wide that a window could lie wholly in it.

    Raises:
        ShapeError: padding reaches the (dilated) kernel.
    """
    for kernel, borders, dilation in zip(
        window.kernel, window.padding, window.dilation, strict=True
    ):
        reach = dilation * (kernel - 1) + 1
        if max(borders) >= reach:
            message = (
                f"padding {max(borders)} is not less than the window {reach}, so that windows "
                f"would see nothing; use a padding of at most {reach - 1}"
            )
            raise ShapeError(message)


def covers_whole(shape: Shape, placement: Placement) -> bool:
    """Return whether one unpadded window is the whole input."""
    window = placement.window
    return (
        window.kernel == shape[1:]
        and set(placement.output) == {1}
        and not any(side for border in window.padding for side in border)
        and set(window.dilation) == {1}
    )
