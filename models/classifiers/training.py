"""Training of classifiers: labelled pictures in, the best classifier out.

Everything random is a function of the seed and the step, and everything else that a step
depends on is in the checkpoint: a run that was cut off ends with the same bytes.
"""

import math
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.classifiers.averaging import WeightAverage
from models.classifiers.batches import AnySamples, Batch, Batches, iterate_once, scale_pixels
from models.classifiers.checkpoint import ClassifierCheckpoint
from models.classifiers.evaluation import Evaluation, evaluate
from models.classifiers.levenberg_marquardt import (
    FIRST_SAMPLES,
    DiagonalLevenbergMarquardt,
)
from models.classifiers.material import Material, use_precision
from models.classifiers.optimizers import build_optimizer, collect_state, restore_state, set_rate
from models.classifiers.settings import ClassifierSettings, choose_rate, has_stalled
from models.errors import DivergedError

EVALUATED_TOGETHER = 64  # pictures per forward pass


@dataclass(frozen=True)
class Epoch:
    """One row of the log.

    Attributes:
        epoch: counted from 1.
        step: steps taken at its end.
        learning_rate: of its last step.
        training_loss: mean over the epoch's steps, as they came, augmentation included.
        training_accuracy: the same, 0 to 1.
        validation_loss: at its end; None without validation pictures.
        validation_accuracy: the same, 0 to 1.
    """

    epoch: int
    step: int
    learning_rate: float
    training_loss: float
    training_accuracy: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None


@dataclass(frozen=True)
class Step:
    """Where a run stands after a step; ``step`` counts from 1.

    Attributes:
        step: steps taken.
        steps: steps of the whole run, if it is not stopped early.
        loss: mean over the epoch so far.
        accuracy: the same, 0 to 1.
        epoch: the row of the epoch that this step ended, if it did.
    """

    step: int
    steps: int
    loss: float
    accuracy: float
    epoch: Epoch | None = None


