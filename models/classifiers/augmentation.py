"""Random changes of training pictures that leave their class as it is.

Each takes a normalised picture (upright, opaque, in the network's colours) and a generator
that depends on the seed and the sample's number alone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from models.classifiers.preprocessing import (
    INTERPOLATIONS,
    InputRule,
    Pixels,
    as_pixels,
    crop_center,
    resize,
    scale_short,
)

Augment = Callable[[Image.Image, np.random.Generator], Pixels]
SMALLEST_SCALE, LARGEST_SCALE = 256, 512  # of VGG's scale jitter: S_min and S_max
COLOR_DEVIATION = 0.1  # of the factor of each principal colour


@dataclass(frozen=True)
class AffineJitter:
    """A digit turned, moved, scaled and sheared a little, uniformly and independently.

    Attributes:
        rule: the network's input.
        rotation_degrees: at most, to either side.
        shift_pixels: at most, along each axis.
        scale: at most, as a factor and its inverse.
        shear: at most, pixels to the side per pixel up.
    """

    rule: InputRule
    rotation_degrees: float = 15.0
    shift_pixels: float = 2.5
    scale: float = 1.15
    shear: float = 0.2

    def __call__(self, picture: Image.Image, generator: np.random.Generator) -> Pixels:
        """Return the changed picture, uint8 ``[H, W, C]``."""
        turn, right, down, grow, lean = generator.uniform(-1.0, 1.0, 5).tolist()
        fitted = resize(picture, self.rule)
        (a, b), (c, d) = invert_affine(
            math.radians(turn * self.rotation_degrees), self.scale**grow, lean * self.shear
        )
        x, y = fitted.width / 2, fitted.height / 2  # stays, but for the shift
        to_x, to_y = x + right * self.shift_pixels, y + down * self.shift_pixels
        changed = fitted.transform(
            fitted.size,
            Image.Transform.AFFINE,
            (a, b, x - a * to_x - b * to_y, c, d, y - c * to_x - d * to_y),
            Image.Resampling.BILINEAR,
            fillcolor=(self.rule.background,) * self.rule.channels,
        )
        return as_pixels(changed)


def invert_affine(
    angle: float, scale: float, shear: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the inverse of scale x rotation x shear, rows of a matrix that acts on (x, y).

    Pillow wants the way back: where in the old picture each new pixel comes from.

    Args:
        angle: of the rotation, radians.
        scale: factor, positive.
        shear: how far x moves per unit of y.
    """
    cosine, sine = math.cos(angle) / scale, math.sin(angle) / scale
    return (cosine + shear * sine, sine - shear * cosine), (-sine, cosine)


@dataclass(frozen=True)
class AlexNetAugmentation:
    """Random crop and mirror image, and a shift along the principal colours.

    Krizhevsky et al. 2012, section 4.1. Deviation: the result is rounded to 8 bits.

    Attributes:
        rule: the network's input; a ``crop``.
        components: ``[3, 3]``, from :func:`find_components`.
    """

    rule: InputRule
    components: NDArray[np.float64]

    def __call__(self, picture: Image.Image, generator: np.random.Generator) -> Pixels:
        """Return the changed picture, uint8 ``[H, W, 3]``."""
        short = self.rule.resize["short_side"]
        method = INTERPOLATIONS[self.rule.interpolation]
        square = crop_center(picture.resize(scale_short(picture.size, short), method), (short,) * 2)
        crop = crop_randomly(square, self.rule.size, generator)
        shift = self.components @ generator.normal(0.0, COLOR_DEVIATION, 3)
        return shift_colors(as_pixels(crop), shift)


@dataclass(frozen=True)
class VGGAugmentation:
    """AlexNet's, but the shorter side is first brought to a random S in [256, 512].

    Simonyan and Zisserman 2015, section 3.1, multi-scale training.

    Attributes:
        rule: the network's input; a ``crop``.
        components: see :class:`AlexNetAugmentation`.
    """

    rule: InputRule
    components: NDArray[np.float64]

    def __call__(self, picture: Image.Image, generator: np.random.Generator) -> Pixels:
        """Return the changed picture, uint8 ``[H, W, 3]``."""
        short = int(generator.integers(SMALLEST_SCALE, LARGEST_SCALE + 1))
        method = INTERPOLATIONS[self.rule.interpolation]
        scaled = picture.resize(scale_short(picture.size, short), method)
        crop = crop_randomly(scaled, self.rule.size, generator)
        shift = self.components @ generator.normal(0.0, COLOR_DEVIATION, 3)
        return shift_colors(as_pixels(crop), shift)


def crop_randomly(
    picture: Image.Image, size: tuple[int, int], generator: np.random.Generator
) -> Image.Image:
    """Cut ``(height, width)`` at a random place; mirror every second one."""
    height, width = size
    left = int(generator.integers(0, picture.width - width + 1))
    top = int(generator.integers(0, picture.height - height + 1))
    crop = picture.crop((left, top, left + width, top + height))
    return ImageOps.mirror(crop) if generator.random() < 0.5 else crop


def shift_colors(pixels: Pixels, shift: NDArray[np.float64]) -> Pixels:
    """Add one value per channel to every pixel, rounded and kept in 0..255."""
    return np.clip(np.rint(pixels + shift), 0, 255).astype(np.uint8)


def find_components(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the principal colours of a ``[3, 3]`` covariance of RGB values in 0..255.

    Columns are unit eigenvectors times eigenvalues, in grey levels. The paper does
    not say how its pixels are scaled; eigenvalues are taken as of values in 0..1.
    """
    values, vectors = np.linalg.eigh(covariance)
    # The sign of an eigenvector is arbitrary and differs between libraries.
    signs = np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)
    return np.asarray(vectors * signs * np.maximum(values, 0.0) / 255.0)


def choose_augmentation(
    name: str, rule: InputRule, covariance: NDArray[np.float64] | None
) -> Augment | None:
    """Return the augmentation of a preset; None for ``none``.

    Args:
        name: ``none``, ``affine``, ``alexnet`` or ``vgg``.
        rule: the network's input.
        covariance: of the training pictures' RGB values; for the latter two.
    """
    if name == "affine":
        return AffineJitter(rule)
    if name in ("alexnet", "vgg") and covariance is not None:
        kind = AlexNetAugmentation if name == "alexnet" else VGGAugmentation
        return kind(rule, find_components(covariance))
    return None
