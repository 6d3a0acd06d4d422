"""How well a classifier does: loss, accuracy, and which classes it takes for which."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from models.classifiers.batches import Batch
from models.classifiers.classifier import Classifier


@dataclass(frozen=True)
class Evaluation:
    """What a pass over a set of pictures measured.

    Attributes:
        loss: mean over the pictures, without label smoothing.
        confusion: per true class, per predicted class the number of pictures.
    """

    loss: float
    confusion: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> int:
        """Number of pictures."""
        return sum(map(sum, self.confusion))

    @property
    def correct(self) -> int:
        """Number of pictures whose class was found."""
        return sum(row[label] for label, row in enumerate(self.confusion))

    @property
    def accuracy(self) -> float:
        """Share of the pictures whose class was found, 0 to 1."""
        return self.correct / self.total


@torch.no_grad()
def evaluate(
    net: Classifier, batches: Iterable[Batch], forward: Callable[[Tensor], Tensor]
) -> Evaluation:
    """Measure a network; the caller has put it into evaluation mode.

    Args:
        net: whose loss and number of classes count.
        batches: of pictures or features.
        forward: maps their inputs to logits ``[N, K]``.
    """
    classes = net.config.classes
    counts = torch.zeros(classes * classes, dtype=torch.int64)
    loss = 0.0
    for batch in batches:
        logits = forward(batch.inputs).float()
        labels = batch.labels.to(logits.device)
        loss += float(net.measure_loss(logits, labels, 0.0)) * len(labels)
        pairs = labels * classes + logits.argmax(1)
        counts += torch.bincount(pairs.cpu(), minlength=classes * classes)
    rows = counts.reshape(classes, classes).tolist()
    return Evaluation(loss / int(counts.sum()), tuple(tuple(row) for row in rows))
