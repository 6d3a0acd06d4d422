"""Ctrl-C and SIGTERM: the first asks for an end, the second ends at once."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def note_signals() -> Iterator[list[int]]:
    """Take down the first Ctrl-C or SIGTERM instead of dying of it; die of the second.

    Yields:
        The numbers of the signals received so far: the work looks at them between steps.
    """
    received: list[int] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # What the shell lets a job in the background ignore stays ignored.
    before = {number: kept for number, kept in handlers.items() if kept is not signal.SIG_IGN}

    def receive(number: int, _: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            end_at_once(number)

    for number in before:
        signal.signal(number, receive)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_at_once(number: int) -> None:
    """Die of a signal, after giving a terminal its cursor back, which a progress bar hides."""
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h")
        sys.stderr.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
