"""The folder of a run: what is in it while training goes on, and what remains."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from models.classifiers.checkpoint import (
    ClassifierCheckpoint,
    read_classifier,
    write_classifier,
)
from models.classifiers.evaluation import Evaluation
from models.classifiers.training import ClassifierTraining
from models.errors import CheckpointError

RUNNING = "checkpoint.safetensors"  # with the optimiser's state, for --resume
BEST = "best.safetensors"  # the best epoch so far, while the run goes on
FINISHED = "classifier.safetensors"  # the best epoch, for export


class Run:
    """A training in its folder.

    Args:
        training: new; a checkpoint brings it to where that stands.
        folder: made when the first file is written.
        checkpoint: from :func:`find_checkpoint`.

    Raises:
        CheckpointError: the checkpoint is of a run that was started otherwise.
    """

    def __init__(
        self,
        training: ClassifierTraining,
        folder: Path,
        checkpoint: ClassifierCheckpoint | None = None,
    ) -> None:
        self.training = training
        self.folder = folder
        if checkpoint is not None:
            compare(checkpoint, training, folder / RUNNING)
            training.restore(checkpoint)

    def save(self) -> None:
        """Write what the run goes on from."""
        write_classifier(self.folder / RUNNING, self.training.make_checkpoint())

    def save_epoch(self) -> None:
        """Write the best epoch if that is the last one, then what the run goes on from."""
        if self.training.is_best():
            write_classifier(self.folder / BEST, self.training.make_weights())
        self.save()

    def finish(self) -> tuple[Path, dict[str, Evaluation]]:
        """Measure the best epoch on every part, write it, and remove what only training needs."""
        best = read_classifier(self.folder / BEST)
        found = self.training.judge(best)
        results = {name: summarize(evaluation) for name, evaluation in found.items()}
        training = best.training | {"results": results}
        path = self.folder / FINISHED
        write_classifier(path, replace(best, training=training))
        for name in (RUNNING, BEST):
            (self.folder / name).unlink(missing_ok=True)
        return path, found


def find_checkpoint(folder: Path, *, resume: bool) -> ClassifierCheckpoint | None:
    """Return what a run in ``folder`` is to go on from; None for a new run.

    Raises:
        CheckpointError: the folder holds a run that has ended, or one that is not to be resumed.
    """
    finished, running = folder / FINISHED, folder / RUNNING
    if finished.exists():
        message = f"{finished}: this run has ended; choose another folder with -o"
        raise CheckpointError(message)
    if not running.exists():
        return None
    if not resume:
        message = f"{running}: holds an unfinished run; pass --resume or another -o"
        raise CheckpointError(message)
    return read_classifier(running)


def summarize(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation's figures as JSON values."""
    return {
        "accuracy": evaluation.accuracy,
        "correct": evaluation.correct,
        "pictures": evaluation.total,
        "loss": evaluation.loss,
    }


def compare(checkpoint: ClassifierCheckpoint, training: ClassifierTraining, path: Path) -> None:
    """Compare a checkpoint with the run that is to go on from it.

    Raises:
        CheckpointError: classes, settings, data or first weights differ.
    """
    mine, theirs = training.describe(), checkpoint.training
    labels, known = list(training.material.labels), checkpoint.labels
    if labels != known:
        counts = f"{len(known)} classes ({shorten(known)})"
        differences = [f"{counts}, not {len(labels)} ({shorten(labels)})"]
    else:
        settings = theirs.get("settings", {})
        differences = [
            f"{key} {settings.get(key)}, not {value}"
            for key, value in mine["settings"].items()
            if settings.get(key) != value
        ]
        if theirs.get("data") != mine["data"]:
            differences.append("other pictures")
        if theirs.get("origin") != mine["origin"]:
            differences.append("other weights in --from")
    if differences:
        message = (
            f"{path}: the run was started with {'; '.join(differences)}; repeat the options and "
            "the data that it was started with"
        )
        raise CheckpointError(message)


def shorten(labels: list[str]) -> str:
    """Return the first three labels."""
    return ", ".join(labels[:3]) + (", ..." if len(labels) > 3 else "")
