"""The process that answers questions; see :mod:`runner.service.teaching.assistant`.

One question a line comes in: the page and its values as JSON. One answer a line goes out: a
status, a blank, and JSON.
"""

import json
import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import IO

from calculator.errors import CalculatorError
from runner.service.teaching.replies import REPLIES

MEMORY_BYTES = 2**30
NICENESS = 10  # whoever serves comes first
# A process whose server has died ends with the question that it is at, or soon after.
LONGEST_SECONDS = 30
LONGEST_MESSAGE = 2000  # characters


def restrict() -> None:
    """Take what a question must not use up, where the system can take it away."""
    for name in ("SIGINT", "SIGTERM"):  # which are for the server; this ends with its input
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(os, "nice"):
        with suppress(OSError):  # a strict system call filter forbids it
            os.nice(NICENESS)
    try:
        import resource  # noqa: PLC0415 - not everywhere
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def answer(line: bytes) -> bytes:
    """Return the answer to one question."""
    try:
        page, values = json.loads(line)
        status, text = 200, compact(REPLIES[page](values))
    except CalculatorError as error:
        status, text = 400, json.dumps(error.format_message()[:LONGEST_MESSAGE])
    except Exception:  # noqa: BLE001 - the server logs it
        status, text = 500, json.dumps(traceback.format_exc())
    return f"{status} {text}\n".encode()


def compact(text: str) -> str:
    """Return JSON on one line; other scripts stay readable."""
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


def work(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answer questions until there are no more."""
    for line in questions:
        if hasattr(signal, "alarm"):
            signal.alarm(LONGEST_SECONDS)
        answers.write(answer(line))
        answers.flush()
        if hasattr(signal, "alarm"):
            signal.alarm(0)


def main() -> None:
    """Work for the server that started this process."""
    restrict()
    try:
        work(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:  # the server has gone
        os._exit(0)


if __name__ == "__main__":
    main()
