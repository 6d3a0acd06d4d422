"""The most probable classes of a picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DEFAULT_TOP = 5


@dataclass(frozen=True, slots=True)
class Prediction:
    """One class that a picture may belong to.

    Attributes:
        index: of the class, 0 to K - 1.
        label: its name.
        probability: 0 to 1.
    """

    index: int
    label: str
    probability: float


Ranking = tuple[tuple[int, float], ...]  # index and probability, the most probable first


def rank(probabilities: NDArray[np.float32], top: int) -> list[Ranking]:
    """Return the ``top`` most probable classes of each picture, the first of equals first.

    Args:
        probabilities: float32 ``[N, K]``.
        top: 1 to K.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    values = np.take_along_axis(probabilities, order, axis=1).astype(np.float64)
    return [
        tuple(zip(*row, strict=True)) for row in zip(order.tolist(), values.tolist(), strict=True)
    ]


def name_predictions(ranking: Ranking, labels: Sequence[str]) -> tuple[Prediction, ...]:
    """Return a ranking with its labels."""
    return tuple(Prediction(index, labels[index], value) for index, value in ranking)


def check_top(top: int | None, classes: int) -> int:
    """Return how many classes to tell: ``top``, or up to five where it is None.

    Raises:
        ValueError: it is not 1 to ``classes``.
    """
    if top is None:
        return min(DEFAULT_TOP, classes)
    if not 1 <= top <= classes:
        message = f"top {top} must lie between 1 and the {classes} classes of this model"
        raise ValueError(message)
    return top
