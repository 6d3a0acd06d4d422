"""Pooling: windows that take a maximum or a mean, and one with trainable numbers."""

from dataclasses import dataclass
from typing import Literal

from calculator.arithmetic import formulas
from calculator.arithmetic.receptive import Divide
from calculator.layers.base import UnaryLayer
from calculator.layers.convolutions import name_axes
from calculator.layers.shapes import (
    Derived,
    Padding,
    Shape,
    Sides,
    Window,
    expand_sides,
    require_spatial,
)
from calculator.layers.windows import check_pool_padding, covers_whole, place_window

Mode = Literal["max", "avg"]


@dataclass(frozen=True)
class Pool(UnaryLayer):
    """A sliding maximum or mean.

    Args:
        mode: ``"max"`` or ``"avg"``.
        kernel: window per axis.
        stride: step per axis; None for the kernel, windows side by side.
        padding: pairs per axis, or ``"same"``.
        dilation: distance between the values of a window.
        ceil: keep a last window that reaches beyond the input.
    """

    mode: Mode
    kernel: Sides
    stride: Sides | None = None
    padding: Padding = ((0, 0),)
    dilation: Sides = (1,)
    ceil: bool = False

    @property
    def kind(self) -> str:
        """The word of the grammar: ``maxpool`` or ``avgpool``."""
        return f"{self.mode}pool"

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002 - nothing to count
        """Derive sizes; a window that is the whole input ends the receptive field."""
        placement = place_window(
            shape,
            self.kernel,
            stride=self.kernel if self.stride is None else self.stride,
            padding=self.padding,
            dilation=self.dilation,
            ceil=self.ceil,
        )
        if self.padding != "same":  # which never pads by a whole window
            check_pool_padding(placement.window)
        output = (shape[0], *placement.output)
        if covers_whole(shape, placement):
            return Derived(output, placement.sizes, rules=None)
        return Derived(output, placement.sizes, window=placement.window, rules=placement.rules)


@dataclass(frozen=True)
class GlobalPool(UnaryLayer):
    """The maximum or mean of every channel."""

    mode: Mode

    @property
    def kind(self) -> str:
        """The word of the grammar: ``globalmaxpool`` or ``globalavgpool``."""
        return f"global{self.mode}pool"

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002 - nothing to count
        """Return one value per channel."""
        return Derived((shape[0], *(1,) * require_spatial(shape)), rules=None)


@dataclass(frozen=True)
class AdaptivePool(UnaryLayer):
    """Pooling into a fixed number of bins, as ``torch.nn.AdaptiveAvgPool2d``.

    Args:
        mode: ``"max"`` or ``"avg"``.
        size: output size per axis.
    """

    mode: Mode
    size: Sides

    @property
    def kind(self) -> str:
        """The word of the grammar: ``adaptivemaxpool`` or ``adaptiveavgpool``."""
        return f"adaptive{self.mode}pool"

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002 - nothing to count
        """Return the bins; they have one window only if they divide the input evenly."""
        axes, inputs = require_spatial(shape), shape[1:]
        size = expand_sides(self.size, axes, what="size")
        output = (shape[0], *size)
        if set(size) == {1}:
            return Derived(output, rules=None)
        rules = tuple(Divide(n, bins) for n, bins in zip(inputs, size, strict=True))
        if any(n % bins for n, bins in zip(inputs, size, strict=True)):
            return Derived(output, rules=rules)
        kernel = tuple(n // bins for n, bins in zip(inputs, size, strict=True))
        window = Window(kernel, kernel, ((0, 0),) * axes, (1,) * axes)
        return Derived(output, window=window, rules=rules)


@dataclass(frozen=True)
class Subsample(UnaryLayer):
    """Mean of every window times a trainable coefficient plus a trainable bias, per map.

    LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition",
    section II.B, layers S2 and S4.

    Args:
        kernel: window per axis; windows lie side by side.
    """

    kernel: Sides

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "subsample"

    def derive_one(self, shape: Shape, batch: int) -> Derived:
        """Derive sizes, two parameters per map, and the connections."""
        plain: Padding = ((0, 0),)
        placement = place_window(
            shape, self.kernel, stride=self.kernel, padding=plain, dilation=(1,)
        )
        outputs = {"N": batch, "C": shape[0], **name_axes("", placement.output, suffix="_out")}
        kernel = name_axes("k_", placement.window.kernel)
        whole = covers_whole(shape, placement)
        return Derived(
            (shape[0], *placement.output),
            placement.sizes,
            params=formulas.SUBSAMPLE_PARAMS.derive(C=shape[0]),
            connections=formulas.subsample_links(len(shape) - 1).derive(**outputs, **kernel),
            window=None if whole else placement.window,
            rules=None if whole else placement.rules,
        )
