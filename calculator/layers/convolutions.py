"""Convolutions in one, two and three dimensions: plain, transposed, depthwise."""

from dataclasses import dataclass, field

from calculator.arithmetic import formulas
from calculator.arithmetic.expressions import Derivation
from calculator.arithmetic.receptive import Spread
from calculator.errors import ShapeError
from calculator.layers.base import UnaryLayer
from calculator.layers.shapes import (
    Borders,
    Derived,
    Padding,
    Shape,
    Sides,
    Window,
    expand_borders,
    expand_sides,
    require_spatial,
)
from calculator.layers.statements import check_inputs
from calculator.layers.windows import Placement, place_window


def name_axes(prefix: str, values: Sides, *, suffix: str = "") -> dict[str, int]:
    """Return ``{"k_H": 3, "k_W": 3}`` for the prefix ``k_``."""
    axes = formulas.AXES[len(values)]
    return {f"{prefix}{axis}{suffix}": value for axis, value in zip(axes, values, strict=True)}


def check_groups(channels: int, groups: int, *, what: str) -> None:
    """Refuse channels that do not divide into groups.

    Raises:
        ShapeError: they do not.
    """
    if channels % groups:
        message = (
            f"{channels} {what} do not divide into {groups} groups; "
            f"use a multiple of {groups}, or other groups"
        )
        raise ShapeError(message)


@dataclass(frozen=True)
class Conv(UnaryLayer):
    """A convolution (cross-correlation, as every framework means it).

    Args:
        filters: output channels.
        kernel: taps per axis.
        stride: step per axis.
        padding: pairs per axis, or ``"same"``.
        dilation: distance between taps.
        groups: channels are cut into so many independent convolutions.
        bias: one trainable number per filter.
        links: connected pairs of input map and filter, where not all are connected (the
            third layer of LeCun et al. 1998 has 60 of 96); None for all.
        inputs: channels that must arrive, a check that makes no difference; None for any.
    """

    filters: int
    kernel: Sides
    stride: Sides = (1,)
    padding: Padding = ((0, 0),)
    dilation: Sides = (1,)
    groups: int = 1
    bias: bool = True
    links: int | None = None
    inputs: int | None = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "conv"

    def place(self, shape: Shape) -> Placement:
        """Lay the window over an input."""
        return place_window(
            shape, self.kernel, stride=self.stride, padding=self.padding, dilation=self.dilation
        )

    def derive_one(self, shape: Shape, batch: int) -> Derived:
        """Derive sizes, parameters, multiply-adds and connections."""
        placement = self.place(shape)
        check_inputs(shape[0], self.inputs, what="channels")
        check_groups(shape[0], self.groups, what="input channels")
        check_groups(self.filters, self.groups, what="filters")
        params, macs = self.count(shape[0], placement, batch=batch)
        axes = len(shape) - 1
        outputs = {
            "N": batch,
            "C_out": self.filters,
            **name_axes("", placement.output, suffix="_out"),
        }
        connections = (
            formulas.conv_links(axes).derive(macs=macs.result, **outputs)
            if self.bias
            else formulas.PRODUCT_LINKS.derive(macs=macs.result)
        )
        return Derived(
            shape=(self.filters, *placement.output),
            sizes=placement.sizes,
            params=params,
            macs=macs,
            connections=connections,
            window=placement.window,
            groups=self.groups,
            rules=placement.rules,
        )

    def count(
        self, channels: int, placement: Placement, *, batch: int
    ) -> tuple[Derivation, Derivation]:
        """Derive parameters and multiply-adds."""
        axes, kernel = len(placement.output), name_axes("k_", placement.window.kernel)
        places = {"N": batch, **name_axes("", placement.output, suffix="_out")}
        if self.links is not None:
            return self.count_links(channels, {**kernel, "E": self.links}, places=places)
        grouped = self.groups > 1
        group = {"g": self.groups} if grouped else {}
        sides = {**kernel, "C_in": channels, **group, "C_out": self.filters}
        return (
            formulas.conv_params(axes, grouped=grouped, bias=self.bias).derive(**sides),
            formulas.conv_macs(axes, grouped=grouped).derive(**places, **sides),
        )

    def count_links(
        self, channels: int, taps: dict[str, int], *, places: dict[str, int]
    ) -> tuple[Derivation, Derivation]:
        """Derive both counts for a layer that is not fully connected."""
        pairs = channels * self.filters
        if taps["E"] > pairs or self.groups > 1:
            message = (
                f"links={taps['E']} of {channels} input maps x {self.filters} filters with "
                f"{self.groups} groups; use 1 group and at most {pairs} links"
            )
            raise ShapeError(message)
        axes, bias = len(taps) - 1, {"C_out": self.filters} if self.bias else {}
        return (
            formulas.linked_params(axes, bias=self.bias).derive(**taps, **bias),
            formulas.linked_macs(axes).derive(**taps, **places),
        )


