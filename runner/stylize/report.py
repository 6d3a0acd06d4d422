"""Telling how a batch of paintings goes: lines, JSON lines, or a bar on a terminal."""

import json
import sys
from dataclasses import asdict

from runner.files import write_standard
from runner.report import BarReport, Report
from runner.stylize.batch import Row

FIELDS = (
    *("input", "output", "status", "error", "width", "height", "style", "seconds"),
    "precision",
)
DONE = "painted"


class LineReport(Report[Row]):
    """A plain line per painting on standard error."""

    def show(self, row: Row) -> None:
        """Print what became of a picture that was painted or skipped."""
        if row.status == "ok" and row.output != "-":
            self.say(f"{row.output}  {row.width}x{row.height}  {row.seconds:.2f} s")
        elif row.status == "skipped":
            self.say(f"{row.output}  painted before")


class JsonReport(Report[Row]):
    """One JSON object per picture on standard output."""

    def show(self, row: Row) -> None:
        """Print the row."""
        values = asdict(row)
        # ASCII: also names that are not valid UTF-8, or hold what some take for the end of
        # a line, come through whole.
        line = json.dumps({field: values[field] for field in FIELDS})
        write_standard(line.encode("ascii") + b"\n")


def choose_report(total: int, *, as_json: bool, one: bool) -> Report[Row]:
    """Return the report that fits the options and the terminal."""
    if as_json:
        return JsonReport(total, DONE)
    if sys.stderr.isatty() and not one:
        return BarReport(total, DONE)
    return LineReport(total, DONE)
