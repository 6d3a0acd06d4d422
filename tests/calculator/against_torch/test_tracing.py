"""Modules of PyTorch, read back: the tables of the names and lines that they are built from."""

import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, example, given, reject, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from calculator import CalculatorError, Network, Report, Row, parse, summarize
from calculator.layers.base import Layer
from calculator.layers.joins import Add, Concat
from calculator.layers.pointwise import Activation, Dropout, LocalResponseNorm
from calculator.network import INPUT
from calculator.reading.networks import NETWORKS
from calculator.reading.tracing import trace

ToTorch = Callable[[Network, Tensor], Any]
Trace = Callable[[object, tuple[int, ...]], Report]

FUNCTIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leakyrelu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "hardswish": nn.Hardswish,
    "softplus": nn.Softplus,
    "sigmoid": nn.Sigmoid,
    "hardsigmoid": nn.Hardsigmoid,
    "tanh": nn.Tanh,
    "softmax": lambda: nn.Softmax(dim=1),
}
# a layer of these trainable numbers, with partial connections, is in no framework
OF_1998 = "lenet5-1998"


class Rebuilt(nn.Module):
    """A network of the calculator as a module.

    Args:
        network: to run.
        parts: the modules of its layers; None for joins.
    """

    def __init__(self, network: Network, parts: list[nn.Module | None]) -> None:
        super().__init__()
        self.network = network
        self.parts = nn.ModuleList(nn.Identity() if part is None else part for part in parts)

    def forward(self, x: Tensor) -> Tensor:
        """Run every layer."""
        values = {INPUT: x}
        for position, node in enumerate(self.network.nodes):
            inputs = [values[source] for source in node.inputs]
            if isinstance(node.layer, Add):
                values[position] = inputs[0] + inputs[1]
            elif isinstance(node.layer, Concat):
                values[position] = torch.cat(inputs, dim=1)
            else:
                values[position] = self.parts[position](inputs[0])
        return values[position]


def rebuild(network: Network, to_torch: ToTorch) -> nn.Module:
    """Return a network as a module without memory for its weights."""
    still = [
        replace(node, layer=Activation("relu")) if build_still(node.layer) else node
        for node in network.nodes
    ]
    with torch.device("meta"):
        built = to_torch(
            replace(network, nodes=tuple(still)), torch.empty(1, *network.input).double()
        )
        parts = [
            build_still(node.layer) or part
            for node, part in zip(network.nodes, built.modules, strict=True)
        ]
    return Rebuilt(network, parts)


def build_still(layer: Layer) -> nn.Module | None:
    """Return the module of a layer without weights that keeps the shape; None for any other."""
    if isinstance(layer, Activation):
        return FUNCTIONS[layer.function]()
    if isinstance(layer, LocalResponseNorm):
        return nn.LocalResponseNorm(layer.size)
    return nn.Dropout() if isinstance(layer, Dropout) else None


@pytest.fixture
def trace_it(monkeypatch: pytest.MonkeyPatch) -> Trace:
    """Return what reads an object as the attribute of an importable module."""

    def run(found: object, shape: tuple[int, ...]) -> Report:
        return read(found, shape, monkeypatch)

    return run


def read(found: object, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> Report:
    """Put an object into a module, and read it."""
    module = ModuleType("drawn_nets")
    module.net = found  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "drawn_nets", module)
    return summarize(trace("drawn_nets:net", input_shape=shape))


def describe(row: Row) -> tuple[object, ...]:
    """Return all that two rows must share; a depthwise convolution is one with many groups."""
    kind = row.node.layer.kind
    return (
        "conv" if kind == "dwconv" else kind,
        row.derived.shape,
        row.params,
        row.buffers,
        row.macs,
        row.derived.window,
        row.derived.groups,
        row.fields and [(field.first, field.last, field.advance) for field in row.fields],
    )


def check_alike(traced: Report, expected: Report) -> None:
    """Compare two reports row by row."""
    assert [describe(row) for row in traced.rows] == [describe(row) for row in expected.rows]
    assert traced.forward.result == expected.forward.result
    assert [row.node.inputs for row in traced.rows] == [row.node.inputs for row in expected.rows]


@pytest.mark.parametrize("name", sorted(NETWORKS.keys() - {OF_1998}))
def test_named_network_reads_back_as_itself(name: str, to_torch: ToTorch, trace_it: Trace) -> None:
    """Kinds, shapes, windows, counts, receptive fields and connections are those of the name."""
    network = parse(name)
    check_alike(trace_it(rebuild(network, to_torch), network.input), summarize(network))


ITEMS = (
    *("conv 4@3 p1", "conv 2@3 s2", "conv 4@2 d2 g2 nobias", "conv 4@3 same", "dwconv 3 p1 m2"),
    *("tconv 2@3 s2 p1 o1", "tconv 4@2 d2 g2 nobias", "batchnorm", "batchnorm noaffine"),
    *("instancenorm", "instancenorm noaffine", "maxpool 2", "maxpool 3 s2 p1 ceil"),
    *("maxpool 2 s1 d2", "avgpool 2", "avgpool 3 s2 ceil", "adaptiveavgpool 3"),
    *("adaptivemaxpool 2", "upsample 2", "pixelshuffle 2", "pad 1 reflect", "pad 0:1 edge"),
    *("pad 2:0 zeros", "crop 0:1", "dropout", "lrn 3", *FUNCTIONS),
    *("[ conv 4@1 || conv 4@1 | relu ] add", "[ conv 2@3 p1 || ] concat", "[ relu || ] add"),
)
ENDS = ("", " | globalavgpool", " | globalmaxpool | flatten", " | flatten | fc 5 | softmax")


@given(
    st.integers(1, 3),
    st.lists(st.sampled_from(ITEMS), min_size=1, max_size=5),
    st.sampled_from(ENDS),
)
@example(3, ["[ conv 2@3 p1 || ] concat", "[ conv 2@3 p1 || ] concat", "pixelshuffle 2"], "")
@example(1, ["pixelshuffle 2"], " | flatten | fc 5 | softmax")
@settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_drawn_network_reads_back_as_itself(
    to_torch: ToTorch, axes: int, items: list[str], end: str
) -> None:
    """So are those of random networks, in one to three dimensions."""
    line = f"4{'x9' * axes} | {' | '.join(items)}{end}"
    try:
        network = parse(line)
        module = rebuild(network, to_torch)
    except (CalculatorError, RuntimeError, ValueError, NotImplementedError):
        reject()  # the layers do not fit, or PyTorch has no such layer in this dimension
    rows = summarize(network).rows  # of one position, a pixel shuffle is a view like any other
    assume(
        all(set(row.derived.shape[1:]) != {2} for row in rows if "pixelshuffle" in row.node.name)
    )
    assume(axes < 3 or " avgpool" not in line)  # this one is rebuilt with padding in front
    with pytest.MonkeyPatch.context() as monkeypatch:
        check_alike(read(module, network.input, monkeypatch), summarize(network))
