"""Two networks side by side: which layers differ, why, and by how much.

The differences of the layers sum exactly to the difference of the totals, since every
layer of both networks stands in exactly one line.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, fields
from difflib import SequenceMatcher

from calculator.layers.base import Layer
from calculator.layers.shapes import render_shape
from calculator.reports.rendering import describe_input
from calculator.summary import Report, Row

Pair = tuple[Row | None, Row | None]
COUNTS = ("params", "buffers", "macs")


@dataclass(frozen=True)
class Difference:
    """A layer of one network, or one of each, that are not alike.

    Args:
        first: layer of the first network; None where it has none.
        second: layer of the second network; None where it has none.
        reasons: what differs, in words.
    """

    first: Row | None
    second: Row | None
    reasons: tuple[str, ...]

    def change(self, count: str) -> int:
        """Return the second's count less the first's; ``params``, ``buffers`` or ``macs``."""
        rows = ((self.second, 1), (self.first, -1))
        return sum(sign * int(getattr(row, count)) for row, sign in rows if row is not None)

    @property
    def name(self) -> str:
        """The layer's name, or both names."""
        names = [row.node.name for row in (self.first, self.second) if row is not None]
        return " -> ".join(dict.fromkeys(names))


@dataclass(frozen=True)
class Comparison:
    """Two reports and where they differ.

    Args:
        first: report of the first network.
        second: report of the second network.
        differences: in the order of the layers; layers that are alike are left out.
        alike: how many pairs of layers are alike.
    """

    first: Report
    second: Report
    differences: tuple[Difference, ...]
    alike: int


def compare(first: Report, second: Report) -> Comparison:
    """Align two networks and attribute the difference of their totals to layers.

    Args:
        first: report of the network to start from.
        second: report of the network to arrive at.
    """
    pairs = list(align(first.rows, second.rows))
    differences = tuple(
        Difference(a, b, reasons) for a, b in pairs if (reasons := find_reasons(a, b))
    )
    return Comparison(first, second, differences, len(pairs) - len(differences))


def align(first: Sequence[Row], second: Sequence[Row]) -> Iterator[Pair]:
    """Pair layers of the same kind and channels, then in the gaps those of the same kind."""
    for a, b in match(
        first, second, to_key=lambda row: (row.node.layer.kind, row.derived.shape[0])
    ):
        if len(a) == len(b) == 1 and a[0].node.layer.kind == b[0].node.layer.kind:
            yield a[0], b[0]
            continue
        for rest_a, rest_b in match(a, b, to_key=lambda row: row.node.layer.kind):
            if len(rest_a) == len(rest_b) == 1 and same_kind(rest_a[0], rest_b[0]):
                yield rest_a[0], rest_b[0]
            else:
                yield from ((row, None) for row in rest_a)
                yield from ((None, row) for row in rest_b)


def same_kind(a: Row, b: Row) -> bool:
    """Return whether two layers are of one kind."""
    return a.node.layer.kind == b.node.layer.kind


def match(
    first: Sequence[Row], second: Sequence[Row], *, to_key: Callable[[Row], Hashable]
) -> Iterator[tuple[Sequence[Row], Sequence[Row]]]:
    """Yield pairs of one layer each where keys match, and the unmatched runs between them."""
    keys = [to_key(row) for row in first], [to_key(row) for row in second]
    for tag, a, a_end, b, b_end in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        if tag == "equal":
            for i in range(a_end - a):
                yield first[a + i : a + i + 1], second[b + i : b + i + 1]
        else:
            yield first[a:a_end], second[b:b_end]


def find_reasons(a: Row | None, b: Row | None) -> tuple[str, ...]:
    """Return what differs between two layers; nothing where they are alike."""
    if a is None or b is None:
        present = a or b
        which = "second" if a is None else "first"
        return () if present is None else (f"{present.node.layer.kind} only in the {which}",)
    reasons = list(compare_settings(a.node.layer, b.node.layer))
    if a.inputs != b.inputs:
        before, after = (" and ".join(map(render_shape, row.inputs)) for row in (a, b))
        reasons.append(f"input {before} -> {after}")
    return tuple(reasons)


def compare_settings(a: Layer, b: Layer) -> Iterator[str]:
    """Yield the settings of two layers of one kind that differ."""
    for setting in fields(a):  # type: ignore[arg-type] # every layer is a dataclass
        before, after = getattr(a, setting.name), getattr(b, setting.name)
        if before != after:
            yield f"{setting.name} {show(before)} -> {show(after)}"


def show(value: object) -> str:
    """Return a setting as text: tuples as ``3x3`` and ``1:2``."""
    if isinstance(value, tuple):
        return "x".join(
            ":".join(map(str, side)) if isinstance(side, tuple) else str(side) for side in value
        )
    return str(value)


def render_comparison(comparison: Comparison) -> str:
    """Return the differences as text; the counts below are their exact sums."""
    lines = [describe_input(comparison.first), describe_input(comparison.second), ""]
    for difference in comparison.differences:
        changes = [f"{c} {difference.change(c):+,}" for c in COUNTS if difference.change(c)]
        lines.append(f"{difference.name}: {'; '.join(difference.reasons)}")
        lines += [f"    {', '.join(changes)}"] if changes else []
    lines += [f"alike: {comparison.alike} layers", ""]
    for count in COUNTS:
        before, after = (getattr(r, count) for r in (comparison.first, comparison.second))
        terms = [c for d in comparison.differences if (c := d.change(count))]
        total = " ".join(f"{'-' if c < 0 else '+'} {abs(c):,}" for c in terms)
        lines.append(f"{count}: {' '.join([f'{before:,}', total]).strip()} = {after:,}")
    return "\n".join(lines)
