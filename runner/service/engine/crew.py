"""Threads that work beside the event loop, and calls that wait for one of them."""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

from runner.service.errors import Failed, Overloaded

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
NICENESS = 3  # of who computes: the event loop, which needs little, gets twice as much
LOG = logging.getLogger("impasto.service")


class Crew:
    """Threads that take jobs from one queue.

    They end with the process: a run that hangs in a library must not keep a server alive that
    has been told to stop.

    Args:
        count: of threads.
        name: of theirs.
        niceness: added to that of the process, where threads have one of their own: on Linux.
    """

    def __init__(self, count: int, name: str, niceness: int = 0) -> None:
        self._niceness = niceness
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.threads = [
            threading.Thread(target=self.serve, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self.threads:
            thread.start()

    def submit(self, job: Callable[[], None]) -> None:
        """Hand a job to the next idle thread; it answers by itself."""
        self._jobs.put(job)

    def serve(self) -> None:
        """Do jobs until the crew is closed."""
        if self._niceness and sys.platform == "linux":
            step_back(self._niceness)
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except BaseException:  # a thread that died would take its place with it
                LOG.exception("a job of %s failed", threading.current_thread().name)
            del job  # or the last request's tensors would live until the next

    def close(self) -> None:
        """Let each thread end after the jobs that are queued before now."""
        for _ in self.threads:
            self._jobs.put(None)


def step_back(niceness: int) -> None:
    """Let this thread have less of a processor than others that want it too."""
    thread = threading.get_native_id()
    with suppress(OSError):  # a sandbox may forbid it, and the service works without
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + niceness)


class Desk:
    """Calls of blocking functions from coroutines, as many at once as the crew has threads.

    Args:
        crew: that makes the calls.
        bound: calls that may be unfinished.
    """

    def __init__(self, crew: Crew, bound: int) -> None:
        self._crew = crew
        self._bound = bound
        self.unfinished = 0

    async def call(self, function: Callable[[], Result]) -> Result:
        """Call a function in a thread.

        Raises:
            Overloaded: too many calls are unfinished.
            Exception: what the function raises.
        """
        if self.unfinished >= self._bound:
            message = (
                f"{self.unfinished} pictures and bodies are being read and written, as many as the "
                "server takes at once; try again"
            )
            raise Overloaded(message, 1)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self.unfinished += 1
        self._crew.submit(partial(self.work, loop, future, function))
        return await future

    def work(
        self,
        loop: asyncio.AbstractEventLoop,
        future: "asyncio.Future[Result]",
        function: Callable[[], Result],
    ) -> None:
        """Call the function in this thread, unless nobody waits for it any more."""
        answer: Callable[[], object] = future.cancel
        try:
            if not future.cancelled():
                answer = partial(future.set_result, function())
        except StopIteration as error:  # which a future cannot hold
            answer = partial(future.set_exception, RuntimeError(str(error)))
        except Exception as error:  # noqa: BLE001 - raised where the result is awaited
            answer = partial(future.set_exception, error)
        except BaseException:
            LOG.exception("a call beside the event loop failed")
            failure = Failed("the server failed on this request; its log says why: try another one")
            answer = partial(future.set_exception, failure)
        tell(loop, self.settle, future, answer)

    def settle(self, future: "asyncio.Future[Result]", answer: Callable[[], object]) -> None:
        """Give the caller its answer, on the event loop."""
        self.unfinished -= 1
        if not future.done():
            answer()


def tell(
    loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: object
) -> None:
    """Call a function on an event loop from another thread; a loop that is closed needs no news."""
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        if not loop.is_closed():
            raise
