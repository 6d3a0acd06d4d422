"""The work of ``impasto classify``: every job decoded, classified and handed to the results."""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

import click

from runner.classify.decoding import decode_jobs
from runner.classify.jobs import Job
from runner.classify.journal import Journal, Settings
from runner.classify.network import Network
from runner.classify.pipeline import Layout, Outcome, Pipeline, Stages
from runner.classify.predictions import check_top, rank
from runner.classify.results import FileResults, Results, StandardResults, check_known
from runner.classify.rows import Row, make_writer
from runner.processors import count_processors
from runner.report import BarReport, Report
from runner.signals import stop_on_signals

CHUNK_BYTES = 2**16  # of files that one decoder takes at a time
CUDA_BATCH = 32  # a GPU wants more at once than a processor


class Classification:
    """Classify every job.

    Args:
        jobs: what to classify.
        results: where rows go.
        pipeline: does the work.
    """

    def __init__(self, jobs: Sequence[Job], results: Results, pipeline: Pipeline[Job]) -> None:
        self._jobs = jobs
        self._results = results
        self._pipeline = pipeline

    @property
    def stopped(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._pipeline.stopped

    def stop(self) -> None:
        """Drop the pictures in flight and take no more; safe in a signal handler."""
        self._pipeline.stop()

    def run(self) -> Iterator[Row]:
        """Yield a row per picture in order, those of an earlier run first."""
        todo = []
        for number, job in enumerate(self._jobs):
            if self._results.knows(number):
                yield Row(job.source, "skipped")
            else:
                todo.append(number)
        numbers = iter(todo)
        for outcomes in self._pipeline.run(self._jobs[number] for number in todo):
            rows = [make_row(outcome) for outcome in outcomes]
            self._results.add(list(islice(numbers, len(rows))), rows)
            yield from rows


def make_row(outcome: Outcome[Job]) -> Row:
    """Return the row of one outcome."""
    if outcome.fault:
        return Row(outcome.source.source, "failed", outcome.fault)
    return Row(outcome.source.source, "ok", None, outcome.ranking)


def classify_jobs(jobs: Sequence[Job], decoders: Executor, options: dict[str, Any]) -> int:
    """Classify jobs as the command line asks, with ``workers``, ``form`` and ``output`` decided.

    Returns:
        The exit status; see :func:`runner.classify.command.run_classify`.

    Raises:
        ModelError: the model cannot be used.
        OutputError: the results cannot be written.
        click.UsageError: more classes are asked for than there are.
    """
    # A run of one thread wastes nothing on waiting for others; see stylize.
    threads = max(1, count_processors() // options["workers"])
    network = Network(options["model"], options["provider"], threads)
    try:
        top = check_top(options["top"], len(network.labels))
    except ValueError as error:
        message = f"--{error}"
        raise click.UsageError(message) from None
    pipeline = Pipeline(
        Stages(
            decode=partial(decode_jobs, rule=network.rule, reduced=options["draft"]),
            predict=lambda pixels: rank(network.predict(pixels), top),
        ),
        lay_out(jobs, network, options),
        decoders,
    )
    with open_results(jobs, network, top, options) as results:
        return run_reported(Classification(jobs, results, pipeline), results, len(jobs), options)


def run_reported(
    work: Classification, results: Results, total: int, options: dict[str, Any]
) -> int:
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


def lay_out(jobs: Sequence[Job], network: Network, options: dict[str, Any]) -> Layout:
    """Cut the work so that every worker has some of it."""
    workers: int = options["workers"]
    share = max(1, -(-len(jobs) // workers))
    usual = max(network.batch, CUDA_BATCH) if network.provider == "cuda" else network.batch
    batch = min(options["batch"] or usual, share)
    mean_bytes = sum(job.size for job in jobs) // len(jobs)
    chunk = max(1, min(batch, CHUNK_BYTES // max(1, mean_bytes)))
    return Layout(workers=workers, batch=batch, decoders=workers, chunk=chunk)


@contextmanager
def open_results(
    jobs: Sequence[Job], network: Network, top: int, options: dict[str, Any]
) -> Iterator[Results]:
    """Open what takes the rows: standard output, or a file with its journal."""
    output = options["output"]
    writer = make_writer(
        options["form"], network.labels, cut=output is None and sys.stdout.isatty()
    )
    if output is None:
        yield StandardResults(writer)
        return
    settings = Settings(network.card.digest, top, options["draft"])
    with Journal(output, jobs, settings, resume=options["resume"]) as journal:
        if options["resume"]:
            check_known(output, journal, overwrite=options["overwrite"])
        with FileResults(output, jobs, journal, writer) as results:
            yield results


def choose_report(total: int, *, quiet: bool) -> Report[Row]:
    """Return a bar where nothing else is printed on the terminal, else a plain report."""
    if quiet and total > 1 and sys.stderr.isatty():
        return BarReport(total, "classified")
    return Report(total, "classified")
