"""Reports as text: plain table, Markdown, CSV and JSON."""

from collections.abc import Sequence
from textwrap import fill

from calculator.arithmetic.receptive import Field
from calculator.arithmetic.units import Unit, render_bytes, render_count
from calculator.layers.shapes import Borders, render_shape
from calculator.reports.columns import COLUMNS, USUAL, Column
from calculator.summary import CONVENTION, Report, Row

WIDTH = 80
DISPENSABLE = ("kind", "macs%", "window", "field")  # dropped in this order where 80 are few
LEFT = {"layer", "kind", "window", "output"}  # columns of words are aligned left


def list_cells(report: Report, columns: Sequence[Column], *, unit: Unit) -> list[list[str]]:
    """Return heading, one line per layer, and the totals."""
    return [
        [column.key for column in columns],
        *([column.render(row, report, unit=unit) for column in columns] for row in report.rows),
        [column.render_total(report, unit) for column in columns],
    ]


def align(cells: list[list[str]], columns: Sequence[Column]) -> list[str]:
    """Return lines in which every column has one width."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column.key in LEFT else cell.rjust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ).rstrip()
        for line in cells
    ]


def render_table(
    report: Report, columns: Sequence[Column] | None = None, *, unit: Unit = "1"
) -> str:
    """Return the layer table as plain text, at most 80 characters wide by default.

    Args:
        report: what to show.
        columns: shown as they are; None for the usual ones, of which the dispensable are
            left out, and named, where the table would be wider than 80 characters.
        unit: of counts and bytes; 1 is exact.
    """
    chosen = list(columns or (COLUMNS[key] for key in USUAL))
    lines = align(list_cells(report, chosen, unit=unit), chosen)
    left_out = []
    for key in DISPENSABLE if columns is None else ():
        if max(map(len, lines)) <= WIDTH:
            break
        left_out.append(key)
        chosen = [column for column in chosen if column.key != key]
        lines = align(list_cells(report, chosen, unit=unit), chosen)
    lines.insert(1, "-" * max(map(len, lines)))
    lines.insert(-1, lines[1])
    if left_out:
        lines.append(f"left out to fit {WIDTH} characters: {', '.join(left_out)}")
    return "\n".join([describe_input(report), "", *lines, "", *describe_totals(report, unit)])


def describe_input(report: Report) -> str:
    """Return the line above the table."""
    network = report.network
    return f"{network.name}: input {render_shape(network.input)}, batch {report.batch}"


def describe_totals(report: Report, unit: Unit) -> list[str]:
    """Return the totals and their convention in words."""
    counts = (
        ("parameters", render_count(report.params, unit)),
        ("buffers", render_count(report.buffers, unit)),
        ("MACs", render_count(report.macs, unit)),
        ("activations", render_count(report.activations, unit)),
        ("forward memory", render_bytes(report.forward.result, unit)),
        ("training memory", render_bytes(report.training.result, unit)),
    )
    lines = [f"{label:<16}{text}" for label, text in counts]
    return [*lines, "", fill(CONVENTION, WIDTH)]


def render_markdown(
    report: Report, columns: Sequence[Column] | None = None, *, unit: Unit = "1"
) -> str:
    """Return the layer table in Markdown, with totals and convention below."""
    chosen = list(columns or (COLUMNS[key] for key in USUAL))
    head, *body = list_cells(report, chosen, unit=unit)
    rule = ["---" if column.key in LEFT else "---:" for column in chosen]
    table = [f"| {' | '.join(line)} |" for line in (head, rule, *body)]
    totals = [f"- {line}" if line else "" for line in describe_totals(report, unit)[:-2]]
    return "\n".join([describe_input(report), "", *table, "", *totals, "", CONVENTION])


def render_csv(report: Report, columns: Sequence[Column] | None = None) -> str:
    """Return one line per layer under a heading; all columns by default, all numbers exact."""
    import csv  # noqa: PLC0415 - only CSV needs it
    from io import StringIO  # noqa: PLC0415

    chosen = list(columns or COLUMNS.values())
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.key for column in chosen])
    for row in report.rows:
        writer.writerow([to_csv_cell(column, row, report=report) for column in chosen])
    return text.getvalue().removesuffix("\n")


def to_csv_cell(column: Column, row: Row, *, report: Report) -> str:
    """Return an exact cell: digits without separators, empty where there is no value."""
    value = column.read(row, report)
    if value is None:
        return ""
    if isinstance(value, str | int):
        return str(value)
    return "x".join(str(entry) for entry in value)


def render_json(report: Report) -> str:
    """Return the report as JSON; :func:`to_values` documents its shape."""
    import json  # noqa: PLC0415 - only JSON needs it

    return json.dumps(to_values(report), ensure_ascii=False, indent=2)


def to_values(report: Report) -> dict[str, object]:
    """Return the report as plain values, in a shape that is kept stable.

    ``network``, ``input`` ``[C, H, W]`` without the batch, ``batch``, ``layers``, ``totals``,
    ``convention``. Lists per axis are null where there is no window; a padding whose two
    sides differ is ``[before, after]``; a jump that is no integer is text such as ``"1/2"``.
    """
    return {
        "network": report.network.name,
        "input": list(report.network.input),
        "batch": report.batch,
        "layers": [to_layer_values(row) for row in report.rows],
        "totals": {
            "params": report.params,
            "trainable_params": report.params,
            "buffers": report.buffers,
            "macs": report.macs,
            "activations": report.activations,
            "forward_bytes": report.forward.result,
            "training_bytes": report.training.result,
        },
        "convention": CONVENTION,
    }


def to_layer_values(row: Row) -> dict[str, object]:
    """Return one layer as plain values."""
    window, fields = row.derived.window, row.fields
    return {
        "name": row.node.name,
        "kind": row.node.layer.kind,
        "kernel": list(window.kernel) if window else None,
        "stride": list(window.stride) if window else None,
        "padding": to_padding_values(window.padding) if window else None,
        "dilation": list(window.dilation) if window else None,
        "groups": row.derived.groups,
        "output_shape": list(row.derived.shape),
        "params": row.params,
        "buffers": row.buffers,
        "macs": row.macs,
        "activations": row.activations.result,
        "receptive_field": [field.extent for field in fields] if fields else None,
        "jump": [to_jump_value(field) for field in fields] if fields else None,
        "start": [field.start for field in fields] if fields else None,
    }


def to_padding_values(padding: Borders) -> list[object]:
    """Return one number per axis, a pair where the two sides differ."""
    return [before if before == after else [before, after] for before, after in padding]


def to_jump_value(field: Field) -> int | str:
    """Return an integer, or ``"1/2"`` for a jump that is none."""
    return field.jump if isinstance(field.jump, int) else str(field.jump)
