"""What the columns of the layer table show where sizes are letters."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from calculator.arithmetic.expressions import Derivation
from calculator.arithmetic.formulas import FORWARD_BYTES, TRAINING_BYTES
from calculator.arithmetic.units import render_share
from calculator.layers.shapes import Window
from calculator.reports.columns import Column, Value, render_window
from calculator.summary import Row
from calculator.symbolic.atoms import OverlongError
from calculator.symbolic.notation import Notation
from calculator.symbolic.quantities import Number, Quantity, to_terms
from calculator.symbolic.reports import SymbolicReport

if TYPE_CHECKING:
    from calculator.arithmetic.expressions import Values

COUNTS: dict[str, Callable[[Row], Number]] = {
    "activations": lambda row: row.activations.result,
    "params": lambda row: row.params,
    "buffers": lambda row: row.buffers,
    "macs": lambda row: row.macs,
    "connections": lambda row: row.connections,
    "forward": lambda row: row.forward.result,
    "training": lambda row: row.training.result,
}
BYTES = ("forward", "training")


def list_sizes(rows: Iterable[Row]) -> Iterator[Number]:
    """Yield the spatial sizes that layers are given and return."""
    for row in rows:
        for shape in (*row.inputs, row.derived.shape):
            yield from shape[1:]


@dataclass(frozen=True)
class Writer:
    """The cells of one symbolic report.

    Args:
        symbolic: what to show.
        notation: how to write quantities.
        merged: write what is alike along all axes once.
    """

    symbolic: SymbolicReport
    notation: Notation
    merged: bool = True

    def write_cell(self, column: Column, row: Row) -> str:
        """Return a layer's cell; a dash where there is no value for all sizes."""
        key, report = column.key, self.symbolic.report
        writers: dict[str, Callable[[], str]] = {
            "macs%": lambda: share(row.macs, self.symbolic.macs),
            "params%": lambda: share(row.params, self.symbolic.params),
            "output": lambda: self.write_shape(row.derived.shape),
            "window": lambda: describe_window(row),
        }
        if key in COUNTS:
            return self.write_count(COUNTS[key](row), row)
        if key in writers:
            return writers[key]()
        if key == "padding" and row.derived.window and depends(row.derived.window):
            return "same"
        return self.write_value(column.read(row, report))

    def write_value(self, value: Value) -> str:
        """Return a text, a number, or a number per axis."""
        if value is None or isinstance(value, str):
            return value or "-"
        entries = value if isinstance(value, Sequence) else [value]
        texts = [self.write_entry(entry) for entry in entries]
        return texts[0] if self.merged and len(set(texts)) == 1 else "x".join(texts)

    def write_count(self, number: Number, row: Row) -> str:
        """Return a count, with the layer's own sizes as factors where they are."""
        return self.notation.write(number, list_sizes([row]))

    def write_shape(self, shape: Sequence[Number]) -> str:
        """Return ``64xHxW``, numbers without separators."""
        return "x".join(
            str(side) if isinstance(side, int) else self.notation.write_factor(side)
            for side in shape
        )

    def write_entry(self, entry: object) -> str:
        """Return an entry of a list: an integer, a fraction, or a quantity."""
        return self.notation.write_factor(entry) if isinstance(entry, Quantity) else str(entry)

    def write_total(self, key: str) -> str:
        """Return the total of a count; a dash where the expression is too long."""
        try:
            whole = read_total(self.symbolic, key)
        except OverlongError:
            return "-"
        try:
            return self.notation.write_shortest(whole, self.add_layers(key))
        except OverlongError:  # with one factor per layer
            return self.notation.write(whole)

    def add_layers(self, key: str) -> Number:
        """Return the total as the sum of the layers' counts, each in powers of its sizes."""
        report, expand = self.symbolic.report, self.notation.expand

        def add(count: str) -> Number:
            return sum(expand(COUNTS[count](row), list_sizes([row])) for row in report.rows)

        if key not in BYTES:
            return add(key)
        held = {"params": add("params"), "buffers": add("buffers")}
        if key == "forward":
            alive = dict(self.symbolic.forward.values)["alive"]
            return FORWARD_BYTES.body.evaluate(cast("Values", {**held, "alive": expand(alive)}))
        entered = dict(report.training.values)["entered"]
        kept = {"activations": add("activations"), "entered": expand(entered)}
        return TRAINING_BYTES.body.evaluate(cast("Values", {**held, **kept}))


def read_total(symbolic: SymbolicReport, key: str) -> Number:
    """Return the total of a count."""
    value = symbolic.forward if key == "forward" else getattr(symbolic.report, key)
    total: Number = value.result if isinstance(value, Derivation) else value
    return total


def describe_window(row: Row) -> str:
    """Return ``3x3 s2 p1``, with ``same`` for a padding that depends on the size."""
    window = row.derived.window
    if window is None or not depends(window):
        return render_window(window, row.derived.groups)
    plain = replace(window, padding=((0, 0),) * len(window.kernel))
    return f"{render_window(plain, row.derived.groups)} same"


def depends(window: Window) -> bool:
    """Return whether the padding of a window is different for different sizes."""
    return any(is_letter(side) for border in window.padding for side in border)


def is_letter(number: Number) -> bool:
    """Return whether a number depends on letters."""
    return isinstance(number, Quantity)


def share(part: Number, whole: Number) -> str:
    """Return ``12.3%`` where it is that at every size; a dash elsewhere."""
    product = next(iter(to_terms(whole)))
    some, every = to_terms(part).get(product, 0), to_terms(whole)[product]
    if part * every != whole * some:
        return "-"
    return render_share(some, every)
