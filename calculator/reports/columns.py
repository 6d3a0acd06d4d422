"""The columns of the layer table: what each shows of a layer, and of all layers together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from calculator.arithmetic.units import Unit, render_bytes, render_count, render_share
from calculator.errors import CalculatorError, suggest
from calculator.layers.shapes import Window, render_borders, render_shape, render_sides
from calculator.summary import Report, Row

if TYPE_CHECKING:
    from fractions import Fraction

Value = str | int | Sequence["int | Fraction"] | None


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        key: its name for ``--columns``, and its heading.
        meaning: one line for the documentation.
        read: value of a layer.
        total: value of all layers; None where a sum has no meaning.
        measure: how integers are written.
    """

    key: str
    meaning: str
    read: Callable[[Row, Report], Value]
    total: Callable[[Report], Value] | None = None
    measure: Literal["text", "count", "bytes"] = "text"

    def render(self, row: Row, report: Report, *, unit: Unit) -> str:
        """Return a layer's cell."""
        return render_value(self.read(row, report), self.measure, unit=unit)

    def render_total(self, report: Report, unit: Unit) -> str:
        """Return the last line's cell."""
        if self.total is None:
            return ""
        return render_value(self.total(report), self.measure, unit=unit)


def render_value(value: Value, measure: str, *, unit: Unit) -> str:
    """Return a value as a cell; a dash where there is none."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return render_bytes(value, unit) if measure == "bytes" else render_count(value, unit)
    texts = [str(entry) for entry in value]
    return texts[0] if len(set(texts)) == 1 else "x".join(texts)


def render_window(window: Window | None, groups: int | None = None) -> str:
    """Return ``11x11 s4 p2 d2 g2`` without what is 1 or 0, a dash where nothing slides."""
    if window is None:
        return "-"
    parts = [render_sides(window.kernel)]
    for letter, sides in (("s", window.stride), ("d", window.dilation)):
        if set(sides) != {1}:
            parts.append(letter + render_value(sides, "text", unit="1"))
    if any(side for border in window.padding for side in border):
        parts.insert(2 if parts[1:2] and parts[1][0] == "s" else 1, render_padding(window))
    return " ".join([*parts, *([f"g{groups}"] if groups and groups > 1 else [])])


def render_padding(window: Window) -> str:
    """Return ``p2``, or ``p1:2`` where the sides differ."""
    return "p" + render_borders(window.padding)


def read_fields(name: str) -> Callable[[Row, Report], Value]:
    """Return a reader of an attribute of every axis's receptive field."""

    def read(row: Row, _: Report) -> Value:
        return None if row.fields is None else [getattr(field, name) for field in row.fields]

    return read


def read_window(name: str) -> Callable[[Row, Report], Value]:
    """Return a reader of one setting of the window."""

    def read(row: Row, _: Report) -> Value:
        window = row.derived.window
        if window is None:
            return None
        if name == "padding":
            return render_borders(window.padding)
        sides: Sequence[int] = getattr(window, name)
        return sides

    return read


def sums(key: str, meaning: str, *, measure: Literal["count", "bytes"] = "count") -> Column:
    """Return a column of an attribute that rows and reports both have."""
    return Column(
        key,
        meaning,
        lambda row, _: int(getattr(row, key)),
        lambda report: int(getattr(report, key)),
        measure,
    )


def share(key: str, of: str) -> Column:
    """Return the column of a layer's share of a total."""
    return Column(
        key,
        f"share of all {of}",
        lambda row, report: render_share(getattr(row, of), getattr(report, of)),
    )


COLUMNS = {
    column.key: column
    for column in (
        Column("layer", "name", lambda row, _: row.node.name, lambda _: "total"),
        Column("kind", "word of the grammar", lambda row, _: row.node.layer.kind),
        Column(
            "window",
            "kernel, stride, padding, dilation, groups",
            lambda row, _: render_window(row.derived.window, row.derived.groups),
        ),
        Column("kernel", "taps per axis", read_window("kernel")),
        Column("stride", "step per axis", read_window("stride")),
        Column("padding", "values added, before:after", read_window("padding")),
        Column("dilation", "distance between taps", read_window("dilation")),
        Column("groups", "independent parts", lambda row, _: row.derived.groups),
        Column("output", "shape without the batch", lambda row, _: render_shape(row.derived.shape)),
        Column(
            "activations",
            "values returned by the batch",
            lambda row, _: row.activations.result,
            lambda report: report.activations,
            "count",
        ),
        sums("params", "trainable numbers"),
        sums("buffers", "numbers stored and not trained"),
        sums("macs", "multiply-adds of the batch"),
        sums("connections", "products and biases of the batch"),
        share("macs%", "macs"),
        share("params%", "params"),
        Column(
            "forward",
            "memory while the layer runs",
            lambda row, _: row.forward.result,
            lambda report: report.forward.result,
            "bytes",
        ),
        Column(
            "training",
            "memory that training keeps",
            lambda row, _: row.training.result,
            lambda report: report.training.result,
            "bytes",
        ),
        Column("field", "receptive field in input positions", read_fields("extent")),
        Column("jump", "input positions between units", read_fields("jump")),
        Column("start", "first input position of the first unit", read_fields("start")),
    )
}
USUAL = ("layer", "kind", "window", "output", "params", "macs", "macs%", "field")


def choose_columns(text: str | None) -> tuple[Column, ...]:
    """Return the columns of ``--columns``.

    Args:
        text: ``layer,params``; ``+jump,start`` in addition to the usual ones; ``all``; None
            for the usual ones.

    Raises:
        CalculatorError: a column is unknown or given twice.
    """
    if text == "all":
        return tuple(COLUMNS.values())
    asked = [key.strip() for key in text.removeprefix("+").split(",")] if text is not None else []
    usual = USUAL if text is None or text.startswith("+") else ()
    keys = [*(key for key in usual if key not in asked), *asked]
    for key in keys:
        if key not in COLUMNS:
            known = ", ".join(COLUMNS)
            message = (
                f"there is no column {key!r}; choose from {known}, or all{suggest(key, COLUMNS)}"
            )
            raise CalculatorError(message)
        if keys.count(key) > 1:
            message = f"column {key!r} is given twice; give it once"
            raise CalculatorError(message)
    return tuple(COLUMNS[key] for key in keys)
