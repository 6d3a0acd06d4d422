"""Results as text: a table, JSON lines or CSV."""

import csv
import io
import json
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from runner.report import make_printable

if TYPE_CHECKING:
    from runner.classify.predictions import Ranking

quote = json.JSONEncoder().encode  # json.dumps, without the search for other ways to encode
PREDICTION = '{"index": %d, "label": %s, "probability": %.6g}'
TABLE_WIDTH = 80
LABEL_WIDTH = 30  # of the table's column, at most
SHARE_WIDTH = len("probability")
CSV_HEADER = ("input", "status", "error", "rank", "index", "label", "probability")


@cache
def repeat(template: str, count: int) -> str:
    """Return one template for some values: to fill one for each takes twice as long."""
    return ", ".join([template] * count)


class Row(NamedTuple):
    """What became of one picture; ``status`` is ``ok``, ``failed`` or ``skipped``.

    A tuple, because it is made faster than a dataclass, and there are thousands.
    """

    input: str
    status: str
    error: str | None = None
    ranking: "Ranking" = ()
    remarks: tuple[str, ...] = ()


class RowWriter(Protocol):
    """Turns rows into text."""

    @property
    def header(self) -> str:
        """What comes before the first row."""

    def write(self, row: Row) -> str:
        """Return the lines of one row, with their line ends."""


class JsonWriter:
    """One object per picture and line: input, status, error and predictions.

    Args:
        labels: of the classes.
    """

    header = ""

    def __init__(self, labels: Sequence[str]) -> None:
        # ASCII: also names that are not valid UTF-8, or hold what some take for the end of
        # a line, come through whole.
        self._labels = [json.dumps(label) for label in labels]

    def write(self, row: Row) -> str:
        """Return the line of one row."""
        values: list[object] = []
        for index, value in row.ranking:
            values += (index, self._labels[index], value)
        predictions = repeat(PREDICTION, len(row.ranking)) % tuple(values)
        # A skipped picture was classified by an earlier run, whose result this is.
        status = "failed" if row.status == "failed" else "ok"
        return (
            f'{{"input": {quote(row.input)}, "status": "{status}", '
            f'"error": {quote(row.error) if row.error else "null"}, '
            f'"predictions": [{predictions}]}}\n'
        )


class CsvWriter:
    """One line per prediction (RFC 4180), and one without any for a picture that failed.

    Args:
        labels: of the classes.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self.header = join_csv([CSV_HEADER])

    def write(self, row: Row) -> str:
        """Return the lines of one row."""
        if row.status == "failed":
            return join_csv([(row.input, "failed", row.error or "", "", "", "", "")])
        return join_csv(
            [
                (row.input, "ok", "", place, index, self._labels[index], f"{value:.6g}")
                for place, (index, value) in enumerate(row.ranking, 1)
            ]
        )


def join_csv(lines: Sequence[Sequence[object]]) -> str:
    """Return lines of CSV; a name that is not valid UTF-8 keeps its bytes in backslashes."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode("utf-8", "backslashreplace").decode()


class TableWriter:
    """Columns of 80 characters for the eye: picture, label, probability.

    Args:
        labels: of the classes.
        cut: cut long names of pictures, which a terminal would break; keep them elsewhere.
    """

    def __init__(self, labels: Sequence[str], *, cut: bool = True) -> None:
        longest = max(*map(len, labels), len("label"))
        self._labels = [shorten_behind(make_printable(label), LABEL_WIDTH) for label in labels]
        self._label_width = min(longest, LABEL_WIDTH)
        self._input_width = TABLE_WIDTH - self._label_width - SHARE_WIDTH - 4
        self._cut = cut
        self.header = self._line("input", "label", "probability")

    def write(self, row: Row) -> str:
        """Return the lines of one row; the name stands on the first."""
        name = make_printable(row.input)
        if self._cut:
            name = shorten_front(name, self._input_width)
        if row.status == "failed":
            return self._line(name, "failed", "")
        names = [name] + [""] * (len(row.ranking) - 1)
        return "".join(
            self._line(name, self._labels[index], f"{value:.1%}")
            for name, (index, value) in zip(names, row.ranking, strict=True)
        )

    def _line(self, name: str, label: str, share: str) -> str:
        line = f"{name:<{self._input_width}}  {label:<{self._label_width}}  {share:>{SHARE_WIDTH}}"
        return line.rstrip() + "\n"


def shorten_front(text: str, width: int) -> str:
    """Keep the end of a text that is too long: names of pictures differ there."""
    return text if len(text) <= width else "…" + text[len(text) - width + 1 :]


def shorten_behind(text: str, width: int) -> str:
    """Keep the beginning of a text that is too long."""
    return text if len(text) <= width else text[: width - 1] + "…"


def make_writer(form: str, labels: Sequence[str], *, cut: bool) -> RowWriter:
    """Return the writer for ``table``, ``json`` or ``csv``."""
    if form == "json":
        return JsonWriter(labels)
    return CsvWriter(labels) if form == "csv" else TableWriter(labels, cut=cut)
