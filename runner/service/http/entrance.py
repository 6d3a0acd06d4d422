"""Who may come in: nobody while the server starts or drains, then whoever has a right to."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from runner.service.engine.engine import Engine
from runner.service.errors import Unready
from runner.service.http.security import Callers

PROBES = ("/v2/health/live", "/v2/health/ready")
METRICS = "/metrics"


class Entrance:
    """Counts the requests inside; closed for good when the server drains.

    Args:
        engine: whose readiness counts too.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._inside = 0
        self._draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def ready(self) -> bool:
        """Whether requests are taken."""
        return self._engine.ready and not self._draining

    def require_ready(self) -> None:
        """Check that requests are taken.

        Raises:
            Unready: the server starts or drains.
        """
        if not self.ready:
            what = "drains and takes no more requests" if self._draining else "loads its models"
            message = f"server: {what}; ask another one, or ask again in a second"
            raise Unready(message, retry_after_s=1)

    def close(self) -> None:
        """Take no more requests."""
        self._draining = True

    async def wait_until_empty(self, seconds: float) -> bool:
        """Wait until every request inside is answered; tell whether that came true in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True

    def enter(self) -> None:
        """Count a request in."""
        self._inside += 1
        self._empty.clear()

    def leave(self) -> None:
        """Count it out."""
        self._inside -= 1
        if not self._inside:
            self._empty.set()


class Gate:
    """Lets in what may come in; probes always may.

    Args:
        app: the application inside.
        entrance: whether anybody may.
        callers: who may.
    """

    def __init__(self, app: ASGIApp, entrance: Entrance, callers: Callers) -> None:
        self._app = app
        self._entrance = entrance
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, and let the application inside answer it.

        Raises:
            ServiceError: it may not come in.
        """
        self._callers.check_origin(scope)
        if scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        self._callers.check_token(scope)
        if scope["path"] == METRICS:
            await self._app(scope, receive, send)
            return
        self._entrance.require_ready()
        self._entrance.enter()
        try:
            await self._app(scope, receive, send)
        finally:
            self._entrance.leave()
