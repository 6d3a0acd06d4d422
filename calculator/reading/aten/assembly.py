"""From drafts to a network: names, weights that are counted once, and a check of every shape."""

import re
from collections.abc import Mapping
from dataclasses import replace

from calculator.arithmetic.expressions import count
from calculator.errors import CalculatorError
from calculator.layers.operators import Operator
from calculator.layers.shapes import render_shape
from calculator.network import INPUT, Names, Network, Node
from calculator.reading.aten.graph import Draft, draft_layers, find_needed
from calculator.reading.aten.steps import Trace, Weight, count_weights, take_sample
from calculator.summary import Report, Row, summarize

LONGEST_NAME = 64  # as in the grammar


def assemble(trace: Trace, name: str) -> Network:
    """Turn a graph into a network.

    Args:
        trace: the graph.
        name: what to call the network.

    Raises:
        CalculatorError: nothing lies between input and output, or a layer does not return
            the shape that PyTorch gave.
    """
    drafts, outputs = draft_layers(trace)
    needed = find_needed(drafts, outputs)
    places = {INPUT: INPUT, **{position: place for place, position in enumerate(needed)}}
    namer = Namer()
    nodes = []
    for draft in (drafts[position] for position in needed):
        chosen = namer.choose(draft.path, draft.layer.kind, leaf=draft.leaf)
        nodes.append(Node(chosen, draft.layer, tuple(places[source] for source in draft.inputs)))
    network = Network(name, take_sample(trace.shape), tuple(nodes))
    report = summarize(network)
    kept = [drafts[position] for position in needed]
    check_shapes(report, kept)
    return replace(network, nodes=share_weights(report, kept, weights=trace.weights, namer=namer))


class Namer:
    """Give every layer a name of its own, from the module that runs it."""

    def __init__(self) -> None:
        self.names = Names(set())

    def choose(self, path: str, kind: str, *, leaf: bool) -> str:
        """Return a free name.

        Args:
            path: of the module, such as ``layer1.0.conv2``; empty for the outermost.
            kind: of the layer.
            leaf: whether the module is this layer alone, so that its path says enough.
        """
        if not path:
            return self.names.choose(kind)
        stem = path if leaf else f"{path}.{kind}"
        return self.reserve(fit_name(stem))

    def reserve(self, stem: str) -> str:
        """Return the name, or with the first number from 2 on behind it that makes it free."""
        name, number = stem, 1
        while name in self.names.taken:
            number += 1
            name = f"{stem[: LONGEST_NAME - 8]}-{number}"
        self.names.taken.add(name)
        return name


def fit_name(text: str) -> str:
    """Return a name that the grammar could have: its letters, its length, a letter in front."""
    name = re.sub(r"[^A-Za-z0-9_.\-/]", "_", text)
    if len(name) > LONGEST_NAME:
        name = name[-LONGEST_NAME:].partition(".")[2] or name[-LONGEST_NAME:]
    # an nn.Sequential numbers its modules
    return name if name[0].isalpha() or name[0] == "_" else f"layer{name}"[:LONGEST_NAME]


def check_shapes(report: Report, drafts: list[Draft]) -> None:
    """Hold the shapes that the layers derive against those that PyTorch gave.

    Raises:
        CalculatorError: a layer returns another shape.
    """
    for row, draft in zip(report.rows, drafts, strict=True):
        if draft.shape is not None and row.derived.shape != draft.shape:
            message = (
                f"{row.node.name} ({row.node.layer.kind}): derived as "
                f"{render_shape(row.derived.shape)}, but PyTorch returns "
                f"{render_shape(draft.shape)}; the table would be wrong, so there is none"
            )
            raise CalculatorError(message)


def share_weights(
    report: Report, drafts: list[Draft], *, weights: Mapping[str, Weight], namer: Namer
) -> tuple[Node, ...]:
    """Count every tensor at the first layer that holds it.

    Numbers beyond those of a layer's formulas come as a row of their own in front of it, as
    the lengths that weight normalisation keeps beside the directions (Salimans and Kingma
    2016, "Weight Normalization", eq. 2).
    """
    counted: set[int] = set()
    nodes: list[Node] = []
    places = {INPUT: INPUT}
    for position, (row, draft) in enumerate(zip(report.rows, drafts, strict=True)):
        held = [weights[name] for name in draft.weights]
        new = [weight for weight in held if weight.key not in counted]
        counted.update(weight.key for weight in held)
        params, buffers = find_missing(row, new)
        if params < 0 or buffers < 0:
            nodes.append(
                make_surplus(row.node.name, max(-params, 0), max(-buffers, 0), namer=namer)
            )
        places[position] = len(nodes)
        inputs = tuple(places[source] for source in row.node.inputs)
        reused_params, reused_buffers = max(params, 0), max(buffers, 0)
        nodes.append(Node(row.node.name, draft.layer, inputs, reused_params, reused_buffers))
    return tuple(nodes)


def find_missing(row: Row, new: list[Weight]) -> tuple[int, int]:
    """Return how many parameters and buffers of a layer's formulas are not among the new ones."""
    return (
        count(row.derived.params) - count_weights(new, "parameter"),
        count(row.derived.buffers) - count_weights(new, "buffer"),
    )


def make_surplus(name: str, params: int, buffers: int, *, namer: Namer) -> Node:
    """Return a row for the weights that a layer's formulas do not have."""
    layer = Operator("weights", (params + buffers,), params=params, buffers=buffers)
    return Node(namer.reserve(fit_name(f"{name}.weights")), layer, ())
