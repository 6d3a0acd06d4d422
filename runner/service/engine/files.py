"""Which model files there are, and whether they have changed."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from runner.model import COLLECTION, SHIPPED
from runner.precision import SIBLINGS, name_sibling, read_precision
from runner.properties import read_properties

LOG = logging.getLogger("impasto.service")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
COLLECTION_NAME = "style-fast"


@dataclass(frozen=True)
class Signature:
    """What tells one state of a file from another without reading it."""

    modified_ns: int
    bytes: int
    inode: int


Signatures = dict[Path, Signature | None]


def read_signature(path: Path) -> Signature | None:
    """Return a file's signature, or None where there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return Signature(status.st_mtime_ns, status.st_size, status.st_ino)


def read_signatures(path: Path) -> Signatures:
    """Return the signatures of a file and of its siblings, there or not."""
    siblings = (name_sibling(path, precision) for precision in SIBLINGS)
    return {file: read_signature(file) for file in (path, *siblings)}


def list_files(folder: Path | None) -> dict[str, Path]:
    """Return the model files by the names that clients use: their stems.

    The collection that ships with the package is always there; a file of ``folder`` takes the
    place of one with the same name. Files whose stems are no names are left out.
    """
    files = {
        COLLECTION_NAME if path.name == COLLECTION.name else path.stem: path
        for path in list_models(SHIPPED)
    }
    if folder is None:
        return files
    for path in list_models(folder):
        if NAME.fullmatch(path.stem):
            files[path.stem] = path
        else:
            LOG.debug("%s is left out: its name must match %s", path.name, NAME.pattern)
    return files


def list_models(folder: Path) -> list[Path]:
    """Return the ONNX files of a folder, without those that are siblings of another."""
    found = sorted(folder.glob("*.onnx"))
    siblings = {
        name_sibling(path, precision): (path, precision) for path in found for precision in SIBLINGS
    }
    return [path for path in found if path not in siblings or not is_sibling(path, *siblings[path])]


def is_sibling(path: Path, whole: Path, precision: str) -> bool:
    """Tell whether a file is what its name says: a network of fp32 in another precision.

    A foreign file says nothing of its precision, whatever it is called, and is a model itself.

    Args:
        path: of the file in question.
        whole: of the file beside it that would be the one in fp32.
        precision: which the name of the first one promises.
    """
    stated = [read_precision(read_properties(file)) for file in (path, whole)]
    return stated == [precision, "fp32"]
