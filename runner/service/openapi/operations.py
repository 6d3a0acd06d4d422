"""One page of the service, as the document tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.service.openapi.schemas import Schema
from runner.service.parameters import Parameter

JSON = "application/json"
ALWAYS = (400, 500, 503)
READING = (408, 413, 429)  # of what has a body
RUNNING = (404, 504)  # of what runs a model


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A method of a path.

    Attributes:
        identity: its name in client libraries, unique.
        path: with parameters in braces.
        method: in lower case.
        tag: the group that it is listed in.
        summary: a few words.
        description: more words, or none.
        parameters: of the query.
        headers: of the request, as OpenAPI's parameter objects.
        body: media types and schemas of the request's body; none where it has no body.
        body_required: whether it must be there.
        answers: media types and schemas of an answer with status 200.
        answer_headers: of that answer, by name.
        errors: the statuses of other answers, besides ``ALWAYS``.
        unready: the schema of an answer with status 503 that is no error.
    """

    identity: str
    path: str
    method: str = "get"
    tag: str
    summary: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    headers: tuple[Mapping[str, Any], ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    body_required: bool = True
    answers: Mapping[str, Any]
    answer_headers: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[int, ...] = ()
    unready: Schema | None = None


def content(schema: Schema, example: object = None) -> dict[str, Any]:
    """Return what ``application/json`` stands for, with an example where there is one."""
    media: dict[str, Any] = {"schema": schema}
    return {JSON: media | ({"example": example} if example is not None else {})}
