"""Files that are written whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from models.errors import CheckpointError


def write_atomically(path: Path, data: bytes) -> None:
    """Write a temporary file beside ``path``, flush it to the disk, rename it over ``path``.

    Raises:
        CheckpointError: the folder or the disk refuses.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        message = f"{path}: cannot be written ({error.strerror})"
        raise CheckpointError(message) from error
