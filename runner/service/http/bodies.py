"""Bodies of requests: bounded in size, in time, and all together in memory."""

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Self

from starlette.requests import Request

from runner.service.engine.engine import Engine
from runner.service.errors import Overloaded, SlowBody, TooLarge
from runner.service.http.answers import ClientGone, find_header
from runner.service.http.encodings import decompress, find_encoding

if TYPE_CHECKING:
    from contextlib import ExitStack

# A body that arrives at this rate gets time beyond body_seconds, as Apache's mod_reqtimeout
# gives it with MinRate; one that trickles does not.
LEAST_RATE = 256 * 1024  # bytes per second


class Bodies:
    """The bodies that the server holds at this moment.

    Args:
        engine: in whose threads they are decompressed.

    Attributes:
        held_bytes: of all of them.
    """

    def __init__(self, engine: Engine) -> None:
        settings = engine.settings
        self._engine = engine
        self._most = settings.max_request_bytes
        self._most_held = max(settings.max_waiting_bytes, 2 * settings.max_request_bytes)
        self._seconds = settings.body_seconds
        self.held_bytes = 0

    def hold(self, request: Request) -> "Hold":
        """Return what counts the bytes of one request until its answer is sent."""
        stack: ExitStack = request.scope["state"]["stack"]
        return stack.enter_context(Hold(self))

    def reserve(self, size: int) -> None:
        """Count bytes that arrived.

        Raises:
            Overloaded: all bodies together are too large.
        """
        if self.held_bytes + size > self._most_held:
            message = (
                f"body: the server holds {self.held_bytes} bytes of requests, {self._most_held} at "
                "most; send it again in a second"
            )
            raise Overloaded(message, retry_after_s=1)
        self.held_bytes += size

    def check_size(self, size: int) -> None:
        """Check the size of one body.

        Raises:
            TooLarge: it exceeds what one request may send.
        """
        if size > self._most:
            message = (
                f"body: {size} bytes exceed the {self._most} that are taken; send less at once"
            )
            raise TooLarge(message)

    async def receive(self, request: Request, hold: "Hold") -> bytes | bytearray:
        """Return the bytes of a body as they arrive.

        Raises:
            ClientGone: the client closed the connection before all had arrived.
            SlowBody: they did not arrive in time.
            TooLarge: they are too many.
            Overloaded: too many bodies are held.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._seconds
        body = bytearray()
        try:
            async with asyncio.timeout_at(end) as clock:
                while True:
                    message = await request.receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGone
                    piece: bytes = message.get("body", b"")
                    self.check_size(len(body) + len(piece))
                    hold.reserve(len(piece))
                    more = message.get("more_body", False)
                    if not (more or body):
                        return piece
                    body += piece
                    if not more:
                        return body
                    clock.reschedule(end + len(body) / LEAST_RATE)
        except TimeoutError:
            complaint = (
                f"body: {len(body)} bytes arrived in {self._seconds:g} seconds and no end; send it "
                f"faster than {LEAST_RATE} bytes a second"
            )
            raise SlowBody(complaint) from None

    async def decompress(self, body: bytes | bytearray, encoding: str) -> bytes | bytearray:
        """Return a compressed body as plain bytes, worked out in a thread.

        Raises:
            BadRequest: it is not in that format.
            TooLarge: it grows beyond what one request may send.
        """
        return await self._engine.run_blocking(decompress, body, encoding, self._most)


class Hold:
    """What one request occupies in memory, counted until the context ends.

    Args:
        bodies: that it is one of.
    """

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bodies.held_bytes -= self._size

    def reserve(self, size: int) -> None:
        """Count bytes of this body.

        Raises:
            Overloaded: all bodies together are too large.
        """
        self._bodies.reserve(size)
        self._size += size

    def add(self, size: int) -> None:
        """Count bytes that are there already, such as those of the answer."""
        self._bodies.held_bytes += size
        self._size += size

    async def read(self, request: Request) -> bytes | bytearray:
        """Return the whole body of a request, decompressed.

        Raises:
            ClientGone: the client closed the connection.
            BadRequest: it is compressed in an unknown way, or damaged.
            SlowBody: it did not arrive in time.
            TooLarge: it is too large, compressed or not.
            Overloaded: too many bodies are held.
        """
        encoding = find_encoding(find_header(request.scope, b"content-encoding"))
        length = find_header(request.scope, b"content-length")
        if length is not None and length.isdecimal():  # the server has checked it against the body
            self._bodies.check_size(int(length[:20]))
        body = await self._bodies.receive(request, self)
        if encoding is None:
            return body
        plain = await self._bodies.decompress(body, encoding)
        self.reserve(len(plain))
        return plain
