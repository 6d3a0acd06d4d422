"""Two networks side by side: which layers differ, why, and by how much.

The differences of the layers sum exactly to the difference of the totals, since every
layer of both networks stands in exactly one line.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from textwrap import fill
from typing import Literal

from calculator.layers.shapes import Window, render_borders, render_shape, render_sides
from calculator.reports.rendering import WIDTH, describe_input
from calculator.summary import Report, Row
from calculator.teaching.motifs import Unit
from calculator.teaching.rewrites import TAIL, fold, measure_tail, name_purpose

COUNTS = ("params", "buffers", "macs")
SLIDING = {field.name for field in fields(Window)}


@dataclass(frozen=True)
class Difference:
    """Layers of one network, of the other, or of both that are not alike.

    Args:
        first: layers of the first network; several only where a rewrite made them one.
        second: layers of the second network; likewise.
        reasons: what differs, in words.
        cause: the rewrite behind it, where one is known; empty otherwise.
        tail_macs: what of the change in multiply-adds is not the rewrite's, but that of a tail
            whose margin is not computed.
    """

    first: tuple[Row, ...]
    second: tuple[Row, ...]
    reasons: tuple[str, ...]
    cause: str = ""
    tail_macs: int = 0

    @property
    def causes(self) -> tuple[str, ...]:
        """What is known to be behind it."""
        return tuple(filter(None, (self.cause, TAIL if self.tail_macs else "")))

    def change(self, count: str) -> int:
        """Return the second's count less the first's; ``params``, ``buffers`` or ``macs``."""
        sides = ((self.second, 1), (self.first, -1))
        return sum(sign * int(getattr(row, count)) for rows, sign in sides for row in rows)

    def change_by(self, cause: str, count: str) -> int:
        """Return how much of the change in a count is owed to one of the causes."""
        tail = self.tail_macs if count == "macs" else 0
        if cause == TAIL:
            return tail
        return self.change(count) - tail if cause == self.cause else 0

    @property
    def name(self) -> str:
        """The layers' names, or both networks' names for them."""
        sides = (", ".join(row.node.name for row in rows) for rows in (self.first, self.second))
        return " -> ".join(dict.fromkeys(side for side in sides if side))


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

    Layers that a known rewrite replaced (``calculator/teaching/rewrites.py``) stand in one
    difference with those that replaced them.

    Args:
        first: report of the network to start from.
        second: report of the network to arrive at.
    """
    found = list(list_differences(first.rows, second.rows))
    differences = tuple(one for one in found if one is not None)
    return Comparison(first, second, differences, len(found) - len(differences))


def list_differences(first: Sequence[Row], second: Sequence[Row]) -> Iterator[Difference | None]:
    """Yield what differs between layers that stand for each other; None where they are alike."""
    for a, b in align(fold(first, second), fold(second, first)):
        if a is not None and b is not None and a.replaces(b):
            yield describe_rewrite(a, b)
        elif a is not None and b is not None and a.kinds == b.kinds:
            yield from (find_difference(x, y) for x, y in zip(a.rows, b.rows, strict=True))
        else:
            yield from describe_alone(a, which="first")
            yield from describe_alone(b, which="second")


def align(
    first: Sequence[Unit], second: Sequence[Unit]
) -> Iterator[tuple[Unit | None, Unit | None]]:
    """Pair units of the same key, then in the gaps those of the same kind."""
    for a, b in match(first, second, to_key=lambda unit: unit.key):
        if len(a) == len(b) == 1 and a[0].key[0] == b[0].key[0]:
            yield a[0], b[0]
            continue
        for rest_a, rest_b in match(a, b, to_key=lambda unit: unit.key[0]):
            if len(rest_a) == len(rest_b) == 1 and rest_a[0].key[0] == rest_b[0].key[0]:
                yield rest_a[0], rest_b[0]
            else:
                yield from ((unit, None) for unit in rest_a)
                yield from ((None, unit) for unit in rest_b)


def match(
    first: Sequence[Unit], second: Sequence[Unit], *, to_key: Callable[[Unit], Hashable]
) -> Iterator[tuple[Sequence[Unit], Sequence[Unit]]]:
    """Yield pairs of one unit each where keys match, and the unmatched runs between them."""
    keys = [to_key(unit) for unit in first], [to_key(unit) for unit in second]
    for tag, a, a_end, b, b_end in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        if tag == "equal":
            for i in range(a_end - a):
                yield first[a + i : a + i + 1], second[b + i : b + i + 1]
        else:
            yield first[a:a_end], second[b:b_end]


def describe_rewrite(a: Unit, b: Unit) -> Difference:
    """Return the difference between layers and what a rewrite made of them."""
    tail = measure_tail(a, b)
    reasons = (a.words, f"{TAIL} (macs {tail:+,})") if tail else (a.words,)
    return Difference(a.rows, b.rows, reasons, a.words, tail)


