"""Telling how a batch goes: a bar on a terminal, faults and a last line on standard error."""

import time
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

import click

BAR_INTERVAL_S = 0.05  # a bar that moves more often costs more than small pictures do


class Row(Protocol):
    """What a report asks of one finished picture."""

    @property
    def input(self) -> str:
        """The picture as it was named."""

    @property
    def status(self) -> str:
        """``ok``, ``failed`` or ``skipped``."""

    @property
    def error(self) -> str | None:
        """Why it failed."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be said of it, one sentence each."""


AnyRow = TypeVar("AnyRow", bound=Row)


class Report(Generic[AnyRow]):
    """Counts rows and says what must be said; faults and remarks go to standard error.

    Args:
        total: how many pictures there are.
        done: what happens to a picture that succeeds, as ``painted``.
    """

    def __init__(self, total: int, done: str) -> None:
        self.total = total
        self.done = done
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

    def add(self, row: AnyRow) -> None:
        """Take one picture into account."""
        self.counts[row.status] += 1
        self.show(row)
        if row.error:
            self.say(f"{row.input}: {row.error}")
        for remark in row.remarks:
            self.say(f"{row.input}: {remark}")

    def show(self, row: AnyRow) -> None:
        """Show a picture that succeeded or was skipped; here not at all."""

    def say(self, line: str) -> None:
        """Print a line on standard error."""
        click.echo(make_printable(line), err=True)

    def summarize(self, *, stopped: bool, resumable: bool = True) -> None:
        """Print the last line.

        Args:
            stopped: the run was stopped before its end.
            resumable: another run can go on from there.
        """
        seconds = time.monotonic() - self.begun
        counts = self.counts
        parts = [f"{self.done} {counts['ok']}"]
        parts += [f"{word} {counts[word]}" for word in ("failed", "skipped") if counts[word]]
        rate = describe_rate(counts["ok"], seconds) if seconds and counts["ok"] else ""
        line = ", ".join(parts) + f" in {seconds:.1f} s" + (f" ({rate})" if rate else "")
        if stopped:
            left = self.total - sum(counts.values())
            line = f"stopped: {line}; {left} left" + (
                ", --resume goes on from here" if resumable else ""
            )
        click.echo(line, err=True)


class BarReport(Report[AnyRow]):
    """A progress bar with pictures per second and time left, on standard error."""

    def __init__(self, total: int, done: str) -> None:
        from rich.console import Console  # noqa: PLC0415 - a tenth of a second, here only
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        super().__init__(total, done)
        self.bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self.task = self.bar.add_task(done, total=total, rate="")
        self.moved = 0.0

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def close(self) -> None:
        """Leave the bar as it stands and give the terminal its cursor back."""
        self._move()
        self.bar.stop()

    def show(self, row: AnyRow) -> None:  # noqa: ARG002 - the bar shows counts
        """Move the bar, unless it has just moved."""
        if time.monotonic() - self.moved >= BAR_INTERVAL_S:
            self._move()

    def _move(self) -> None:
        self.moved = time.monotonic()
        rate = describe_rate(self.counts["ok"], max(self.moved - self.begun, 1e-9))
        self.bar.update(self.task, completed=sum(self.counts.values()), rate=rate)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self.bar.console.print(make_printable(line), markup=False, highlight=False, soft_wrap=True)


def describe_rate(count: int, seconds: float) -> str:
    """Return pictures per second in words."""
    rate = count / seconds
    return f"{rate:.2f} pictures/s" if rate < 100 else f"{rate:,.0f} pictures/s"


def make_printable(text: str) -> str:
    """Escape what a file name may hold and a terminal would obey: line ends, control codes."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )
