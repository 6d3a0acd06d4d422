"""Rewrites by exporters, of which a network's layers are one form or the other."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from calculator.layers.operators import Source
from calculator.summary import Row
from calculator.teaching.motifs import (
    MOST_BETWEEN,
    Key,
    Rows,
    Unit,
    find_affine_norm,
    find_biased_conv,
    find_blocks,
    find_columns,
    find_first_conv,
    find_normed_conv,
    find_phases,
    find_phases_twice,
    find_shaved_phases,
    find_styled_norm,
    find_tabled_norm,
    find_tables,
    find_upsampled,
    find_upsampled_twice,
    measure_shaving,
    to_unit,
)

PHASES = "upsampling and convolution in one convolution of phases"
BLOCKS = "two upsamplings and convolutions as one block of phases"
COLUMNS = "columns of the photo read as channels"
TAIL = "a tail without the margin that nobody sees"
TABLES = "scale and shift from a table of styles"
FOLDED = "batch normalisation folded into the convolution"
LONGEST = 2 * MOST_BETWEEN  # no form with what stands between has more layers
TABLE: Key = ("table",)  # of all normalisations: nothing in the plain form stands for it alone
Find = Callable[[Rows], Unit | None]  # the unit with which the rows begin, if any


@dataclass(frozen=True)
class Rewrite:
    """One form in the place of another.

    Args:
        words: what was done.
        find_plain: the form that is written down.
        find_rewritten: the form that an exporter makes of it.
        is_possible: whether all layers of two networks, the plain one first, allow it.
    """

    words: str
    find_plain: Find
    find_rewritten: Find
    is_possible: Callable[[Rows, Rows], bool] = lambda _, __: True


def return_alike(plain: Rows, rewritten: Rows) -> bool:
    """Return whether two networks return the same shape: what one cuts off sooner is not seen."""
    return plain[-1].derived.shape == rewritten[-1].derived.shape


REWRITES = (
    Rewrite(BLOCKS, find_upsampled_twice, find_blocks, return_alike),  # before each on its own
    Rewrite(BLOCKS, find_phases_twice, find_blocks, return_alike),
    Rewrite(COLUMNS, find_first_conv, find_columns),
    Rewrite(PHASES, find_upsampled, find_phases),
    Rewrite(PHASES, find_upsampled, find_shaved_phases, return_alike),
    Rewrite(TABLES, find_affine_norm, find_styled_norm),
    Rewrite(TABLES, find_affine_norm, find_tabled_norm, lambda _, made: bool(find_tables(made))),
    Rewrite(FOLDED, find_normed_conv, find_biased_conv),
)
# an operation that only one of the networks has: what it is there for
PURPOSES = {
    **dict.fromkeys(("quantizelinear", "dequantizelinear"), "8-bit values"),
    **dict.fromkeys(("cast", "transpose", "scale", "shift", "clip", "round"), "pixels in and out"),
    "dropout": "nothing happens there at inference",
    "input": "a further input",
}


def find_all(rows: Rows, find: Find) -> bool:
    """Return whether a form occurs anywhere."""
    return any(find(rows[start : start + LONGEST]) for start in range(len(rows)))


def find_forms(rows: Rows, others: Rows) -> list[tuple[Rewrite, bool]]:
    """Return the rewrites whose other form the other network has, and whether it is the plain."""
    return [
        (rewrite, is_rewritten)
        for rewrite in REWRITES
        for is_rewritten, there in ((False, rewrite.find_rewritten), (True, rewrite.find_plain))
        if find_all(others, there)
        and rewrite.is_possible(*((others, rows) if is_rewritten else (rows, others)))
    ]


def find_form(rows: Rows, rewrite: Rewrite, *, is_rewritten: bool) -> Unit | None:
    """Return the unit with which the rows begin, if that is this form of a rewrite."""
    unit = (rewrite.find_rewritten if is_rewritten else rewrite.find_plain)(rows)
    if unit is None:
        return None
    return replace(unit, words=rewrite.words, is_rewritten=is_rewritten)


def fold(rows: Rows, others: Rows) -> list[Unit]:
    """Make units of the rows: a known form is one where the other network has its counterpart.

    Args:
        rows: layers of one network.
        others: layers of the other.
    """
    forms = find_forms(rows, others)
    is_tabled = any(made and rewrite.words == TABLES for rewrite, made in forms)
    tables = {id(row) for row in find_tables(rows)} if is_tabled else set()
    units: list[Unit] = []
    rest = list(rows)
    while rest:
        found = (find_form(rest, form, is_rewritten=made) for form, made in forms)
        if id(rest[0]) in tables:
            units.append(Unit((rest[0],), TABLE, words=TABLES, is_rewritten=True))
        else:
            units.append(next(filter(None, found), None) or to_unit(rest[0]))
        taken = {id(row) for row in units[-1].rows}
        reach = len(units[-1].rows) + MOST_BETWEEN
        rest = [row for row in rest[:reach] if id(row) not in taken] + rest[reach:]
    return units


def measure_tail(a: Unit, b: Unit) -> int:
    """Return the change of multiply-adds from one unit to its counterpart that is the tail's.

    Args:
        a: layers of the first network.
        b: layers of the second, of which one rewrite makes the other.
    """
    if a.words != PHASES:
        return 0
    return measure_shaving(a, b) if b.is_rewritten else -measure_shaving(b, a)


def name_purpose(row: Row, unit: Unit) -> str:
    """Return what a layer that only one network has is there for; empty where that is unknown.

    Args:
        row: the layer.
        unit: that it is of, for which the other network has nothing.
    """
    if unit.key == TABLE:
        return unit.words
    if isinstance(row.node.layer, Source):
        return PURPOSES["input"]
    return "" if row.params else PURPOSES.get(row.node.layer.kind, "")
