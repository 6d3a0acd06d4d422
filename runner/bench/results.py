"""What was measured, as a table and as JSON."""

import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from runner.bench.combinations import Combination
from runner.model import ModelCard
from runner.processors import (
    count_processors,
    has_bfloat16,
    has_integer_dots,
    name_processor,
)

PACKAGES = ("impasto", "onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "numpy")
HEAD = ("size", "provider", "precision", "ms/picture", "10% to 90%", "pictures/s", "MiB")
LEFT = (1, 2)  # columns of words; the others are numbers
MIB = 2**20


@dataclass
class Measurement:
    """All turns of one combination.

    Attributes:
        combination: what was timed.
        run_s: seconds of each run.
        open_s: seconds of each opening of the session.
        peak_bytes: largest resident memory of each process, where the system tells.
        error: why it failed, or empty.
    """

    combination: Combination
    run_s: list[float] = field(default_factory=list)
    open_s: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)
    error: str = ""

    def add(self, answer: dict[str, Any]) -> None:
        """Take the answer of one worker into account."""
        if "error" in answer:
            self.error = answer["error"]
            return
        self.run_s += answer["run_s"]
        self.open_s.append(answer["open_s"])
        self.peak_bytes += [answer["peak_bytes"]] if answer["peak_bytes"] else []

    def summarize(self) -> dict[str, Any] | None:
        """Return milliseconds per picture (median, tenths), and pictures per second.

        None where nothing was measured.
        """
        if not self.run_s:
            return None
        batch = self.combination.shape[0]
        low, middle, high = find_tenths([1000 * seconds / batch for seconds in self.run_s])
        return {
            "ms": {"median": middle, "low": low, "high": high},
            "pictures_per_second": 1000 / middle,
            "runs": len(self.run_s),
            "open_ms": 1000 * statistics.median(self.open_s),
            "peak_mib": max(self.peak_bytes) / MIB if self.peak_bytes else None,
        }


def find_tenths(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the first tenth, the median and the last tenth of at least one value."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    cuts = statistics.quantiles(values, n=10, method="inclusive")
    return cuts[0], statistics.median(values), cuts[-1]


def describe_machine() -> dict[str, Any]:
    """Return processor, what it computes fast, and the versions that matter."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": name_processor(),
        "processors": count_processors(),
        "integer_dots": has_integer_dots(),
        "bfloat16": has_bfloat16(),
        "system": platform.system(),
        "versions": versions,
    }


def build_report(
    card: ModelCard, measurements: Sequence[Measurement], *, stopped: bool
) -> dict[str, Any]:
    """Return everything as JSON values."""
    first = measurements[0].combination
    return {
        "machine": describe_machine(),
        "model": {"file": str(card.path), "sha256": card.digest, "task": card.task},
        "batch": first.shape[0],
        "threads": first.threads,
        "stopped": stopped,
        "results": [describe_result(measurement) for measurement in measurements],
    }


def describe_result(measurement: Measurement) -> dict[str, Any]:
    """Return one combination as JSON values; the times are null where it has none."""
    combination = measurement.combination
    figures = measurement.summarize() or dict.fromkeys(
        ("ms", "pictures_per_second", "runs", "open_ms", "peak_mib")
    )
    return {
        "height": combination.shape[1],
        "width": combination.shape[2],
        "provider": combination.provider,
        "precision": combination.precision,
        "file": combination.file,
        **figures,
        "error": measurement.error or None,
    }


def format_report(report: dict[str, Any]) -> str:
    """Lay the report out as text of 80 columns."""
    machine = report["machine"]
    versions = ", ".join(f"{name} {text}" for name, text in machine["versions"].items())
    rows = [HEAD, *(format_row(result) for result in report["results"] if result["ms"])]
    return "\n".join(
        [
            f"{machine['processor']}, {count(machine['processors'], 'processor')}",
            versions,
            report["model"]["file"],
            f"{count(report['batch'], 'picture')} per run, {count(report['threads'], 'thread')}",
            *(["", *align(rows)] if len(rows) > 1 else []),
        ]
    )


def format_row(result: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of one combination."""
    ms, peak = result["ms"], result["peak_mib"]
    return (
        f"{result['width']}x{result['height']}",
        result["provider"],
        result["precision"],
        format_number(ms["median"]),
        f"{format_number(ms['low'])} to {format_number(ms['high'])}",
        format_number(result["pictures_per_second"]),
        f"{peak:,.0f}" if peak else "?",
    )


def format_number(value: float) -> str:
    """Return about three digits, enough for what machines repeat."""
    digits = next((count for count, least in ((0, 100), (1, 10), (2, 1)) if value >= least), 3)
    return f"{value:,.{digits}f}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines whose columns stand under each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_pad(row, widths)).rstrip() for row in rows]


def _pad(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if place in LEFT else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
