"""From inputs on a command line to the pictures that are to be classified."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from runner.inputs import STANDARD, examine, is_folder, list_pictures


class Job(NamedTuple):
    """One picture to classify; a tuple, because thousands go to other processes.

    Attributes:
        source: file to read; ``-`` is standard input.
        size: of the file in bytes.
        modified_ns: when it was changed last, in nanoseconds.
        fault: why it cannot even be tried, or empty.
    """

    source: str
    size: int = 0
    modified_ns: int = 0
    fault: str = ""


def list_jobs(inputs: Sequence[Path], *, recursive: bool = False) -> list[Job]:
    """List the pictures of the inputs in order, each once; see :func:`list_sources`."""
    return make_jobs(list_sources(inputs, recursive=recursive))


def list_sources(inputs: Sequence[Path], *, recursive: bool = False) -> list[str]:
    """List the names of the pictures of the inputs in order, each once.

    Args:
        inputs: files, folders, or ``-``.
        recursive: look into folders of folders.

    Raises:
        click.UsageError: standard input stands among other inputs.
        ImpastoError: a folder holds no pictures.
    """
    if len(inputs) > 1 and any(str(path) == STANDARD for path in inputs):
        message = "standard input is one picture: give - alone"
        raise click.UsageError(message)
    sources: list[str] = []
    for path in inputs:
        sources += list_pictures(path, recursive=recursive) if is_folder(path) else [str(path)]
    return drop_repeated(sources) if inputs[1:] else sources


def drop_repeated(sources: Sequence[str]) -> list[str]:
    """Keep the first of the names of each file; a link is a picture of its own."""
    first: dict[str, str] = {}
    for source in sources:
        first.setdefault(os.path.abspath(source), source)  # noqa: PTH100
    return list(first.values())


def make_jobs(sources: Sequence[str]) -> list[Job]:
    """Return a job for each name; see :func:`make_job`."""
    return [make_job(source) for source in sources]


def make_job(source: str) -> Job:
    """Return the job for one file; a file that cannot be tried has its fault."""
    if source == STANDARD:
        return Job(source)
    status, fault = examine(source)
    if status is None:
        return Job(source, fault=fault)
    return Job(source, status.st_size, status.st_mtime_ns)
