"""The application: every route, and what stands before them."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from runner.service.engine.engine import Engine
from runner.service.errors import BadRequest
from runner.service.http.answers import Failures, answer_error, refuse_path
from runner.service.http.bodies import Bodies
from runner.service.http.connections import Crowded
from runner.service.http.entrance import Entrance, Gate
from runner.service.http.exchanges import Exchanges
from runner.service.http.health import HealthRoutes
from runner.service.http.inference import InferenceRoutes
from runner.service.http.metrics import MetricsRoutes, Requests
from runner.service.http.models import ModelRoutes
from runner.service.http.repository import RepositoryRoutes
from runner.service.http.security import Callers
from runner.service.openapi.routes import DocumentRoutes
from runner.service.pictures.routes import PictureRoutes
from runner.service.teaching.routes import TeachingRoutes

EXPOSED = ("Impasto-Remarks", "Inference-Header-Content-Length", "Retry-After", "X-Request-Id")


class Application:
    """What uvicorn calls for each request.

    From the outside in: the exchange's id and log line, CORS where origins are allowed, errors as
    JSON, who may come in, the routes.

    Args:
        engine: that runs the models.
        entrance: that knows whether requests are taken.

    Attributes:
        crowded: the same for connections beyond the last one that is taken.

    Raises:
        SettingsError: the token file cannot be used.
    """

    def __init__(self, engine: Engine, entrance: Entrance) -> None:
        settings = engine.settings
        self._requests = Requests()
        self._callers = Callers(settings)
        self._origins = settings.origins
        router = Router(
            list_routes(engine, entrance, self._requests),
            redirect_slashes=False,
            default=refuse_path,
        )
        inside = Gate(router, entrance, self._callers)
        self._inside = self.wrap(inside)
        self.crowded: ASGIApp = self.wrap(Crowded(inside, settings.max_connections))

    def wrap(self, inside: ASGIApp) -> ASGIApp:
        """Return an application with what every exchange gets around it."""
        app: ASGIApp = Failures(inside)
        if self._origins:
            app = Pages(
                app,
                allow_origins=self._origins,
                allow_methods=("GET", "POST"),
                allow_headers=("*",),
                expose_headers=EXPOSED,
            )
        return Exchanges(app, self._requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope["app"] = self  # so that Starlette raises where it would answer in plain text
        await self._inside(scope, receive, send)


class Pages(CORSMiddleware):
    """Starlette's CORS, whose refusals are JSON as all others."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer what a browser asks before it sends a page's request."""
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return answer
        origin = request_headers.get("origin", "")[:80]
        message = (
            f"Origin {origin!r}: pages of this origin may not send this request "
            f"({bytes(answer.body).decode()}); start the server with --origin {origin}"
        )
        return answer_error(BadRequest(message))


def list_routes(engine: Engine, entrance: Entrance, requests: Requests) -> Sequence[BaseRoute]:
    """Return every route, the busiest first: they are tried in order."""
    bodies = Bodies(engine)
    return [
        *InferenceRoutes(engine, bodies).list_routes(),
        *HealthRoutes(engine, entrance).list_routes(),
        *MetricsRoutes(engine.statistics, requests).list_routes(),
        *ModelRoutes(engine).list_routes(),
        *RepositoryRoutes(engine, bodies).list_routes(),
        *PictureRoutes(engine, bodies).list_routes(),
        *TeachingRoutes(engine).list_routes(),
        *DocumentRoutes(engine.settings).list_routes(),
    ]
