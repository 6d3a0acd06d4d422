"""The calculator's pages."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.service.engine.engine import Engine
from runner.service.http.answers import Endpoint, Handler, LongResponse
from runner.service.http.encodings import choose_encoding, compress
from runner.service.http.presence import Presence
from runner.service.parameters import Parameter, read_query
from runner.service.teaching.assistant import SECONDS, Assistant
from runner.service.teaching.parameters import PAGES


class TeachingRoutes:
    """``/v1/shapes``, ``/v1/explain``, ``/v1/compare``, ``/v1/solve`` and ``/v1/quiz``.

    Args:
        engine: in whose threads long answers are compressed.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._assistant = Assistant(min(engine.settings.request_seconds, SECONDS))

    def list_routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(f"/v1/{page}", Endpoint(self.build(page, parameters)), methods=["GET"])
            for page, parameters in PAGES.items()
        ]

    def build(self, page: str, parameters: tuple[Parameter, ...]) -> Handler:
        """Return the handler of one page."""

        async def answer(request: Request) -> Response:
            values = read_query(request, parameters)
            async with Presence(request.receive):
                body = await self._assistant.ask(page, values)
                return await self.encode(request, body)

        return answer

    async def encode(self, request: Request, body: bytes) -> Response:
        """Return the answer, compressed where the client wishes it."""
        headers = {"vary": "accept-encoding"}
        encoding = choose_encoding(request.headers.get("accept-encoding"), len(body))
        if encoding:
            headers["content-encoding"] = encoding
            body = await self._engine.run_blocking(compress, body, encoding)
        return LongResponse(body, 200, headers, "application/json")
