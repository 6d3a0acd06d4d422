"""The body of ``impasto train style``: settings from options, progress, and what is saved when."""

import sys
import time
import warnings
from pathlib import Path
from typing import Any, Self

import click
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.errors import CheckpointError, DataError
from models.style.checkpoint import Checkpoint, read_checkpoint
from models.style.log import CostLog, plot_costs, read_costs, read_sample, write_sheet
from models.style.objective import Weights, choose_precision
from models.style.photos import list_paintings, list_photos
from models.style.settings import RunFiles, Settings, Step
from models.style.training import StyleTraining


def run_training(options: dict[str, Any]) -> None:
    """Train as the command line asks, reporting on standard error.

    Raises:
        ModelsError: an input is missing or wrong, or nothing can be written.
    """
    folder: Path = options["output"]
    with warnings.catch_warnings():
        # Pillow warns of odd metadata and of large pictures, which do not matter here.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        training = _prepare(options)
        sample = _choose_sample(options["sample"], training.photos)
        if options["resume"]:
            click.echo(_tell_start(training.step, folder), err=True)
        try:
            path = _train(training, sample, folder, every=options["every"])
        except OSError as error:
            message = (
                f"{folder}: cannot be written ({error.strerror}); mend that, then pass --resume"
            )
            raise CheckpointError(message) from error
    click.echo(str(path))


def _train(training: StyleTraining, sample: torch.Tensor, folder: Path, *, every: int) -> Path:
    """Train to the end; return the last checkpoint's path."""
    path, steps = folder, training.settings.steps
    log = CostLog(folder / "losses.csv", training.step)
    try:
        with TrainingProgress(steps, training.step) as progress:
            for step in training.run():
                log.add(step)
                progress.show(step)
                if step.step % every == 0 or step.step == steps:
                    path = training.save()
                    plot_costs(read_costs(log.path), folder / "losses.png")
                    sheet = folder / f"sample-{step.step:06d}.jpg"
                    write_sheet(sample, training.paint(sample), sheet)
    finally:
        log.close()
    return path


def _tell_start(step: int, folder: Path) -> str:
    if step:
        return f"resuming after step {step}"
    return f"{folder}: no checkpoint to resume from; beginning at step 1"


def _choose_sample(asked: Path | None, photos: list[Path]) -> torch.Tensor:
    """Read the photo that was asked for, or the first that can be read."""
    for photo in photos if asked is None else ():
        try:
            return read_sample(photo)
        except DataError:
            continue  # training reports it when its turn comes
    return read_sample(asked or photos[0])


def _prepare(options: dict[str, Any]) -> StyleTraining:
    base: Checkpoint | None = read_checkpoint(options["base"]) if options["base"] else None
    names = tuple(n.strip() for n in (options["styles"] or "").split(",") if n.strip())
    files = RunFiles(
        vgg=options["vgg"],
        photos=list_photos(options["photos"], options["hold_out"]),
        paintings=list_paintings(options["paintings"] or options["add"], options["about"], names),
        folder=options["output"],
        base=base,
    )
    return StyleTraining(
        _read_settings(options, added=base is not None),
        files,
        report=lambda sentence: click.echo(sentence, err=True),
        resume=options["resume"],
    )


def _read_settings(options: dict[str, Any], *, added: bool) -> Settings:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Settings(
        network="added" if added else options["network"],
        steps=options["steps"],
        batch=options["batch"],
        crop=options["crop"],
        style_sizes=options["style_sizes"],
        weights=Weights(
            options["content_weight"],
            options["style_weight"],
            options["variation_weight"],
            options["steadiness_weight"],
        ),
        normalization=options["normalization"],
        learning_rate=options["learning_rate"],
        seed=options["seed"],
        precision=choose_precision(options["precision"], device),
    )


class TrainingProgress:
    """A bar with costs and time left on a terminal; a line every ten seconds elsewhere."""

    interval_s = 10.0

    def __init__(self, steps: int, done: int) -> None:
        self.steps = steps
        self.begun = time.monotonic()
        self.done = done
        self.shown = -self.interval_s
        console = Console(file=sys.stderr)
        self.bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[costs]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task("training", total=steps, completed=done, costs="")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.stop()

    def show(self, step: Step) -> None:
        """Show one step."""
        costs = f"content {step.costs['content']:.3f}  style {step.costs['style']:.3f}"
        self.bar.update(self.task, completed=step.step, costs=costs)
        now = time.monotonic() - self.begun
        if self.bar.disable and (now - self.shown >= self.interval_s or step.step == self.steps):
            self.shown = now
            left_s = now / (step.step - self.done) * (self.steps - step.step)
            line = f"step {step.step}/{self.steps}  {costs}  {left_s / 60:.1f} min left"
            click.echo(line, err=True)
