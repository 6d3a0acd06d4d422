"""Every number of a layer as formula, substitution and result.

The lines are rendered from the very derivations that the table's numbers come from.
"""

from dataclasses import dataclass

from calculator.arithmetic.expressions import Derivation
from calculator.arithmetic.formulas import AXES
from calculator.arithmetic.receptive import Field
from calculator.errors import CalculatorError, suggest
from calculator.layers.shapes import render_shape
from calculator.reports.columns import render_window
from calculator.reports.rendering import WIDTH
from calculator.summary import Report, Row
from calculator.teaching.language import EXPLANATION, Language, wrap

MOST_EXTENTS = 8  # different extents of neighbouring units that one line lists


@dataclass(frozen=True)
class Explanation:
    """How the numbers of one layer, or of the whole network, come about.

    Args:
        title: what is explained.
        derivations: of its numbers.
        lines: the derivations as text, ``quantity = formula = substitution = result``; what
            rounding dropped follows in parentheses on a line of its own.
    """

    title: str
    derivations: tuple[Derivation, ...]
    lines: tuple[str, ...]


def explain(
    report: Report, layer: str | None = None, *, language: Language = "en"
) -> tuple[Explanation, ...]:
    """Show the work behind a report.

    Args:
        report: from :func:`calculator.summary.summarize`.
        layer: name of one layer; None for all of them and the totals.
        language: of titles and notes; formulas are the same in all.

    Raises:
        CalculatorError: there is no such layer.
    """
    if layer is None:
        rows = (explain_row(row, language) for row in report.rows)
        return (*rows, explain_totals(report, language))
    for row in report.rows:
        if row.node.name == layer:
            return (explain_row(row, language),)
    names = [row.node.name for row in report.rows]
    message = (
        f"{report.network.name} has no layer {layer!r}; its layers are "
        f"{', '.join(names)}{suggest(layer, names)}"
    )
    raise CalculatorError(message)


def explain_row(row: Row, language: Language = "en") -> Explanation:
    """Show the work behind one layer."""
    derived = row.derived
    inputs = EXPLANATION["and"].say(language).join(render_shape(shape) for shape in row.inputs)
    settings = "" if derived.window is None else f" {render_window(derived.window, derived.groups)}"
    title = f"{row.node.name} ({row.node.layer.kind}{settings}): {inputs} -> "
    counts = (row.activations, derived.params, derived.buffers, derived.macs)
    derivations = (
        *derived.sizes,
        *(derivation for derivation in counts if derivation is not None),
        row.forward,
        row.training,
    )
    lines = [line for derivation in derivations for line in describe(derivation, language)]
    return Explanation(
        title + render_shape(derived.shape),
        derivations,
        (*lines, *explain_fields(row.fields, language)),
    )


def describe(derivation: Derivation, language: Language = "en") -> list[str]:
    """Return a derivation and what its rounding dropped."""
    dropped = [
        EXPLANATION[direction].say(language, rest=rest, bottom=bottom)
        for direction, rest, bottom in derivation.list_rounding()
    ]
    return [derivation.render(), *dropped]


def explain_fields(fields: tuple[Field, ...] | None, language: Language = "en") -> list[str]:
    """Show receptive field, jump and start; once where all axes are alike."""
    if fields is None:
        return [EXPLANATION["whole"].say(language)]
    if len(set(fields)) == 1:
        return explain_field(fields[0])
    return [
        line
        for axis, field in zip(AXES[len(fields)], fields, strict=True)
        for line in (EXPLANATION["along"].say(language, axis=axis), *explain_field(field))
    ]


def explain_field(field: Field) -> list[str]:
    """Show the receptive field along one axis."""
    if field.steps:
        return [step.render() for step in field.steps]
    pairs = zip(field.first, field.last, strict=True)
    extents = list(dict.fromkeys(b - a + 1 for a, b in pairs if a is not None and b is not None))
    shown = ", ".join(str(extent) for extent in extents[:MOST_EXTENTS])
    parts = [f"max({shown})"] if 1 < len(extents) <= MOST_EXTENTS else []
    quotient = [] if field.period == 1 else [f"{field.advance}/{field.period}"]
    jump = dict.fromkeys(["jump", *quotient, str(field.jump)])
    return [
        " = ".join(["field", *parts, str(field.extent)]),
        " = ".join(jump),
        f"start = {field.start}",
    ]


def explain_totals(report: Report, language: Language = "en") -> Explanation:
    """Show the sums over all layers."""
    columns = {
        "params": [row.params for row in report.rows],
        "buffers": [row.buffers for row in report.rows],
        "macs": [row.macs for row in report.rows],
        "activations": [row.activations.result for row in report.rows],
    }
    lines = []
    for quantity, numbers in columns.items():
        terms = " + ".join(f"{number:,}" for number in numbers if number)
        lines.append(" = ".join(dict.fromkeys([quantity, terms or "0", f"{sum(numbers):,}"])))
    memory = (report.forward, report.training)
    rendered = [derivation.render() for derivation in memory]
    title = EXPLANATION["totals"].say(language, network=report.network.name)
    return Explanation(title, memory, (*lines, *rendered))


def render_explanations(explanations: tuple[Explanation, ...], language: Language = "en") -> str:
    """Return explanations as text, with the convention in the same language below."""
    blocks = ["\n  ".join([one.title, *one.lines]) for one in explanations]
    convention = wrap(EXPLANATION["convention"].say(language), WIDTH)
    return "\n\n".join([*blocks, convention])
