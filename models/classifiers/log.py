"""What a run leaves to look at: a CSV per epoch, curves, a confusion matrix."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.classifiers.evaluation import Evaluation
from models.classifiers.training import Epoch
from models.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = tuple(field.name for field in fields(Epoch))
MOST_NUMBERED = 20  # classes whose confusion matrix still has a number in every cell
MOST_NAMED = 60  # classes whose names still fit along the axes


def write_log(path: Path, history: Sequence[Epoch]) -> None:
    """Write ``log.csv``: a row per epoch; numbers keep every bit.

    Raises:
        CheckpointError: the file cannot be written.
    """
    rows = [[format_cell(value) for value in asdict(row).values()] for row in history]
    write_atomically(path, make_csv([list(COLUMNS), *rows]))


def write_confusion(path: Path, labels: Sequence[str], evaluation: Evaluation) -> None:
    """Write the confusion matrix: a row per true class, a column per predicted one.

    Raises:
        CheckpointError: the file cannot be written.
    """
    rows = [
        [label, *map(str, row)] for label, row in zip(labels, evaluation.confusion, strict=True)
    ]
    write_atomically(path, make_csv([["true \\ predicted", *labels], *rows]))


def make_csv(rows: list[list[str]]) -> bytes:
    """Return rows as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def format_cell(value: float | None) -> str:
    """Return a number so that it can be read back exactly; nothing for None."""
    return "" if value is None else repr(value)


def plot_curves(path: Path, history: Sequence[Epoch], title: str) -> None:
    """Draw loss and accuracy of training and validation over the epochs, as PNG."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - half a second that --help need not pay

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [row.epoch for row in history]
    for part, color in (("training", "tab:blue"), ("validation", "tab:orange")):
        losses = [getattr(row, f"{part}_loss") for row in history]
        accuracies = [getattr(row, f"{part}_accuracy") for row in history]
        if losses[-1] is None:
            continue
        left.plot(epochs, losses, color=color, label=f"{part} {losses[-1]:.4f}")
        percent = [100 * value for value in accuracies]
        right.plot(epochs, percent, color=color, label=f"{part} {percent[-1]:.2f}%")
    left.set(xlabel="epoch", ylabel="loss", yscale="log")
    right.set(xlabel="epoch", ylabel="accuracy, %")
    for axes in (left, right):
        axes.grid(visible=True, which="both", alpha=0.25)
        axes.legend(frameon=False)
    figure.suptitle(title)
    save_figure(figure, path)


def plot_confusion(path: Path, labels: Sequence[str], evaluation: Evaluation, title: str) -> None:
    """Draw the confusion matrix, each row as shares of its class, as PNG."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - see above

    counts = np.array(evaluation.confusion)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = min(14.0, 3.5 + 0.45 * len(labels))
    figure = Figure(figsize=(side + 0.6, side), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(labels) <= MOST_NAMED:
        turn = 0 if max(map(len, labels)) <= 2 else 90
        axes.set_xticks(range(len(labels)), labels, rotation=turn)
        axes.set_yticks(range(len(labels)), labels)
    if len(labels) <= MOST_NUMBERED:
        for (row, column), count in np.ndenumerate(counts):
            color = "white" if shares[row, column] > 0.5 else "black"
            text = str(count) if count else ""
            axes.text(column, row, text, color=color, ha="center", va="center", fontsize=9)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    figure.colorbar(picture, ax=axes, shrink=0.8, label="share of the true class")
    save_figure(figure, path)


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure as PNG, whole or not at all.

    Raises:
        CheckpointError: the file cannot be written.
    """
    data = io.BytesIO()
    figure.savefig(data, dpi=100, format="png")
    write_atomically(path, data.getvalue())
