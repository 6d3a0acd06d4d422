"""The body of ``impasto bench``: options in, exit status out."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from runner.bench.combinations import combine, list_pairs, list_shapes, read_subject
from runner.bench.processes import Laboratory
from runner.bench.results import Measurement, build_report, format_report
from runner.processors import count_processors
from runner.report import make_printable
from runner.signals import stop_on_signals

TURNS = 3


def run_bench(options: dict[str, Any]) -> int:
    """Measure as the command line asks, and print.

    Returns:
        0 when all went well, 1 when a combination failed, 130 after Ctrl-C, 143 after SIGTERM.
    """
    card = read_subject(options["model"])
    shapes = list_shapes(card, options["sizes"], options["batch"])
    pairs = list_pairs(card.path, options["provider"], options["precision"])
    threads = options["threads"] or count_processors()
    measurements = [Measurement(entry) for entry in combine(card.path, shapes, pairs, threads)]
    laboratory = Laboratory()
    with stop_on_signals(laboratory) as received:
        measure(laboratory, measurements, options["seconds"])
    report = build_report(card, measurements, stopped=laboratory.stopped)
    click.echo(json.dumps(report, indent=1) if options["json"] else format_report(report))
    tell_failures(measurements, stopped=laboratory.stopped)
    if laboratory.stopped:
        return 128 + received[0]
    return 1 if any(measurement.error for measurement in measurements) else 0


def measure(laboratory: Laboratory, measurements: Sequence[Measurement], seconds: float) -> None:
    """Give every combination its turns, one after the other; one that failed gets no more."""
    total = TURNS * len(measurements)
    for number in range(total):
        measurement = measurements[number % len(measurements)]
        if laboratory.stopped:
            return
        if measurement.error:
            continue
        show_progress(f"measuring {number + 1} of {total}")
        answer = laboratory.measure(measurement.combination, seconds / TURNS)
        if not laboratory.stopped:  # or it would be called a failure that it was killed
            measurement.add(answer)
    show_progress("")


def show_progress(words: str) -> None:
    """Write over the last words on a terminal; elsewhere nothing."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{words}", err=True, nl=False)


def tell_failures(measurements: Sequence[Measurement], *, stopped: bool) -> None:
    """Say on standard error what failed, and that there is more."""
    if stopped:
        show_progress("")
        done = sum(bool(measurement.run_s) for measurement in measurements)
        words = f"stopped: {done} of {len(measurements)} combinations measured"
        click.echo(words, err=True)
    for measurement in measurements:
        if measurement.error:
            entry = measurement.combination
            size = f"{entry.shape[2]}x{entry.shape[1]}"
            line = f"{size} {entry.provider} {entry.precision}: {measurement.error}"
            click.echo(make_printable(line), err=True)
