"""The layer table: every number of every layer, and the totals."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from calculator.arithmetic import formulas
from calculator.arithmetic.choices import choose
from calculator.arithmetic.expressions import Derivation, count
from calculator.arithmetic.receptive import Field, Tracker
from calculator.errors import CalculatorError, ShapeError
from calculator.layers.convolutions import name_axes
from calculator.layers.shapes import Derived, Shape
from calculator.network import INPUT, Network, Node

CONVENTION = (
    "MACs are multiply-adds of convolutions, dense layers and matrix products without bias, "
    "products with padding zeros included, for the whole batch; a FLOP count would be about twice "
    "as large. Parameters are trainable and counted once, also where layers share them; buffers "
    "(running statistics, fixed weights) are apart. Activations are the values that layers "
    "return, every layer counted. Numbers have 4 bytes. Forward memory is parameters, buffers and "
    "the largest set of values alive at once, each freed after its last use. Training memory is "
    "parameters three times (value, gradient, momentum), buffers, the input, and all activations "
    "with their gradients. Receptive fields are not clipped to the input, start is the first "
    "input position of the first unit, and normalisation is taken as acting on single values."
)


@dataclass(frozen=True)
class Row:
    """One layer of the table.

    Args:
        node: the layer and its name.
        inputs: shapes that it is given.
        derived: shape and counts with their derivations.
        activations: the number of its output values, with its derivation.
        fields: receptive field along each axis; None where there is none any more.
        live_values: values alive while the layer runs, its inputs and output among them.
    """

    node: Node
    inputs: tuple[Shape, ...]
    derived: Derived
    activations: Derivation
    fields: tuple[Field, ...] | None
    live_values: int

    @property
    def params(self) -> int:
        """Trainable numbers, less those that an earlier layer shares and counts."""
        return count(self.derived.params) - self.node.reused_params

    @property
    def buffers(self) -> int:
        """Numbers that are stored and not trained, less those that an earlier layer counts."""
        return count(self.derived.buffers) - self.node.reused_buffers

    @property
    def macs(self) -> int:
        """Multiply-adds of the batch."""
        return count(self.derived.macs)

    @property
    def connections(self) -> int:
        """Products and biases of the batch, as LeCun et al. 1998 count."""
        return count(self.derived.connections)

    @property
    def forward(self) -> Derivation:
        """Bytes of own parameters and buffers, and of the values alive while the layer runs."""
        counts = {"params": self.params, "buffers": self.buffers, "alive": self.live_values}
        return formulas.FORWARD_BYTES.derive(**counts)

    @property
    def training(self) -> Derivation:
        """Bytes of parameters three times, buffers, and the output with its gradient."""
        counts = {"params": self.params, "buffers": self.buffers}
        kept = self.activations.result
        return formulas.TRAINING_BYTES.derive(**counts, activations=kept, entered=0)


@dataclass(frozen=True)
class Report:
    """A network's layer table for one batch size.

    Args:
        network: what was counted.
        batch: N.
        rows: one per layer, in the order in which they run.
    """

    network: Network
    batch: int
    rows: tuple[Row, ...]

    @property
    def params(self) -> int:
        """Trainable numbers of all layers."""
        return sum(row.params for row in self.rows)

    @property
    def buffers(self) -> int:
        """Numbers stored and not trained, of all layers."""
        return sum(row.buffers for row in self.rows)

    @property
    def macs(self) -> int:
        """Multiply-adds of the batch, all layers."""
        return sum(row.macs for row in self.rows)

    @property
    def connections(self) -> int:
        """Products and biases of the batch, all layers."""
        return sum(row.connections for row in self.rows)

    @property
    def activations(self) -> int:
        """Output values of all layers."""
        return sum(row.activations.result for row in self.rows)

    @property
    def forward(self) -> Derivation:
        """Bytes of all parameters and buffers, and of the largest set of values alive at once."""
        most = choose("max", [row.live_values for row in self.rows])
        return formulas.FORWARD_BYTES.derive(params=self.params, buffers=self.buffers, alive=most)

    @property
    def training(self) -> Derivation:
        """Bytes of the input, of parameters three times, and of all that training keeps."""
        counts = {"params": self.params, "buffers": self.buffers, "activations": self.activations}
        return formulas.TRAINING_BYTES.derive(
            **counts, entered=self.batch * prod(self.network.input)
        )


def summarize(network: Network, *, batch: int = 1) -> Report:
    """Count everything.

    Args:
        network: what to count.
        batch: N, at least 1.

    Raises:
        CalculatorError: a layer does not fit its input; the message names it.
    """
    if not hasattr(batch, "__index__") or batch < 1:
        message = f"batch {batch!r:.40} must be an integer of at least 1"
        raise CalculatorError(message)
    return Report(network, batch, tuple(list_rows(network, batch, tracker=Tracker())))


def list_rows(network: Network, batch: int, *, tracker: Tracker) -> Iterator[Row]:
    """Yield the table's rows in the order in which the layers run.

    Args:
        network: what to count.
        batch: N, at least 1.
        tracker: follows the receptive fields.

    Raises:
        CalculatorError: a layer does not fit its input; the message names it.
    """
    entered = tuple(Field() for _ in network.input[1:]) or None
    shapes: dict[int, Shape] = {INPUT: network.input}
    fields: dict[int, tuple[Field, ...] | None] = {INPUT: entered}
    live = LiveValues(network, batch)
    for position, node in enumerate(network.nodes):
        inputs = tuple(shapes[source] for source in node.inputs)
        try:
            derived = node.layer.derive(inputs, batch)
            seen = tracker.follow([fields[source] for source in node.inputs], derived.rules)
        except ShapeError as error:
            raise LayerError(error.message, position, node=node) from error
        shapes[position], fields[position] = derived.shape, seen
        size = count_activations(derived.shape, batch)
        yield Row(node, inputs, derived, size, seen or None, live.run(position, size.result))


class LayerError(CalculatorError):
    """A layer does not fit its input.

    Args:
        message: what does not fit.
        position: of the layer in its network.
        node: the layer.
    """

    def __init__(self, message: str, position: int, *, node: Node) -> None:
        super().__init__(f"{node.name} ({node.layer.kind}): {message}")
        self.position = position


def count_activations(shape: Shape, batch: int) -> Derivation:
    """Derive the number of values of a batch of one shape."""
    axes = len(shape) - 1
    if not axes:
        return formulas.FLAT_ACTIVATIONS.derive(N=batch, F_out=shape[0])
    sizes = name_axes("", shape[1:], suffix="_out")
    return formulas.activation_size(axes).derive(N=batch, C_out=shape[0], **sizes)


class LiveValues:
    """Count the values alive while layers run in order, each freed after its last use."""

    def __init__(self, network: Network, batch: int) -> None:
        self.last_use = {
            source: position
            for position, node in enumerate(network.nodes)
            for source in node.inputs
        }
        self.end = len(network.nodes)  # the output is never freed
        self.sizes = {INPUT: batch * prod(network.input)}
        self.alive = self.sizes[INPUT]

    def run(self, position: int, size: int) -> int:
        """Return the values alive while a layer of this output size runs."""
        self.sizes[position] = size
        self.alive += size
        alive = self.alive
        for source in [s for s in self.sizes if self.last_use.get(s, self.end) <= position]:
            self.alive -= self.sizes.pop(source)
        return alive
