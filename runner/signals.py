"""Ctrl-C and SIGTERM: the first ends the work in good order, the second at once."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol


class Stoppable(Protocol):
    """Work that can be told to come to an end."""

    def stop(self) -> None:
        """Finish or drop what is in flight and take no more; safe in a signal handler."""


def end_at_once(number: int) -> None:
    """Die of a signal, after giving a terminal its cursor back, which a progress bar hides."""
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h")
        sys.stderr.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


@contextmanager
def stop_on_signals(work: Stoppable) -> Iterator[list[int]]:
    """Let the first Ctrl-C or SIGTERM end ``work`` in good order, the second at once.

    Yields:
        The numbers of the signals received so far.
    """
    received: list[int] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # What the shell lets a job in the background ignore stays ignored.
    before = {number: kept for number, kept in handlers.items() if kept is not signal.SIG_IGN}

    def receive(number: int, _: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            end_at_once(number)
        work.stop()

    for number in before:
        signal.signal(number, receive)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
