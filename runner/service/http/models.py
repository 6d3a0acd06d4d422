"""What the server and its models are: metadata, configuration, statistics."""

from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.service.engine.engine import Engine
from runner.service.engine.served import ServedModel
from runner.service.http.answers import Endpoint, answer_json
from runner.service.protocol.metadata import (
    describe_config,
    describe_model,
    describe_server,
    describe_statistics,
)


class ModelRoutes:
    """``GET /v2`` and ``GET /v2/models/...``.

    Args:
        engine: that knows the models.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list_routes(self) -> list[Route]:
        """Return the routes."""
        pages = {
            "": self.answer_metadata,
            "/config": self.answer_config,
            "/stats": self.answer_stats,
        }
        roots = ("/v2/models/{model}", "/v2/models/{model}/versions/{version}")
        return [
            Route("/v2", Endpoint(self.answer_server), methods=["GET"]),
            # before the models, so that none can be called "stats"
            Route("/v2/models/stats", Endpoint(self.answer_all_stats), methods=["GET"]),
            *(
                Route(root + page, Endpoint(handler), methods=["GET"])
                for root in roots
                for page, handler in pages.items()
            ),
        ]

    def find(self, request: Request) -> ServedModel:
        """Return the model that a path names.

        Raises:
            NotFound: there is no such model or version.
            Unready: it is not loaded.
        """
        name, wanted = request.path_params["model"], request.path_params.get("version")
        return self._engine.repository.find(name, wanted)

    async def answer_server(self, request: Request) -> Response:
        """Answer with the server's metadata."""
        del request
        control = self._engine.settings.allow_control
        return answer_json(describe_server(version("impasto"), control=control))

    async def answer_metadata(self, request: Request) -> Response:
        """Answer with a model's metadata."""
        return answer_json(describe_model(self.find(request)))

    async def answer_config(self, request: Request) -> Response:
        """Answer with a model's configuration."""
        return answer_json(describe_config(self.find(request), self._engine.settings))

    async def answer_stats(self, request: Request) -> Response:
        """Answer with a model's statistics."""
        name = self.find(request).name
        return answer_json(describe_statistics(self._engine.statistics.read(name)))

    async def answer_all_stats(self, request: Request) -> Response:
        """Answer with the statistics of all models."""
        del request
        return answer_json(describe_statistics(self._engine.statistics.read()))
