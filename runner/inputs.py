"""Inputs on a command line: pictures in folders, and what is wrong with a name."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from runner.errors import ImpastoError
from runner.formats import FORMATS

STANDARD = "-"


def is_folder(path: str | Path) -> bool:
    """Tell whether ``path`` is a folder; any name may be asked, however long."""
    # Path.is_dir raises for a name that is too long, before Python 3.14
    return os.path.isdir(path)  # noqa: PTH112


def list_pictures(
    folder: str | Path, *, recursive: bool, skip: Callable[[str], bool] = lambda _: False
) -> list[str]:
    """List the pictures of a folder by name, files before folders.

    Hidden files and folders are left out, and links to folders, which may go in circles.

    Args:
        folder: to look into.
        recursive: look into its folders too.
        skip: tells which of those to leave out.

    Raises:
        ImpastoError: a folder cannot be read, or there are no pictures.
    """
    found = list(walk(str(folder), recursive=recursive, skip=skip))
    if not found:
        message = f"{folder}: no pictures ({', '.join(FORMATS)}) in this folder"
        if not recursive and any(is_folder(child) for child in Path(folder).iterdir()):
            message += "; pass --recursive to look into its folders"
        raise ImpastoError(message)
    return found


def walk(folder: str, *, recursive: bool, skip: Callable[[str], bool]) -> Iterator[str]:
    """Yield the pictures of a folder; see :func:`list_pictures`.

    Raises:
        ImpastoError: a folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            seen = {entry.name: entry for entry in entries if not entry.name.startswith(".")}
    except OSError as error:
        message = f"{folder}: cannot be read ({error.strerror})"
        raise ImpastoError(message) from None
    folders = {name for name, entry in seen.items() if _leads_to_folder(entry)}
    place = "" if folder == os.curdir else os.path.join(folder, "")  # noqa: PTH118
    suffixes = tuple(FORMATS)
    for name in sorted(seen):
        if name.lower().endswith(suffixes) and name not in folders:
            yield place + name
    for name in sorted(folders) if recursive else ():
        if not seen[name].is_symlink() and not skip(place + name):
            yield from walk(place + name, recursive=True, skip=skip)


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    # DirEntry.is_dir raises for a link that leads to itself
    return is_folder(entry.path) if entry.is_symlink() else entry.is_dir(follow_symlinks=False)


def examine(source: str | Path) -> tuple[os.stat_result | None, str]:
    """Return the status of a file that can be tried, and why it cannot, or an empty text."""
    try:
        status = os.stat(source)  # noqa: PTH116 - a Path costs more than the question
    except FileNotFoundError:
        return None, "no such file"
    except OSError as error:
        return None, f"cannot be read ({error.strerror})"
    return (status, "") if stat.S_ISREG(status.st_mode) else (None, "not a file")
