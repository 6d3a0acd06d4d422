"""Picture files to pixels, some at a time: what the threads and processes that decode do."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from runner.classify.jobs import Job
from runner.classify.preprocessing import draft, prepare
from runner.classify.rules import InputRule
from runner.errors import PictureError, explain
from runner.images import Pixels, open_picture
from runner.inputs import STANDARD

Source = TypeVar("Source")
READ_BYTES = 2**16  # at a time


@dataclass(frozen=True)
class Prepared:
    """Some pictures, ready for the network.

    Attributes:
        pixels: uint8 ``[n, H, W, C]``, those that could be read, in order.
        faults: per picture why it could not be read, or an empty text; n of them are empty.
    """

    pixels: Pixels
    faults: Sequence[str]


def decode_jobs(jobs: Sequence[Job], rule: InputRule, *, reduced: bool = False) -> Prepared:
    """Read and prepare picture files; one that fails has its fault and costs no other.

    Args:
        jobs: the files.
        rule: of the network's file.
        reduced: decode far larger JPEG files in reduced size.
    """
    return prepare_each(jobs, lambda job: decode_job(job, rule, reduced=reduced), rule)


def prepare_each(
    sources: Iterable[Source], work: Callable[[Source], Pixels], rule: InputRule
) -> Prepared:
    """Prepare pictures with ``work``; keep its failures as words."""
    pixels, faults = [], []
    for source in sources:
        try:
            pixels.append(work(source))
            faults.append("")
        except Exception as error:  # noqa: BLE001 - whatever happens to one, the others go on
            faults.append(explain(error))
    empty = np.empty((0, *rule.size, rule.channels), np.uint8)
    return Prepared(np.stack(pixels) if pixels else empty, tuple(faults))


def decode_job(job: Job, rule: InputRule, *, reduced: bool = False) -> Pixels:
    """Read and prepare one picture file; see :func:`decode_jobs`.

    Returns:
        uint8 ``[H, W, C]``.

    Raises:
        PictureError: it cannot be read or prepared.
    """
    if job.fault:
        raise PictureError(job.fault)
    try:
        data = read_file(job.source)
    except OSError as error:
        message = f"cannot be read ({error.strerror})"
        raise PictureError(message) from None
    return prepare_bytes(data, rule, reduced=reduced)


def prepare_bytes(data: bytes, rule: InputRule, *, reduced: bool = False) -> Pixels:
    """Prepare the bytes of one picture file; see :func:`decode_job`."""
    with open_picture(data) as image:
        if reduced:
            draft(image, rule)
        return prepare(image, rule)


def read_file(source: str) -> bytes:
    """Return the bytes of a file, or of standard input for ``-``.

    Raises:
        OSError: the system refuses.
    """
    if source == STANDARD:
        return sys.stdin.buffer.read()
    # A digit is read in less time than a file object takes to look at what it has opened.
    number = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        parts = []
        while part := os.read(number, READ_BYTES):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(number)
