"""What an output folder holds already: the memory behind ``--resume``.

A line of JSON is appended for each picture after its temporary file is safe and before
that is renamed into place. So a line without its file means work to be done again, a
file that differs from its line is not ours to trust, and a line cut short by a crash
is no line.
"""

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.errors import OutputError
from runner.folders import MANIFEST_NAME


@dataclass(frozen=True)
class Settings:
    """Everything besides the photo that decides what a painting looks like."""

    model: str  # SHA-256 of the ONNX file
    style: str
    strength: float
    keep_color: bool
    size: int | None
    quality: int
    precision: str


@dataclass(frozen=True)
class Stamp:
    """A file as the file system tells it: bytes, and modification time in nanoseconds."""

    size: int
    modified_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        """Take the stamp from a file's status."""
        return cls(status.st_size, status.st_mtime_ns)


class Manifest:
    """The painted pictures of one folder.

    Args:
        folder: the output folder.
        settings: of this run.

    Raises:
        OutputError: the manifest exists and cannot be read.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._path = folder / MANIFEST_NAME
        self._settings = asdict(settings)
        self._lock = threading.Lock()
        self._lines: dict[tuple[str, str], dict[str, object]] = {}
        for line in self._read():
            try:
                entry = json.loads(line)
                # of a time when there was no other
                entry["settings"].setdefault("precision", "fp32")
                self._lines[entry["input"], entry["output"]] = entry
            except (ValueError, KeyError, TypeError, AttributeError):
                continue

    def knows(self, source: Path, output: Path) -> bool:
        """Tell whether ``output`` was painted from this very ``source`` with these settings."""
        entry = self._lines.get(self._key(source, output))
        if entry is None:
            return False
        try:
            expected = self._describe(source, output, Stamp.of(output.stat()))
        except OSError:
            return False
        return entry == expected

    def add(self, source: Path, output: Path, painted: os.stat_result) -> None:
        """Remember that ``output`` is about to appear with this status.

        Raises:
            OutputError: the disk refuses.
        """
        try:
            entry = self._describe(source, output, Stamp.of(painted))
            # ASCII: a name may hold what other readers take for the end of a line.
            line = json.dumps(entry).encode("ascii")
            with self._lock, self._path.open("ab") as file:
                # The newline in front ends a line that a crash may have cut short.
                file.write(b"\n" + line + b"\n")
        except OSError as error:
            message = f"{self._path}: cannot be written ({error.strerror})"
            raise OutputError(message) from None

    def _read(self) -> list[str]:
        try:
            return self._path.read_text("utf-8", "replace").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            message = f"{self._path}: cannot be read ({error.strerror}); remove it to start anew"
            raise OutputError(message) from None

    def _key(self, source: Path, output: Path) -> tuple[str, str]:
        return self._relate(source), self._relate(output)

    def _relate(self, path: Path) -> str:
        """Name a file from the folder, so that photos and paintings may move together."""
        try:
            return os.path.relpath(path.resolve(), self._folder.resolve())
        except ValueError:  # on another drive
            return str(path.resolve())

    def _describe(self, source: Path, output: Path, painted: Stamp) -> dict[str, object]:
        name, target = self._key(source, output)
        return {
            "input": name,
            "input_stamp": asdict(Stamp.of(source.stat())),
            "output": target,
            "output_stamp": asdict(painted),
            "settings": self._settings,
        }
