"""Runs of layers that exporters put in the place of others, and what they stand for.

Nearest upsampling and a 3x3 convolution become one convolution that makes
the four phases of every pixel, and a pixel shuffle. Behind the last normalisation such a
convolution need not pad, where the network has a margin that is cut off in the end: it then
returns less of the margin. Two such convolutions, for integer kernels, become blocks of 4x4
without an ordering between, and the first convolution reads columns of the photo as channels. A
normalisation whose scale and shift belong to a style reads both from tables, each its own or all
one. Batch normalisation, constant once a network is trained,
goes into the weights of the convolution before it (Jacob et al. 2018, "Quantization and
Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", section 3.2).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from math import prod

from calculator.layers.convolutions import Conv
from calculator.layers.dense import Dense
from calculator.layers.operators import Operator, Source
from calculator.layers.pointwise import Activation, InstanceNorm
from calculator.layers.resizing import PixelShuffle, Upsample
from calculator.layers.shapes import Shape
from calculator.summary import Row

MOST_COLORS = 4  # channels of a picture
MOST_BETWEEN = 8  # layers inside a unit that are not part of it
Key = tuple[Hashable, ...]
Rows = Sequence[Row]


@dataclass(frozen=True)
class Unit:
    """Layers that are compared as one.

    Args:
        rows: at least one.
        key: units of equal keys can stand for each other.
        words: the rewrite of which the layers are one form; empty for a layer on its own.
        is_rewritten: whether they are the form that an exporter makes.
    """

    rows: tuple[Row, ...]
    key: Key
    words: str = ""
    is_rewritten: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its layers."""
        return tuple(row.node.layer.kind for row in self.rows)

    def replaces(self, other: "Unit") -> bool:
        """Return whether one of both units is what a rewrite makes of the other."""
        is_same = bool(self.words) and self.words == other.words
        return is_same and self.is_rewritten != other.is_rewritten


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


def take_along(rows: Rows, *kinds: str) -> tuple[Row, ...] | None:
    """Return rows as :func:`take` does; what works on single values may stand between them."""
    taken: list[Row] = []
    rest: Rows = rows[: len(kinds) + MOST_BETWEEN]
    for kind in kinds:
        rest = list(dropwhile(is_pointwise, rest)) if taken else rest
        found = take(rest, kind)
        if found is None:
            return None
        taken += found
        rest = rest[len(found) :]
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


def find_phases(rows: Rows) -> Unit | None:
    """Find the convolution that makes all phases, and the shuffle that sorts them.

    What works on single values may stand between; it is not part of the unit.
    """
    taken = take_along(rows, "[pad]", "conv", "pixelshuffle", "crop")
    if taken is None or not sorts_phases(taken, taken[0].inputs[0], gain=1):
        return None
    return Unit(taken, ("phases", taken[-1].derived.shape[0]))


def find_shaved_phases(rows: Rows) -> Unit | None:
    """Find such a convolution that pads nothing, and what is cut off its input."""
    taken = take_along(rows, "[crop]", "conv", "pixelshuffle")
    if taken is None or not sorts_phases(taken, taken[-2].inputs[0], gain=-1):
        return None
    return Unit(taken, ("phases", taken[-1].derived.shape[0]))


def sorts_phases(rows: Rows, source: Shape, *, gain: int) -> bool:
    """Return whether a convolution makes phases of 2x2, and a shuffle sorts them.

    Args:
        rows: one of each kind.
        source: the shape that the phases are made of.
        gain: positions of the convolution along an axis beyond those of the source.
    """
    found = {row.node.layer.kind: row for row in rows}
    conv, shuffle = found["conv"], found["pixelshuffle"].node.layer
    positions = tuple(side + gain for side in source[1:])
    return is_conv(conv, 2) and shuffle == PixelShuffle(2) and conv.derived.shape[1:] == positions


def find_upsampled_twice(rows: Rows) -> Unit | None:
    """Find upsampling by 2 and a 3x3 convolution, and the same again."""
    kinds = ("upsample", "[pad]", "conv")
    return find_doublings(rows, *kinds, *kinds, kernel=3, change=Upsample(2))


def find_phases_twice(rows: Rows) -> Unit | None:
    """Find two convolutions that make phases of 2x2 and pad nothing, each put in order."""
    kinds = ("conv", "pixelshuffle")
    return find_doublings(rows, "[crop]", *kinds, *kinds, kernel=2, change=PixelShuffle(2))