class ClassifierTraining:
    """The state of one run, and how a step and an epoch change it; it writes nothing.

    Args:
        settings: see :class:`ClassifierSettings`.
        material: network, pictures and scaling, ready to train.
    """

    def __init__(self, settings: ClassifierSettings, material: Material) -> None:
        self.settings = settings
        self.material = material
        self.net = material.net
        self.optimizer = build_optimizer(self.net, settings)
        self.batches = Batches(material.training, batch=settings.batch, seed=settings.seed)
        self.average = WeightAverage(self.net, settings.average) if settings.average else None
        self.step = 0
        self.history: list[Epoch] = []
        self.sums = {"loss": 0.0, "correct": 0, "seen": 0}

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.settings.epochs * self.batches.steps_per_epoch

    @property
    def accuracies(self) -> list[float]:
        """Validation accuracy per epoch; without validation, training accuracy."""
        return [
            row.training_accuracy if row.validation_accuracy is None else row.validation_accuracy
            for row in self.history
        ]

    def run(self) -> Iterator[Step]:
        """Train to the end, yielding after every step; the caller decides when to save.

        Raises:
            DivergedError: the loss is infinite or not a number.
        """
        if has_stalled(self.accuracies, self.settings.patience):
            return
        self.set_mode(training=True)
        for batch in self.batches.iterate(self.step, self.steps):
            rate = self.take_step(batch.to(self.material.device))
            loss, accuracy = (self.sums[k] / self.sums["seen"] for k in ("loss", "correct"))
            ended = self.step % self.batches.steps_per_epoch == 0
            row = self.end_epoch(rate, loss, accuracy) if ended else None
            yield Step(self.step, self.steps, loss, accuracy, row)
            if row and has_stalled(self.accuracies, self.settings.patience):
                return

    def end_epoch(self, rate: float, loss: float, accuracy: float) -> Epoch:
        """Validate, and add a row to the history."""
        number = self.step // self.batches.steps_per_epoch
        row = Epoch(number, self.step, rate, loss, accuracy)
        if self.material.validation is not None:
            found = self.evaluate(self.material.validation)
            row = replace(row, validation_loss=found.loss, validation_accuracy=found.accuracy)
        self.history.append(row)
        self.sums = {"loss": 0.0, "correct": 0, "seen": 0}
        return row

    def evaluate(self, samples: AnySamples) -> Evaluation:
        """Measure the averaged weights, or the present ones without averaging."""
        kept = None
        if self.average:
            kept = {name: t.clone() for name, t in self.net.state_dict().items()}
            self.net.load_state_dict(self.average.tensors)
        self.set_mode(training=False)
        try:
            with use_precision(self.material.device, self.settings.precision):
                return evaluate(
                    self.net, iterate_once(samples, EVALUATED_TOGETHER), self.material.forward
                )
        finally:
            if kept is not None:
                self.net.load_state_dict(kept)
            self.set_mode(training=True)

    def is_best(self) -> bool:
        """Tell whether the last epoch is the best so far; without validation it always is."""

        def judge(row: Epoch) -> tuple[float, float]:
            return (row.validation_accuracy or 0.0, -(row.validation_loss or 0.0))

        return all(judge(self.history[-1]) > judge(row) for row in self.history[:-1]) or (
            self.material.validation is None
        )

    def set_mode(self, *, training: bool) -> None:
        """Put the network into training or evaluation mode; frozen features never train."""
        self.net.train(training)
        if self.settings.freeze:
            self.net.features.eval()

    def take_step(self, batch: Batch) -> float:
        """Move the weights once; return the learning rate.

        Raises:
            DivergedError: the loss is infinite or not a number.
        """
        rate = choose_rate(
            self.settings,
            step=self.step,
            steps_per_epoch=self.batches.steps_per_epoch,
            accuracies=self.accuracies,
        )
        set_rate(self.optimizer, rate)
        # Dropout draws from PyTorch's generator, which must not remember earlier steps.
        state = np.random.SeedSequence([self.settings.seed, 2, self.step]).generate_state(1)
        torch.manual_seed(int(state[0]))
        self.follow_curvature(batch)
        self.optimizer.zero_grad()
        for part in batch.split(self.settings.accumulate):
            self.add_gradients(part, len(part.labels) / len(batch.labels))
        self.optimizer.step()
        self.step += 1
        if self.average:
            self.average.update(self.step)
        return rate

    def follow_curvature(self, batch: Batch) -> None:
        """Let LeCun's optimiser look at this step's first picture, at first at many."""
        if not isinstance(self.optimizer, DiagonalLevenbergMarquardt):
            return
        if self.step == 0:
            count = min(self.batches.steps_per_epoch, -(-FIRST_SAMPLES // self.settings.batch))
            inputs = torch.cat([self.batches.read(step).inputs for step in range(count)])
            pictures = self.scale(inputs[:FIRST_SAMPLES])
            self.optimizer.estimate(self.net, torch.split(pictures, 1))
        self.optimizer.follow(self.net, self.scale(batch.inputs[:1]))

    def scale(self, inputs: Tensor) -> Tensor:
        """Return uint8 ``[N, H, W, C]`` as the network takes it."""
        return scale_pixels(inputs.to(self.material.device), self.material.scaling)

    def add_gradients(self, batch: Batch, share: float) -> None:
        """Add the gradients of one part of a step's batch, weighted by its share."""
        with use_precision(self.material.device, self.settings.precision):
            logits = self.material.forward(batch.inputs).float()
        loss = self.net.measure_loss(logits, batch.labels, self.settings.smoothing)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise DivergedError(self.explain_divergence(value))
        (loss * share).backward()  # type: ignore[no-untyped-call]
        self.sums["loss"] += value * len(batch.labels)
        self.sums["correct"] += int((logits.argmax(1) == batch.labels).sum())
        self.sums["seen"] += len(batch.labels)

    def explain_divergence(self, loss: float) -> str:
        """Return what to do about a loss that is no number."""
        return (
            f"step {self.step + 1}: the loss is {loss}; begin again with a lower --learning-rate "
            f"than {self.settings.learning_rate:g}, or a larger --batch"
        )

    def make_checkpoint(self) -> ClassifierCheckpoint:
        """Return everything that the run goes on from."""
        state = {"history": [asdict(row) for row in self.history], "sums": self.sums}
        return replace(
            self.make_weights(),
            training=self.describe() | state,
            net=dict(self.net.state_dict()),
            optimizer=collect_state(self.optimizer, self.net),
            average=dict(self.average.tensors) if self.average else {},
        )

    def make_weights(self) -> ClassifierCheckpoint:
        """Return the classifier as it is now, averaged if weights are averaged."""
        weights = self.average.tensors if self.average else self.net.state_dict()
        return ClassifierCheckpoint(
            name=self.settings.network,
            config=self.net.config,
            input=self.material.rule,
            pixels=self.material.scaling,
            labels=list(self.material.labels),
            training=self.describe(),
            step=self.step,
            net=dict(weights),
            initial=self.material.initial,
        )

    def judge(self, best: ClassifierCheckpoint) -> dict[str, Evaluation]:
        """Take over the best weights and measure them on every part of the data."""
        self.average = None
        self.net.load_state_dict(best.net)
        material = self.material
        parts = {
            "training": material.judged,
            "validation": material.validation,
            "test": material.test,
        }
        return {name: self.evaluate(part) for name, part in parts.items() if part is not None}

    def restore(self, checkpoint: ClassifierCheckpoint) -> None:
        """Go on from what :meth:`make_checkpoint` returned."""
        self.net.load_state_dict(checkpoint.net)
        restore_state(self.optimizer, self.net, checkpoint.optimizer)
        if self.average:
            self.average.restore(checkpoint.average)
        self.history = [Epoch(**row) for row in checkpoint.training["history"]]
        self.sums = dict(checkpoint.training["sums"])
        self.step = checkpoint.step

    def describe(self) -> dict[str, Any]:
        """Return settings, data and versions, as JSON values."""
        return {
            "settings": asdict(self.settings),
            "data": self.material.data,
            "origin": self.material.origin,
            "versions": {"torch": torch.__version__, "python": platform.python_version()},
        }
