"""``GET /openapi.json``."""

from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.service.http.answers import Endpoint, answer_json
from runner.service.openapi.document import PATH, build_document
from runner.service.settings import ServiceSettings


class DocumentRoutes:
    """The page of the OpenAPI document.

    Args:
        settings: of the service.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._document = build_document(version("impasto"), settings)

    def list_routes(self) -> list[Route]:
        """Return the route."""
        return [Route(PATH, Endpoint(self.answer), methods=["GET"])]

    async def answer(self, request: Request) -> Response:
        """Answer with the document."""
        del request
        return answer_json(self._document)
