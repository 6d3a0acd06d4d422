"""JSON Schemas (draft 2020-12), as few words as can say them."""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}


def record(optional: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    """Return the schema of an object that has these properties and no others.

    Args:
        optional: those that may be missing.
        properties: by name.
    """
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def open_record(required: tuple[str, ...], /, **properties: Schema) -> Schema:
    """Return the schema of an object in which unknown properties are ignored."""
    return {"type": "object", "properties": properties, "required": list(required)}


def list_of(items: Schema, least: int = 0) -> Schema:
    """Return the schema of a list.

    Args:
        items: of it.
        least: so many at least.
    """
    schema: Schema = {"type": "array", "items": items}
    return schema | ({"minItems": least} if least else {})


def maybe(schema: Schema) -> Schema:
    """Return the schema that allows null too."""
    if isinstance(schema.get("type"), str):
        return schema | {"type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def choice(*words: str) -> Schema:
    """Return the schema of one of some words."""
    return {"type": "string", "enum": list(words)}
