"""The work of ``impasto classify``: every job decoded, classified and handed to the results."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from itertools import islice
from typing import Any

import click

from runner.classify.clerk import make_row
from runner.classify.decoding import decode_jobs
from runner.classify.jobs import Job
from runner.classify.network import Network
from runner.classify.pipeline import Layout, Pipeline, Stages
from runner.classify.predictions import check_top, rank
from runner.classify.results import Results
from runner.classify.rows import Row
from runner.classify.settings import Settings
from runner.classify.work import open_results, run_reported, sort_out
from runner.processors import count_processors

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
        skipped, todo = sort_out(self._jobs, self._results)
        yield from skipped
        numbers = iter(todo)
        for outcomes in self._pipeline.run(self._jobs[number] for number in todo):
            rows = [make_row(outcome) for outcome in outcomes]
            self._results.add(list(islice(numbers, len(rows))), rows)
            yield from rows


def classify_jobs(jobs: Sequence[Job], decoders: Executor, options: dict[str, Any]) -> int:
    """Classify jobs as the command line asks, with ``workers``, ``form`` and ``output`` decided.

    Returns:
        The exit status; see :func:`runner.classify.command.run_classify`.

    Raises:
        ModelError: the model cannot be used.
        OutputError: the results cannot be written.
        click.UsageError: more classes are asked for than there are.
    """
    workers = options["workers"]
    # A run of one thread wastes nothing on waiting for others; see stylize.
    threads = max(1, count_processors() // workers)
    network = Network(options["model"], options["provider"], threads, runs=workers)
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
    settings = Settings(network.card.digest, top, options["draft"])
    with open_results(jobs, network.labels, settings, options) as results:
        return run_reported(Classification(jobs, results, pipeline), results, len(jobs), options)


def lay_out(jobs: Sequence[Job], network: Network, options: dict[str, Any]) -> Layout:
    """Cut the work so that every worker has some of it."""
    workers: int = options["workers"]
    share = max(1, -(-len(jobs) // workers))
    usual = max(network.batch, CUDA_BATCH) if network.provider == "cuda" else network.batch
    batch = min(options["batch"] or usual, share)
    mean_bytes = sum(job.size for job in jobs) // len(jobs)
    chunk = max(1, min(batch, CHUNK_BYTES // max(1, mean_bytes)))
    return Layout(workers=workers, batch=batch, decoders=workers, chunk=chunk)
