"""Threads beside the event loop: they outlive what they are given, and answer every caller."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from queue import SimpleQueue

import pytest

from runner.service.engine.crew import Crew, Desk, tell
from runner.service.errors import Failed

LONGEST = 60


def raise_it(error: BaseException) -> None:
    """Raise an exception."""
    raise error


def test_thread_outlives_a_job_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a job raises is logged, and the thread takes the next one."""
    crew = Crew(1, "test")
    done = threading.Event()
    for error in (ValueError("a"), SystemExit(1), KeyboardInterrupt()):
        crew.submit(lambda error=error: raise_it(error))  # type: ignore[misc]
    crew.submit(done.set)
    assert done.wait(LONGEST)
    crew.close()
    crew.threads[0].join(LONGEST)
    assert not crew.threads[0].is_alive()
    assert [record.message for record in caplog.records] == ["a job of test-0 failed"] * 3


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ValueError("a"), ValueError),
        (StopIteration("a"), RuntimeError),
        (SystemExit(1), Failed),
        (KeyboardInterrupt(), Failed),
    ],
    ids=repr,
)
@pytest.mark.usefixtures("caplog")
def test_caller_is_told_what_a_call_raises(
    error: BaseException, raised: type[BaseException]
) -> None:
    """A call that fails raises where it is awaited; none ends the server."""

    async def call(desk: Desk) -> None:
        with pytest.raises(raised):
            await desk.call(lambda: raise_it(error))
        assert await desk.call(lambda: 7) == 7
        assert desk.unfinished == 0

    run_desk(call)


def run_desk(call: Callable[[Desk], Coroutine[None, None, None]]) -> None:
    """Run a coroutine with a desk of one thread."""
    crew = Crew(1, "test")
    asyncio.run(asyncio.wait_for(call(Desk(crew, 9)), LONGEST))
    crew.close()
    crew.threads[0].join(LONGEST)


def test_closed_event_loop_needs_no_news() -> None:
    """A worker that ends after the event loop does not fail for it."""
    loop = asyncio.new_event_loop()
    loop.close()
    tell(loop, pytest.fail, "it is called")


def test_workers_step_back() -> None:
    """Where threads have a priority of their own, that of workers is lower, and no other's."""
    crew = Crew(1, "test", 3)
    found: SimpleQueue[int] = SimpleQueue()
    crew.submit(lambda: found.put(read_niceness()))
    lower = read_niceness() + (3 if sys.platform == "linux" else 0)
    assert found.get(timeout=LONGEST) == min(19, lower)
    crew.close()
    crew.threads[0].join(LONGEST)


def read_niceness() -> int:
    """Return the niceness of this thread."""
    thread = threading.get_native_id() if sys.platform == "linux" else 0
    return os.getpriority(os.PRIO_PROCESS, thread)
