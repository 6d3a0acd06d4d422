"""Where results go: standard output as they come, or one file that is whole or not there."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from runner.classify.jobs import Job
from runner.classify.journal import Journal
from runner.classify.rows import Row, RowWriter
from runner.errors import OutputError
from runner.files import publish, temporary_name, write_standard
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

    def add_texts(self, numbers: Sequence[int], texts: Sequence[str], lines: str) -> None:
        """Take the rows of some jobs that are text already.

        Args:
            numbers: of the jobs.
            texts: a row for each.
            lines: of the journal, for those that did not fail.

        Raises:
            OutputError: see :meth:`add`.
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

    def add(self, numbers: Sequence[int], rows: Sequence[Row]) -> None:
        """Print the rows, the first ones below the header.

        Raises:
            BrokenPipeError: nobody reads on.
            OutputError: see :class:`Results`.
        """
        self.add_texts(numbers, [self._writer.write(row) for row in rows], "")

    def add_texts(self, numbers: Sequence[int], texts: Sequence[str], lines: str) -> None:  # noqa: ARG002 - see Results
        """Print rows that are text already; see :meth:`add`."""
        header = "" if self._begun else self._writer.header
        self._begun = True
        write_standard((header + "".join(texts)).encode())

    def finish(self) -> None:
        """Do nothing: all is printed."""


class FileResults:
    """Rows in a journal and, in the order of the jobs, in a file that becomes the results.

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
        self._part = PartFile(output)
        self._written = 0  # jobs whose rows stand in the part

    def __enter__(self) -> Self:
        self._part.write(self._writer.header)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._part.discard()

    def knows(self, number: int) -> bool:
        """Tell whether an earlier run has classified the picture of job ``number``."""
        return self._journal.knows(number)

    def add(self, numbers: Sequence[int], rows: Sequence[Row]) -> None:
        """Remember the rows; those that failed will be tried again by a resumed run."""
        for number, row in zip(numbers, rows, strict=True):
            if not row.error:
                self._journal.add(number, row.ranking)
        self._journal.flush()
        self._write(numbers, [self._writer.write(row) for row in rows])

    def add_texts(self, numbers: Sequence[int], texts: Sequence[str], lines: str) -> None:
        """Remember rows that are text already; see :meth:`add`."""
        self._journal.append(lines)
        self._write(numbers, texts)

    def finish(self) -> None:
        """Bring the file to its place."""
        self._add_known(len(self._jobs))
        self._journal.add_results(self._part.finish())
        publish(self._output)

    def _write(self, numbers: Sequence[int], texts: Sequence[str]) -> None:
        """Write the rows of some jobs, with those of an earlier run between them."""
        begun = 0
        for place, number in enumerate(numbers):
            if number != self._written:
                self._part.write("".join(texts[begun:place]))
                begun = place
                self._add_known(number)
            self._written = number + 1
        self._part.write("".join(texts[begun:]))

    def _add_known(self, end: int) -> None:
        """Write the rows of an earlier run before job ``end``, all of which the journal knows."""
        if self._written == end:
            return
        rankings = self._journal.rankings(range(self._written, end))
        for job, ranking in zip(self._jobs[self._written : end], rankings, strict=True):
            self._part.write(self._writer.write(Row(job.source, "ok", None, ranking)))
        self._written = end


class PartFile:
    """The temporary file beside a file, written piece by piece; see :mod:`runner.files`.

    Args:
        path: what it will be called in the end.

    Raises:
        OutputError: here and below, the folder or the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = temporary_name(path)
        with self._explain():
            self._file = self._temporary.open("wb")

    def write(self, text: str) -> None:
        """Append a text."""
        with self._explain():
            self._file.write(text.encode())

    def finish(self) -> os.stat_result:
        """Bring all to the disk; return the status, which renaming keeps."""
        with self._explain():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            return self._temporary.stat()

    def discard(self) -> None:
        """Remove what was not published."""
        with suppress(OSError):  # a full disk refuses what is still to be written, too
            self._file.close()
        with suppress(OSError):
            self._temporary.unlink()

    @contextmanager
    def _explain(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"{self._path}: cannot be written ({error.strerror or error})"
            raise OutputError(message) from None


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
    if is_picture(output, jobs):
        message = f"{output}: the results would overwrite a picture; choose another output"
        raise OutputError(message)
    if not (overwrite or resume):
        message = f"{output} exists; pass --overwrite to replace it"
        raise OutputError(message)


def is_picture(output: Path, jobs: Sequence[Job]) -> bool:
    """Tell whether a file that exists is one of the pictures, by whatever name."""
    if not output.exists():  # a link that leads nowhere
        return False
    status, place = output.stat(), os.path.realpath(output)
    return any(
        # Few agree in size and time: following the names of thousands takes a tenth of a second.
        (job.size, job.modified_ns) == (status.st_size, status.st_mtime_ns)
        and os.path.realpath(job.source) == place
        for job in jobs
    )


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
