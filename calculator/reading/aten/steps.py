"""What an exported graph says, in plain Python: weights, and operations in the order they run.

The operations are those of aten, PyTorch's library of tensor functions, with the names of
their arguments. Shapes here have the batch, which is 1, in front.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from calculator.layers.shapes import Shape

Role = Literal["parameter", "buffer", "constant"]
MOST_AXES = 4  # channels and three sizes are the most that a table shows


@dataclass(frozen=True)
class Ref:
    """The value that an earlier step, or the graph's input, has under this name."""

    name: str


@dataclass(frozen=True)
class Weight:
    """A tensor that the module holds.

    Args:
        key: the same for tensors that are one and the same, under whatever names.
        shape: of the tensor.
        role: what the module calls it; constants are written in its code, and count as nothing.
    """

    key: int
    shape: Shape
    role: Role


@dataclass(frozen=True)
class Step:
    """One operation.

    Args:
        name: of its value in the graph.
        operator: aten's name for it, such as ``conv2d``.
        arguments: by aten's names for them, defaults included; values of the graph are ``Ref``.
        shapes: of what it returns; several for ``chunk`` and its like.
        many: whether it returns a list, of which ``getitem`` takes an item.
        pointwise: whether aten says that it works on every value by itself.
        path: of the module that ran it, such as ``features.0``; empty for the outermost.
        leaf: whether that module has no modules inside.
        call: the call of a composite function that this step is a part of, and its name.
    """

    name: str
    operator: str
    arguments: Mapping[str, Any]
    shapes: tuple[Shape, ...]
    many: bool = False
    pointwise: bool = False
    path: str = ""
    leaf: bool = False
    call: tuple[str, str] = ("", "")

    def list_refs(self) -> list[str]:
        """Return the names of the values that it is given."""
        return [item.name for item in walk(self.arguments.values()) if isinstance(item, Ref)]


@dataclass(frozen=True)
class Trace:
    """A whole graph.

    Args:
        input: name of the one value that is given when it runs.
        shape: of that value, batch included.
        weights: the tensors that the module holds, by name.
        steps: in the order in which they run.
        outputs: names of the values that the module returns.
    """

    input: str
    shape: Shape
    weights: Mapping[str, Weight]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Activation:
    """A value that depends on the input.

    Args:
        source: position of the draft that returns it; ``INPUT`` for the network's input.
        shape: batch included.
    """

    source: int
    shape: Shape


@dataclass(frozen=True)
class Constant:
    """A value that does not depend on the input: a weight, or something made of weights.

    Args:
        weights: names of the tensors that it is made of.
        shape: of the value.
    """

    weights: frozenset[str]
    shape: Shape


@dataclass(frozen=True)
class Call:
    """A step whose references are resolved.

    Args:
        step: what runs.
        settings: its arguments; values of the graph are ``Activation`` or ``Constant``.
        params: trainable numbers among those that it is given.
        buffers: numbers among them that are not trained.
    """

    step: Step
    settings: Mapping[str, Any]
    params: int = 0
    buffers: int = 0

    @property
    def shape(self) -> Shape:
        """What it returns, batch included; the first of several."""
        return self.step.shapes[0]

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The values that depend on the input, in the order of the arguments."""
        return tuple(v for v in walk(self.settings.values()) if isinstance(v, Activation))

    @property
    def weights(self) -> frozenset[str]:
        """Names of the tensors that it is given."""
        held = (v.weights for v in walk(self.settings.values()) if isinstance(v, Constant))
        return frozenset().union(*held)

    def shape_of(self, name: str) -> Shape:
        """Return the shape of the argument of this name, batch included."""
        shape: Shape = self.settings[name].shape
        return shape

    def axis(self) -> int:
        """Return the argument ``dim`` of an operation on one axis of its value, from 0 on."""
        return int(self.settings["dim"]) % len(self.activations[0].shape)

    def is_sample(self, axes: int | None = None) -> bool:
        """Return whether the first value is one sample, of so many spatial axes if given."""
        shape = self.activations[0].shape
        return len(shape) > 1 and shape[0] == 1 and axes in (None, len(shape) - 2)


def walk(values: Any) -> Iterator[Any]:  # noqa: ANN401 - arguments are of any type
    """Yield what is in lists, and in lists inside."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from walk(value)
        else:
            yield value


def take_sample(shape: Shape) -> Shape:
    """Return a shape without the batch, with four axes at most: more are merged in front."""
    sample = shape[1:] if len(shape) > 1 and shape[0] == 1 else shape
    surplus = len(sample) - MOST_AXES
    if surplus > 0:
        return (prod(sample[: surplus + 1]), *sample[surplus + 1 :])
    return sample or (1,)


def count_weights(weights: Iterable[Weight], role: str) -> int:
    """Return the numbers in tensors of one role, each tensor counted once."""
    shapes = {weight.key: weight.shape for weight in weights if weight.role == role}
    return sum(prod(shape) for shape in shapes.values())
