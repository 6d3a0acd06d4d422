"""What ``impasto info`` and ``impasto styles`` print."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime as ort

from runner.classify.rules import read_rule, shorten
from runner.model import ModelCard, Style, read_card
from runner.session import open_session

LISTED_ENTRIES = 4  # of a list of objects; longer ones drown the rest
LISTED_LABELS = 10


def describe_file(path: Path) -> list[tuple[str, str]]:
    """Return label and text of everything that is worth knowing of an ONNX file.

    Raises:
        ModelError: the file is missing or damaged.
    """
    session = open_session(path, "cpu")
    card = read_card(session, path)
    rows = [
        ("file", f"{path}  {path.stat().st_size:,} bytes"),
        ("sha256", card.digest),
        ("task", card.task or "unknown: the file has no impasto metadata"),
    ]
    rows += [("input", _describe_tensor(tensor)) for tensor in session.get_inputs()]
    rows += [("output", _describe_tensor(tensor)) for tensor in session.get_outputs()]
    rows += [("style", describe_style(style)) for style in card.styles]
    rows += _describe_values(card)
    rows.append(("providers", ", ".join(ort.get_available_providers())))
    return rows


def describe_style(style: Style) -> str:
    """Return a style as one line: name, painting, painter, year, licence."""
    about = [style.title, style.artist, str(style.year or ""), style.licence]
    return "  ".join([style.name, ", ".join(part for part in about if part)]).rstrip()


def style_as_json(style: Style) -> str:
    """Return a style as one line of JSON."""
    values = {"name": style.name, "title": style.title, "artist": style.artist, "year": style.year}
    return json.dumps(values, ensure_ascii=False)


def _describe_tensor(tensor: ort.NodeArg) -> str:
    shape = ", ".join(str(side) if side is not None else "?" for side in tensor.shape)
    kind = tensor.type.removeprefix("tensor(").removesuffix(")")
    return f"{tensor.name}  {kind} [{shape}]"


def _describe_values(card: ModelCard) -> list[tuple[str, str]]:
    """Spell out the remaining metadata, one row per fact."""
    rows: list[tuple[str, str]] = []
    for key in ("network", "input", "labels", "precision", "training", "parity", "license"):
        if key in card.values:
            describe = DESCRIPTIONS.get(key, flatten) if card.task == "classify" else flatten
            rows += [(key, text) for text in describe(card.values[key])]
    return rows


def describe_input(value: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    """Put the input rule of a classifier into words."""
    try:
        return [read_rule(value).describe()]
    except ValueError as error:
        return [f"cannot be used: {error}"]


def describe_labels(value: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    """Count the labels and name the first."""
    if not isinstance(value, list):
        return [f"cannot be used: {shorten(value)} is no list"]
    listed = [str(label) for label in value[:LISTED_LABELS]]
    return [f"{len(value):,}: {', '.join(listed + ['…'] * (len(value) > LISTED_LABELS))}"]


# what only a classifier has, or has in its own form
DESCRIPTIONS: dict[str, Callable[[Any], list[str]]] = {
    "input": describe_input,
    "labels": describe_labels,
}


def flatten(value: Any, prefix: str = "") -> list[str]:  # noqa: ANN401 - any JSON value
    """Put nested values into words, one line per fact behind the names that lead to it."""
    if isinstance(value, dict):
        nested = [flatten(entry, f"{prefix}{key} ") for key, entry in value.items()]
        return [line for lines in nested for line in lines]
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        if len(value) > LISTED_ENTRIES:
            return [f"{prefix}{len(value)} entries, which --json shows"]
        return [f"{prefix}{', '.join(flatten(entry))}" for entry in value]
    if isinstance(value, list):
        return [f"{prefix}{', '.join(map(_tell, value))}"]
    return [f"{prefix}{_tell(value)}"]


def _tell(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Put one value into words; --json shows every digit."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def read_values(path: Path) -> dict[str, Any]:
    """Return every ``impasto.*`` entry of a file, by name without the prefix.

    Raises:
        ModelError: the file is missing or damaged.
    """
    return read_card(open_session(path, "cpu"), path).values
