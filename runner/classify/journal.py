"""What a results file will hold: the memory behind ``--resume``.

While a run goes on, a line of JSON per picture is appended to a hidden file beside the
results, which are written from it as a whole in the end. A line holds the picture's size and
modification time, the settings and the ranking. A line that a crash has cut short is no line,
and a picture that has changed since its line was written is classified again.
"""

import json
import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from runner.classify.jobs import Job
from runner.classify.lines import LineWriter
from runner.classify.settings import Settings
from runner.errors import OutputError
from runner.files import hide
from runner.inputs import STANDARD

if TYPE_CHECKING:
    from runner.classify.predictions import Ranking

UNKNOWN = -1  # the place of a line that is not there


class Journal:
    """The lines of one results file.

    Args:
        output: the results file, which need not exist.
        jobs: of this run, in order.
        settings: of this run.
        resume: keep the lines of an earlier run; else they are dropped.

    Raises:
        OutputError: the journal cannot be read or written.
    """

    def __init__(
        self, output: Path, jobs: Sequence[Job], settings: Settings, *, resume: bool
    ) -> None:
        self.path = journal_name(output)
        self._jobs = jobs
        self._settings = settings.digest()
        self._lines = LineWriter(output, self._settings)
        self._places = array("q", [UNKNOWN]) * len(jobs)
        self._published: tuple[int, int] | None = None
        make_folder(output.parent)
        try:
            self._file = self.path.open("r+b" if resume and self.path.exists() else "w+b")
            if resume:
                self._read()
            self._end = self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise self._explain(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError as failure:
            if error is None:  # else the disk has refused before, and that was told
                raise self._explain(failure) from None

    def knows(self, number: int) -> bool:
        """Tell whether the picture of job ``number`` has a line that still holds."""
        return self._places[number] != UNKNOWN

    def knows_results(self, status: os.stat_result) -> bool:
        """Tell whether results with this status were written from this journal."""
        return self._published == (status.st_size, status.st_mtime_ns)

    def add(self, number: int, ranking: "Ranking") -> None:
        """Append the line of job ``number``; it reaches the system with :meth:`flush`.

        Args:
            number: of the job.
            ranking: of float32 values.

        Raises:
            OutputError: the disk refuses.
        """
        self._places[number] = self._end
        self._append(self._lines.write(self._jobs[number], ranking))

    def append(self, lines: str) -> None:
        """Append lines that a :class:`LineWriter` has written elsewhere.

        A later run knows them; :meth:`knows` and :meth:`rankings` of this one do not.

        Raises:
            OutputError: the disk refuses.
        """
        self._append(lines)
        self.flush()

    def add_results(self, status: os.stat_result) -> None:
        """Append that results with this status are about to appear.

        Raises:
            OutputError: the disk refuses.
        """
        results = {"size": status.st_size, "modified_ns": status.st_mtime_ns}
        self._append(json.dumps({"results": results}) + "\n")
        self.flush()

    def flush(self) -> None:
        """Hand all lines to the system.

        Raises:
            OutputError: the disk refuses.
        """
        try:
            self._file.flush()
        except OSError as error:
            raise self._explain(error) from None

    def rankings(self, numbers: Iterable[int]) -> "Iterator[Ranking]":
        """Yield the rankings of known jobs, read from the disk one by one."""
        self.flush()
        for number in numbers:
            self._file.seek(self._places[number])
            entry = json.loads(self._file.readline())
            indices, values = zip(*entry["ranking"], strict=True)
            yield tuple(zip(indices, array("f", values), strict=True))
        self._file.seek(0, os.SEEK_END)

    def _append(self, line: str) -> None:
        data = line.encode("ascii")
        try:
            self._file.write(data)
        except OSError as error:
            raise self._explain(error) from None
        self._end += len(data)

    def _read(self) -> None:
        """Find the lines of this run's jobs, and end a line that a crash has cut short."""
        numbers = {
            (self._lines.name(job), job.size, job.modified_ns): number
            for number, job in enumerate(self._jobs)
            if not job.fault and job.source != STANDARD
        }
        place, line = 0, b"\n"
        for line in self._file:
            self._learn(line, place, numbers)
            place += len(line)
        if not line.endswith(b"\n"):
            self._file.seek(0, os.SEEK_END)
            self._file.write(b"\n")

    def _learn(self, line: bytes, place: int, numbers: dict[tuple[Any, ...], int]) -> None:
        try:
            entry = json.loads(line)
            if "results" in entry:
                results = entry["results"]
                self._published = (results["size"], results["modified_ns"])
                return
            number = numbers.get((entry["input"], entry["size"], entry["modified_ns"]))
            whole = [(int(index), float(value)) for index, value in entry["ranking"]]
            if number is not None and entry["settings"] == self._settings and whole:
                self._places[number] = place
        except (ValueError, KeyError, TypeError, RecursionError):
            return

    def _explain(self, error: OSError) -> OutputError:
        message = f"{self.path}: cannot be written ({error.strerror or error})"
        return OutputError(message)


def journal_name(output: Path) -> Path:
    """Return where the journal of a results file stands."""
    return hide(output, ".impasto-journal.jsonl")


def make_folder(folder: Path) -> None:
    """Make the folder of the results.

    Raises:
        OutputError: something is in the way.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder}: cannot be made a folder for the results ({error.strerror})"
        raise OutputError(message) from None
