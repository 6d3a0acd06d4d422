"""What every exchange gets: a request id, security headers, a line in the log, a count."""

import logging
import random
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runner.service.http.answers import STARTED, find_header
from runner.service.http.log import AccessRecord
from runner.service.http.metrics import Requests

logger = logging.getLogger("impasto.access")
IDENTITY = re.compile(r"[A-Za-z0-9._-]{1,64}")
CLIENT_GONE = 499  # nginx's word for a client that closed the connection; only for the log
# A page of ours may bring its own policy; what brings none is data and may load nothing.
HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}


class Exchanges:
    """The outermost part of the application.

    A client's ``X-Request-Id`` of letters, digits, ``.``, ``_`` and ``-`` is taken over. Neither
    tokens nor queries are logged.

    Args:
        app: the application inside.
        requests: counts the answers.
    """

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application inside answer one request."""
        began = time.perf_counter()
        sent = find_header(scope, b"x-request-id") or ""
        identity = sent if IDENTITY.fullmatch(sent) else make_identity()
        state = scope.setdefault("state", {})
        state["request_id"] = identity
        status, size = CLIENT_GONE, 0

        async def watch(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                state[STARTED] = True
                message["headers"] = complete_headers(message.get("headers", []), identity)
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            self._requests.count(scope, status)
            if logger.isEnabledFor(logging.INFO):
                fields = describe(scope, identity) | {"status": status, "bytes": size}
                fields["ms"] = round(1000 * (time.perf_counter() - began), 3)
                logger.handle(AccessRecord(fields))


def make_identity() -> str:
    """Return an id that no other request has; it is no secret, and asks the system for nothing."""
    return f"{random.getrandbits(64):016x}"


def complete_headers(
    headers: list[tuple[bytes, bytes]], identity: str
) -> list[tuple[bytes, bytes]]:
    """Return an answer's headers with the request id and those of ``HEADERS`` that are missing."""
    present = {name for name, _ in headers}
    missing = [(name, value) for name, value in HEADERS.items() if name not in present]
    return [*headers, *missing, (b"x-request-id", identity.encode())]


def describe(scope: Scope, identity: str) -> dict[str, object]:
    """Return what the log says of a request."""
    client = scope.get("client") or ("", 0)
    return {
        "id": identity,
        "client": client[0],
        "method": scope["method"][:20],
        "path": scope["path"][:200],
    }
