"""Which model files there are, and whether they have changed."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from runner.model import COLLECTION, SHIPPED

LOG = logging.getLogger("impasto.service")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
COLLECTION_NAME = "style-fast"


@dataclass(frozen=True)
class Signature:
    """What tells one state of a file from another without reading it."""

    modified_ns: int
    bytes: int
    inode: int


def read_signature(path: Path) -> Signature | None:
    """Return a file's signature, or None where there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return Signature(status.st_mtime_ns, status.st_size, status.st_ino)


def list_files(folder: Path | None) -> dict[str, Path]:
    """Return the model files by the names that clients use: their stems.

    The collection that ships with the package is always there; a file of ``folder`` takes the
    place of one with the same name. Files whose stems are no names are left out.
    """
    files = {
        COLLECTION_NAME if path.name == COLLECTION.name else path.stem: path
        for path in SHIPPED.glob("*.onnx")
    }
    if folder is None:
        return files
    for path in sorted(folder.glob("*.onnx")):
        if NAME.fullmatch(path.stem):
            files[path.stem] = path
        else:
            LOG.debug("%s is left out: its name must match %s", path.name, NAME.pattern)
    return files
