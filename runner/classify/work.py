"""One run of ``impasto classify`` from its results' opening to its exit status."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from runner.classify.jobs import Job
from runner.classify.journal import Journal
from runner.classify.results import FileResults, Results, StandardResults, check_known
from runner.classify.rows import Row, make_writer
from runner.classify.settings import Settings
from runner.report import BarReport, Report
from runner.signals import stop_on_signals


class Work(Protocol):
    """Classifies every job."""

    @property
    def stopped(self) -> bool:
        """Whether :meth:`stop` was called."""

    def stop(self) -> None:
        """Drop the pictures in flight and take no more; safe in a signal handler."""

    def run(self) -> Iterator[Row]:
        """Yield a row per picture in order, those of an earlier run first."""


def sort_out(jobs: Sequence[Job], results: Results) -> tuple[list[Row], list[int]]:
    """Return rows of the jobs that an earlier run has done, and the numbers of the others."""
    skipped, todo = [], []
    for number, job in enumerate(jobs):
        if results.knows(number):
            skipped.append(Row(job.source, "skipped"))
        else:
            todo.append(number)
    return skipped, todo


def run_reported(work: Work, results: Results, total: int, options: dict[str, Any]) -> int:
    """Run the work, tell how it goes, and return the exit status."""
    to_file = options["output"] is not None
    report = choose_report(total, quiet=to_file or not sys.stdout.isatty())
    with report, stop_on_signals(work) as received:
        for row in work.run():
            report.add(row)
        stopped = work.stopped
        if not stopped:
            results.finish()
    if total > 1 or stopped:
        report.summarize(stopped=stopped, resumable=to_file)
    if stopped:
        return 128 + received[0]
    return 1 if report.counts["failed"] else 0


@contextmanager
def open_results(
    jobs: Sequence[Job], labels: Sequence[str], settings: Settings, options: dict[str, Any]
) -> Iterator[Results]:
    """Open what takes the rows: standard output, or a file with its journal."""
    output = options["output"]
    writer = make_writer(options["form"], labels, cut=is_cut(options))
    if output is None:
        yield StandardResults(writer)
        return
    with Journal(output, jobs, settings, resume=options["resume"]) as journal:
        if options["resume"]:
            check_known(output, journal, overwrite=options["overwrite"])
        with FileResults(output, jobs, journal, writer) as results:
            yield results


def is_cut(options: dict[str, Any]) -> bool:
    """Tell whether long names are cut: where a terminal would break them."""
    return options["output"] is None and sys.stdout.isatty()


def choose_report(total: int, *, quiet: bool) -> Report[Row]:
    """Return a bar where nothing else is printed on the terminal, else a plain report."""
    if quiet and total > 1 and sys.stderr.isatty():
        return BarReport(total, "classified")
    return Report(total, "classified")
