"""What an exported file says of itself; the runner believes nothing else."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnxruntime as ort

from runner.errors import ModelError, list_nearest_first

SCHEMA = 1
SHIPPED = Path(__file__).parent / "collection"  # the files that come with the package
COLLECTION = SHIPPED / "styles.onnx"
REMEDIES = {
    "classify": (
        "describe it: impasto annotate FILE.onnx --labels LABELS.txt --mean R,G,B --std R,G,B "
        "--size HxW"
    ),
}


@dataclass(frozen=True)
class Style:
    """One painting's style: its name on the command line and what is known of the painting."""

    name: str
    title: str = ""
    artist: str = ""
    year: int | None = None
    licence: str = ""


@dataclass(frozen=True)
class ModelCard:
    """The metadata of one exported file.

    Attributes:
        path: the file.
        digest: SHA-256 of its bytes, hexadecimal.
        task: ``stylize``, ``classify`` or ``features``; empty for a foreign file.
        styles: of a ``stylize`` file, in the order of its ``style_weights``.
        minimum_side: smallest height and width in pixels.
        values: every ``impasto.*`` entry, decoded, without the prefix.
    """

    path: Path
    digest: str
    task: str
    styles: tuple[Style, ...]
    minimum_side: int
    values: dict[str, Any] = field(repr=False)


def read_card(session: ort.InferenceSession, path: Path) -> ModelCard:
    """Read the metadata of an open file; a foreign file gives an empty task.

    Raises:
        ModelError: the metadata is of a newer schema or damaged.
    """
    entries = session.get_modelmeta().custom_metadata_map
    try:
        values = {
            key.removeprefix("impasto."): json.loads(value)
            for key, value in entries.items()
            if key.startswith("impasto.")
        }
        _check_schema(values, path)
        card = ModelCard(
            path=path,
            digest=hashlib.sha256(path.read_bytes()).hexdigest(),
            task=str(values.get("task", "")),
            styles=tuple(_read_style(entry) for entry in values.get("styles", [])),
            minimum_side=int(values.get("input", {}).get("minimum_side", 1)),
            values=values,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        message = f"{path}: its impasto metadata cannot be read ({error}); export it again"
        raise ModelError(message) from None
    return card


def require_task(card: ModelCard, task: str) -> None:
    """Stop where a file is made for something else.

    Raises:
        ModelError: the task differs or is missing.
    """
    if card.task != task:
        made_for = f"made for {card.task!r}" if card.task else "without impasto metadata"
        remedy = "use a file that 'impasto export' wrote"
        if not card.task and task in REMEDIES:
            remedy += f", or {REMEDIES[task]}"
        message = f"{card.path}: {made_for}, not {task!r}; {remedy}"
        raise ModelError(message)


def find_classifier(name: str | Path) -> Path:
    """Return the file of a classifier that ships with the package, or of a path.

    Raises:
        ModelError: there is neither such a file nor such a name.
    """
    path = Path(name)
    if path.suffix or len(path.parts) != 1 or path.exists():
        return path
    shipped = {file.stem: file for file in sorted(SHIPPED.glob("*.onnx")) if not is_styles(file)}
    if str(name) in shipped:
        return shipped[str(name)]
    listed = list_nearest_first(str(name), list(shipped))
    message = (
        f"model {str(name)!r} is no file, and the classifiers that ship here are: "
        f"{listed or 'none'}; give one of them or FILE.onnx"
    )
    raise ModelError(message)


def is_styles(path: Path) -> bool:
    """Tell whether a shipped file is the collection, in whatever precision."""
    return path.stem == COLLECTION.stem or path.stem.startswith(f"{COLLECTION.stem}-")


def _check_schema(values: dict[str, Any], path: Path) -> None:
    """Ask first which schema it is: the other entries may mean something else in another."""
    schema = values.get("schema", SCHEMA)
    if schema != SCHEMA:
        message = f"{path}: metadata schema {schema} is not {SCHEMA}; use the impasto that wrote it"
        raise ModelError(message)


def _read_style(entry: dict[str, Any]) -> Style:
    return Style(
        name=str(entry["name"]),
        title=str(entry.get("title", "")),
        artist=str(entry.get("artist", "")),
        year=int(entry["year"]) if entry.get("year") is not None else None,
        licence=str(entry.get("licence", "")),
    )
