"""What the objective may not see in a painted picture: lattices, blotches, flicker."""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
LUMA = np.array([0.299, 0.587, 0.114])  # Rec. 601, of gamma-coded values
BLOCK, HOP = 64, 32  # pixels of a spectrum's blocks and from one to the next
NEAR, FAR = 3, 7  # bins: beyond the window's main lobe, short of the next harmonic of 8 px
FAINT = 1.0  # power of noise of one grey level, which nobody sees
SQUARE = 8  # side of the smallest blotch in pixels
FLATNESS = 8.0  # grey levels of luma that a blotch may span
NOISE = 2.0  # grey levels, standard deviation
BORDER = 16  # pixels left out on each side where shifted pictures are compared
SEED = 20


def find_luma(pixels: Pixels) -> Floats:
    """Return luma ``[H, W]`` in [0, 255] of uint8 ``[H, W, 3]``."""
    luma: Floats = pixels.astype(np.float64) @ LUMA
    return luma


def measure_power(luma: Floats) -> Floats:
    """Return the mean power spectrum of overlapping blocks (Welch 1967), ``[BLOCK, BLOCK]``.

    Each block is under a Hann window: without it the picture's ends, which do not meet, would
    spread power along both axes of the spectrum. Power is per pixel: white noise of variance v
    has v in every bin. The power of noise of one grey level is added throughout, so that what
    is fainter does not count.

    Raises:
        ValueError: the picture is smaller than a block.
    """
    if min(luma.shape) < BLOCK:
        message = f"a picture of {luma.shape} is smaller than a block of {BLOCK} px"
        raise ValueError(message)
    blocks = sliding_window_view(luma, (BLOCK, BLOCK))[::HOP, ::HOP].reshape(-1, BLOCK, BLOCK)
    # periodic, not symmetric: its transform has then exactly three bins
    edge = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(BLOCK) / BLOCK)
    window = np.outer(edge, edge)
    flat = blocks - blocks.mean((1, 2), keepdims=True)
    power = np.abs(np.fft.fft2(flat * window)) ** 2
    mean: Floats = power.mean(0) / np.sum(window**2) + FAINT
    return mean


def measure_lattice(pixels: Pixels, period: int) -> float:
    """Return how far a lattice of one period stands above its surroundings in the spectrum, dB.

    Looked at are the frequencies 1 / period along each axis and along both diagonals. On an
    axis the surroundings lie on that axis, which horizontal and vertical edges brighten as a
    whole. 0 is a spectrum without a peak.

    Args:
        pixels: uint8 ``[H, W, 3]``, sides at least ``BLOCK``.
        period: 2 or 4 pixels.
    """
    power = measure_power(find_luma(pixels))
    k = BLOCK // period
    points = [(0, k), (k, 0), (k, k)] + [(k, -k)] * (period != 2)  # at 2 px both are one
    ratios = [power[point] / np.median(list_surroundings(power, *point)) for point in points]
    return float(10.0 * np.log10(np.mean(ratios)))


def list_surroundings(power: Floats, row: int, column: int) -> Floats:
    """Return the bins near one: along its axis if it lies on one, else all around."""
    away = np.arange(-FAR, FAR + 1)
    down, across = np.meshgrid(away if row else [0], away if column else [0], indexing="ij")
    far = np.maximum(np.abs(down), np.abs(across)) >= NEAR
    found: Floats = power[(row + down[far]) % BLOCK, (column + across[far]) % BLOCK]
    return found


def measure_blotches(pixels: Pixels) -> float:
    """Return the share of pixels that lie in saturated blotches, 0 to 1.

    A blotch is what squares of 8x8 px can cover that have one channel at 0 throughout, or at
    255, and whose luma spans at most 8 grey levels: paint that was clipped and shows nothing.
    Strong colours with strokes in them do not count, nor do thin lines.
    """
    luma = find_luma(pixels)
    if min(luma.shape) < SQUARE:
        return 0.0
    flat = slide(luma, np.max) - slide(luma, np.min) <= FLATNESS
    clipped = [
        slide((pixels[..., channel] == end).astype(np.float64), np.min) == 1.0
        for channel in range(3)
        for end in (0, 255)
    ]
    corners = np.any(clipped, axis=0) & flat  # the squares' upper left
    padded = np.pad(corners.astype(np.float64), SQUARE - 1)
    return float(slide(padded, np.max).mean())


def slide(values: Floats, reduce: Callable[..., Floats]) -> Floats:
    """Reduce every square of ``SQUARE`` px, first down and then across."""
    down = reduce(sliding_window_view(values, SQUARE, axis=0), axis=-1)
    return reduce(sliding_window_view(down, SQUARE, axis=1), axis=-1)


def shift(pixels: Pixels) -> Pixels:
    """Move a picture 1 px down and 1 px right; its first row and column are repeated."""
    return np.pad(pixels[:-1, :-1], ((1, 0), (1, 0), (0, 0)), mode="edge")


def add_noise(pixels: Pixels) -> Pixels:
    """Add the same Gaussian noise to every picture of a size, rounded and clipped."""
    noise = np.random.default_rng(SEED).normal(0.0, NOISE, pixels.shape)
    noisy: Pixels = np.rint(pixels + noise).clip(0, 255).astype(np.uint8)
    return noisy


def measure_flicker(
    paint: Callable[[Pixels], Pixels], photo: Pixels, painted: Pixels
) -> tuple[float, float]:
    """Return how a network's output trembles when the photo moves, and when it is noisy.

    Differences are RMS, without a border. Moved by 1 px, the output is moved back before it is
    compared, and the difference is divided by that of the photo and the moved photo as they
    lie: 0 follows the motion exactly, 1 changes as much as the scene itself. With noise of 2
    grey levels the outputs' difference is divided by the inputs': 1 passes noise on as it is.

    Args:
        paint: uint8 ``[H, W, 3]`` to the same.
        photo: what is painted.
        painted: ``paint(photo)``.
    """
    moved, noisy = shift(photo), add_noise(photo)
    back = paint(moved)[1:, 1:]
    by_shift = find_rms(crop(back), crop(painted[:-1, :-1]))
    by_noise = find_rms(crop(paint(noisy)), crop(painted))
    return by_shift / find_scene(moved, photo), by_noise / find_scene(noisy, photo)


def find_scene(changed: Pixels, photo: Pixels) -> float:
    """Return how much the input changed; of a photo that cannot change, a tiny amount."""
    return max(find_rms(crop(changed), crop(photo)), 1e-9)


def crop(pixels: Pixels) -> Pixels:
    """Leave out a border on each side."""
    return pixels[BORDER:-BORDER, BORDER:-BORDER]


def find_rms(one: Pixels, other: Pixels) -> float:
    """Return the root of the mean squared difference in grey levels."""
    difference = one.astype(np.float64) - other
    return float(np.sqrt(np.mean(difference**2)))
