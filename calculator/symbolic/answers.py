"""What ``impasto shapes`` answers where a size or the batch is a letter."""

from calculator.errors import CalculatorError
from calculator.reading.sources import read_any
from calculator.reports.columns import choose_columns
from calculator.symbolic.letters import is_symbolic
from calculator.symbolic.rendering import render_csv, render_json, render_markdown, render_table
from calculator.symbolic.reports import summarize_symbolic
from calculator.symbolic.templates import Read

__all__ = ["answer_symbolic", "is_symbolic"]


def answer_symbolic(
    network: str,
    input_text: str | None,
    batch_text: str = "1",
    *,
    form: str = "table",
    columns: str | None = None,
    read: Read = read_any,
) -> str:
    """Return the layer table of a network with expressions in letters.

    Args:
        network: a name, a line of the grammar, or a file.
        input_text: such as ``3xHxW``; None for the network's own.
        batch_text: such as ``N`` or ``1``.
        form: ``table``, ``json``, ``csv`` or ``markdown``.
        columns: as :func:`calculator.reports.columns.choose_columns` reads them.
        read: ``calculator.parse`` for text from strangers, which opens no file.

    Raises:
        CalculatorError: a text cannot be read, no input works, the layers fit at some sizes
            only, or the columns do not go with the form.
    """
    if form == "json" and columns is not None:
        message = "--columns does not go with --format json, which holds everything; use csv"
        raise CalculatorError(message)
    chosen = choose_columns(columns) if columns is not None else None
    symbolic = summarize_symbolic(network, input_text, batch_text, read=read)
    if form == "json":
        return render_json(symbolic)
    renderers = {"table": render_table, "csv": render_csv, "markdown": render_markdown}
    if form not in renderers:
        known = ", ".join([*renderers, "json"])
        message = f"--format {form} does not go with letters; use {known}, or give numbers"
        raise CalculatorError(message)
    return renderers[form](symbolic, chosen)
