"""Files that are whole or not there, and a standard output that may refuse."""

import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from runner.errors import OutputError

NAME_BYTES = 255  # of one name on every common file system


def write_atomically(path: Path, data: bytes) -> os.stat_result:
    """Write a temporary file beside ``path``; :func:`publish` then renames it into place.

    Returns:
        What the file system says of the file; renaming keeps size and modification time.

    Raises:
        OutputError: the folder or the disk refuses; nothing is left behind.
    """
    return write_parts(path, (data,))


def write_parts(path: Path, parts: Iterable[bytes]) -> os.stat_result:
    """Write a temporary file piece by piece; see :func:`write_atomically`."""
    temporary = temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        return temporary.stat()
    except OSError as error:
        _discard(temporary)
        raise OutputError(_explain(path, error)) from None


def publish(path: Path) -> None:
    """Rename the temporary file of :func:`write_atomically` to ``path``.

    Raises:
        OutputError: ``path`` is a folder, or the file system refuses; nothing is left behind.
    """
    temporary = temporary_name(path)
    try:
        temporary.replace(path)
    except OSError as error:
        _discard(temporary)
        raise OutputError(_explain(path, error)) from None


def temporary_name(path: Path) -> Path:
    """Return where ``path`` is written before it is renamed; the same name every time.

    A run that was killed leaves at most these, and the next run overwrites them.
    """
    return hide(path, ".impasto-part")


def hide(path: Path, ending: str) -> Path:
    """Return a hidden neighbour of ``path``, called after it also where its name is long."""
    name = f".{path.name}{ending}"
    if len(os.fsencode(name)) > NAME_BYTES:
        name = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()}{ending}"
    return path.with_name(name)


def write_standard(data: bytes) -> None:
    """Write past Python's buffer, which would fail once more when the program ends.

    Raises:
        BrokenPipeError: who reads has gone, as ``head`` does; click then ends without a word.
        OutputError: it cannot be written for another reason.
    """
    sys.stdout.flush()
    stream = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[stream.write(rest) or 0 :]
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"standard output cannot be written ({error.strerror})"
        raise OutputError(message) from None


def _discard(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # its folder is not one, or is gone: there is nothing to remove


def _explain(path: Path, error: OSError) -> str:
    return f"{path}: cannot be written ({error.strerror or error})"
