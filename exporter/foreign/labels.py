"""Names of classes from a file that the user has."""

import json
from pathlib import Path

from exporter.errors import ExportError

LARGEST_FILE = 10_000_000  # bytes
MOST_LABELS = 1_000_000


def read_labels(path: Path) -> list[str]:
    """Return the classes' names in the order of the network's outputs.

    Args:
        path: text with a name per line, empty lines aside; or ``.json``: a list, an object from
            numbers to names, or one from names to numbers, as Keras writes ``class_indices``.

    Raises:
        ExportError: the file cannot be read, or is none of these.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            message = f"{path}: more than {LARGEST_FILE:,} bytes, too many for labels"
            raise ExportError(message)
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read as text ({error}); give a file with a label per line"
        raise ExportError(message) from None
    if path.suffix.lower() == ".json":
        labels = parse_json(path, text)
    else:
        labels = [line.strip() for line in text.splitlines() if line.strip()]
    if not 2 <= len(labels) <= MOST_LABELS:
        message = f"{path}: {len(labels)} labels; a classifier tells two classes apart at least"
        raise ExportError(message)
    return labels


def parse_json(path: Path, text: str) -> list[str]:
    """Return the names of a JSON file.

    Raises:
        ExportError: it is not JSON, no list or object, or numbers are missing.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"{path}: not JSON ({error}); give a list of labels"
        raise ExportError(message) from None
    if isinstance(value, list) and all(isinstance(label, str) for label in value):
        return value
    numbered = number_names(value) if isinstance(value, dict) else {}
    labels = [numbered.get(number, "") for number in range(len(numbered))]
    if not labels or not all(labels) or len(labels) != len(value):
        message = (
            f"{path}: neither a list of labels, nor an object from 0, 1, 2, ... to labels or from "
            "labels to these numbers"
        )
        raise ExportError(message)
    return labels


def number_names(value: dict[str, object]) -> dict[int, str]:
    """Return number to name, whichever of them the object is indexed by."""
    if all(isinstance(name, str) for name in value.values()):
        return {int(key): str(name) for key, name in value.items() if key.isdecimal()}
    return {number: key for key, number in value.items() if type(number) is int}