def describe_alone(unit: Unit | None, *, which: Literal["first", "second"]) -> Iterator[Difference]:
    """Yield the differences that layers make for which the other network has nothing."""
    if unit is None:
        return
    for row in unit.rows:
        purpose = name_purpose(row, unit)
        note = f" ({purpose})" if purpose else ""
        reasons = (f"{row.node.layer.kind} only in the {which}{note}",)
        first, second = ((row,), ()) if which == "first" else ((), (row,))
        yield Difference(first, second, reasons, purpose)


def find_difference(a: Row, b: Row) -> Difference | None:
    """Return what differs between two layers of one kind; None where they are alike."""
    reasons = tuple(list_reasons(a, b))
    return Difference((a,), (b,), reasons) if reasons else None


def list_reasons(a: Row, b: Row) -> Iterator[str]:
    """Yield what differs between two layers of one kind."""
    yield from compare_settings(a, b)
    if a.inputs != b.inputs:
        before, after = (" and ".join(map(render_shape, row.inputs)) for row in (a, b))
        yield f"input {before} -> {after}"
    for count, reused in (("parameters", "reused_params"), ("buffers", "reused_buffers")):
        shared = [int(getattr(row.node, reused)) for row in (a, b)]
        if shared[0] != shared[1]:
            yield f"{count} shared with earlier layers {shared[0]:,} -> {shared[1]:,}"


def compare_settings(a: Row, b: Row) -> Iterator[str]:
    """Yield the settings of two layers of one kind that differ, as they are used."""
    if type(a.node.layer) is not type(b.node.layer):
        yield "counted as the file says" if a.params != b.params else "in the file's form"
        return
    for setting in fields(a.node.layer):  # type: ignore[arg-type] # every layer is a dataclass
        before, after = (read_setting(row, setting.name) for row in (a, b))
        if setting.compare and reduce_axes(before) != reduce_axes(after):
            yield f"{setting.name} {show(before)} -> {show(after)}"


def read_setting(row: Row, name: str) -> object:
    """Return a setting; of windows one entry per axis, with numbers in the place of ``same``."""
    window = row.derived.window
    return getattr(row.node.layer if window is None or name not in SLIDING else window, name)


def reduce_axes(value: object) -> object:
    """Return one entry for all axes where they are alike, as settings may be written."""
    return value[:1] if isinstance(value, tuple) and len(set(value)) == 1 else value


def show(value: object) -> str:
    """Return a setting as text: tuples as ``3x3``, padding as ``1`` or ``1:2``."""
    if not isinstance(value, tuple):
        return str(value)
    return render_borders(value) if isinstance(value[0], tuple) else render_sides(value)


def render_comparison(comparison: Comparison) -> str:
    """Return the differences as text; the counts below are their exact sums."""
    lines = [describe_input(comparison.first), describe_input(comparison.second), ""]
    for difference in comparison.differences:
        text = f"{difference.name}: {'; '.join(difference.reasons)}"
        lines.append(fill(text, WIDTH, subsequent_indent="  ", break_long_words=False))
        changes = render_changes({count: difference.change(count) for count in COUNTS})
        lines += [f"    {changes}"] if changes else []
    lines += [f"alike: {comparison.alike} layers", "", *render_causes(comparison)]
    for count in COUNTS:
        before, after = (getattr(r, count) for r in (comparison.first, comparison.second))
        terms = [c for d in comparison.differences if (c := d.change(count))]
        total = " ".join(f"{'-' if c < 0 else '+'} {abs(c):,}" for c in terms)
        text = f"{count}: {' '.join([f'{before:,}', total]).strip()} = {after:,}"
        lines.append(fill(text, WIDTH, subsequent_indent="    "))
    return "\n".join(lines)


def render_changes(changes: Mapping[str, int]) -> str:
    """Return the counts that change, such as ``params -307,200``; empty where none does."""
    return ", ".join(f"{count} {change:+,}" for count, change in changes.items() if change)


def render_causes(comparison: Comparison) -> list[str]:
    """Return what each known rewrite changes in all; nothing where there is none."""
    causes = dict.fromkeys(cause for one in comparison.differences for cause in one.causes)
    lines = []
    for cause in causes:
        behind = [one for one in comparison.differences if cause in one.causes]
        sums = {count: sum(one.change_by(cause, count) for one in behind) for count in COUNTS}
        text = f"{cause} ({len(behind)}x): {render_changes(sums) or 'no count changes'}"
        lines.append(fill(text, WIDTH, subsequent_indent="  "))
    return [*lines, ""] if lines else []
