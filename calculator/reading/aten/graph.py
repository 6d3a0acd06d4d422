"""The walk over a graph: which operations are layers, and what flows where."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from calculator.arithmetic.expressions import count
from calculator.errors import CalculatorError
from calculator.layers.base import Layer
from calculator.layers.operators import Operator
from calculator.layers.pointwise import Activation as Function
from calculator.layers.pointwise import LocalResponseNorm
from calculator.layers.resizing import Crop, PixelShuffle
from calculator.layers.shapes import Borders, Shape
from calculator.network import INPUT
from calculator.reading.aten.operators import PIECES, read_call
from calculator.reading.aten.resizing import (
    SWAPS,
    VIEWS,
    Rearrangement,
    add_borders,
    read_rearrangement,
    read_slice,
    rearrange,
)
from calculator.reading.aten.steps import (
    Activation,
    Call,
    Constant,
    Ref,
    Step,
    Trace,
    count_weights,
    take_sample,
)
from calculator.reading.aten.windows import Layers

# these return what they are given, as far as shapes and counts go
TRANSPARENT = {
    *("alias", "clone", "contiguous", "detach", "lift", "lift_fresh", "lift_fresh_copy"),
    *("to", "_to_copy", "type_as", "expand", "expand_as", "positive", "requires_grad"),
}
ATTENTION = "multi_head_attention_forward"
NORM = "local_response_norm"
NOTHING = Constant(frozenset(), ())  # what assertions and plain numbers leave
Value = Activation | Constant | tuple["Activation | Constant", ...]


@dataclass(frozen=True)
class Draft:
    """A layer that is not named yet.

    Args:
        layer: what it does.
        inputs: positions of the drafts that it reads.
        shape: what PyTorch says that it returns, without the batch; None inside a pair.
        weights: names of the tensors that it holds.
        path: of the module that runs it.
        leaf: whether that module has no modules inside.
    """

    layer: Layer
    inputs: tuple[int, ...]
    shape: Shape | None
    weights: frozenset[str] = frozenset()
    path: str = ""
    leaf: bool = False


def draft_layers(trace: Trace) -> tuple[list[Draft], list[int]]:
    """Return the layers of a graph in the order in which they run, and which are outputs.

    Raises:
        CalculatorError: the outputs do not depend on the input.
    """
    drafter = Drafter(trace)
    drafter.run(trace.steps)
    values = [drafter.values[name] for name in trace.outputs]
    items = [item for value in values for item in (value if isinstance(value, tuple) else (value,))]
    outputs = [item.source for item in items if isinstance(item, Activation)]
    if max(outputs, default=INPUT) == INPUT:
        message = "no layer lies between input and output; return what the layers make of the input"
        raise CalculatorError(message)
    return drafter.drafts, outputs


class Drafter:
    """Follow every value through the steps of a graph."""

    def __init__(self, trace: Trace) -> None:
        self.weights = trace.weights
        self.drafts: list[Draft] = []
        self.values: dict[str, Value] = {
            name: Constant(frozenset((name,)), weight.shape)
            for name, weight in trace.weights.items()
        }
        self.values[trace.input] = Activation(INPUT, trace.shape)
        self.input = take_sample(trace.shape)
        self.chains: dict[int, Rearrangement] = {}  # by the draft that ends them
        self.crops: dict[int, tuple[Activation, Borders]] = {}
        refs = (ref for step in trace.steps for ref in step.list_refs())
        self.uses = Counter((*trace.outputs, *refs))

    def run(self, steps: Iterable[Step]) -> None:
        """Follow all steps; those of one call of a composite function together."""
        calls: dict[tuple[str, str], list[Step]] = {}
        for step in steps:
            calls.setdefault(step.call if step.call[1] else (step.name, ""), []).append(step)
        for (_, function), members in calls.items():
            if function == NORM and self.fold_norm(members):
                continue
            if function == ATTENTION and self.fold_attention(members):
                continue
            for step in members:
                self.follow(step)

    def follow(self, step: Step) -> None:
        """Note what a step returns."""
        call = self.resolve(step)
        value: Value
        if step.operator == "getitem":
            value = call.settings["self"][call.settings["index"]]
        elif not call.activations:
            made = [Constant(call.weights, shape) for shape in step.shapes]
            value = tuple(made) if step.many else made[0]
        else:
            value = self.apply(call)
        self.values[step.name] = value

    def resolve(self, step: Step) -> Call:
        """Look up what the references of a step stand for, and count the weights among them."""
        settings = {name: self.look_up(value) for name, value in step.arguments.items()}
        call = Call(step, settings)
        params, buffers = self.count(call.weights)
        return replace(call, params=params, buffers=buffers)

    def count(self, names: frozenset[str]) -> tuple[int, int]:
        """Return the parameters and the buffers among tensors."""
        held = [self.weights[name] for name in names]
        return count_weights(held, "parameter"), count_weights(held, "buffer")

    def look_up(self, value: Any) -> Any:  # noqa: ANN401 - arguments are of any type
        """Return an argument with its references resolved."""
        if isinstance(value, Ref):
            return self.values.get(value.name, NOTHING)
        if isinstance(value, list | tuple):
            return tuple(self.look_up(item) for item in value)
        return value

    def apply(self, call: Call) -> Value:
        """Add the layers of an operation on activations, and return its value."""
        operator = call.step.operator
        if call.step.many:
            return self.apply_many(call)
        if call.shape == call.activations[0].shape and is_transparent(call):
            return call.activations[0]
        if operator in VIEWS or operator in SWAPS:
            return self.add_chain(call)
        if operator == "slice" and (cut := read_slice(call)) is not None:
            return self.add_crop(call, cut)
        return self.add_gate(call) or self.add(call, read_call(call))

    def add(
        self, call: Call, layers: Layers, *, inputs: tuple[int, ...] | None = None
    ) -> Activation:
        """Add layers that run one after another; the first one holds the weights."""
        sources = tuple(x.source for x in call.activations) if inputs is None else inputs
        weights = call.weights
        for layer in layers:
            shape = take_sample(call.shape) if layer is layers[-1] else None
            draft = Draft(layer, sources, shape, weights, call.step.path, call.step.leaf)
            self.drafts.append(draft)
            sources, weights = (len(self.drafts) - 1,), frozenset()
        return Activation(len(self.drafts) - 1, call.shape)

    def add_chain(self, call: Call) -> Activation:
        """Add views and transpositions that follow each other as one; unread ones are pruned."""
        chain = rearrange(call, self.chains.get(call.activations[0].source))
        layers = read_rearrangement(chain, call.shape)
        if not layers:
            return Activation(chain.root.source, call.shape)
        value = self.add(call, layers, inputs=(chain.root.source,))
        if not isinstance(
            layers[-1], PixelShuffle
        ):  # a shuffle is complete; a flattening may follow
            self.chains[value.source] = chain
        return value

    def add_crop(self, call: Call, cut: Borders) -> Activation:
        """Add a crop, in one with the crops in front of it."""
        (x,) = call.activations
        root, before = self.crops.get(x.source, (x, None))
        whole = cut if before is None else add_borders(before, cut)
        value = self.add(call, (Crop(whole),), inputs=(root.source,))
        self.crops[value.source] = (root, whole)
        return value

    def add_gate(self, call: Call) -> Activation | None:
        """Add ``silu`` for a value times its own sigmoid; None for anything else."""
        values = call.activations
        if call.step.operator != "mul" or len(values) != 2:
            return None
        for x, gate in (values, values[::-1]):
            draft = self.drafts[gate.source] if gate.source != INPUT else None
            if draft and draft.layer == Function("sigmoid") and draft.inputs == (x.source,):
                return self.add(call, (Function("silu"),), inputs=(x.source,))
        return None

    def apply_many(self, call: Call) -> Value:
        """Add an operation that returns a list: pieces, or a value and what goes with it."""
        if call.step.operator in PIECES:
            steps = [replace(call.step, shapes=(shape,)) for shape in call.step.shapes]
            pieces = [replace(call, step=step) for step in steps]
            return tuple(self.add(piece, read_call(piece)) for piece in pieces)
        first = self.add(call, read_call(call))
        others = []
        for shape in call.step.shapes[1:]:
            layer = Operator(call.step.operator, take_sample(shape))
            self.drafts.append(Draft(layer, (first.source,), None, path=call.step.path))
            others.append(Activation(len(self.drafts) - 1, shape))
        return first, *others

    def fold_norm(self, members: list[Step]) -> bool:
        """Add the steps of local response normalisation as one layer; False if they differ."""
        sizes = [s.arguments["kernel_size"] for s in members if s.operator.startswith("avg_pool")]
        call = self.resolve(members[0])
        if len(sizes) != 1 or not call.activations:
            return False
        layers: Layers = (LocalResponseNorm(sizes[0][0]),)
        value = self.add(call, layers, inputs=(call.activations[0].source,))
        self.values[members[-1].name] = value
        return True

    def fold_attention(self, members: list[Step]) -> bool:
        """Add the steps of multi-head attention as one operation, if one value leaves them."""
        inside = Counter(ref for step in members for ref in step.list_refs())
        leaving = [step for step in members if self.uses[step.name] > inside[step.name]]
        start = len(self.drafts)
        for step in members:
            self.follow(step)
        value = self.values[leaving[0].name] if len(leaving) == 1 else None
        if isinstance(value, Activation) and value.source >= start:
            self.values[leaving[0].name] = self.join(start, value, leaving[0])
        return True

    def join(self, start: int, value: Activation, last: Step) -> Activation:
        """Put all drafts from ``start`` on that a value needs into one operation."""
        needed = [i for i in find_needed(self.drafts, [value.source]) if i >= start]
        drafts = [self.drafts[i] for i in needed]
        outer = dict.fromkeys(i for draft in drafts for i in draft.inputs if i < start)
        weights = frozenset().union(*(draft.weights for draft in drafts))
        params, buffers = self.count(weights)
        products = sum(self.count_macs(draft) for draft in drafts)
        shape = take_sample(value.shape)
        layer = Operator("attention", shape, params=params, buffers=buffers, products=products)
        del self.drafts[start:]
        for chains in (self.chains, self.crops):  # those of the drafts that are gone
            for position in [i for i in chains if i >= start]:
                del chains[position]
        self.drafts.append(Draft(layer, tuple(outer), shape, weights, last.path, leaf=True))
        return Activation(start, value.shape)

    def count_macs(self, draft: Draft) -> int:
        """Return the multiply-adds of one draft for one sample."""
        if isinstance(draft.layer, Operator):
            return draft.layer.products
        shapes = (self.input if i == INPUT else self.drafts[i].shape for i in draft.inputs)
        return count(draft.layer.derive(tuple(shape for shape in shapes if shape)).macs)


def is_transparent(call: Call) -> bool:
    """Return whether an operation that keeps the shape returns what it is given."""
    operator = call.step.operator
    return operator in TRANSPARENT or (operator == "pad" and not any(call.settings["pad"]))


def find_needed(drafts: list[Draft], outputs: Iterable[int]) -> list[int]:
    """Return the positions of all drafts that the outputs need, in order."""
    needed: set[int] = set()
    waiting = list(outputs)
    while waiting:
        position = waiting.pop()
        if position != INPUT and position not in needed:
            needed.add(position)
            waiting.extend(drafts[position].inputs)
    return sorted(needed)
