"""Answers as JSON, and what becomes of a request that fails."""

import json
import logging
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from runner.service.errors import Failed, NotFound, ServiceError, Unauthorized, Unready

Handler = Callable[[Request], Awaitable[Response]]
logger = logging.getLogger("impasto.service")
PIECE_BYTES = 256 * 1024
STARTED = "started"  # in the state of a request whose answer has begun
ENCODE = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class ClientGone(Exception):  # noqa: N818 - not an error of ours
    """The client closed its connection; there is nobody to answer."""


class Endpoint:
    """A handler as an ASGI application, without the wrappers of Starlette's own.

    Args:
        handler: from request to response; it raises ``ServiceError`` instead of answering.
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what the handler entered into its stack ends with the answer."""
        with ExitStack() as stack:
            scope.setdefault("state", {})["stack"] = stack
            response = await self._handler(Request(scope, receive))
            await response(scope, receive, send)


class LongResponse(Response):
    """An answer that is sent in pieces, each when the client has read most of those before.

    Args:
        body: all of it.
        status: of HTTP.
        headers: beside those of the body's length and type.
        media_type: of the body.
    """

    def __init__(
        self, body: bytes, status: int, headers: Mapping[str, str], media_type: str
    ) -> None:
        self.body = body
        self.status_code = status
        self.background = None
        named = {**headers, "content-length": str(len(body)), "content-type": media_type}
        self.raw_headers = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        del scope, receive
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        if len(self.body) <= PIECE_BYTES:
            await send({"type": "http.response.body", "body": self.body, "more_body": False})
            return
        body = memoryview(self.body)
        for start in range(0, len(body), PIECE_BYTES):
            end = start + PIECE_BYTES
            piece = bytes(body[start:end])
            await send({"type": "http.response.body", "body": piece, "more_body": end < len(body)})


class Failures:
    """Turns what is raised into ``{"error": message}``; a traceback goes to the log alone.

    Args:
        app: the application inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application inside answer, or answer for it."""
        try:
            await self._app(scope, receive, send)
        except ClientGone:
            return
        except (Exception, CancelledError) as error:
            answer = explain_failure(error, scope)
            if isinstance(error, ServiceError):  # its frames hold the request's body
                error.__traceback__ = error.__context__ = None
            if (
                STARTED in scope["state"]
            ):  # half an answer cannot be taken back: the connection is closed
                raise
            await answer(scope, receive, send)


def answer_json(
    value: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Return a value as compact JSON in ASCII, ending with a line break for terminals."""
    body = ENCODE(value) + "\n"
    return Response(body.encode(), status, headers, "application/json")


def answer_error(error: ServiceError) -> Response:
    """Return the answer that an error makes."""
    headers = {}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(error.retry_after_s)
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = "Bearer"
    return answer_json({"error": error.message}, error.status, headers)


def explain_failure(error: BaseException, scope: Scope) -> Response:
    """Return the answer to a request that ended with an exception; log what nobody foresaw."""
    if isinstance(error, ServiceError):
        return answer_error(error)
    if isinstance(error, HTTPException) and error.status_code == 405:
        return refuse_method(scope, dict(error.headers or {}))
    if isinstance(error, CancelledError):
        message = "the server ends and could not finish this request in time; send it again"
        return answer_error(Unready(message, retry_after_s=1))
    identity = scope.get("state", {}).get("request_id", "")
    logger.error("request failed", exc_info=error, extra={"fields": {"id": identity}})
    message = f"the server failed on request {identity}; its log has the reason under this id"
    return answer_error(Failed(message))


def refuse_method(scope: Scope, headers: dict[str, str]) -> Response:
    """Return the answer to a method that a path does not take."""
    allowed = ", ".join(sorted(headers.get("Allow", "").split(", ")))
    message = f"method {scope['method'][:20]}: {scope['path'][:80]} takes {allowed}; use that"
    return answer_json({"error": message}, 405, {"allow": allowed})


async def refuse_path(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a path that leads nowhere.

    Raises:
        NotFound: always.
    """
    del receive, send
    message = (
        f"path {scope['path'][:80]!r}: nothing is served there; all pages are listed at "
        "/openapi.json, the server is described at /v2 and a model at /v2/models/NAME"
    )
    raise NotFound(message)


def find_header(scope: Scope, name: bytes) -> str | None:
    """Return the first header of a name in lower case, or None."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None
