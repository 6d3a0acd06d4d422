"""A network: layers in the order in which they run, each with where its inputs come from."""

from dataclasses import dataclass

from calculator.layers.base import Layer
from calculator.layers.shapes import Shape

INPUT = -1  # in Node.inputs: the network's own input


@dataclass(frozen=True)
class Node:
    """A layer in its place.

    Args:
        name: unique in its network.
        layer: what it does.
        inputs: positions of earlier nodes, or ``INPUT``; several only for joins.
        reused_params: how many of the layer's parameters are those of an earlier layer
            (shared weights), and are counted there.
        reused_buffers: likewise for its buffers.
    """

    name: str
    layer: Layer
    inputs: tuple[int, ...]
    reused_params: int = 0
    reused_buffers: int = 0


@dataclass(frozen=True)
class Network:
    """A directed graph without cycles; the last node is the output.

    Args:
        name: what to call it.
        input: shape without the batch, ``(channels, *sizes)`` or ``(features,)``.
        nodes: in an order in which they can run.
    """

    name: str
    input: Shape
    nodes: tuple[Node, ...]


class Names:
    """Give layers the names that papers give them: ``conv1``, ``pool1``, ``fc1``."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = set(taken)
        self.used: dict[str, int] = {}

    def choose(self, kind: str) -> str:
        """Return the next free name for a kind; all pools count together, and so do norms."""
        stem = next((family for family in ("pool", "norm") if kind.endswith(family)), kind)
        while True:
            self.used[stem] = self.used.get(stem, 0) + 1
            name = f"{stem}{self.used[stem]}"
            if name not in self.taken:
                self.taken.add(name)
                return name
