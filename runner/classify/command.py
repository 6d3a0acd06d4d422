"""The body of ``impasto classify``: options in, exit status out."""

import os
import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import click

from runner.classify.executors import choose_processes, open_decoders, suits_clerks
from runner.classify.jobs import Job, list_sources, make_jobs
from runner.classify.results import check_output
from runner.errors import ImpastoError
from runner.formats import has_picture_suffix
from runner.inputs import STANDARD
from runner.processors import count_processors

# suffix of the results file -> format; others hold a table
FORMS = {".json": "json", ".jsonl": "json", ".ndjson": "json", ".csv": "csv"}


def run_classify(options: dict[str, Any]) -> int:
    """Classify as the command line asks.

    Returns:
        0 when all went well, 1 when a picture failed, 130 after Ctrl-C, 143 after SIGTERM.
    """
    warnings.filterwarnings("ignore", module="PIL")  # of odd metadata in users' files
    output: Path | None = None if is_standard(options["output"]) else options["output"]
    form = choose_form(options["format"], output)
    if options["resume"] and output is None:
        message = "--resume needs a file for the results: -o FILE"
        raise click.UsageError(message)
    sources = list_sources(options["inputs"], recursive=options["recursive"])
    workers = options["workers"] or min(count_processors(), len(sources))
    processes = choose_processes(sources, workers)
    decided = options | {"form": form, "output": output, "workers": workers}
    load_decoding()
    try:
        if processes and suits_clerks(options["model"], options["provider"], workers):
            return start_crew(sources, decided)
        return start_pipeline(sources, decided, processes=processes)
    except BrokenExecutor:
        message = (
            "a process that decodes pictures was ended from outside, perhaps for want of memory; "
            "pass --workers 1, which does without"
        )
        raise ImpastoError(message) from None


def start_crew(sources: Sequence[str], options: dict[str, Any]) -> int:
    """Classify in processes that do everything; this one needs no ONNX Runtime."""
    from runner.classify.crew import classify_by_crew, make_order, open_clerks  # noqa: PLC0415

    with open_clerks(options["workers"], make_order(options)) as helpers:
        # They open the network, while the pictures are looked for here.
        return classify_by_crew(find_jobs(sources, options), helpers, options)


def start_pipeline(sources: Sequence[str], options: dict[str, Any], *, processes: bool) -> int:
    """Classify in this process, which others may help to decode."""
    jobs = find_jobs(sources, options)
    with open_decoders(options["workers"], processes=processes) as decoders:
        # The processes start before ONNX Runtime does, and its threads.
        from runner.classify.classification import classify_jobs  # noqa: PLC0415

        return classify_jobs(jobs, decoders, options)


def find_jobs(sources: Sequence[str], options: dict[str, Any]) -> list[Job]:
    """Return what is to be classified, where its results may take their place.

    Raises:
        OutputError: they may not.
    """
    jobs = make_jobs(sources)
    if options["output"] is not None:
        check_output(
            options["output"], jobs, overwrite=options["overwrite"], resume=options["resume"]
        )
    return jobs


def load_decoding() -> None:
    """Import what decodes, before processes are copied: once instead of in each of them."""
    if "numpy" not in sys.modules:
        # Nothing here multiplies matrices, and a process with one thread may be copied.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from PIL import Image  # noqa: PLC0415 - after the setting

    import runner.classify.decoding  # noqa: F401, PLC0415

    Image.preinit()


def is_standard(output: Path | None) -> bool:
    """Tell whether results go to standard output."""
    return output is None or str(output) == STANDARD


def choose_form(form: str | None, output: Path | None) -> str:
    """Return ``table``, ``json`` or ``csv``: what was asked for, or what the suffix says.

    Raises:
        click.UsageError: the two contradict each other, or the suffix is a picture's.
    """
    if output is None:
        return form or "table"
    if has_picture_suffix(output):
        message = f"{output} is called like a picture, and results are text; use .jsonl or .csv"
        raise click.UsageError(message)
    stated = FORMS.get(output.suffix.lower())
    if form and stated and form != stated:
        message = f"--format {form} contradicts {output}; give only one of them"
        raise click.UsageError(message)
    return form or stated or "table"
