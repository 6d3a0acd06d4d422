"""Whether the server, or a model, lives and is ready."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.service.engine.engine import Engine
from runner.service.errors import ServiceError
from runner.service.http.answers import Endpoint, answer_json
from runner.service.http.entrance import Entrance


class HealthRoutes:
    """``/v2/health/...`` and ``/v2/models/.../ready``.

    Args:
        engine: that knows the models.
        entrance: that knows whether requests are taken.
    """

    def __init__(self, engine: Engine, entrance: Entrance) -> None:
        self._engine = engine
        self._entrance = entrance

    def list_routes(self) -> list[Route]:
        """Return the routes."""
        model = Endpoint(self.answer_model)
        return [
            Route("/v2/health/live", Endpoint(self.answer_live), methods=["GET"]),
            Route("/v2/health/ready", Endpoint(self.answer_ready), methods=["GET"]),
            Route("/v2/models/{model}/ready", model, methods=["GET"]),
            Route("/v2/models/{model}/versions/{version}/ready", model, methods=["GET"]),
        ]

    async def answer_live(self, request: Request) -> Response:
        """Answer that the process works: whoever reads this knows."""
        del request
        return answer_json({"live": True})

    async def answer_ready(self, request: Request) -> Response:
        """Answer whether requests are taken; with 503 when not."""
        del request
        ready = self._entrance.ready
        return answer_json({"ready": ready}, 200 if ready else 503)

    async def answer_model(self, request: Request) -> Response:
        """Answer whether a model is ready; with 404 when nobody knows it, 503 when it is not."""
        name = request.path_params["model"]
        try:
            self._engine.repository.find(name, request.path_params.get("version"))
        except ServiceError as error:
            if error.status != 503:
                raise
            return answer_json({"name": name, "ready": False, "error": error.message}, 503)
        return answer_json({"name": name, "ready": True})
