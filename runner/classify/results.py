"""Where results go: standard output as they come, or one file that is whole or not there."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from runner.classify.jobs import Job
from runner.classify.journal import Journal
from runner.classify.rows import Row, RowWriter
from runner.errors import OutputError
from runner.files import publish, write_parts, write_standard
from runner.inputs import is_folder


class Results(Protocol):
    """Takes the rows of a run."""

    def knows(self, number: int) -> bool:
        """Tell whether an earlier run has classified the picture of job ``number``."""

    def add(self, numbers: Sequence[int], rows: Sequence[Row]) -> None:
        """Take the rows of some jobs.

        Raises:
            OutputError: they cannot be written.
        """

    def finish(self) -> None:
        """Bring everything to its place, after all jobs.

        Raises:
            OutputError: it cannot be written.
        """


class StandardResults:
    """Rows on standard output, batch by batch.

    Args:
        writer: of the text.
    """

    def __init__(self, writer: RowWriter) -> None:
        self._writer = writer
        self._begun = False

    def knows(self, number: int) -> bool:  # noqa: ARG002 - see Results
        """Return False: what was printed once is not remembered."""
        return False

    def add(self, numbers: Sequence[int], rows: Sequence[Row]) -> None:  # noqa: ARG002 - see Results
        """Print the rows, the first ones below the header."""
        header = "" if self._begun else self._writer.header
        self._begun = True
        write_standard((header + "".join(map(self._writer.write, rows))).encode())

    def finish(self) -> None:
        """Do nothing: all is printed."""


class FileResults:
    """Rows in a journal, and in the end all together in one file.

    Args:
        output: the file.
        jobs: of the run, in order.
        journal: of the file.
        writer: of the text.
    """

    def __init__(
        self, output: Path, jobs: Sequence[Job], journal: Journal, writer: RowWriter
    ) -> None:
        self._output = output
        self._jobs = jobs
        self._journal = journal
        self._writer = writer
        self._faults: dict[int, str] = {}

    def knows(self, number: int) -> bool:
        """Tell whether an earlier run has classified the picture of job ``number``."""
        return self._journal.knows(number)

    def add(self, numbers: Sequence[int], rows: Sequence[Row]) -> None:
        """Remember the rows; those that failed will be tried again by a resumed run."""
        for number, row in zip(numbers, rows, strict=True):
            if row.error:
                self._faults[number] = row.error
            else:
                self._journal.add(number, row.ranking)
        self._journal.flush()

    def finish(self) -> None:
        """Write the file in the order of the jobs, and rename it into place."""
        status = write_parts(self._output, (text.encode() for text in self._texts()))
        self._journal.add_results(status)
        publish(self._output)

    def _texts(self) -> Iterator[str]:
        yield self._writer.header
        known = (number for number in range(len(self._jobs)) if number not in self._faults)
        rankings = self._journal.rankings(known)
        for number, job in enumerate(self._jobs):
            fault = self._faults.get(number)
            if fault:
                yield self._writer.write(Row(job.source, "failed", fault))
            else:
                yield self._writer.write(Row(job.source, "ok", None, next(rankings)))


def check_output(output: Path, jobs: Sequence[Job], *, overwrite: bool, resume: bool) -> None:
    """Refuse a results file that would take another file's place.

    With ``resume`` an existing one may still turn out to be an earlier run's; see
    :func:`check_known`.

    Raises:
        OutputError: it is a folder, one of the pictures, or exists.
    """
    if is_folder(output):
        message = f"{output}: a folder is in the way; name a file, such as {output}/results.jsonl"
        raise OutputError(message)
    if not os.path.lexists(output):
        return
    place = os.path.realpath(output)
    if any(os.path.realpath(job.source) == place for job in jobs):
        message = f"{output}: the results would overwrite a picture; choose another output"
        raise OutputError(message)
    if not (overwrite or resume):
        message = f"{output} exists; pass --overwrite to replace it"
        raise OutputError(message)


def check_known(output: Path, journal: Journal, *, overwrite: bool) -> None:
    """Refuse to replace an existing file that the journal did not make.

    Raises:
        OutputError: it is not known.
    """
    if overwrite or not os.path.lexists(output):
        return
    if not (output.exists() and journal.knows_results(output.stat())):
        message = (
            f"{output} exists; it is not known to be an earlier run's results; "
            "pass --overwrite to replace it"
        )
        raise OutputError(message)
