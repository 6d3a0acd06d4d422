"""Triton's classification extension: the likeliest classes of an output as texts.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md
"""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runner.service.errors import BadRequest


def classify(
    scores: NDArray[Any], classes: int, labels: Sequence[str], *, subject: str
) -> list[list[str]]:
    """Return ``value:index:label`` of the highest scores of each row, the highest first.

    Equal scores come in the order of their indices. The label is left out where there is none.

    Args:
        scores: ``[N, K]``, any type of number.
        classes: texts per row; K where there are fewer.
        labels: K names, or none.
        subject: whose classes they are, for messages.

    Raises:
        BadRequest: the output is no row of scores per picture.
    """
    if scores.ndim != 2:
        message = (
            f"{subject}: shape {list(scores.shape)} is no [rows, classes], so nothing can be "
            "classified; leave out 'classification'"
        )
        raise BadRequest(message)
    names = [f":{label}" for label in labels] if len(labels) == scores.shape[1] else None
    return [
        [f"{row[index]}:{index}{names[index] if names else ''}" for index in order]
        for row, order in zip(scores, rank(scores)[:, :classes], strict=True)
    ]


def rank(scores: NDArray[Any]) -> NDArray[np.intp]:
    """Return the indices of each row from the highest score to the lowest; ``[N, K]``."""
    # sorted from the back and read from the back, so that equal scores keep their order
    backwards: NDArray[np.intp] = np.argsort(scores[:, ::-1], axis=1, kind="stable")
    order: NDArray[np.intp] = scores.shape[1] - 1 - backwards[:, ::-1]
    return order


def pack_texts(texts: Sequence[str]) -> bytes:
    """Return texts as the binary extension writes BYTES: each behind its length in four bytes."""
    encoded = [text.encode() for text in texts]
    return b"".join(struct.pack("<I", len(text)) + text for text in encoded)
