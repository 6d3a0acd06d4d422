"""From operations to the nodes of a network: places, layouts, weights that are shared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod

from calculator.errors import CalculatorError
from calculator.layers.base import Layer
from calculator.layers.operators import Operator, Source
from calculator.layers.shapes import Shape
from calculator.network import INPUT, Node
from calculator.reading.onnx_file.inputs import Order
from calculator.reading.onnx_file.naming import Naming, Wish, suggest
from calculator.reading.onnx_file.survey import Survey
from calculator.reading.onnx_file.values import Operation, Sizes

MOST_LAYERS = 4_000
MOST_SIZES = 4  # channels and three axes


@dataclass(frozen=True)
class Home:
    """Where a tensor comes from in the network.

    Args:
        position: of the node that returns it, or ``INPUT``.
        order: its axes in the order batch, channels, sizes; transpositions only change this.
    """

    position: int
    order: Order


@dataclass
class Holding:
    """What a layer stores and multiplies, and how much of it an earlier layer has counted.

    Args:
        params: trainable numbers.
        buffers: others.
        reused_params: of them, those that an earlier layer has counted.
        reused_buffers: likewise.
        products: multiply-adds for one sample.
    """

    params: int = 0
    buffers: int = 0
    reused_params: int = 0
    reused_buffers: int = 0
    products: int = 0


NOTHING = Holding()


class Builder:
    """Collects the nodes of a network.

    Args:
        survey: of the file.
        used: names of the tensors that something reads, or that are outputs.
    """

    def __init__(self, survey: Survey, used: Iterable[str]) -> None:
        self.survey = survey
        self.values = survey.values
        self.used = set(used)
        self.batch = survey.inputs.batch
        self.nodes: list[Node] = []
        self.naming = Naming()
        self.homes = {survey.inputs.main: Home(INPUT, survey.inputs.order)}
        self.counted: set[str] = set()  # stored tensors that a layer has counted
        self.is_weighted = False  # whether a layer with weights of its own came before

    def is_constant(self, name: str) -> bool:
        """Return whether a tensor does not depend on an input."""
        return self.values[name].is_constant

    def locate(self, name: str) -> Home:
        """Return where a tensor comes from; a further input begins where it is read first."""
        if name not in self.homes:
            sizes = self.values[name].sizes
            layer = Source(self.to_shape(sizes))
            position = self.append(Wish(name, layer.kind, weighted=False), layer, inputs=())
            self.homes[name] = Home(position, keep_order(len(sizes)))
        return self.homes[name]

    def arrange(self, name: str, order: Order | None = None) -> Home:
        """Return a tensor behind a transposition if need be.

        Args:
            name: of the tensor.
            order: of the axes; by default as in the file.
        """
        home, sizes = self.locate(name), self.values[name].sizes
        order = order or keep_order(len(sizes))
        if home.order == order:
            return home
        layer = Operator("transpose", self.order_shape(sizes, order))
        wish = Wish("", layer.kind, weighted=False)
        position = self.append(wish, layer, inputs=(home.position,))
        self.homes[name] = Home(position, order)
        return self.homes[name]

    def shape_of(self, name: str) -> Shape:
        """Return a tensor's shape in the table."""
        return self.order_shape(self.values[name].sizes, self.locate(name).order)

    def order_shape(self, sizes: Sizes, order: Order) -> Shape:
        """Return sizes without the batch, channels first."""
        return self.to_shape(tuple(sizes[axis] for axis in order))

    def to_shape(self, sizes: Sizes) -> Shape:
        """Return sizes without the batch; more than four are multiplied into the fourth."""
        if sizes and sizes[0] == self.batch:
            sizes = sizes[1:]
        if len(sizes) > MOST_SIZES:
            sizes = (*sizes[: MOST_SIZES - 1], prod(sizes[MOST_SIZES - 1 :]))
        return sizes or (1,)

    def add(
        self,
        operation: Operation,
        layer: Layer,
        *,
        inputs: Sequence[str],
        order: Order | None = None,
        holding: Holding = NOTHING,
        owner: str = "",
    ) -> None:
        """Add the layer of an operation.

        Args:
            operation: whose outputs the layer returns.
            layer: what it is.
            inputs: tensors that it reads.
            order: of the axes of its outputs, if it is not that of the file.
            holding: its stored numbers.
            owner: name of its weight.
        """
        positions = tuple(self.locate(name).position for name in inputs)
        word = operation.kind.rsplit(".", 1)[-1]
        wish = suggest(operation.name, kind=layer.kind, word=word, owner=owner)
        position = self.append(wish, layer, inputs=positions, holding=holding)
        for output in operation.outputs:
            if output in self.values:
                rank = len(self.values[output].sizes)
                fits = order is not None and len(order) == rank
                self.homes[output] = Home(position, order if order and fits else keep_order(rank))

    def pass_on(self, operation: Operation, home: Home) -> None:
        """Let an operation's output be a tensor that is there already."""
        self.homes[operation.outputs[0]] = home

    def append(
        self, wish: Wish, layer: Layer, *, inputs: tuple[int, ...], holding: Holding = NOTHING
    ) -> int:
        """Add a node and return its position; it is named in the end.

        Raises:
            CalculatorError: there are too many.
        """
        if len(self.nodes) == MOST_LAYERS:
            message = f"has more than {MOST_LAYERS:,} layers; give a part of the network"
            raise CalculatorError(message)
        self.naming.wishes.append(wish)
        reused = (holding.reused_params, holding.reused_buffers)
        self.nodes.append(Node("", layer, inputs, *reused))
        return len(self.nodes) - 1

    def find_owner(self, name: str) -> str:
        """Return the largest stored tensor that a constant is computed from; empty if none."""
        counts = self.survey.counts
        return max(self.values[name].roots or (), key=lambda root: counts.get(root, 0), default="")

    def hold_weights(self, params: Sequence[str], buffers: Sequence[str] = ()) -> Holding:
        """Return the holding of a layer whose own formulas count these constants."""
        holding = Holding()
        for names, is_param in ((params, True), (buffers, False)):
            for name in names:
                size, owner = prod(self.values[name].sizes), self.find_owner(name)
                reused = size if owner in self.counted else 0
                holding.reused_params += reused if is_param else 0
                holding.reused_buffers += 0 if is_param else reused
        fresh = {self.find_owner(name) for name in (*params, *buffers)}
        self.counted |= fresh - {""}
        self.is_weighted = True
        return holding

    def hold_stored(self, names: Iterable[str], *, as_weights: bool) -> Holding:
        """Return the holding of an operation that has no formulas of its own.

        Args:
            names: constants that it reads.
            as_weights: whether numbers with a fraction are trainable also before the first
                layer with weights, where scales and shifts prepare the picture.
        """
        holding, survey = Holding(), self.survey
        roots = [root for name in names for root in self.values[name].roots or ()]
        for root in dict.fromkeys(roots):
            size = survey.counts.get(root, 0)
            if size <= 1 or root in survey.loose:
                continue
            is_param = root in survey.floats and (as_weights or self.is_weighted)
            reused = size if root in self.counted else 0
            holding.params += size if is_param else 0
            holding.buffers += 0 if is_param else size
            holding.reused_params += reused if is_param else 0
            holding.reused_buffers += 0 if is_param else reused
            self.counted.add(root)
        self.is_weighted = self.is_weighted or (as_weights and holding.params > 0)
        return holding

    def finish(self) -> tuple[Node, ...]:
        """Return the nodes with their names."""
        if not any(node.inputs for node in self.nodes):
            layer = Operator("identity", self.survey.inputs.shape, pointwise=True)
            self.append(Wish("", layer.kind, weighted=False), layer, inputs=(INPUT,))
        names = self.naming.choose()
        return tuple(replace(node, name=name) for node, name in zip(self.nodes, names, strict=True))


def keep_order(rank: int) -> Order:
    """Return the order of axes as they lie in the file."""
    return tuple(range(rank))
