"""Finished files on their way to their place: whole or not at all, weights with their model."""

import os
from pathlib import Path

from exporter.errors import ExportError

LARGEST_FILE = 2**31 - 1 - 2**20  # bytes of weights; a protocol buffer ends at 2 GiB


def refuse_existing(output: Path, *, overwrite: bool) -> None:
    """Refuse to replace a file that nobody said may be replaced.

    Raises:
        ExportError: the output, or a file of weights of its name, exists.
    """
    for path in (output, name_data(output)):
        if path.exists() and not overwrite:
            message = f"{path}: exists already; pass --overwrite to replace it, or another name"
            raise ExportError(message)


def name_data(path: Path) -> Path:
    """Return where a file's weights lie if they lie beside it."""
    return path.with_name(f"{path.name}.data")


def publish(file: Path, output: Path) -> tuple[Path, ...]:
    """Move a finished file, and its weights where they lie beside it, to their place.

    A model never stands beside another model's weights: the old model goes before the new
    weights come, and the new model comes last.

    Args:
        file: of the output's name, on the same disk.
        output: where it goes; replaced if it exists.

    Returns:
        The files that there are now.

    Raises:
        OSError: the disk refuses.
    """
    data = name_data(file)
    for path in (file, data):
        if path.exists():
            flush(path)
    if not data.exists():
        file.replace(output)
        return (output,)
    output.unlink(missing_ok=True)
    data.replace(name_data(output))
    file.replace(output)
    return output, name_data(output)


def flush(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
