"""Runs of layers that exporters put in the place of others, so that they can be compared.

Three rewrites are known. Nearest upsampling and a 3x3 convolution become one convolution
that makes the four phases of every pixel, and a pixel shuffle. A normalisation whose scale
and shift belong to a style reads both from tables. Batch normalisation, constant once a
network is trained, goes into the weights of the convolution before it (Jacob et al. 2018,
"Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", section 3.2).
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from calculator.layers.convolutions import Conv
from calculator.layers.operators import Operator, Source
from calculator.layers.pointwise import Activation, InstanceNorm
from calculator.layers.resizing import PixelShuffle, Upsample
from calculator.summary import Row

MOST_BETWEEN = 8  # layers inside a unit that are not part of it
Key = tuple[Hashable, ...]


@dataclass(frozen=True)
class Unit:
    """Layers that are compared as one.

    Args:
        rows: at least one.
        key: units of equal keys can stand for each other.
    """

    rows: tuple[Row, ...]
    key: Key

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its layers."""
        return tuple(row.node.layer.kind for row in self.rows)


Find = Callable[[Sequence[Row]], "Unit | None"]  # the unit with which the rows begin, if any


@dataclass(frozen=True)
class Rewrite:
    """One form in the place of another.

    Args:
        words: what was done.
        find_plain: the form that is written down.
        find_rewritten: the form that an exporter makes of it.
    """

    words: str
    find_plain: Find
    find_rewritten: Find


def to_unit(row: Row) -> Unit:
    """Return a layer on its own."""
    return Unit((row,), (row.node.layer.kind, row.derived.shape[0]))


def take(rows: Sequence[Row], *kinds: str) -> tuple[Row, ...] | None:
    """Return the first rows if they are of these kinds; kinds in brackets may be missing."""
    taken: list[Row] = []
    for kind in kinds:
        here = rows[len(taken)] if len(taken) < len(rows) else None
        if here is not None and here.node.layer.kind == kind.strip("[]"):
            taken.append(here)
        elif not kind.startswith("["):
            return None
    return tuple(taken)


def is_conv(row: Row, kernel: int) -> bool:
    """Return whether a row is a dense convolution of stride 1 with this kernel on every axis."""
    layer, window = row.node.layer, row.derived.window
    return (
        isinstance(layer, Conv)
        and window is not None
        and layer.groups == 1
        and set(window.kernel) == {kernel}
        and set(window.stride) == {1}
    )


def find_upsampled(rows: Sequence[Row]) -> Unit | None:
    """Find upsampling by 2 and a 3x3 convolution."""
    taken = take(rows, "upsample", "[pad]", "conv")
    if taken is None or taken[0].node.layer != Upsample(2) or not is_conv(taken[-1], 3):
        return None
    return Unit(taken, ("phases", taken[-1].derived.shape[0]))


def find_phases(rows: Sequence[Row]) -> Unit | None:
    """Find the convolution that makes all phases, and the shuffle that sorts them.

    What works on single values may stand between the two; it is not part of the unit.
    """
    made = take(rows, "[pad]", "conv")
    if made is None or not is_conv(made[-1], 2):
        return None
    rest = list(dropwhile(is_pointwise, rows[len(made) : len(made) + MOST_BETWEEN + 2]))
    sorted_ = take(rest, "pixelshuffle", "[crop]")
    if sorted_ is None or sorted_[0].node.layer != PixelShuffle(2):
        return None
    return Unit((*made, *sorted_), ("phases", sorted_[0].derived.shape[0]))


def is_pointwise(row: Row) -> bool:
    """Return whether a layer works on single values and holds no parameters."""
    layer = row.node.layer
    return isinstance(layer, Activation) or (
        isinstance(layer, Operator) and layer.pointwise and not layer.params
    )


def find_affine_norm(rows: Sequence[Row]) -> Unit | None:
    """Find an instance normalisation with a scale and a shift of its own."""
    taken = take(rows, "instancenorm")
    return to_unit(taken[0]) if taken and taken[0].node.layer == InstanceNorm() else None


def find_styled_norm(rows: Sequence[Row]) -> Unit | None:
    """Find an instance normalisation behind the two tables that its scale and shift come from."""
    taken = take(rows, "fc", "[reshape]", "fc", "[reshape]", "instancenorm")
    if taken is None or taken[-1].params:
        return None
    return Unit(taken, ("instancenorm", taken[-1].derived.shape[0]))


def find_normed_conv(rows: Sequence[Row]) -> Unit | None:
    """Find a convolution without bias and the batch normalisation behind it."""
    taken = take(rows, "conv", "batchnorm")
    if taken is None or not isinstance(taken[0].node.layer, Conv) or taken[0].node.layer.bias:
        return None
    return Unit(taken, ("conv", taken[0].derived.shape[0]))


def find_biased_conv(rows: Sequence[Row]) -> Unit | None:
    """Find a convolution with bias and no batch normalisation behind it."""
    layer = rows[0].node.layer
    if not isinstance(layer, Conv) or not layer.bias or take(rows[1:], "batchnorm"):
        return None
    return to_unit(rows[0])


REWRITES = (
    Rewrite("upsampling and convolution in one convolution of phases", find_upsampled, find_phases),
    Rewrite("scale and shift from a table of styles", find_affine_norm, find_styled_norm),
    Rewrite("batch normalisation folded into the convolution", find_normed_conv, find_biased_conv),
)
# an operation that only one of the networks has: what it is there for
PURPOSES = {
    **dict.fromkeys(("quantizelinear", "dequantizelinear"), "8-bit values"),
    **dict.fromkeys(("cast", "transpose", "scale", "shift", "clip", "round"), "pixels in and out"),
    "dropout": "nothing happens there at inference",
    "input": "a further input",
}


def find_all(rows: Sequence[Row], find: Find) -> bool:
    """Return whether a form occurs anywhere."""
    return any(find(rows[start:]) for start in range(len(rows)))


def fold(rows: Sequence[Row], others: Sequence[Row]) -> list[Unit]:
    """Make units of the rows: a known form is one where the other network has its counterpart.

    Args:
        rows: layers of one network.
        others: layers of the other.
    """
    finders = [
        here
        for rewrite in REWRITES
        for here, there in (
            (rewrite.find_plain, rewrite.find_rewritten),
            (rewrite.find_rewritten, rewrite.find_plain),
        )
        if find_all(others, there)
    ]
    units: list[Unit] = []
    rest = list(rows)
    while rest:
        found = next((unit for find in finders if (unit := find(rest))), to_unit(rest[0]))
        units.append(found)
        taken = {id(row) for row in found.rows}
        reach = len(found.rows) + MOST_BETWEEN
        rest = [row for row in rest[:reach] if id(row) not in taken] + rest[reach:]
    return units


def name_rewrite(first: tuple[Row, ...], second: tuple[Row, ...]) -> str | None:
    """Return what turns some layers into others; None if nothing known does."""
    for rewrite in REWRITES:
        for plain, rewritten in ((first, second), (second, first)):
            found = rewrite.find_plain(plain), rewrite.find_rewritten(rewritten)
            if [unit and unit.rows for unit in found] == [plain, rewritten]:
                return rewrite.words
    return None


def name_purpose(row: Row) -> str | None:
    """Return what a layer that only one network has is there for, where that is known."""
    if isinstance(row.node.layer, Source):
        return PURPOSES["input"]
    return None if row.params else PURPOSES.get(row.node.layer.kind)