@dataclass(frozen=True)
class DepthwiseConv(UnaryLayer):
    """A convolution in which every input channel has its own filters.

    Args:
        kernel: taps per axis.
        multiplier: filters per input channel.
        stride: step per axis.
        padding: pairs per axis, or ``"same"``.
        dilation: distance between taps.
        bias: one trainable number per filter.
    """

    kernel: Sides
    multiplier: int = 1
    stride: Sides = (1,)
    padding: Padding = ((0, 0),)
    dilation: Sides = (1,)
    bias: bool = True

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "dwconv"

    def derive_one(self, shape: Shape, batch: int) -> Derived:
        """Derive what the convolution with as many groups as channels derives."""
        conv = Conv(
            filters=shape[0] * self.multiplier,
            kernel=self.kernel,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=shape[0],
            bias=self.bias,
        )
        return conv.derive_one(shape, batch)


@dataclass(frozen=True)
class TransposedConv(UnaryLayer):
    """A transposed convolution: every input value is spread over a window of the output.

    Args:
        filters: output channels.
        kernel: taps per axis.
        stride: step of the windows in the output.
        padding: rows that are cropped from the output, in pairs; or ``"same"`` for an
            output of exactly ``stride`` times the input.
        output_padding: rows added behind, in which some windows may not end.
        dilation: distance between taps.
        groups: channels are cut into so many independent convolutions.
        bias: one trainable number per filter.
        inputs: channels that must arrive, a check that makes no difference; None for any.
    """

    filters: int
    kernel: Sides
    stride: Sides = (1,)
    padding: Padding = ((0, 0),)
    output_padding: Sides = (0,)
    dilation: Sides = (1,)
    groups: int = 1
    bias: bool = True
    inputs: int | None = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "tconv"

    def derive_one(self, shape: Shape, batch: int) -> Derived:
        """Derive sizes, parameters and multiply-adds (one per tap and input value)."""
        axes = require_spatial(shape)
        check_inputs(shape[0], self.inputs, what="channels")
        check_groups(shape[0], self.groups, what="input channels")
        check_groups(self.filters, self.groups, what="filters")
        window, extra = self.expand(axes)
        sizes = self.derive_sizes(shape[1:], window, extra=extra)
        output = tuple(size.result for size in sizes)
        grouped = self.groups > 1
        group = {"g": self.groups} if grouped else {}
        sides = {"C_in": shape[0], **name_axes("k_", window.kernel), "C_out": self.filters, **group}
        macs = formulas.transposed_macs(axes, grouped=grouped)
        counted = macs.derive(N=batch, **name_axes("", shape[1:]), **sides)
        outputs = {"N": batch, "C_out": self.filters, **name_axes("", output, suffix="_out")}
        return Derived(
            shape=(self.filters, *output),
            sizes=sizes,
            params=formulas.transposed_params(axes, grouped=grouped, bias=self.bias).derive(
                **sides
            ),
            macs=counted,
            connections=formulas.conv_links(axes).derive(macs=counted.result, **outputs)
            if self.bias
            else formulas.PRODUCT_LINKS.derive(macs=counted.result),
            window=window,
            groups=self.groups,
            rules=tuple(
                Spread(k, s, before, d)
                for k, s, (before, _), d in zip(
                    window.kernel, window.stride, window.padding, window.dilation, strict=True
                )
            ),
        )

    def expand(self, axes: int) -> tuple[Window, Sides]:
        """Return the window and the output padding with one entry per axis."""
        kernel = expand_sides(self.kernel, axes, what="kernel")
        stride = expand_sides(self.stride, axes, what="stride")
        dilation = expand_sides(self.dilation, axes, what="dilation")
        extra = expand_sides(self.output_padding, axes, what="output padding")
        if not isinstance(self.padding, str):
            window = Window(kernel, stride, expand_borders(self.padding, axes), dilation)
            return window, extra
        rests = [d * (k - 1) + 1 - s for k, s, d in zip(kernel, stride, dilation, strict=True)]
        borders: Borders = tuple((max(r, 0) // 2, (max(r, 0) + 1) // 2) for r in rests)
        return Window(kernel, stride, borders, dilation), tuple(max(-r, 0) for r in rests)

    def derive_sizes(self, sizes: Sides, window: Window, *, extra: Sides) -> tuple[Derivation, ...]:
        """Derive the output size along each axis."""
        derivations = []
        for i, axis in enumerate(formulas.AXES[len(sizes)]):
            before, after = window.padding[i]
            symmetric = before == after
            formula = formulas.transposed_size(axis, symmetric=symmetric, extra=extra[i] > 0)
            padding = {"p": before} if symmetric else {"p_0": before, "p_1": after}
            more = {"o": extra[i]} if extra[i] else {}
            taps = {"s": window.stride[i], "d": window.dilation[i], "k": window.kernel[i]}
            derivations.append(formula.derive(**{axis: sizes[i]}, **padding, **taps, **more))
            check_transposed(derivations[-1].result, extra[i], window=window, axis=i)
        return tuple(derivations)


def check_transposed(result: int, extra: int, *, window: Window, axis: int) -> None:
    """Refuse an output of no size, and output padding of a whole step.

    Raises:
        ShapeError: one of them.
    """
    if result < 1:
        message = (
            f"padding {window.padding[axis]} crops the whole output (size {result}); "
            "use less padding or a larger input"
        )
        raise ShapeError(message)
    step = max(window.stride[axis], window.dilation[axis])
    if extra >= step:
        message = (
            f"output padding {extra} is not less than stride or dilation {step}; "
            f"use at most {step - 1}"
        )
        raise ShapeError(message)