def find_blocks(rows: Rows) -> Unit | None:
    """Find two convolutions, the second of which makes all phases of blocks of 4x4."""
    kinds = ("[crop]", "conv", "conv", "pixelshuffle")
    return find_doublings(rows, *kinds, kernel=2, change=PixelShuffle(4))


def find_doublings(
    rows: Rows, *kinds: str, kernel: int, change: Upsample | PixelShuffle
) -> Unit | None:
    """Find rows of these kinds that make a picture four times as large along each axis.

    Args:
        rows: to begin with.
        kinds: as :func:`take_along` takes them.
        kernel: of every convolution.
        change: every layer that changes the size.
    """
    taken = take_along(rows, *kinds)
    if taken is None:
        return None
    convs = (row for row in taken if row.node.layer.kind == "conv")
    changes = (row.node.layer for row in taken if row.node.layer.kind == change.kind)
    fits = all(is_conv(row, kernel) for row in convs) and all(one == change for one in changes)
    return Unit(taken, ("blocks", taken[-1].derived.shape[0])) if fits else None


def find_first_conv(rows: Rows) -> Unit | None:
    """Find a convolution that steps over columns of what can only be a picture."""
    taken = take(rows, "conv")
    if taken is None or taken[0].inputs[0][0] > MOST_COLORS:
        return None
    window = taken[0].derived.window
    if window is None or window.stride[-1] == 1:
        return None
    return Unit(taken, name_columns(taken[0], window.stride[-1]))


def find_columns(rows: Rows) -> Unit | None:
    """Find a convolution that reads columns of a picture as channels."""
    taken = take_along(rows, "[pad]", "reshape", "conv")
    if taken is None or taken[0].inputs[0][0] > MOST_COLORS:
        return None
    view = taken[-2].node.layer
    if not isinstance(view, Operator) or not view.rules:
        return None
    return Unit(taken, name_columns(taken[-1], view.rules[-1].stride))


def name_columns(conv: Row, columns: int) -> Key:
    """Return the key of a convolution that steps over so many columns of a picture."""
    window = conv.derived.window
    rows = (window.kernel[0], window.stride[0]) if window is not None else ()
    return ("columns", conv.derived.shape, rows, columns)


def measure_shaving(plain: Unit, rewritten: Unit) -> int:
    """Return the change of multiply-adds because the convolution of phases pads nothing.

    Args:
        plain: of :func:`find_upsampled`.
        rewritten: its phases.

    Returns:
        Those of the positions that there are, less those of all that a map padded by 1 has,
        from the plain form's input on; 0 for phases of a padded map, never more.
    """
    if find_shaved_phases(rewritten.rows) is None:
        return 0
    sizes = plain.rows[0].inputs[0][1:]
    conv = next(row for row in rewritten.rows if row.node.layer.kind == "conv")
    positions, padded = prod(conv.derived.shape[1:]), prod(size + 1 for size in sizes)
    return min(conv.macs - conv.macs // positions * padded, 0)


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
    if taken is None or taken[-1].params or reads_table(taken[-1]):
        return None
    return Unit(taken, ("instancenorm", taken[-1].derived.shape[0]))


def find_tabled_norm(rows: Rows) -> Unit | None:
    """Find an instance normalisation that reads scale and shift from one layer."""
    return to_unit(rows[0]) if reads_table(rows[0]) else None


def reads_table(row: Row) -> bool:
    """Return whether a layer normalises by what one flat input says."""
    is_norm = row.node.layer.kind == InstanceNorm().kind and not row.params
    return is_norm and len(row.inputs) == 2 and len(row.inputs[1]) == 1


def find_tables(rows: Rows) -> list[Row]:
    """Return the layers from a further input to scale and shift of several normalisations.

    Args:
        rows: all of a network.
    """
    readers: dict[int, list[Row]] = {}
    for row in rows:
        for source in row.node.inputs:
            readers.setdefault(source, []).append(row)
    return [
        row
        for position, row in enumerate(rows)
        if isinstance(row.node.layer, Dense)
        and row.node.inputs[0] >= 0
        and isinstance(rows[row.node.inputs[0]].node.layer, Source)
        and position in readers
        and all(reads_table(one) and one.node.inputs[1] == position for one in readers[position])
    ]


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
