"""Symbolic reports as text: plain table, Markdown, CSV and JSON.

Tables and Markdown name long quotients, such as H4 for floor((H - 7)/4); CSV and JSON, which
programs read, have every expression in full.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from textwrap import fill, wrap

from calculator.layers.shapes import render_shape
from calculator.reports.columns import COLUMNS, Column
from calculator.reports.rendering import LEFT, WIDTH, describe_input, to_values
from calculator.summary import CONVENTION
from calculator.symbolic.cells import COUNTS, Writer, list_sizes
from calculator.symbolic.notation import Notation
from calculator.symbolic.quantities import Quantity
from calculator.symbolic.reports import SymbolicReport

USUAL = ("layer", "kind", "window", "output", "params", "macs", "field")
DISPENSABLE = ("kind", "field", "window")  # dropped in this order where 80 are few
ALIGNED = LEFT | set(COUNTS)  # to the left
EXPRESSIONS = {"output", *COUNTS}
LABEL = 16  # characters
TOTALS = {
    "params": "parameters",
    "buffers": "buffers",
    "macs": "MACs",
    "connections": "connections",
    "activations": "activations",
    "forward": "forward bytes",
    "training": "training bytes",
}
KEYS = {
    "params": "params",
    "trainable_params": "params",
    "buffers": "buffers",
    "macs": "macs",
    "activations": "activations",
    "forward_bytes": "forward",
    "training_bytes": "training",
}
MEANING = (
    "Letters are any sizes from the smallest input on; floor rounds down, ceil up. Receptive "
    "fields are those of inputs larger than every window."
)


def make_writer(symbolic: SymbolicReport, *, named: bool, grouped: bool = True) -> Writer:
    """Return a writer with the notation of a report.

    Args:
        symbolic: what to write.
        named: give names to quotients.
        grouped: write thousands separators.
    """
    sizes = list_sizes(symbolic.report.rows)
    return Writer(symbolic, Notation(sizes, named=named, grouped=grouped))


def list_cells(writer: Writer, columns: Sequence[Column]) -> list[list[str]]:
    """Return heading and one line per layer."""
    rows = writer.symbolic.report.rows
    return [
        [column.key for column in columns],
        *([writer.write_cell(column, row) for column in columns] for row in rows),
    ]


def render_table(symbolic: SymbolicReport, columns: Sequence[Column] | None = None) -> str:
    """Return the layer table as plain text, at most 80 characters wide where that is possible.

    Args:
        symbolic: what to show.
        columns: shown as they are; None for the usual ones, of which the dispensable are
            left out, and named, where the table would be wider than 80 characters.
    """
    chosen = list(columns or (COLUMNS[key] for key in USUAL))
    writer, lines, left_out = fit_lines(symbolic, chosen, dispensable=columns is None)
    rule = "-" * max(map(len, lines))
    left = [f"left out to fit {WIDTH} characters: {', '.join(left_out)}"] if left_out else []
    totals = [line for text in list_totals(writer, chosen) for line in fold(*text)]
    names = align_names(writer.notation.define())
    head = [describe_input(symbolic.report), "", *names, *([""] if names else [])]
    body = [lines[0], rule, *lines[1:], rule, *left, "", *totals, ""]
    return "\n".join([*head, *body, fill(f"{MEANING} {CONVENTION}", WIDTH)])


def fit_lines(
    symbolic: SymbolicReport, columns: Sequence[Column], *, dispensable: bool
) -> tuple[Writer, list[str], list[str]]:
    """Return a table's writer, its lines, and the columns that were left out.

    Expressions stand in full where 80 characters suffice without the kinds of the layers.
    """
    for named, most in ((False, 1), (True, len(DISPENSABLE))):
        writer = make_writer(symbolic, named=named)
        cells = [list(column) for column in zip(*list_cells(writer, columns), strict=True)]
        for dropped in range(most + 1 if dispensable else 1):
            left_out = list(DISPENSABLE[:dropped])
            lines = align([column for column in cells if column[0] not in left_out])
            if max(map(len, lines)) <= WIDTH:
                return writer, lines, left_out
    if dispensable:
        lines = align([tighten(column) for column in cells if column[0] not in left_out])
    return writer, lines, left_out


def tighten(column: Sequence[str]) -> list[str]:
    """Return a column with expressions without spaces: ``(H-4)*(W-4)``."""
    return [cell.replace(" ", "") if column[0] in EXPRESSIONS else cell for cell in column]


def align(columns: Sequence[Sequence[str]]) -> list[str]:
    """Return lines in which every column has one width; expressions begin at its left."""
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(
            cell.ljust(width) if column[0] in ALIGNED else cell.rjust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ).rstrip()
        for line in zip(*columns, strict=True)
    ]


def align_names(definitions: Sequence[str]) -> list[str]:
    """Return definitions side by side, one column for each letter that begins their names."""
    groups: dict[str, list[str]] = {}
    for definition in definitions:
        groups.setdefault(re.split("[0-9]", definition)[0], []).append(definition)
    height = max(map(len, groups.values()), default=0)
    columns = [group + [""] * (height - len(group)) for group in groups.values()]
    widths = [max(map(len, column)) for column in columns]
    return [
        "    ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in zip(*columns, strict=True)
    ]


def list_totals(writer: Writer, columns: Sequence[Column]) -> list[tuple[str, str]]:
    """Return label and text of every total, and of the smallest input."""
    shown = {column.key for column in columns}
    totals = [
        (label, writer.write_total(key))
        for key, label in TOTALS.items()
        if key != "connections" or key in shown
    ]
    return [*totals, *describe_smallest(writer.symbolic)]


def describe_smallest(symbolic: SymbolicReport) -> list[tuple[str, str]]:
    """Return label and text of the smallest input; nothing where no size is a letter."""
    if not symbolic.leasts:
        return []
    text = render_shape(symbolic.smallest)
    if any(isinstance(side, Quantity) and len(str(side)) > 1 for side in list_input(symbolic)):
        text += f" ({', '.join(f'{name} = {least}' for name, least in symbolic.leasts.items())})"
    return [("smallest input", text)]


def list_input(symbolic: SymbolicReport) -> Sequence[object]:
    """Return the input's sides, integers and quantities."""
    return symbolic.report.network.input


