"""What decides the numbers of a run, and the learning rate at each of its steps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.classifiers.presets import Augmentation, Optimizer, Schedule

WARMUP_SHARE = 0.05  # of the steps, before the cosine
PLATEAU_EPOCHS = 5  # without a better validation before the rate falls to a tenth
LARGEST_DROPS = 3  # of the rate, in both papers
LECUN_RATES = ((2, 5e-4), (5, 2e-4), (8, 1e-4), (12, 5e-5))  # until so many passes; then 1e-5


@dataclass(frozen=True)
class ClassifierSettings:
    """Two runs with equal settings and equal data are equal.

    Attributes:
        network: such as ``lenet5``.
        config: its configuration as JSON values.
        preset: ``paper`` or ``modern``: where the values below come from if not given.
        optimizer: see :class:`models.classifiers.presets.Preset`, as for the following.
        learning_rate: first or peak.
        schedule: of the learning rate.
        epochs: passes over the training pictures.
        batch: pictures per step.
        momentum: of ``sgd``.
        weight_decay: of ``sgd`` and ``adamw``.
        augmentation: of training pictures.
        smoothing: of labels.
        average: decay of the moving average of the weights; 0: none.
        accumulate: parts in which a batch is computed one after another, to save memory.
        patience: epochs without a better validation after which the run ends; 0: none.
        freeze: whether ``features`` stay as they are.
        precision: ``fp32`` or ``bf16``.
        seed: of initial weights, order, augmentation and dropout.
    """

    network: str
    config: dict[str, Any]
    preset: str
    optimizer: Optimizer
    learning_rate: float
    schedule: Schedule
    epochs: int
    batch: int
    momentum: float = 0.0
    weight_decay: float = 0.0
    augmentation: Augmentation = "none"
    smoothing: float = 0.0
    average: float = 0.0
    accumulate: int = 1
    patience: int = 0
    freeze: bool = False
    precision: str = "fp32"
    seed: int = 0


def choose_rate(
    settings: ClassifierSettings, *, step: int, steps_per_epoch: int, accuracies: Sequence[float]
) -> float:
    """Return the learning rate of a step.

    Args:
        settings: of the run.
        step: counted from 0.
        steps_per_epoch: of the run.
        accuracies: of validation, one per epoch that has ended.
    """
    if settings.schedule == "cosine":
        return settings.learning_rate * cosine(step / (settings.epochs * steps_per_epoch))
    if settings.schedule == "plateau":
        return settings.learning_rate * 0.1 ** count_drops(accuracies)
    if settings.schedule == "lecun":
        return settings.learning_rate / 5e-4 * lecun_rate(step // steps_per_epoch)
    return settings.learning_rate


def cosine(progress: float, warmup: float = WARMUP_SHARE) -> float:
    """Return the share of the peak rate at ``progress`` in [0, 1]: a linear rise, a cosine fall."""
    if progress < warmup:
        return 0.02 + 0.98 * progress / warmup
    return 0.5 * (1.0 + math.cos(math.pi * (progress - warmup) / (1.0 - warmup)))


def lecun_rate(epoch: int) -> float:
    """Return the rate of a pass, counted from 0 (LeCun et al. 1998, section III.B)."""
    return next((rate for until, rate in LECUN_RATES if epoch < until), 1e-5)


def count_drops(accuracies: Sequence[float]) -> int:
    """Return how often validation has stood still for :data:`PLATEAU_EPOCHS`."""
    drops, since, best = 0, 0, -1.0
    for accuracy in accuracies:
        since = 0 if accuracy > best else since + 1
        best = max(best, accuracy)
        if since == PLATEAU_EPOCHS and drops < LARGEST_DROPS:
            drops, since = drops + 1, 0
    return drops


def has_stalled(accuracies: Sequence[float], patience: int) -> bool:
    """Tell whether the last ``patience`` epochs brought nothing better than one before them."""
    if patience == 0 or len(accuracies) <= patience:
        return False
    return max(accuracies[-patience:]) <= max(accuracies[:-patience])
