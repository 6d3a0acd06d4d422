"""The model repository: its index, and loading and unloading where that is allowed."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.service.engine.engine import Engine
from runner.service.errors import BadRequest, Unsupported
from runner.service.http.answers import Endpoint, answer_json
from runner.service.http.bodies import Bodies
from runner.service.protocol.documents import read_document
from runner.service.protocol.metadata import describe_index
from runner.service.protocol.tensors import read_parameters


class RepositoryRoutes:
    """``POST /v2/repository/...``.

    Args:
        engine: that knows the models.
        bodies: that reads the requests' bodies, which may all be empty.
    """

    def __init__(self, engine: Engine, bodies: Bodies) -> None:
        self._engine = engine
        self._bodies = bodies

    def list_routes(self) -> list[Route]:
        """Return the routes."""
        root = "/v2/repository/models/{model}"
        return [
            Route("/v2/repository/index", Endpoint(self.answer_index), methods=["POST"]),
            Route(f"{root}/load", Endpoint(self.load), methods=["POST"]),
            Route(f"{root}/unload", Endpoint(self.unload), methods=["POST"]),
        ]

    async def read(self, request: Request) -> dict[str, object]:
        """Return the JSON object in a body; an empty one when the body is.

        Raises:
            ServiceError: the body cannot be read.
        """
        body = await self._bodies.hold(request).read(request)
        return read_document(bytes(body), "body") if body.strip() else {}

    async def answer_index(self, request: Request) -> Response:
        """Answer with the state of every model, or of those that are ready."""
        ready = (await self.read(request)).get("ready", False)
        if not isinstance(ready, bool):
            message = f"request: ready {str(ready)[:80]!r} must be true or false; send one of them"
            raise BadRequest(message)
        return answer_json(describe_index(self._engine.repository.index(), ready_only=ready))

    async def load(self, request: Request) -> Response:
        """Load a model, or its newer file."""
        name = await self.read_order(request, "load")
        await self._engine.load(name)
        return answer_json({})

    async def unload(self, request: Request) -> Response:
        """Unload a model."""
        name = await self.read_order(request, "unload")
        await self._engine.unload(name)
        return answer_json({})

    async def read_order(self, request: Request, verb: str) -> str:
        """Return the model that is to be loaded or unloaded.

        Raises:
            Unsupported: that is not allowed here, or a client brings its own model.
            ServiceError: the body cannot be read.
        """
        name: str = request.path_params["model"]
        if not self._engine.settings.allow_control:
            message = (
                f"{verb} {name[:80]!r}: models are not loaded over HTTP here; start the server "
                "with --allow-control"
            )
            raise Unsupported(message)
        parameters = read_parameters(await self.read(request), "request")
        for key in parameters:
            if key == "config" or key.startswith("file:"):
                message = (
                    f"{verb} {name[:80]!r}: parameter {key[:80]!r} is not taken; a model is what "
                    "its file in the folder says"
                )
                raise Unsupported(message)
        return name
