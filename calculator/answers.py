"""What the commands answer, as text."""

from typing import TYPE_CHECKING, cast

from calculator.errors import CalculatorError
from calculator.reading.sources import parse_shape, read_any
from calculator.reports.columns import choose_columns
from calculator.reports.rendering import render_csv, render_json, render_markdown, render_table
from calculator.summary import Report, summarize

if TYPE_CHECKING:
    from calculator.arithmetic.units import Unit


def make_report(network: str, input_text: str | None, *, batch: int) -> Report:
    """Read a network and count everything."""
    shape = None if input_text is None else parse_shape(input_text)
    return summarize(read_any(network, input_shape=shape), batch=batch)


def answer_explain(
    network: str, input_text: str | None, *, batch: int = 1, layer: str | None = None
) -> str:
    """Return the derivations of one layer of a network, or of all of them and the totals.

    Args:
        network: a name, a line of the grammar, or a file.
        input_text: ``3x224x224`` instead of the network's own.
        batch: N, at least 1.
        layer: name of one layer; None for all.

    Raises:
        CalculatorError: the network cannot be read, or has no such layer.
    """
    from calculator.teaching.explanation import explain, render_explanations  # noqa: PLC0415 - only here

    return render_explanations(explain(make_report(network, input_text, batch=batch), layer))


def answer_compare(
    first: str, second: str, *, input_text: str | None = None, batch: int = 1
) -> str:
    """Return where two networks differ.

    Args:
        first: a name, a line of the grammar, or a file.
        second: likewise.
        input_text: ``3x224x224`` for both, instead of their own.
        batch: N, at least 1.

    Raises:
        CalculatorError: a network cannot be read.
    """
    from calculator.teaching.comparison import compare, render_comparison  # noqa: PLC0415 - only here

    reports = [make_report(network, input_text, batch=batch) for network in (first, second)]
    return render_comparison(compare(*reports))


def answer_why(network: str, number: str, *, input_text: str | None = None, batch: int = 1) -> str:
    """Return which counting conventions make a number.

    Args:
        network: a name, a line of the grammar, or a file.
        number: such as ``138.4M``.
        input_text: ``3x224x224`` instead of the network's own.
        batch: N, at least 1.

    Raises:
        CalculatorError: the network or the number cannot be read.
    """
    from calculator.teaching.counting import find_conventions, render_matches  # noqa: PLC0415 - only here

    report = make_report(network, input_text, batch=batch)
    return render_matches(find_conventions(report, number), number)


def answer_shapes(
    network: str,
    input_text: str | None,
    *,
    batch: int = 1,
    form: str = "table",
    columns: str | None = None,
    unit: str | None = None,
) -> str:
    """Return the layer table of a network.

    Args:
        network: a name, a line of the grammar, or a file.
        input_text: ``3x224x224`` instead of the network's own.
        batch: N, at least 1.
        form: ``table``, ``json``, ``csv`` or ``markdown``.
        columns: as :func:`calculator.columns.choose_columns` reads them.
        unit: of counts and bytes, one of ``calculator.units.UNITS``.

    Raises:
        CalculatorError: the network cannot be read, or an option does not go with the form.
    """
    if form in ("json", "csv") and unit is not None:
        message = f"--unit {unit} does not go with --format {form}, whose numbers are exact"
        raise CalculatorError(message)
    if form == "json" and columns is not None:
        message = "--columns does not go with --format json, which holds everything; use csv"
        raise CalculatorError(message)
    chosen = choose_columns(columns) if columns is not None else None
    report = make_report(network, input_text, batch=batch)
    exact = cast("Unit", unit or "1")
    if form == "json":
        return render_json(report)
    if form == "csv":
        return render_csv(report, chosen)
    if form == "markdown":
        return render_markdown(report, chosen, unit=exact)
    return render_table(report, chosen, unit=exact)
