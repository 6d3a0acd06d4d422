"""The OpenAPI document is about this server: its routes, its options, its answers."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from runner.service.engine.engine import Engine
from runner.service.http.app import list_routes
from runner.service.http.entrance import Entrance
from runner.service.http.metrics import Requests
from runner.service.openapi.document import build_document
from runner.service.parameters import Parameter
from runner.service.pictures.operations import OPERATIONS as PICTURES
from runner.service.settings import ServiceSettings
from runner.service.teaching.operations import OPERATIONS as TEACHING
from tests.runner.service.http.conftest import RunningServer

CONTROL = ServiceSettings(allow_control=True)
PARAMETERS = [(page.path, one) for page in (*PICTURES, *TEACHING) for one in page.parameters]


def list_operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the operations by path and method."""
    return {
        (path, method.upper()): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def find_references(value: object) -> Iterator[str]:
    """Yield every reference of a document."""
    if isinstance(value, dict):
        yield from (text for key, text in value.items() if key == "$ref")
        for entry in value.values():
            yield from find_references(entry)
    if isinstance(value, list):
        for entry in value:
            yield from find_references(entry)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_document_has_every_route_and_no_other() -> None:
    """What the application serves is described, and what is described is served."""
    engine = Engine(CONTROL)
    routes = list_routes(engine, Entrance(engine), Requests())
    served = {
        (route.path, method)
        for route in routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert served == set(list_operations(build_document("1", CONTROL)))


def test_what_is_off_is_left_out() -> None:
    """Without control there is no loading; without tokens there is no security scheme."""
    document = build_document("1", ServiceSettings())
    assert not any("/load" in path for path in document["paths"])
    assert "security" not in document
    assert not any("401" in one["responses"] for one in list_operations(document).values())


def test_tokens_are_asked_for_everywhere_but_at_the_probes(tmp_path: Path) -> None:
    """With a token file every operation needs a token, and says what happens without."""
    document = build_document("1", ServiceSettings(token_file=tmp_path / "tokens"))
    assert document["security"] == [{"token": []}]
    for (path, _), operation in list_operations(document).items():
        probe = path.startswith("/v2/health/")
        assert ("401" in operation["responses"]) is not probe
        assert (operation.get("security") == []) is probe


def test_references_lead_somewhere() -> None:
    """Every reference names a part of the document."""
    document = build_document("1", CONTROL)
    references = set(find_references(document))
    assert references
    for reference in references:
        part: Any = document
        for key in reference.removeprefix("#/").split("/"):
            part = part[key]


def test_operations_are_named_and_grouped() -> None:
    """Each operation has a name of its own and a tag of the list."""
    document = build_document("1", CONTROL)
    operations = list(list_operations(document).values())
    assert len({one["operationId"] for one in operations}) == len(operations)
    tags = {tag["name"] for tag in document["tags"]}
    assert {tag for one in operations for tag in one["tags"]} == tags


@pytest.mark.parametrize(("path", "parameter"), PARAMETERS, ids=lambda value: str(value)[:30])
def test_examples_are_allowed(path: str, parameter: Parameter) -> None:
    """What the document gives as an example or a default is what the server reads."""
    assert parameter.example is not None, path
    parameter.read(str(parameter.example))
    if isinstance(parameter.default, str):
        parameter.read(parameter.default)


def test_the_server_shows_its_document(server: RunningServer) -> None:
    """The page has the document of the server's own settings and version."""
    answer = server.ask("GET", "/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    version = answer.value["info"]["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", version)
    assert answer.value == json.loads(json.dumps(build_document(version, ServiceSettings())))
