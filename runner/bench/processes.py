"""A process of its own for each measurement: sessions that share one disturb each other."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from typing import Any

from runner.bench.combinations import Combination

# -P: a folder named runner where the command was started must not take this one's place
WORKER = ("-P", "-m", "runner.bench.worker")


class Laboratory:
    """Runs one worker at a time; can be told to stop, also in a signal handler."""

    def __init__(self) -> None:
        self.stopped = False
        self._process: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """End the worker and start no more."""
        self.stopped = True
        if self._process is not None:
            self._process.kill()

    def measure(self, combination: Combination, seconds: float) -> dict[str, Any]:
        """Return the worker's answer; of one that died, ``error``.

        Args:
            combination: what to time.
            seconds: how long.
        """
        request = json.dumps(asdict(combination) | {"seconds": seconds}).encode()
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        pipe = subprocess.PIPE
        with subprocess.Popen(  # noqa: S603 - this interpreter and a module of this package
            [sys.executable, *WORKER], stdin=pipe, stdout=pipe, stderr=pipe, env=environment
        ) as process:
            self._process = process
            if self.stopped:  # a signal may have come before there was anything to kill
                process.kill()
            output, words = process.communicate(request)
            self._process = None
        return read_answer(process.returncode, output, words)


def read_answer(status: int, output: bytes, words: bytes) -> dict[str, Any]:
    """Return what a worker printed, or how it ended."""
    try:
        found: dict[str, Any] = json.loads(output)
    except ValueError:
        return {"error": describe_end(status, words.decode(errors="replace"))}
    return found


def describe_end(status: int, words: str) -> str:
    """Put the end of a worker that gave no answer into words."""
    if status == -signal.SIGKILL:
        return "the process was killed, mostly for want of memory; try a smaller size or batch"
    last = (words.strip() or "without a word").splitlines()[-1]
    return f"the process ended with status {status}: {last}"
