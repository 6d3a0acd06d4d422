"""A client that goes away takes its work with it."""

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Receive

from runner.service.http.answers import ClientGone

# Watching costs a task, a tenth of what a small request costs in all; most are answered sooner.
PATIENCE_S = 0.1


class Presence:
    """A context whose work is cancelled when the client closes the connection.

    To be entered after the body was read: what the client sends next can only be its farewell.
    Nobody looks for it before the work has taken ``PATIENCE_S``. Works as
    :func:`asyncio.timeout` does: it cancels the task it is in, and takes that back.

    Args:
        receive: of the request.

    Raises:
        ClientGone: when the context ends, if the client was gone before its work was done.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = False

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            message = "a client's presence can be watched in a task only"
            raise RuntimeError(message)
        self._task = task
        self._watch: asyncio.Task[None] | None = None
        self._timer = task.get_loop().call_later(PATIENCE_S, self.begin)
        return self

    def begin(self) -> None:
        """Watch from now on."""
        self._watch = self._task.get_loop().create_task(self.watch())

    async def watch(self) -> None:
        """Wait for the client to go, then cancel the work."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._task.cancel()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
        if self._gone and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise ClientGone from error
