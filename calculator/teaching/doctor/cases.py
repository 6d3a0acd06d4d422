"""Where a draft fails, and the trials that tell whether a change of it works."""

from dataclasses import dataclass, field
from functools import cached_property

from calculator.errors import CalculatorError, ShapeError
from calculator.layers.base import Layer
from calculator.layers.convolutions import Conv, DepthwiseConv, TransposedConv
from calculator.layers.dense import Dense
from calculator.layers.pointwise import BatchNorm
from calculator.layers.pools import Pool, Subsample
from calculator.layers.shapes import Shape, Sides
from calculator.network import INPUT, Network, Node
from calculator.teaching.doctor.drafts import Draft, read_draft

SLIDING = (Conv, DepthwiseConv, Pool)  # windows whose padding and stride are to be chosen
Memory = dict[tuple[Layer, object, tuple[Shape, ...]], Shape | str]
WINDOWS = (*SLIDING, TransposedConv, Subsample)
STATING = (Conv, TransposedConv, BatchNorm, Dense)  # layers that can state in=


@dataclass(frozen=True)
class Trial:
    """How far a network runs.

    Args:
        shapes: outputs of the layers that fit, and the input under ``INPUT``.
        failed: position of the first layer that does not fit; None where all do.
        message: what does not fit there.
    """

    shapes: dict[int, Shape]
    failed: int | None
    message: str = ""


@dataclass(frozen=True)
class Case:
    """A draft that fails.

    Args:
        draft: the line.
        trial: how far it runs.
        usual: the input that the network is usually given; None where no name is known.
    """

    draft: Draft
    trial: Trial
    usual: Shape | None = None

    @property
    def position(self) -> int:
        """Where it fails."""
        return -1 if self.trial.failed is None else self.trial.failed

    @property
    def node(self) -> Node:
        """The layer that fails."""
        return self.draft.network.nodes[self.position]

    @property
    def layer(self) -> Layer:
        """What it does."""
        return self.node.layer

    @property
    def inputs(self) -> tuple[Shape, ...]:
        """The shapes that it is given."""
        return tuple(self.trial.shapes[source] for source in self.node.inputs)

    @property
    def stated(self) -> int | None:
        """What it states with ``in=``, where something else arrives; None elsewhere."""
        stated = self.layer.inputs if isinstance(self.layer, STATING) else None
        return None if stated == self.inputs[0][0] else stated

    @property
    def remaining(self) -> tuple[int, int]:
        """Layers from the failing one on, and branches of other sizes; less is nearer to a fit."""
        sizes = [shape[1:] for shape in self.inputs]
        most = max(sizes.count(size) for size in sizes)
        return len(self.draft.network.nodes) - self.position, len(self.inputs) - most

    @cached_property
    def path(self) -> tuple[int, ...]:
        """Positions of the layers that the failing one depends on, and its own, in order."""
        nodes, found, waiting = self.draft.network.nodes, {self.position}, [self.position]
        while waiting:
            new = set(nodes[waiting.pop()].inputs) - found - {INPUT}
            found |= new
            waiting += new
        return tuple(sorted(found))

    @property
    def windows(self) -> tuple[int, ...]:
        """Positions on the path of layers with a window."""
        return tuple(i for i in self.path if isinstance(self.get_layer(i), WINDOWS))

    def get_layer(self, position: int) -> Layer:
        """Return the layer at a position."""
        return self.draft.network.nodes[position].layer

    def get_input(self, position: int) -> Shape:
        """Return the first shape that a layer up to the failing one is given."""
        return self.trial.shapes[self.draft.network.nodes[position].inputs[0]]

    def get_name(self, position: int) -> str:
        """Return a layer's name, or ``the first layer`` for a convolution there."""
        first = position == 0 and isinstance(self.get_layer(0), Conv)
        return "the first layer" if first else self.draft.network.nodes[position].name


@dataclass
class Trials:
    """Run drafts until a number of layers has run, so that no search takes long.

    Args:
        layers: how many layers may run.
        seen: texts that were run, and what came of them.
        made: outputs of layers that were run.
    """

    layers: int
    seen: dict[str, tuple[Draft, Trial] | None] = field(default_factory=dict)
    made: Memory = field(default_factory=dict)

    def run(self, text: str) -> tuple[Draft, Trial] | None:
        """Return a line and how far it runs; None where it cannot be read or nothing is left."""
        if text not in self.seen:
            self.seen[text] = self.read_and_run(text)
        return self.seen[text]

    def read_and_run(self, text: str) -> tuple[Draft, Trial] | None:
        """Read and run a line that is new."""
        if self.layers <= 0:
            return None
        try:
            draft = read_draft(text)
        except CalculatorError:
            return None
        self.layers -= len(draft.network.nodes)
        return draft, run_network(draft.network, self.made)

    def fits(self, text: str) -> bool:
        """Return whether every layer of a line fits."""
        run = self.run(text)
        return run is not None and run[1].failed is None


def run_network(network: Network, made: Memory | None = None) -> Trial:
    """Find the first layer that does not fit.

    Args:
        network: what to run.
        made: outputs of earlier runs, which drafts of one line have in common; added to.
    """
    made = {} if made is None else made
    shapes: dict[int, Shape] = {INPUT: network.input}
    for position, node in enumerate(network.nodes):
        inputs = tuple(shapes[source] for source in node.inputs)
        # what a layer states makes no difference to its equality
        key = (node.layer, getattr(node.layer, "inputs", None), inputs)
        if key not in made:
            made[key] = run_layer(node.layer, inputs)
        result = made[key]
        if isinstance(result, str):
            return Trial(shapes, position, result)
        shapes[position] = result
    return Trial(shapes, None)


def run_layer(layer: Layer, inputs: tuple[Shape, ...]) -> Shape | str:
    """Return a layer's output, or what does not fit."""
    try:
        return layer.derive(inputs, 1).shape
    except ShapeError as error:
        return error.message.partition("; ")[0]


def expand(sides: Sides, axes: int) -> Sides:
    """Return one entry per axis, also where the numbers do not go with the axes."""
    return (sides * axes)[:axes] if len(sides) == 1 else sides
