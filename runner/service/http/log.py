"""One line of JSON for each request and each event, written by a thread of its own.

A reader of the log that stalls must not stall the server: lines that find the queue full are
counted and dropped.
"""

import json
import logging
import threading
import time
import traceback
from collections import deque
from datetime import UTC, datetime
from typing import IO

QUEUED_LINES = 10_000
GATHERED_LINES = 1000  # written at once
GATHER_S = 0.05  # while requests keep coming; a thread that wakes for each line slows them
STOP_S = 2
ACCESS = "impasto.access"
SERVICE = "impasto.service"
SERVER = "uvicorn.error"
LOOP = "asyncio"  # of tasks that failed and nobody waited for
NAMES = (ACCESS, SERVICE, SERVER, LOOP)
ENCODE = json.JSONEncoder(separators=(",", ":"), default=str).encode


class AccessRecord(logging.LogRecord):
    """The record of one answered request, without what the log does not show.

    The usual one looks up file, line, thread and process, and costs ten times as much.

    Args:
        fields: for the line.
    """

    def __init__(self, fields: dict[str, object]) -> None:
        self.name, self.msg, self.args = ACCESS, "request", ()
        self.levelno, self.levelname = logging.INFO, "INFO"
        self.exc_info = self.exc_text = self.stack_info = None
        self.created = time.time()
        self.fields = fields


def format_line(record: logging.LogRecord) -> str:
    """Return a record as JSON in ASCII, in which no text of a client can forge another line."""
    line: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "event": record.getMessage(),
    }
    line.update(getattr(record, "fields", {}))
    if record.exc_info and record.exc_info[1] is not None:
        line["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
    return ENCODE(line)


class LogWriter(logging.Handler):
    """A logging handler whose records a thread writes, many at once while there are many.

    Args:
        stream: for the lines.

    Attributes:
        dropped: lines that found the queue full.
    """

    def __init__(self, stream: IO[str]) -> None:
        super().__init__()
        self._stream = stream
        self._records: deque[logging.LogRecord] = deque()
        self._filled = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self.write, name="log", daemon=True)
        # Without one, logging prints what other libraries say between the lines of JSON.
        self._silence = logging.NullHandler()
        self.dropped = 0

    def start(self) -> None:
        """Begin to write what the service and the server log, and nothing of other libraries."""
        self._thread.start()
        logging.getLogger().addHandler(self._silence)
        for name in NAMES:
            logger = logging.getLogger(name)
            logger.addHandler(self)
            logger.setLevel(logging.INFO if name in (ACCESS, SERVICE) else logging.WARNING)
            logger.propagate = False

    def stop(self) -> None:
        """Write what waits, for two seconds at most."""
        logging.getLogger().removeHandler(self._silence)
        for name in NAMES:
            logging.getLogger(name).removeHandler(self)
        self._ended.set()
        self._filled.set()
        self._thread.join(STOP_S)

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record to the thread."""
        if len(self._records) >= QUEUED_LINES:
            self.dropped += 1
            return
        self._records.append(record)
        if not self._filled.is_set():
            self._filled.set()

    def write(self) -> None:
        """Write records until the writer is stopped and none is left."""
        while self._records or not self._ended.is_set():
            self._filled.wait()
            self._filled.clear()
            while self._records:
                self.write_some()
            self._ended.wait(GATHER_S)

    def write_some(self) -> None:
        """Write some of the records that wait, in one piece."""
        count = min(len(self._records), GATHERED_LINES)
        lines = [format_line(self._records.popleft()) + "\n" for _ in range(count)]
        try:
            self._stream.write("".join(lines))
            self._stream.flush()
        except (OSError, ValueError):  # nobody reads the log any more
            self.dropped += count
