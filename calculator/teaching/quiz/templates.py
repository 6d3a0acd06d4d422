"""Problems of one or a few layers with drawn settings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from calculator.arithmetic.expressions import Derivation, Formula, Name, Number, greatest
from calculator.arithmetic.formulas import K, S
from calculator.layers.shapes import render_shape
from calculator.reading.sources import parse
from calculator.reports.columns import render_window
from calculator.summary import Report, Row, summarize
from calculator.teaching.language import Message
from calculator.teaching.quiz.mistakes import Wrong
from calculator.teaching.quiz.problems import (
    Draw,
    Problem,
    count_option,
    list_wrong,
    render_working,
    to_message,
)

ADDED_ROWS = Formula("p_0 + p_1", greatest((Name("H_out") - 1) * S + K - Name("H"), Number(0)))


@dataclass(frozen=True)
class Worked:
    """A right answer and where the calculator has it from.

    Args:
        value: the answer.
        working: substitution and result.
        derivations: shown afterwards.
        notes: lines that follow them.
    """

    value: int
    working: str
    derivations: tuple[Derivation, ...] = ()
    notes: tuple[Message, ...] = ()


def work_out(derivation: Derivation | None) -> Worked:
    """Return a derivation as a right answer.

    Raises:
        ValueError: there is none, so the template asks for what its layer does not have.
    """
    if derivation is None:
        message = "the layer has no such number"
        raise ValueError(message)
    values, result = dict(derivation.values), derivation.result
    working = render_working(derivation.formula.body, values, result=result)
    return Worked(result, working, (derivation,))


def read_size(report: Report) -> Worked:
    """Return the height of the output."""
    return work_out(report.rows[-1].derived.sizes[0])


def read_channels(report: Report) -> Worked:
    """Return the channels of the output; the shapes are all the derivation there is."""
    row = report.rows[-1]
    value = row.derived.shape[0]
    return Worked(value, str(value), notes=(to_message(describe_shapes(row)),))


def describe_shapes(row: Row) -> str:
    """Return ``conv1: 3x32x32 -> 8x28x28``."""
    return f"{row.node.name}: {render_shape(row.inputs[0])} -> {render_shape(row.derived.shape)}"


def read_params(report: Report) -> Worked:
    """Return the parameters of the one layer that has any."""
    return work_out(next(row.derived.params for row in report.rows if row.params))


def read_total_params(report: Report) -> Worked:
    """Return all parameters."""
    parts = [row.derived.params for row in report.rows if row.derived.params is not None]
    terms = " + ".join(part.formula.body.render(dict(part.values)) for part in parts)
    total = " + ".join(f"{part.result:,}" for part in parts)
    note = to_message(f"params = {total} = {report.params:,}")
    return Worked(report.params, f"{terms} = {report.params:,}", tuple(parts), (note,))


def read_macs(report: Report) -> Worked:
    """Return the multiply-adds of the last layer."""
    return work_out(report.rows[-1].derived.macs)


def read_activations(report: Report) -> Worked:
    """Return the values that the last layer returns."""
    return work_out(report.rows[-1].activations)


def read_training(report: Report) -> Worked:
    """Return the bytes that training keeps."""
    worked, row = work_out(report.training), report.rows[-1]
    parts = (row.derived.params, row.activations, report.training)
    return Worked(worked.value, worked.working, tuple(part for part in parts if part))


def read_added_rows(report: Report) -> Worked:
    """Return the padding above and below together, which is what the last window lacks."""
    row = report.rows[-1]
    if row.derived.window is None:
        return work_out(None)
    window, height = row.derived.window, row.derived.sizes[0]
    added = sum(window.padding[0])
    values = {"H_out": height.result, "s": window.stride[0], "k": window.kernel[0]}
    derivation = ADDED_ROWS.derive(**values, H=row.inputs[0][1])
    return replace(work_out(derivation), value=added, derivations=(height, derivation))


def read_field(report: Report) -> Worked:
    """Return the receptive field of the last layer along the first axis."""
    steps = list_field_steps(report.rows)
    return replace(work_out(steps[-1]), derivations=steps)


def list_field_steps(rows: Sequence[Row]) -> tuple[Derivation, ...]:
    """Return how the receptive field of the last of these layers grows, and the jumps between."""
    steps = [row.fields[0].steps for row in rows if row.fields and row.derived.window]
    return tuple(step for extent, jump, _ in steps for step in (extent, jump))[:-1]


def list_values(report: Report) -> dict[str, int]:
    """Return the sizes behind the first window (``H_out``) and behind a pool (``H_pool``)."""
    values: dict[str, int] = {}
    for row in report.rows:
        for size in row.derived.sizes:
            values.setdefault(size.formula.quantity, size.result)
            if row.node.layer.kind == "maxpool":
                values.setdefault("H_pool", size.result)
    return values


@dataclass(frozen=True)
class Template:
    """A network with settings to draw, and what is asked about it.

    Args:
        kind: key of the question.
        line: the network, with placeholders.
        ranges: what each setting is drawn from, in this order.
        read: the right answer.
        wrong: formulas of the misconceptions.
        square: whether the answer is the side of a square.
        same: settings that are equal to a drawn one.
    """

    kind: str
    line: str
    ranges: Mapping[str, Sequence[int]]
    read: Callable[[Report], Worked]
    wrong: Wrong
    square: bool = False
    same: Mapping[str, str] = field(default_factory=dict)

    def make(self, draw: Draw) -> Problem:
        """Draw the settings and let the calculator answer."""
        drawn = {name: draw.pick(numbers) for name, numbers in self.ranges.items()}
        drawn |= {name: drawn[other] for name, other in self.same.items()}
        line, batch = self.line.format(**drawn), drawn.get("N", 1)
        report = summarize(parse(line), batch=batch)
        worked = self.read(report)
        values = {"p": 0, "d": 1, "s": 1, "g": 1, "N": 1, **list_values(report), **drawn}
        return Problem(
            kind=self.kind,
            settings={**values, "line": line, "windows": describe_windows(report)},
            network=line,
            right=count_option(worked.value, worked.working, square=self.square),
            wrong=list_wrong(self.wrong, values, square=self.square),
            derivations=worked.derivations,
            notes=worked.notes,
            batch=batch,
        )


def describe_windows(report: Report, last: str | None = None) -> str:
    """Return ``conv1 5x5 s2, pool1 2x2 s2`` for the layers that slide, up to one of them."""
    shown = []
    for row in report.rows:
        if row.derived.window is not None:
            shown.append(f"{row.node.name} {render_window(row.derived.window, row.derived.groups)}")
        if row.node.name == last:
            break
    return ", ".join(shown)
