"""How far a run has come: a bar on a terminal, a line every ten seconds elsewhere."""

import sys
import time
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from models.classifiers.training import ClassifierTraining, Epoch, Step

INTERVAL_S = 10.0  # between lines where there is no terminal


class Counter:
    """A bar with a text and the time left.

    Args:
        total: of whatever is counted.
        done: of it, before this run.
    """

    def __init__(self, total: int, done: int = 0) -> None:
        self.total = total
        self.done = done
        self.begun = time.monotonic()
        self.shown = -INTERVAL_S
        console = Console(file=sys.stderr)
        self.bar = Progress(
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task("", total=total, completed=done, text="")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.stop()

    def show(self, count: int, text: str) -> None:
        """Show that ``count`` of the total are done."""
        self.bar.update(self.task, completed=count, text=text)
        now = time.monotonic() - self.begun
        if self.bar.disable and (now - self.shown >= INTERVAL_S or count == self.total):
            self.shown = now
            left_s = now / max(1, count - self.done) * (self.total - count)
            click.echo(f"{text}  {left_s / 60:.1f} min left", err=True)


class PictureProgress(Counter):
    """Progress through a number of pictures."""

    count = 0

    def advance(self, pictures: int) -> None:
        """Show that so many more pictures are done."""
        self.count += pictures
        self.show(self.count, f"picture {self.count:,}/{self.total:,}")


class TrainingProgress(Counter):
    """Progress through the steps of a run, with loss and accuracy."""

    def __init__(self, training: ClassifierTraining) -> None:
        super().__init__(training.steps, training.step)
        self.epochs = training.settings.epochs
        self.last: Epoch | None = training.history[-1] if training.history else None

    def show_step(self, step: Step) -> None:
        """Show one step."""
        self.last = step.epoch or self.last
        self.show(step.step, self.describe(step))

    def describe(self, step: Step) -> str:
        """Return epoch, loss and accuracies as one line."""
        number = -(-step.step * self.epochs // self.total)
        line = (
            f"epoch {number}/{self.epochs}  step {step.step}/{self.total}  loss {step.loss:.4f}  "
            f"accuracy {step.accuracy:.2%}"
        )
        if self.last and self.last.validation_accuracy is not None:
            line += f"  validation {self.last.validation_accuracy:.2%}"
        return line
