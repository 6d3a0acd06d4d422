"""The log."""

import io
import json
import logging
import sys
import threading
from typing import Self

import pytest

from runner.service.http import log
from runner.service.http.log import AccessRecord, LogWriter, format_line


class Gate(io.StringIO):
    """A stream that lets nothing through until it is opened, as a reader that stalls."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.opened = threading.Event()

    def write(self: Self, text: str) -> int:
        """Wait, then write."""
        self.reached.set()
        self.opened.wait(60)
        return super().write(text)


def build_record(message: str, **extra: object) -> logging.LogRecord:
    """Return a record."""
    return logging.makeLogRecord({"msg": message, "levelname": "INFO", "created": 0.0, **extra})


def test_a_line_is_json_in_one_line() -> None:
    """Line breaks and controls of a client are escaped, so that no line can be forged."""
    line = format_line(build_record("request", fields={"path": '/\n{"event":"forged"}\x1b'}))
    assert "\n" not in line
    assert line.isascii()
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "info",
        "event": "request",
        "path": '/\n{"event":"forged"}\x1b',
    }


def test_a_traceback_is_a_field() -> None:
    """The traceback of a failure stands in its line and nowhere else."""
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        line = json.loads(format_line(build_record("failed", exc_info=sys.exc_info())))
    assert line["traceback"].endswith("ZeroDivisionError: division by zero\n")


def test_a_stalled_reader_stalls_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that find the queue full are dropped and counted; the others come out in order."""
    monkeypatch.setattr(log, "QUEUED_LINES", 3)
    stream = Gate()
    writer = LogWriter(stream)
    writer.start()
    try:
        logger = logging.getLogger("impasto.access")
        logger.info("first")
        assert stream.reached.wait(60)
        for number in range(5):
            logger.info("line %d", number)
        assert writer.dropped == 2
        stream.opened.set()
    finally:
        writer.stop()
    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert events == ["first", "line 0", "line 1", "line 2"]


def test_a_closed_stream_is_no_error() -> None:
    """When nobody reads the log any more, lines are counted and dropped."""
    stream = io.StringIO()
    stream.close()
    writer = LogWriter(stream)
    writer.start()
    logging.getLogger("impasto.service").info("unheard")
    writer.stop()
    assert writer.dropped == 1


def test_an_access_record_is_a_line_like_others() -> None:
    """The light record of a request has its time, its level and its fields."""
    line = json.loads(format_line(AccessRecord({"status": 200})))
    assert line.pop("time").startswith("2")
    assert line == {"level": "info", "event": "request", "status": 200}


def test_lines_are_written_when_they_come() -> None:
    """A line does not wait for others, nor for the writer's end."""
    stream = Gate()
    stream.opened.set()
    writer = LogWriter(stream)
    writer.start()
    try:
        logging.getLogger("impasto.service").info("now")
        assert stream.reached.wait(60)
    finally:
        writer.stop()
    assert json.loads(stream.getvalue())["event"] == "now"


def test_nothing_but_json_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Other libraries' warnings are not printed; a task that failed unheard is a line of JSON."""
    root, stream = logging.getLogger(), io.StringIO()
    others = list(root.handlers)  # those of the tests
    root.handlers.clear()
    writer = LogWriter(stream)
    writer.start()
    try:
        logging.getLogger("somebody.else").error("a secret")
        logging.getLogger("asyncio").error("Task exception was never retrieved")
    finally:
        writer.stop()
        left = list(root.handlers)
        root.handlers[:] = others
    assert left == []
    assert capsys.readouterr().err == ""
    assert json.loads(stream.getvalue())["event"] == "Task exception was never retrieved"


def test_all_lines_are_written_before_the_end() -> None:
    """What was logged before the writer is stopped is in the log, in order."""
    stream = io.StringIO()
    writer = LogWriter(stream)
    writer.start()
    for number in range(5000):
        logging.getLogger("impasto.access").info("line %d", number)
    writer.stop()
    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert events == [f"line {number}" for number in range(5000)]
