"""Questions are answered in a process of their own, which is ended when one takes too long.

A line of text can ask for minutes of work, and a thread of Python can neither be stopped nor kept
from slowing the event loop down.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from typing import Any

from runner.service.engine.crew import Crew, Desk
from runner.service.errors import BadRequest, Expired, Failed, Overloaded

LOG = logging.getLogger("impasto.service")
# -P: a folder named runner where the server was started must not take this one's place
WORKER = ("-P", "-m", "runner.service.teaching.worker")
SECONDS = 5.0  # of one question
MOST_WAITING = 64  # questions
LONGEST_ANSWER = 32 * 2**20  # bytes
PIECE_BYTES = 2**16


class Assistant:
    """Answers one question after the other.

    Its process is started with the first question, and ends with this one.

    Args:
        seconds: that a question may take.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._desk: Desk | None = None

    async def ask(self, page: str, values: dict[str, Any]) -> bytes:
        """Return the answer to a question, as JSON.

        Args:
            page: such as ``shapes``.
            values: of its parameters.

        Raises:
            BadRequest: the calculator refuses the question.
            Overloaded: too many questions wait.
            Expired: the question took too long.
            Failed: the process failed.
        """
        if self._desk is None:
            self._desk = Desk(Crew(1, "teaching"), MOST_WAITING)
        if self._desk.unfinished >= MOST_WAITING:
            message = (
                f"question: {MOST_WAITING} others wait, as many as are taken; ask again in a second"
            )
            raise Overloaded(message, 1)
        question = json.dumps([page, values]).encode() + b"\n"
        return await self._desk.call(lambda: self.answer(question))

    def answer(self, question: bytes) -> bytes:
        """Answer one question; in the assistant's thread.

        Raises:
            ServiceError: see :meth:`ask`.
        """
        line, expired = self.exchange(question)
        status, _, text = line.partition(b" ")
        if line.endswith(b"\n") and status == b"200":
            return text
        if line.endswith(b"\n") and status == b"400":
            raise BadRequest(json.loads(text))
        if expired:
            message = (
                f"question: not answered within {self._seconds:g} seconds; ask about a smaller "
                "network, or for fewer numbers at once"
            )
            raise Expired(message)
        reason = json.loads(text) if line.endswith(b"\n") else "its process ended"
        LOG.error("a question failed", extra={"fields": {"reason": reason}})
        message = "question: the calculator failed on it; the server's log says why"
        raise Failed(message)

    def exchange(self, question: bytes) -> tuple[bytes, bool]:
        """Send a question.

        Returns:
            the line that came back, without its end where the process was ended; and whether
            time ran out.
        """
        process = self._process or self.start()
        expired = threading.Event()

        def end() -> None:
            expired.set()
            process.kill()

        clock = threading.Timer(self._seconds, end)
        clock.daemon = True
        clock.start()
        line = talk(process, question)
        clock.cancel()
        if expired.is_set() or not line.endswith(b"\n"):
            self.dismiss(process)
        return line, expired.is_set()

    def start(self) -> "subprocess.Popen[bytes]":
        """Start the process."""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, a module of this package
            [sys.executable, *WORKER],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        return self._process

    def dismiss(self, process: "subprocess.Popen[bytes]") -> None:
        """End a process and forget it."""
        self._process = None
        process.kill()
        process.communicate()

    def close(self) -> None:
        """End the process, if there is one; a question that is with it fails."""
        if self._process is not None:
            self._process.kill()


def talk(process: "subprocess.Popen[bytes]", question: bytes) -> bytes:
    """Send a line to a process and return the one that comes back; what there is if it dies."""
    questions, answers = process.stdin, process.stdout
    if questions is None or answers is None:
        return b""
    pieces: list[bytes] = []
    size = 0
    try:
        questions.write(question)
        while size < LONGEST_ANSWER:
            piece = os.read(answers.fileno(), PIECE_BYTES)
            pieces.append(piece)
            size += len(piece)
            if not piece or piece.endswith(b"\n"):
                break
    except OSError:  # it died before it had read the question
        return b""
    return b"".join(pieces)