def fold(label: str, text: str) -> list[str]:
    """Return a total on as many lines as it needs, broken between terms only."""
    kept = re.sub(r"\([^() ]+ [-+] [0-9,]+\)", lambda match: match[0].replace(" ", "\0"), text)
    kept = re.sub(r"([+-]) ", "\\1\0", kept)
    lines = wrap(kept, WIDTH - LABEL, break_long_words=False, break_on_hyphens=False)
    starts = [label.ljust(LABEL), *(" " * LABEL for _ in lines[1:])]
    return [start + line.replace("\0", " ") for start, line in zip(starts, lines, strict=True)]


def render_markdown(symbolic: SymbolicReport, columns: Sequence[Column] | None = None) -> str:
    """Return the layer table in Markdown, with names, totals and convention."""
    chosen = list(columns or (COLUMNS[key] for key in USUAL))
    writer = make_writer(symbolic, named=True)
    head, *body = list_cells(writer, chosen)
    rule = ["---" if column.key in ALIGNED else "---:" for column in chosen]
    quoted = [[quote(cell) for cell in line] for line in body]
    table = [f"| {' | '.join(line)} |" for line in (head, rule, *quoted)]
    totals = [f"- {label}: {quote(text)}" for label, text in list_totals(writer, chosen)]
    names = [f"- `{definition}`" for definition in writer.notation.define()]
    blocks = [[describe_input(symbolic.report)], names, table, totals, [f"{MEANING} {CONVENTION}"]]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def quote(text: str) -> str:
    """Return a cell with an asterisk, which would mean emphasis, as code."""
    return f"`{text}`" if "*" in text else text


def render_csv(symbolic: SymbolicReport, columns: Sequence[Column] | None = None) -> str:
    """Return one line per layer under a heading; all columns by default, nothing shortened."""
    import csv  # noqa: PLC0415 - only CSV needs it
    from io import StringIO  # noqa: PLC0415

    writer = replace(make_writer(symbolic, named=False, grouped=False), merged=False)
    head, *body = list_cells(writer, list(columns or COLUMNS.values()))
    text = StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(head)
    lines.writerows([["" if cell == "-" else cell for cell in line] for line in body])
    return text.getvalue().removesuffix("\n")


def render_json(symbolic: SymbolicReport) -> str:
    """Return the report as JSON.

    The shape is that of a report with numbers; what depends on letters is text, such as
    ``"64*H*W*N"``. ``smallest_input`` is added.
    """
    import json  # noqa: PLC0415 - only JSON needs it

    writer = make_writer(symbolic, named=False, grouped=False)
    values = to_values(symbolic.report)
    totals = {key: writer.write_total(count) for key, count in KEYS.items()}
    values["totals"] = {
        key: int(text) if text.isdigit() else None if text == "-" else text
        for key, text in totals.items()
    }
    values["smallest_input"] = list(symbolic.smallest)
    return json.dumps(values, ensure_ascii=False, indent=2, default=writer.notation.write)
