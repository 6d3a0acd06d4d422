"""Two doublings behind one another as two convolutions at the low resolution: blocks of 4x4.

Each doubling is a 2x2 convolution to four phases (:mod:`exporter.rewrite`), and between the two
the phases are put in order. Joined, the second convolution reads the phases as they are and gives
out all sixteen: it steps over one pixel of the low resolution, and of its taps three quarters are
zero. A matrix kernel that works on sixteen channels at a time does not mind, for of the twelve
of four phases it can fill none; and the ordering between the two is gone.

A phase reads its own pixel of the doubled map, the one to its right and those below, and so a
block reads two blocks of the low resolution along each side, whichever pixel it begins with. The
picture does not begin with the first: joined blocks begin one pixel late, and none is missing at
the far side.
"""

import numpy as np
from numpy.typing import NDArray

SIDE = 4  # pixels along a joined block
LATE = 1  # pixels at which the first of them begins


def join_weights(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return weights for blocks of 4x4 that read phases of 2x2 as they are.

    Args:
        weights: float32 ``[2 * 2 * K, C, 2, 2]``, whose outputs are row, column, channel.

    Returns:
        float32 ``[4 * 4 * K, 2 * 2 * C, 2, 2]``; outputs and inputs are row, column, channel.
    """
    outputs, inputs = weights.shape[0] // 4, weights.shape[1]
    phases = weights.reshape(2, 2, outputs, inputs, 2, 2)
    joined = np.zeros((SIDE, SIDE, outputs, 2, 2, inputs, 2, 2), np.float32)
    for row, column, below, right in np.ndindex(SIDE, SIDE, 2, 2):
        upper, left = row + LATE, column + LATE
        y, x = upper // 2 + below, left // 2 + right
        taps = phases[upper % 2, left % 2, :, :, below, right]
        joined[row, column, :, y % 2, x % 2, :, y // 2, x // 2] = taps
    return joined.reshape(SIDE * SIDE * outputs, 4 * inputs, 2, 2)


def repeat_bias(bias: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the bias for blocks of 4x4, ``[4 * 4 * K]``, of that for 2x2, ``[2 * 2 * K]``."""
    phases = np.tile(bias.reshape(2, 2, -1), (2, 2, 1))
    return np.roll(phases, -LATE, (0, 1)).ravel()
