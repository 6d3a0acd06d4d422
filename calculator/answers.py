"""What the commands answer, as text."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from calculator.errors import CalculatorError
from calculator.reading.sources import parse_shape, read_any
from calculator.reports.columns import choose_columns
from calculator.reports.rendering import render_csv, render_json, render_markdown, render_table
from calculator.summary import Report, summarize

if TYPE_CHECKING:
    from calculator.arithmetic.units import Unit


LETTER = re.compile("[A-Z]")
MOST_SAMPLES = 1_000_000_000
FORMS = ("table", "json", "csv", "markdown", "svg")


@dataclass(frozen=True)
class Question:
    """What a user asks about.

    Args:
        network: a name, a line of the grammar, a file, or ``module:attribute``.
        input_text: ``3x224x224`` or ``3xHxW`` instead of the network's own; None for that.
        batch_text: N, a number of at least 1 or a letter.
    """

    network: str
    input_text: str | None = None
    batch_text: str = "1"

    @property
    def is_symbolic(self) -> bool:
        """Whether a letter stands for a size or for the batch."""
        texts = (self.network.partition("|")[0], self.input_text or "", self.batch_text)
        if not any(LETTER.search(text) for text in texts):
            return False
        from calculator.symbolic.letters import is_symbolic  # noqa: PLC0415 - only for letters

        return is_symbolic(self.network, self.input_text, self.batch_text)

    def report(self) -> Report:
        """Read the network and count everything.

        Raises:
            CalculatorError: the network, the input or the batch cannot be read.
        """
        if not self.batch_text.isascii() or not self.batch_text.isdigit():
            message = f"batch {self.batch_text!r:.40} must be a number of at least 1, or a letter"
            raise CalculatorError(message)
        batch = int(self.batch_text[:20])
        if not 1 <= batch <= MOST_SAMPLES:
            message = f"batch {self.batch_text:.40} is not in the range 1 to {MOST_SAMPLES:,}"
            raise CalculatorError(message)
        return make_report(self.network, self.input_text, batch=batch)


def make_report(network: str, input_text: str | None, *, batch: int) -> Report:
    """Read a network and count everything."""
    shape = None if input_text is None else parse_shape(input_text)
    return summarize(read_any(network, input_shape=shape), batch=batch)


def answer_explain(question: Question, *, layer: str | None = None, language: str = "en") -> str:
    """Return the derivations of one layer of a network, or of all of them and the totals.

    Args:
        question: the network; with numbers for all sizes.
        layer: name of one layer; None for all.
        language: ``en`` or ``ko``.

    Raises:
        CalculatorError: the network cannot be read, or has no such layer.
    """
    from calculator.teaching.explanation import explain, render_explanations  # noqa: PLC0415
    from calculator.teaching.language import to_language  # noqa: PLC0415 - both only here

    if question.is_symbolic:
        message = "--explain needs numbers for all sizes; give for example --input 3x224x224"
        raise CalculatorError(message)
    chosen = to_language(language)
    return render_explanations(explain(question.report(), layer, language=chosen), chosen)


def answer_compare(
    first: str, second: str, *, input_text: str | None = None, batch: int = 1
) -> str:
    """Return where two networks differ.

    Args:
        first: a name, a line of the grammar, a file, or ``module:attribute``.
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
        network: a name, a line of the grammar, a file, or ``module:attribute``.
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
    question: Question,
    *,
    form: str = "table",
    columns: str | None = None,
    unit: str | None = None,
) -> str:
    """Return the layer table of a network.

    Args:
        question: the network; letters for sizes give expressions.
        form: one of ``FORMS``.
        columns: as :func:`calculator.reports.columns.choose_columns` reads them.
        unit: of counts and bytes, one of ``calculator.arithmetic.units.UNITS``.

    Raises:
        CalculatorError: the network cannot be read, or an option does not go with the form.
    """
    check_form(form, columns, unit)
    if question.is_symbolic:
        return answer_letters(question, form, columns, unit=unit)
    chosen = choose_columns(columns) if columns is not None else None
    report = question.report()
    if form == "svg":
        from calculator.drawing.svg import render_svg  # noqa: PLC0415 - only for drawings

        return render_svg(report)
    exact = cast("Unit", unit or "1")
    if form == "json":
        return render_json(report)
    if form == "csv":
        return render_csv(report, chosen)
    if form == "markdown":
        return render_markdown(report, chosen, unit=exact)
    return render_table(report, chosen, unit=exact)


def check_form(form: str, columns: str | None, unit: str | None) -> None:
    """Refuse options that a form has no use for.

    Raises:
        CalculatorError: there is such an option.
    """
    if form in ("json", "csv") and unit is not None:
        message = f"--unit {unit} does not go with --format {form}, whose numbers are exact"
        raise CalculatorError(message)
    if form == "svg" and (unit is not None or columns is not None):
        message = "--unit and --columns do not go with --format svg, which is a drawing"
        raise CalculatorError(message)
    if form == "json" and columns is not None:
        message = "--columns does not go with --format json, which holds everything; use csv"
        raise CalculatorError(message)


def answer_letters(question: Question, form: str, columns: str | None, *, unit: str | None) -> str:
    """Return the layer table of a network some of whose sizes are letters.

    Raises:
        CalculatorError: the network cannot be read, or an option needs numbers.
    """
    if form == "svg" or unit is not None:
        option = "--format svg" if form == "svg" else f"--unit {unit}"
        message = f"{option} needs numbers for all sizes; give for example --input 3x224x224"
        raise CalculatorError(message)
    from calculator.symbolic.answers import answer_symbolic  # noqa: PLC0415 - only for letters

    return answer_symbolic(
        question.network, question.input_text, question.batch_text, form=form, columns=columns
    )
