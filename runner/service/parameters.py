"""Parameters of a query, each stated once: for the reader and for the OpenAPI document.

What a schema allows is what is read, character for character: no blanks around a number, no
digits of other scripts, nothing twice, nothing unknown.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from runner.errors import list_nearest_first
from runner.service.errors import BadRequest

WHOLE = re.compile(r"-?[0-9]{1,12}")
REAL = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")
SHOWN = 80  # characters of a foreign value in a message
TRUTHS = {"0": False, "1": True, "false": False, "true": True}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A text of a query; the subclasses read other kinds.

    Attributes:
        name: in the query.
        description: one sentence for the document.
        default: the value where the parameter is missing.
        required: it must not be missing.
        example: for the document.
        longest: characters, at most.
    """

    name: str
    description: str
    default: Any = None
    required: bool = False
    example: Any = None
    longest: int = 200

    def read(self, text: str) -> Any:  # noqa: ANN401 - each kind has its own type
        """Return the value that a text stands for.

        Raises:
            BadRequest: the text is not allowed.
        """
        if not 1 <= len(text) <= self.longest:
            shown = f"has {len(text)} characters"
            raise self.refuse(shown, f"1 to {self.longest} characters")
        return text

    def describe(self) -> dict[str, Any]:
        """Return the JSON Schema of the texts that are read."""
        return {"type": "string", "minLength": 1, "maxLength": self.longest}

    def refuse(self, text: str, wanted: str) -> BadRequest:
        """Return the error that says what is wrong."""
        return BadRequest(f"parameter {self.name} {text}; send {wanted}")


@dataclass(frozen=True, kw_only=True)
class Whole(Parameter):
    """A whole number.

    Attributes:
        least: allowed value.
        most: allowed value.
    """

    least: int
    most: int

    def read(self, text: str) -> int:
        """Return the number."""
        if not WHOLE.fullmatch(text) or not self.least <= int(text) <= self.most:
            raise self.refuse(
                repr(text[:SHOWN]), f"a whole number from {self.least} to {self.most}"
            )
        return int(text)

    def describe(self) -> dict[str, Any]:
        """Return the schema."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, kw_only=True)
class Real(Parameter):
    """A number.

    Attributes:
        least: allowed value.
        most: allowed value.
    """

    least: float
    most: float

    def read(self, text: str) -> float:
        """Return the number."""
        if not REAL.fullmatch(text) or not self.least <= float(text) <= self.most:
            raise self.refuse(repr(text[:SHOWN]), f"a number from {self.least:g} to {self.most:g}")
        return float(text)

    def describe(self) -> dict[str, Any]:
        """Return the schema."""
        return {"type": "number", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, kw_only=True)
class Choice(Parameter):
    """One of a few words.

    Attributes:
        words: allowed.
    """

    words: tuple[str, ...]

    def read(self, text: str) -> Any:  # noqa: ANN401 - a subclass returns something else
        """Return the word."""
        if text not in self.words:
            nearest = list_nearest_first(text[:SHOWN], list(self.words))
            raise self.refuse(repr(text[:SHOWN]), f"one of {nearest}")
        return text

    def describe(self) -> dict[str, Any]:
        """Return the schema."""
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True, kw_only=True)
class Truth(Choice):
    """Yes or no: ``1``, ``true``, ``0`` or ``false``."""

    words: tuple[str, ...] = tuple(TRUTHS)
    default: Any = False

    def read(self, text: str) -> bool:
        """Return the truth value."""
        return TRUTHS[super().read(text)]


def read_query(request: Request, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Return the values of a request's query, defaults included.

    Args:
        request: whose query is read.
        parameters: that it may have.

    Raises:
        BadRequest: one is unknown, missing, given twice or not allowed.
    """
    known = {parameter.name: parameter for parameter in parameters}
    texts: dict[str, str] = {}
    for name, text in request.query_params.multi_items():
        if name not in known:
            listed = list_nearest_first(name[:SHOWN], list(known)) or "none"
            message = f"parameter {name[:SHOWN]!r} is unknown; those of this page are: {listed}"
            raise BadRequest(message)
        if name in texts:
            message = f"parameter {name} is given twice; give it once"
            raise BadRequest(message)
        texts[name] = text
    return {name: read_value(parameter, texts) for name, parameter in known.items()}


def read_value(parameter: Parameter, texts: dict[str, str]) -> Any:  # noqa: ANN401
    """Return the value of one parameter.

    Raises:
        BadRequest: it is missing and must not be, or is not allowed.
    """
    if parameter.name in texts:
        return parameter.read(texts[parameter.name])
    if parameter.required:
        shown = f", such as {parameter.example}" if parameter.example is not None else ""
        message = f"parameter {parameter.name} is missing; send it{shown}"
        raise BadRequest(message)
    return parameter.default
