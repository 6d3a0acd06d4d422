"""Random photo-like pictures: what a comparison of two implementations is fed with.

White noise would exercise one kind of picture only; photos are smooth surfaces, edges
and a little noise, and reach both ends of the grey range.
"""

import numpy as np
from numpy.typing import NDArray


def draw_scenes(count: int, height: int, width: int, *, seed: int) -> NDArray[np.uint8]:
    """Draw pictures of colour gradients, waves, hard-edged discs and sensor noise.

    Args:
        count: N.
        height: H, pixels.
        width: W, pixels.
        seed: the same seed gives the same pictures, and the first of them whatever N.

    Returns:
        uint8 ``[N, H, W, 3]``.
    """
    return np.stack([_draw_scene(height, width, [seed, picture]) for picture in range(count)])


def draw_style_weights(count: int, styles: int, *, seed: int) -> NDArray[np.float32]:
    """Draw one row per picture: single styles at even places, blends at odd ones.

    Args:
        count: N.
        styles: S.
        seed: the same seed gives the same rows, and the first of them whatever N.

    Returns:
        float32 ``[N, S]``, rows sum to 1.
    """
    rows = np.zeros((count, styles), np.float32)
    for picture, row in enumerate(rows):
        random = np.random.default_rng([seed, picture, styles])
        if picture % 2:
            row[:] = random.dirichlet(np.ones(styles))
        else:
            row[random.integers(styles)] = 1
    return rows


def _draw_scene(height: int, width: int, seed: list[int]) -> NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j][..., None]
    waves = np.zeros((height, width, 3))
    for frequency in (1, 2, 4, 9, 21):
        towards, across, phase = random.normal(size=(3, 3)) * [[frequency], [frequency], [np.pi]]
        waves += np.sin(2 * np.pi * (towards * y + across * x) + phase) / np.sqrt(frequency)
    for _ in range(6):
        top, left, radius = random.uniform([0, 0, 0.05], [1, 1, 0.3])
        inside = (y - top) ** 2 + (x - left) ** 2 < radius**2
        waves = np.where(inside, random.uniform(-3, 3, 3), waves)
    noise = random.normal(scale=4, size=waves.shape)
    return np.clip(127.5 + 60 * waves + noise, 0, 255).round().astype(np.uint8)
