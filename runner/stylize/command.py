"""The body of ``impasto stylize``: options in, exit status out."""

import sys
import warnings
from typing import Any

import click

from runner.folders import Plan, plan_jobs
from runner.processors import count_processors
from runner.signals import stop_on_signals
from runner.stylize.batch import Batch, Options
from runner.stylize.painter import Painter
from runner.stylize.report import choose_report

CUDA_BATCH = 4


def run_stylize(options: dict[str, Any]) -> int:
    """Paint as the command line asks.

    Returns:
        0 when all went well, 1 when a picture failed, 130 after Ctrl-C, 143 after SIGTERM.
    """
    warnings.filterwarnings("ignore", module="PIL")  # of odd metadata in users' files
    plan = plan_jobs(
        options["inputs"],
        options["output"],
        choice=options["format"],
        recursive=options["recursive"],
    )
    _check_streams(options, plan)
    workers = options["workers"] or min(count_processors(), len(plan.jobs))
    painter = _open_painter(options, workers)
    effect = painter.choose(
        options["style"], strength=options["strength"], keep_color=options["keep_color"]
    )
    batch = Batch(painter, effect, plan, _read_options(options, painter, workers))
    report = choose_report(len(plan.jobs), as_json=options["json"], one=plan.folder is None)
    with report, stop_on_signals(batch) as received:
        if painter.remark:
            report.say(painter.remark)
        for row in batch.run():
            report.add(row)
    if len(plan.jobs) > 1 or batch.stopped:
        report.summarize(stopped=batch.stopped)
    if batch.stopped:
        return 128 + received[0]
    return 1 if report.counts["failed"] else 0


def _check_streams(options: dict[str, Any], plan: Plan) -> None:
    to_standard = str(options["output"]) == "-"
    if to_standard and (len(options["inputs"]) != 1 or options["inputs"][0].is_dir()):
        message = "-o - takes exactly one picture; give a folder for several"
        raise click.UsageError(message)
    if to_standard and sys.stdout.isatty():
        message = "-o - would print a picture on the terminal; redirect it, or use -o FILE"
        raise click.UsageError(message)
    if to_standard and options["json"]:
        message = "--json and the picture would share standard output; use -o FILE"
        raise click.UsageError(message)
    if options["resume"] and plan.folder is None:
        message = "--resume needs a folder as output"
        raise click.UsageError(message)


def _open_painter(options: dict[str, Any], workers: int) -> Painter:
    # A run of one thread wastes nothing on waiting for others, so many pictures go side
    # by side; what is left over when they are few makes each of them faster.
    threads = max(1, count_processors() // workers)
    return Painter(
        options["model"],
        options["provider"],
        threads,
        precision=options["precision"],
        runs=workers,
    )


def _read_options(options: dict[str, Any], painter: Painter, workers: int) -> Options:
    return Options(
        long_side=options["size"],
        choice=options["format"],
        quality=options["quality"],
        overwrite=options["overwrite"],
        resume=options["resume"],
        workers=workers,
        batch=options["batch"] or (CUDA_BATCH if painter.provider == "cuda" else 1),
    )
