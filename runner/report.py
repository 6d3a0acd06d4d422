"""Telling how a batch goes: JSON lines, a bar on a terminal, plain lines elsewhere."""

import json
import sys
import time
from dataclasses import asdict
from types import TracebackType
from typing import Self

import click

from runner.batch import Row, write_standard

FIELDS = ("input", "output", "status", "error", "width", "height", "style", "seconds")


class Report:
    """Counts rows and says what must be said; faults and remarks go to standard error.

    This one prints a plain line per picture; subclasses say it in other ways.

    Args:
        total: how many pictures there are.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.counts = {"ok": 0, "failed": 0, "skipped": 0}
        self.begun = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop showing; here there is nothing to stop."""

    def add(self, row: Row) -> None:
        """Take one picture into account."""
        self.counts[row.status] += 1
        self.show(row)
        if row.error:
            self.say(f"{row.input}: {row.error}")
        for remark in row.remarks:
            self.say(f"{row.input}: {remark}")

    def show(self, row: Row) -> None:
        """Show a picture that was painted or skipped."""
        if row.status == "ok" and row.output != "-":
            self.say(f"{row.output}  {row.width}x{row.height}  {row.seconds:.2f} s")
        elif row.status == "skipped":
            self.say(f"{row.output}  painted before")

    def say(self, line: str) -> None:
        """Print a line on standard error."""
        click.echo(make_printable(line), err=True)

    def summarize(self, *, stopped: bool) -> None:
        """Print the last line."""
        seconds = time.monotonic() - self.begun
        counts = self.counts
        parts = [f"painted {counts['ok']}"]
        parts += [f"{word} {counts[word]}" for word in ("failed", "skipped") if counts[word]]
        rate = f"{counts['ok'] / seconds:.2f} pictures/s" if seconds and counts["ok"] else ""
        line = ", ".join(parts) + f" in {seconds:.1f} s" + (f" ({rate})" if rate else "")
        if stopped:
            left = self.total - sum(counts.values())
            line = f"stopped: {line}; {left} left, --resume goes on from here"
        click.echo(line, err=True)


class JsonReport(Report):
    """One JSON object per picture on standard output."""

    def show(self, row: Row) -> None:
        """Print the row."""
        values = asdict(row)
        # ASCII: also names that are not valid UTF-8, or hold what some take for the end of
        # a line, come through whole.
        line = json.dumps({field: values[field] for field in FIELDS})
        write_standard(line.encode("ascii") + b"\n")


class BarReport(Report):
    """A progress bar with pictures per second and time left, on standard error."""

    def __init__(self, total: int) -> None:
        from rich.console import Console  # noqa: PLC0415 - a tenth of a second, here only
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        super().__init__(total)
        self.bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self.task = self.bar.add_task("painting", total=total, rate="")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def close(self) -> None:
        """Leave the bar as it stands and give the terminal its cursor back."""
        self.bar.stop()

    def show(self, row: Row) -> None:  # noqa: ARG002 - the bar shows counts
        """Move the bar."""
        rate = self.counts["ok"] / max(time.monotonic() - self.begun, 1e-9)
        self.bar.update(self.task, advance=1, rate=f"{rate:.2f} pictures/s")

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self.bar.console.print(make_printable(line), markup=False, highlight=False, soft_wrap=True)


def make_printable(text: str) -> str:
    """Escape what a file name may hold and a terminal would obey: line ends, control codes."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def choose_report(total: int, *, as_json: bool, one: bool) -> Report:
    """Return the report that fits the options and the terminal."""
    if as_json:
        return JsonReport(total)
    if sys.stderr.isatty() and not one:
        return BarReport(total)
    return Report(total)
