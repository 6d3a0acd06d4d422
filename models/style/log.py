"""What a training run leaves to look at: a CSV of costs, a plot of them, painted samples."""

import csv
import io
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.files import write_atomically
from models.style.architecture import MINIMUM_SIDE
from models.style.photos import read_picture
from models.style.settings import Step

COLUMNS = ("step", "total", "content", "style", "variation", "steadiness", "learning_rate")
SMOOTHING_STEPS = 50


class CostLog:
    """``losses.csv``: a row per step; rows past the resumed step are dropped on opening.

    Args:
        path: the CSV file.
        step: steps already taken; the next row is ``step + 1``.

    Raises:
        CheckpointError: the file cannot be written.
    """

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        rows = [row for row in read_costs(path) if row["step"] <= step] if path.exists() else []
        kept = io.StringIO(newline="")
        csv.writer(kept).writerows([COLUMNS, *(_format(row) for row in rows)])
        write_atomically(path, kept.getvalue().encode())
        self._file: TextIO = path.open("a", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)

    def add(self, step: Step) -> None:
        """Append one step; it is on its way to the disk when this returns."""
        row = {"step": float(step.step), "learning_rate": step.learning_rate} | step.costs
        self._writer.writerow(_format(row))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_costs(path: Path) -> list[dict[str, float]]:
    """Read ``losses.csv``; a row cut short by a crash is left out."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    rows = []
    for row in csv.DictReader(line for line in lines if line.endswith("\n")):
        with suppress(KeyError, TypeError, ValueError):
            rows.append({column: float(row[column]) for column in COLUMNS})
    return rows


def plot_costs(rows: list[dict[str, float]], path: Path) -> None:
    """Draw content, style and total cost over the steps, smoothed, logarithmic, as PNG."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - half a second that --help need not pay

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    steps = np.array([row["step"] for row in rows])
    for column in ("total", "content", "style"):
        costs = np.array([row[column] for row in rows])
        (line,) = axes.plot(steps, costs, linewidth=0.5, alpha=0.3)
        window = min(SMOOTHING_STEPS, len(costs))
        mean = np.convolve(costs, np.ones(window) / window, mode="valid")
        axes.plot(
            steps[window - 1 :], mean, color=line.get_color(), label=f"{column} {mean[-1]:.3g}"
        )
    axes.set(yscale="log", xlabel="step", ylabel="cost", title=f"mean of {SMOOTHING_STEPS} steps")
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=100)


def read_sample(path: Path, long_side: int = 512) -> Tensor:
    """Read the photo that the samples show, at most ``long_side`` but large enough to paint.

    Returns:
        float32 ``[1, 3, H, W]``, RGB in [0, 1].

    Raises:
        DataError: the file is no picture.
    """
    picture = read_picture(path)
    shrunk = min(1.0, long_side / max(picture.size))
    scale = max(shrunk, MINIMUM_SIDE / min(picture.size))
    width, height = (max(MINIMUM_SIDE, round(side * scale)) for side in picture.size)
    pixels = torch.from_numpy(np.asarray(picture.resize((width, height))).copy())
    return pixels.permute(2, 0, 1)[None].float() / 255.0


def write_sheet(photo: Tensor, painted: list[Tensor], path: Path) -> None:
    """Write the photo and its painted versions side by side, at most three in a row, as JPEG."""
    tiles = [photo, *painted]
    columns = min(3, len(tiles))
    blank = torch.ones_like(photo)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [torch.cat(tiles[i : i + columns], dim=3) for i in range(0, len(tiles), columns)]
    sheet = torch.cat(rows, dim=2)[0].permute(1, 2, 0).clamp(0, 1)
    Image.fromarray((sheet * 255.0).round().byte().numpy()).save(path, quality=90)


def _format(row: dict[str, float]) -> list[str]:
    # repr keeps every bit, so that two runs can be compared exactly.
    return [str(int(row["step"])), *(repr(row[column]) for column in COLUMNS[1:])]
