"""The process that answers questions: it is ended when one takes too long, and starts again."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from runner.service.errors import BadRequest, Expired, Failed, Overloaded
from runner.service.teaching import assistant as module
from runner.service.teaching.assistant import Assistant
from runner.service.teaching.parameters import PAGES
from runner.service.teaching.replies import REPLIES
from runner.service.teaching.worker import LONGEST_MESSAGE, answer
from tests.runner.service.http.conftest import RunningServer

SHAPES = {"net": "lenet5", "input": None, "batch": "1"}
# Three numbers to find in a long network: minutes of work in a short line.
ENDLESS = {"q": "3x99x99" + " | conv 9@3x3 p1" * 400 + " | conv 9@3x3 p=? s=? d=? -> 7x7x7"}


@pytest.fixture
def assistant() -> Iterator[Assistant]:
    """Return an assistant with little patience; its process ends with the test."""
    made = Assistant(seconds=60)
    yield made
    process = made._process
    made.close()
    if process is not None:
        process.communicate()


def run(work: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - whatever it returns
    """Run a coroutine; it may hang for two minutes."""

    async def guarded() -> Any:  # noqa: ANN401
        async with asyncio.timeout(120):
            return await work()

    return asyncio.run(guarded())


def test_every_page_has_a_reply() -> None:
    """The pages of the server are those that the worker knows."""
    assert PAGES.keys() == REPLIES.keys()


def test_one_process_answers_all(assistant: Assistant) -> None:
    """Questions that come together are answered in turn, by one process."""

    async def work() -> list[bytes]:
        return await asyncio.gather(*(assistant.ask("shapes", SHAPES) for _ in range(8)))

    answers = run(work)
    assert len(set(answers)) == 1
    assert answers[0].startswith(b'{"network":"lenet5"')


def test_a_question_that_takes_too_long_is_ended(assistant: Assistant) -> None:
    """Minutes of work in one line cost seconds, and the next question is answered."""

    async def work() -> bytes:
        await assistant.ask("shapes", SHAPES)  # so that its time is not spent on starting
        assistant._seconds = 0.5
        with pytest.raises(Expired, match=r"not answered within 0\.5 seconds; ask about"):
            await assistant.ask("solve", ENDLESS)
        assistant._seconds = 60
        return await assistant.ask("shapes", SHAPES)

    assert run(work).startswith(b'{"network"')


def test_a_process_that_dies_is_replaced(assistant: Assistant) -> None:
    """A worker that is killed, between questions or at one, costs one answer at most."""

    async def work() -> bytes:
        await assistant.ask("shapes", SHAPES)
        assert assistant._process is not None
        assistant._process.kill()
        assistant._process.wait()
        with pytest.raises(Failed, match="the calculator failed on it"):
            await assistant.ask("shapes", SHAPES)
        return await assistant.ask("shapes", SHAPES)

    assert run(work).startswith(b'{"network"')


def test_what_nobody_foresaw_is_told_to_the_log_alone(
    assistant: Assistant, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of ours is no answer to a stranger."""

    async def work() -> None:
        with pytest.raises(Failed, match="the server's log says why"):
            await assistant.ask("shapes", {})

    run(work)
    (record,) = caplog.records
    assert "KeyError" in record.__dict__["fields"]["reason"]


def test_the_line_of_questions_is_bounded(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes when too many wait is told to come again."""
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    release = threading.Event()
    monkeypatch.setattr(assistant, "answer", lambda _: release.wait(60) and b"")

    async def work() -> None:
        waiting = [asyncio.create_task(assistant.ask("shapes", SHAPES)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="question: 2 others wait") as refused:
            await assistant.ask("shapes", SHAPES)
        assert refused.value.retry_after_s == 1
        release.set()
        await asyncio.gather(*waiting)

    run(work)


def test_mistakes_come_back_in_words(assistant: Assistant) -> None:
    """The calculator's error is the answer, cut where a question makes it long."""

    async def work() -> None:
        with pytest.raises(BadRequest, match="there is no network 'x'"):
            await assistant.ask("shapes", {**SHAPES, "net": "x"})

    run(work)
    line = answer(b'["shapes", {"net": "1x9 | %s", "input": null, "batch": "1"}]' % (b"y" * 5000))
    assert line.startswith(b"400 ")
    assert len(line) < LONGEST_MESSAGE + 100


def test_a_worker_ends_with_its_server() -> None:
    """The end of its input is the end of the worker, which signals alone do not end."""
    command = [sys.executable, "-I", "-m", "runner.service.teaching.worker"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'["quiz", {"seed": 1, "level": 1, "count": 1, "lang": "en"}]\n')
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"200 ")
        os.kill(process.pid, signal.SIGTERM)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, b"", b"")


def test_a_hostile_question_delays_nobody_else(server: RunningServer) -> None:
    """While one question is worked on, models and probes answer; then it gets 504."""
    answers: list[int] = []

    def ask() -> None:
        answers.append(server.ask("GET", f"/v1/solve?{urlencode(ENDLESS)}").status)

    thread = threading.Thread(target=ask)
    thread.start()
    while thread.is_alive():
        assert server.ask("GET", "/v2/health/live").status == 200
        thread.join(0.05)
    assert answers == [504]
    assert server.ask("GET", "/v1/shapes?net=lenet5").status == 200
