"""Layers that change the spatial size without weights: upsampling, shuffling, padding, cropping."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from calculator.arithmetic import formulas
from calculator.arithmetic.choices import choose
from calculator.arithmetic.expressions import Formula
from calculator.arithmetic.receptive import Repeat, Slide
from calculator.errors import ShapeError
from calculator.layers.base import UnaryLayer
from calculator.layers.shapes import (
    Borders,
    Derived,
    Shape,
    expand_borders,
    render_shape,
    require_spatial,
)


@dataclass(frozen=True)
class Upsample(UnaryLayer):
    """Nearest-neighbour upsampling.

    Args:
        factor: copies of every value along every spatial axis.
    """

    factor: int

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "upsample"

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002
        """Derive the sizes."""
        axes = formulas.AXES[require_spatial(shape)]
        sizes = tuple(
            formulas.repeated_size(axis).derive(**{axis: size, "r": self.factor})
            for axis, size in zip(axes, shape[1:], strict=True)
        )
        output = (shape[0], *(size.result for size in sizes))
        return Derived(output, sizes, rules=(Repeat(self.factor),) * len(axes))


@dataclass(frozen=True)
class PixelShuffle(UnaryLayer):
    """Channels become pixels (Shi et al. 2016, section 2.2), in any number of dimensions.

    Args:
        factor: r; every r x r (in two dimensions) channels become one.
    """

    factor: int

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "pixelshuffle"

    def derive_one(self, shape: Shape, batch: int) -> Derived:
        """Derive the sizes; what a unit sees is what nearest upsampling shows it."""
        axes = require_spatial(shape)
        block = self.factor**axes
        if shape[0] % block:
            message = (
                f"{shape[0]} channels are not a multiple of {block} = {self.factor}**{axes}; "
                f"let the layer before make {-(-shape[0] // block) * block}"
            )
            raise ShapeError(message)
        channels = formulas.shuffled_channels(axes).derive(C=shape[0], r=self.factor)
        spread = Upsample(self.factor).derive_one(shape, batch)
        output = (channels.result, *spread.shape[1:])
        return Derived(output, (channels, *spread.sizes), rules=spread.rules)


@dataclass(frozen=True)
class Pad(UnaryLayer):
    """Values added around the spatial axes, as a layer of its own.

    Args:
        padding: pairs per axis.
        mode: what the values are; ``reflect`` needs sides longer than the padding.
    """

    padding: Borders
    mode: Literal["zeros", "reflect", "edge"] = "zeros"

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "pad"

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002
        """Derive the sizes; the first unit sees further out."""
        padding = expand_borders(self.padding, require_spatial(shape))
        for size, sides in zip(shape[1:], padding, strict=True):
            if self.mode == "reflect" and choose("max", sides) >= size:
                message = (
                    f"reflection of {max(sides)} values is undefined at size {size} of the input "
                    f"{render_shape(shape)}; use at least {max(sides) + 1}"
                )
                raise ShapeError(message)
        rules = tuple(Slide(before=before) for before, _ in padding)
        return resize(shape, padding, to_formula=formulas.padded_size, rules=rules)


@dataclass(frozen=True)
class Crop(UnaryLayer):
    """Values taken away around the spatial axes.

    Args:
        padding: pairs per axis.
    """

    padding: Borders

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "crop"

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002
        """Derive the sizes; the first unit sees further in."""
        padding = expand_borders(self.padding, require_spatial(shape))
        for size, (before, after) in zip(shape[1:], padding, strict=True):
            if before + after >= size:
                message = (
                    f"cropping {before} + {after} leaves nothing of size {size} of the input "
                    f"{render_shape(shape)}; crop less than {size} in all"
                )
                raise ShapeError(message)
        rules = tuple(Slide(before=-before) for before, _ in padding)
        return resize(shape, padding, to_formula=formulas.cropped_size, rules=rules)


def resize(
    shape: Shape,
    padding: Borders,
    *,
    to_formula: Callable[[str], Formula],
    rules: tuple[Slide, ...],
) -> Derived:
    """Derive the sizes of a padded or cropped input with the formula of each axis."""
    sizes = tuple(
        to_formula(axis).derive(**{axis: size, "p_0": before, "p_1": after})
        for axis, size, (before, after) in zip(
            formulas.AXES[len(padding)], shape[1:], padding, strict=True
        )
    )
    return Derived((shape[0], *(size.result for size in sizes)), sizes, rules=rules)
