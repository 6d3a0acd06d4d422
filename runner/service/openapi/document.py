"""OpenAPI 3.1: https://spec.openapis.org/oas/v3.1.1."""

import re
from collections.abc import Iterable
from typing import Any

from runner.service.openapi.operations import ALWAYS, JSON, Operation, content
from runner.service.openapi.protocol import list_protocol
from runner.service.openapi.schemas import TEXT, record
from runner.service.parameters import Parameter
from runner.service.pictures.operations import OPERATIONS as PICTURES
from runner.service.settings import ServiceSettings
from runner.service.teaching.operations import OPERATIONS as TEACHING

PATH = "/openapi.json"
IN_PATH = re.compile(r"\{(\w+)\}")
PATH_SCHEMAS = {
    "model": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"},
    "version": {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"},
}
PATH_EXAMPLES = {"model": "lenet5", "version": "1"}
REASONS = {
    400: "The request cannot be understood, or does not fit",
    401: "The token is missing or wrong",
    404: "There is no such model or version",
    408: "The body did not arrive in time",
    413: "The body or the picture is too large",
    429: "Too much waits; try again later",
    500: "The server failed; its log says why",
    501: "The protocol has it, this server has not",
    503: "The server starts or drains, or the model is not loaded",
    504: "The time was over before there was an answer",
}
TAGS = {
    "pictures": "Paint and name pictures",
    "models": "The Open Inference Protocol v2, as KServe and Triton speak it",
    "teaching": "Shapes, counts, derivations and exercises about convolutional networks",
    "server": "Probes and metrics",
}
DOCUMENT = Operation(
    identity="readDocument",
    path=PATH,
    tag="server",
    summary="This document",
    answers=content({"type": "object"}),
)


def build_document(version: str, settings: ServiceSettings) -> dict[str, Any]:
    """Return the document of a server.

    Args:
        version: of the package.
        settings: of the server; what they turn off is left out.
    """
    guarded = settings.token_file is not None
    operations = [*PICTURES, *list_protocol(control=settings.allow_control), *TEACHING, DOCUMENT]
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = describe_operation(
            operation, guarded=guarded
        )
    components: dict[str, Any] = {"schemas": {"Error": record(error=TEXT)}}
    components["responses"] = {str(status): describe_error(status) for status in REASONS}
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Impasto",
            "version": version,
            "description": "Paints and names pictures, and explains convolutional networks.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": components,
    }
    if guarded:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
    return document


def describe_operation(operation: Operation, *, guarded: bool) -> dict[str, Any]:
    """Return an operation object.

    Args:
        operation: that is described.
        guarded: whether a token is needed; probes need none.
    """
    described: dict[str, Any] = {
        "operationId": operation.identity,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": [
            *map(describe_path_parameter, IN_PATH.findall(operation.path)),
            *map(describe_parameter, operation.parameters),
            *operation.headers,
        ],
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body:
        described["requestBody"] = {
            "required": operation.body_required,
            "content": dict(operation.body),
        }
    is_probe = operation.path.startswith("/v2/health/")
    if guarded and is_probe:
        described["security"] = []
    described["responses"] = describe_answers(operation, guarded=guarded and not is_probe)
    return described


def describe_path_parameter(name: str) -> dict[str, Any]:
    """Return the parameter object of a part of a path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": PATH_SCHEMAS[name],
        "example": PATH_EXAMPLES[name],
    }


def describe_parameter(parameter: Parameter) -> dict[str, Any]:
    """Return the parameter object of a part of a query."""
    schema = parameter.describe()
    if parameter.default is not None:
        default = parameter.default
        schema["default"] = str(int(default)) if isinstance(default, bool) else default
    described = {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.description,
        "schema": schema,
    }
    if parameter.example is not None:
        described["example"] = parameter.example
    return described


def describe_answers(operation: Operation, *, guarded: bool) -> dict[str, Any]:
    """Return the responses object of an operation."""
    answer: dict[str, Any] = {"description": "The answer", "content": dict(operation.answers)}
    if operation.answer_headers:
        answer["headers"] = dict(operation.answer_headers)
    statuses = {*ALWAYS, *operation.errors, *((401, 429) if guarded else ())}
    answers = {"200": answer, **refer(sorted(statuses))}
    if operation.unready is not None:
        either = {"anyOf": [operation.unready, {"$ref": "#/components/schemas/Error"}]}
        answers["503"] = {"description": REASONS[503], "content": content(either)}
    return answers


def refer(statuses: Iterable[int]) -> dict[str, Any]:
    """Return references to the answers that are errors."""
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def describe_error(status: int) -> dict[str, Any]:
    """Return the response object of an error."""
    described: dict[str, Any] = {
        "description": REASONS[status],
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    if status in {429, 503}:
        described["headers"] = {
            "Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}
        }
    return described
