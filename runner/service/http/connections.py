"""Connections: how many, and how long a client may take to say what it wants or to listen.

Uvicorn bounds neither the time in which a request's head must arrive nor that in which an answer
must be read; a client that sends or reads a byte now and then (slowloris) would keep its
connection, and the memory behind it, for ever.
"""

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from runner.service.errors import Unready
from runner.service.http.entrance import PROBES
from runner.service.settings import ServiceSettings

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as Protocol
else:
    Protocol = object

logger = logging.getLogger("impasto.service")
MOST_HEAD_BYTES = 64 * 1024
LEAST_RATE = 16 * 1024  # bytes per second at which an answer must be read
REASONS = {400: "Bad Request", 408: "Request Timeout"}


class Crowded:
    """Answers those who come when all connections are taken; probes are let through.

    Args:
        app: the application inside.
        most: connections.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse one request.

        Raises:
            Unready: it is no probe.
        """
        if scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        message = f"server: {self._most} connections are open, the most it takes; try again soon"
        raise Unready(message, retry_after_s=1)


class GuardedConnection(Protocol):
    """What is added to uvicorn's protocol for one connection; see :func:`build_protocol`.

    Attributes:
        settings: of the service.
        crowded: the application that answers when all connections are taken.
    """

    settings: ServiceSettings
    crowded: ASGIApp
    cycle: Any  # uvicorn's request and response; None before the first

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, if there is room for another one."""
        super().connection_made(transport)
        most = self.settings.max_connections
        if len(self.connections) > 2 * most:
            transport.abort()
            return
        if len(self.connections) > most:
            self.app = self.crowded
        self.await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        super().connection_lost(exc)
        for timer in (self._head_timer, self._write_timer):
            if timer is not None:
                timer.cancel()

    def is_idle(self) -> bool:
        """Tell whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def is_draining(self) -> bool:
        """Tell whether what arrives is the rest of a body that was answered before its end."""
        return self.cycle is not None and self.cycle.more_body

    def data_received(self, data: bytes) -> None:
        """Take bytes; while they make no request yet, count them and the time."""
        super().data_received(data)
        if not self.is_idle():
            self._head_bytes = 0
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None
            return
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD_BYTES and not self.is_draining():
            self.refuse(400, f"head: more than {MOST_HEAD_BYTES} bytes; send shorter headers")
        elif self._head_timer is None and not self.transport.is_closing():
            self.await_head()

    def await_head(self) -> None:
        """Give the client its time for a request's head."""
        self._head_timer = self.loop.call_later(self.settings.body_seconds, self.end_waiting)

    def end_waiting(self) -> None:
        """Close a connection on which no request arrived in time."""
        self._head_timer = None
        if self.cycle is None and self._head_bytes:
            seconds = self.settings.body_seconds
            self.refuse(408, f"head: not complete after {seconds:g} seconds; send it faster")
        elif self.is_idle():
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; uvicorn calls this."""
        self.refuse(400, f"{msg.rstrip('.')}; send HTTP/1.1 with a complete head and body")

    def refuse(self, status: int, message: str) -> None:
        """Answer instead of the application, and close the connection."""
        if self.transport.is_closing():
            return
        if self.is_idle() or not self.cycle.response_started:
            body = json.dumps({"error": message}).encode() + b"\n"
            head = (
                f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()

    def pause_writing(self) -> None:
        """Give a client that reads slowly its time."""
        super().pause_writing()
        self.await_reader()

    def resume_writing(self) -> None:
        """See that it has read."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def await_reader(self) -> None:
        """Look again in a while whether the client has read what it must."""
        waiting = self.transport.get_write_buffer_size()
        seconds = self.settings.body_seconds
        self._write_timer = self.loop.call_later(seconds, self.check_reader, waiting)

    def check_reader(self, waited: int) -> None:
        """Drop a client that has not read enough.

        Args:
            waited: bytes that waited for it before.
        """
        self._write_timer = None
        read = waited - self.transport.get_write_buffer_size()
        if read < LEAST_RATE * self.settings.body_seconds:
            logger.warning("client reads too slowly", extra={"fields": {"client": self.client}})
            self.transport.abort()
        else:
            self.await_reader()


def build_protocol(
    settings: ServiceSettings,
    crowded: ASGIApp,
    base: type[asyncio.Protocol] = AutoHTTPProtocol,
) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol with the guard in front.

    Args:
        settings: of the service.
        crowded: the application that answers when all connections are taken.
        base: with httptools where that is installed, else with h11.
    """
    attributes = {"settings": settings, "crowded": staticmethod(crowded)}
    return type("GuardedProtocol", (GuardedConnection, base), attributes)
