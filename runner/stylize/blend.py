"""Styles and blends of styles, as users write them: ``NAME`` or ``NAME:0.7,NAME:0.3``."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from runner.errors import StyleError, list_nearest_first


def parse_blend(text: str | None, names: Sequence[str]) -> NDArray[np.float32]:
    """Turn a style or a blend into the weights of a file's styles.

    A share is any positive number; shares are divided by their sum, and a name without one
    counts 1. None means the first style.

    Args:
        text: such as ``starry_night`` or ``starry_night:0.7,the_scream:0.3``.
        names: the styles of the file, in its order.

    Returns:
        float32 ``[S]``, summing to 1.

    Raises:
        StyleError: a name is unknown or stands twice, or a share is no positive number.
    """
    weights = np.zeros(len(names), np.float64)
    for part in names[0].split(",") if text is None else text.split(","):
        name, colon, share = part.strip().partition(":")
        index = _find(name.strip(), names)
        if weights[index]:
            message = f"style {name!r} stands twice in {text!r}; give it one share"
            raise StyleError(message)
        weights[index] = _read_share(name, share) if colon else 1.0
    weights /= weights.max()  # or the sum of huge shares would overflow
    shares: NDArray[np.float32] = (weights / weights.sum()).astype(np.float32)
    return shares


def format_blend(weights: NDArray[np.float32], names: Sequence[str]) -> str:
    """Write weights as :func:`parse_blend` reads them; one style is its bare name."""
    chosen = [(name, float(share)) for name, share in zip(names, weights, strict=True) if share]
    if len(chosen) == 1:
        return chosen[0][0]
    return ",".join(f"{name}:{share:.4g}" for name, share in chosen)


def _find(name: str, names: Sequence[str]) -> int:
    if name not in names:
        listed = list_nearest_first(name, list(names))
        message = f"style {name!r} is unknown; the model has {listed}"
        raise StyleError(message)
    return list(names).index(name)


def _read_share(name: str, share: str) -> float:
    try:
        value = float(share)
    except ValueError:
        value = math.nan
    if not (value > 0 and math.isfinite(value)):
        message = (
            f"share {share.strip()!r} of style {name!r} must be a positive number, such as 0.3"
        )
        raise StyleError(message)
    return value
