"""Whether a file of eight bits names what fp32 names, on pictures that calibration has not seen."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import cycle
from typing import Any

import numpy as np

from exporter.classifiers.calibration import Selection
from exporter.classifiers.parity import Pixels, Probabilities, count_changes
from exporter.classifiers.sessions import name_runtime
from exporter.errors import ParityError

Classify = Callable[[Pixels], Probabilities]
BATCHES = (7, 2, 32)  # in turn; each picture is classified alone, too


@dataclass(frozen=True)
class Agreement:
    """How the eight-bit file does on pictures that calibration has not seen.

    Attributes:
        pictures: how many.
        same_class: share of them that both name alike, 0 to 1.
        mean_difference: of a probability, between both, on average over pictures and classes.
        max_difference: of any probability.
        batch_changes: pictures that the eight-bit file calls otherwise in a batch than alone.
        min_agreement: smallest share that is allowed.
    """

    pictures: int
    same_class: float
    mean_difference: float
    max_difference: float
    batch_changes: int
    min_agreement: float

    @property
    def agrees(self) -> bool:
        """Whether enough predictions are the same, and none depends on the batch."""
        return self.same_class >= self.min_agreement and self.batch_changes == 0

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values: the rule, the figures and the version."""
        return {
            "reference": "the same network in fp32, on pictures that calibration has not seen",
            "runtime": name_runtime(),
            "tolerance": {"agreement": self.min_agreement},
            **{key: value for key, value in asdict(self).items() if key != "min_agreement"},
        }


def classify_selection(classify: Classify, pictures: Selection, size: int) -> Probabilities:
    """Return float32 ``[n, K]`` of a selection, ``size`` pictures at a time."""
    return np.concatenate([classify(images) for images in pictures.read_batches(size)])


def measure_agreement(
    expected: Probabilities, quantized: Classify, pictures: Selection, *, min_agreement: float
) -> Agreement:
    """Compare an eight-bit file with its original.

    Args:
        expected: float32 ``[n, K]``, what the original says of the pictures.
        quantized: maps uint8 ``[N, H, W, C]`` to the eight-bit file's float32 ``[N, K]``.
        pictures: that calibration has not seen.
        min_agreement: smallest share of equal predictions that is allowed, 0 to 1.

    Returns:
        The figures, whether or not they are good.
    """
    alone = classify_selection(quantized, pictures, 1)
    changes, first, sizes = 0, 0, cycle(BATCHES)
    while first < len(pictures):
        some = slice(first, first + next(sizes))
        together = quantized(pictures.read(pictures.numbers[some]))
        changes += count_changes(together, alone[some])
        first += len(together)
    differences = np.abs(expected - alone)
    return Agreement(
        pictures=len(pictures),
        same_class=float(np.mean(expected.argmax(1) == alone.argmax(1))),
        mean_difference=float(differences.mean()),
        max_difference=float(differences.max()),
        batch_changes=changes,
        min_agreement=min_agreement,
    )


def require_agreement(agreement: Agreement, subject: str) -> None:
    """Stop where too many predictions differ.

    Raises:
        ParityError: with the figures, the rule and the remedy.
    """
    if not agreement.agrees:
        message = (
            f"{subject}: in int8 names {agreement.same_class:.2%} of {agreement.pictures} "
            f"held-back pictures as in fp32 (largest difference of a probability "
            f"{agreement.max_difference:.3f}; {agreement.batch_changes} depend on the batch), and "
            f"{agreement.min_agreement:.2%} are demanded; calibrate on more pictures, try the "
            "other --calibration, or lower --min-agreement"
        )
        raise ParityError(message)
