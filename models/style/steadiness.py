"""Steadiness: nearly the same photo is painted nearly the same, so that video does not shimmer.

A photo is painted a second time, moved by up to three pixels and under noise; what differs where
both show the same place is a cost (noise: Rainy 2018, "Stabilizing neural style-transfer for
video with noise training"). The move makes up for the stem's stride: without it a network may
hang its strokes on the grid of latent pixels, which stays where it is when the scene moves.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

LARGEST_MOVE = 3  # pixels along each side: one less than the stride of ``fast``
NOISE = 4.0 / 255.0  # standard deviation, of colours in [0, 1]: a camera's in dim light


@dataclass(frozen=True)
class Disturbance:
    """How a batch is moved, and the noise on it.

    Attributes:
        down: pixels cut off at the top.
        right: pixels cut off at the left.
        noise: float32, shaped like the photos; added before they are cut.
    """

    down: int
    right: int
    noise: Tensor

    def apply(self, photos: Tensor) -> Tensor:
        """Return ``[N, 3, H - down, W - right]``, noisy, in [0, 1]."""
        return self.cut((photos + self.noise).clamp(0.0, 1.0))

    def cut(self, pictures: Tensor) -> Tensor:
        """Return the same part of ``[N, 3, H, W]`` without noise."""
        return pictures[:, :, self.down :, self.right :]


def draw_disturbance(photos: Tensor, seed: int, step: int) -> Disturbance:
    """Return the disturbance of one step; the same for the same seed and step.

    Args:
        photos: float32 ``[N, 3, H, W]``.
        seed: of the run.
        step: number of the step, from 0.
    """
    generator = torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63)
    down, right = torch.randint(LARGEST_MOVE + 1, (2,), generator=generator).tolist()
    noise = torch.randn(photos.shape, generator=generator) * NOISE
    return Disturbance(down, right, noise.to(photos.device))


def steadiness_cost(painted: Tensor, again: Tensor, disturbance: Disturbance) -> Tensor:
    """Mean squared difference where both paintings show the same place.

    Args:
        painted: float32 ``[N, 3, H, W]``, the photos as they are.
        again: float32 ``[N, 3, H - down, W - right]``, the disturbed photos.
        disturbance: between the two.

    Returns:
        float32 scalar, in [0, 1].
    """
    return (disturbance.cut(painted) - again).square().mean()
