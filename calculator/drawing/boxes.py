"""What a drawing shows as one box: a layer, and the layers that are folded into it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Literal

from calculator.layers.base import Layer
from calculator.layers.convolutions import Conv, DepthwiseConv, TransposedConv
from calculator.layers.dense import Dense, Flatten, RadialUnits
from calculator.layers.joins import Add, Concat
from calculator.layers.operators import Operator, Source
from calculator.layers.pointwise import (
    Activation,
    BatchNorm,
    Dropout,
    InstanceNorm,
    LocalResponseNorm,
)
from calculator.layers.pools import AdaptivePool, GlobalPool, Pool, Subsample
from calculator.layers.resizing import Crop, Pad, PixelShuffle, Upsample
from calculator.layers.shapes import Shape, render_borders, render_shape, render_sides
from calculator.network import INPUT
from calculator.reports.columns import render_window
from calculator.summary import Report, Row

Form = Literal["solid", "disc", "capsule"]

FAMILIES: dict[str, tuple[type[Layer], ...]] = {
    "input": (Source,),
    "convolution": (Conv, DepthwiseConv, TransposedConv),
    "pooling": (Pool, GlobalPool, AdaptivePool, Subsample),
    "normalisation": (BatchNorm, InstanceNorm, LocalResponseNorm),
    "activation": (Activation,),
    "dense": (Dense, RadialUnits),
    "join": (Add, Concat),
    "resizing": (Upsample, PixelShuffle, Pad, Crop),
    "other": (),
}
SHORT = {"batchnorm": "bn", "instancenorm": "in"}
SHORT_LINE = 10  # characters
KEEPS_SHAPE = (Activation, BatchNorm, InstanceNorm, LocalResponseNorm, Dropout)
SLIDES = (Conv, DepthwiseConv, Pool)


def find_family(layer: Layer) -> str:
    """Return which of ``FAMILIES`` an operation belongs to; ``other`` for one not listed."""
    found = (name for name, kinds in FAMILIES.items() if isinstance(layer, kinds))
    return next(found, "other")


@dataclass(frozen=True)
class Box:
    """One box of a drawing.

    Args:
        host: the layer that made the tensor; None for the network's input.
        before: padding that is folded into the layer behind it, in order.
        after: what only changes the values, folded into the layer in front of it, in order.
        shape: of the tensor.
        sources: positions of the boxes that feed it, one entry for each edge.
    """

    host: Row | None
    before: tuple[Row, ...]
    after: tuple[Row, ...]
    shape: Shape
    sources: tuple[int, ...]

    @property
    def name(self) -> str:
        """Of the host."""
        return "input" if self.host is None else self.host.node.name

    @property
    def family(self) -> str:
        """Of the host."""
        return "input" if self.host is None else find_family(self.host.node.layer)

    @property
    def form(self) -> Form:
        """A disc for a sum; a capsule for a layer that keeps the shape and found no host."""
        if self.host is not None and isinstance(self.host.node.layer, Add):
            return "disc"
        return "capsule" if self.host is not None and keeps_shape(self.host) else "solid"

    @property
    def rows(self) -> tuple[Row, ...]:
        """All layers, in order."""
        return (*self.before, *([] if self.host is None else [self.host]), *self.after)

    @property
    def key(self) -> tuple[object, ...]:
        """What two boxes that look alike have in common; names and sources are not in it."""
        alike = ((repr(row.node.layer), row.inputs, row.params, row.buffers) for row in self.rows)
        return (self.shape, len(self.before), *alike)


def keeps_shape(row: Row) -> bool:
    """Tell whether a layer only changes values, or lays out anew what is one row already."""
    layer = row.node.layer
    if len(row.inputs) != 1:
        return False
    if isinstance(layer, Flatten):
        return max(row.inputs[0]) == prod(row.inputs[0])
    pointwise = isinstance(layer, Operator) and layer.pointwise and not row.macs
    return isinstance(layer, KEEPS_SHAPE) or (pointwise and row.inputs[0] == row.derived.shape)


@dataclass
class Folder:
    """One pass over the layers of a network.

    Args:
        report: what is drawn.
    """

    report: Report
    before: list[list[Row]] = field(default_factory=lambda: [[]])
    hosts: list[Row | None] = field(default_factory=lambda: [None])
    after: list[list[Row]] = field(default_factory=lambda: [[]])
    sources: list[tuple[int, ...]] = field(default_factory=lambda: [()])
    boxes: dict[int, int] = field(default_factory=lambda: {INPUT: 0})  # of each layer
    waiting: dict[int, Row] = field(default_factory=dict)  # padding in front of its host

    def fold(self) -> tuple[Box, ...]:
        """Return the boxes, the input first, in an order in which they can run."""
        edges = [source for row in self.report.rows for source in row.node.inputs]
        uses = Counter(edges)
        readers = {source: row.node.layer for row in self.report.rows for source in row.node.inputs}
        for position, row in enumerate(self.report.rows):
            source = row.node.inputs[0] if len(row.node.inputs) == 1 else None
            only = source is not None and uses[source] == 1
            if source is not None and only and keeps_shape(row):
                self.join(position, source)
            elif self.can_wait(position, uses) and isinstance(readers[position], SLIDES):
                self.wait(position, row.node.inputs[0])
            else:
                self.open(position)
        return tuple(self.close())

    def can_wait(self, position: int, uses: Counter[int]) -> bool:
        """Tell whether a layer is padding for exactly one other layer."""
        return isinstance(self.report.rows[position].node.layer, Pad) and uses[position] == 1

    def join(self, position: int, source: int) -> None:
        """Fold a layer into the box of the layer before it."""
        self.boxes[position] = self.boxes[source]
        self.after[self.boxes[source]].append(self.report.rows[position])

    def wait(self, position: int, source: int) -> None:
        """Keep padding for the layer behind it."""
        self.waiting[position] = self.report.rows[position]
        self.boxes[position] = self.boxes[source]

    def open(self, position: int) -> None:
        """Give a layer a box of its own."""
        row = self.report.rows[position]
        self.boxes[position] = len(self.hosts)
        self.hosts.append(row)
        self.after.append([])
        self.sources.append(tuple(self.boxes[source] for source in row.node.inputs))
        self.before.append([self.waiting[s] for s in row.node.inputs if s in self.waiting])

    def close(self) -> Iterator[Box]:
        """Build the boxes."""
        for i, host in enumerate(self.hosts):
            shape = self.report.network.input if host is None else host.derived.shape
            yield Box(host, tuple(self.before[i]), tuple(self.after[i]), shape, self.sources[i])


def fold_layers(report: Report) -> tuple[Box, ...]:
    """Return the boxes of a drawing, the network's input first.

    Normalisation, activations and dropout are folded into the box they act on where nothing
    else reads its values; padding into the convolution or pooling behind it.
    """
    return Folder(report).fold()


def describe_operation(row: Row) -> tuple[str, ...]:
    """Return one line such as ``conv 5x5 p2``, or two where that is long."""
    layer, window = row.node.layer, row.derived.window
    kind = row.node.layer.kind
    if window is not None:
        groups = None if isinstance(layer, DepthwiseConv) else row.derived.groups
        value = render_window(window, groups)
    else:
        value = describe_value(layer)
    whole = f"{kind} {value}".rstrip()
    return (whole,) if len(whole) <= SHORT_LINE or not value else (kind, value)


def describe_value(layer: Layer) -> str:
    """Return the value behind the word of the grammar, for layers without a window."""
    if isinstance(layer, Dense | RadialUnits):
        return str(layer.units)
    if isinstance(layer, Upsample | PixelShuffle):
        return str(layer.factor)
    if isinstance(layer, Pad):
        mode = "" if layer.mode == "zeros" else f" {layer.mode}"
        return render_borders(layer.padding) + mode
    if isinstance(layer, Crop):
        return render_borders(layer.padding)
    if isinstance(layer, Pool | Subsample):
        return render_sides(layer.kernel)
    return render_sides(layer.size) if isinstance(layer, AdaptivePool) else ""


def describe_badge(row: Row) -> str:
    """Return the short name of a folded layer: ``bn``, ``relu``, ``pad 1 reflect``."""
    kind = row.node.layer.kind
    return f"{SHORT.get(kind, kind)} {describe_value(row.node.layer)}".rstrip()


def describe_layer(row: Row) -> str:
    """Return everything about a layer in one line, for a tooltip."""
    fields = "none" if row.fields is None else render_sides(tuple(f.extent for f in row.fields))
    operation = " ".join(describe_operation(row))
    return (
        f"{row.node.name}: {operation}, output {render_shape(row.derived.shape)}, "
        f"{row.params:,} parameters, {row.macs:,} MACs, receptive field {fields or 'none'}"
    )
