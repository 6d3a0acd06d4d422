"""PyTorch's exports, read back: the same layers as the name or line they were built from."""

import logging
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from calculator import CalculatorError, Network, Report, Row, load, parse, summarize
from calculator.layers.base import Layer
from calculator.layers.joins import Add, Concat
from calculator.layers.pointwise import Activation, Dropout, LocalResponseNorm
from calculator.network import INPUT

# what a file writes in the same way
ALIKE = {"dwconv": "conv", "adaptiveavgpool": "avgpool", "globalmaxpool": "maxpool"}

ToTorch = Callable[[Network, Tensor], Any]

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
    "softmax": lambda: nn.Softmax(1),
}


class Exported(nn.Module):
    """A network of the calculator as one module with random weights."""

    def __init__(self, network: Network, to_torch: ToTorch) -> None:
        super().__init__()
        self.network = network
        known = [replace(node, layer=stand_in(node.layer)) for node in network.nodes]
        x = torch.ones(2, *network.input, dtype=torch.float64)
        built = to_torch(replace(network, nodes=tuple(known)), x).modules
        parts = [
            make_part(node.layer, module) for node, module in zip(network.nodes, built, strict=True)
        ]
        self.parts = nn.ModuleList(parts).float()
        for values in (*self.parameters(), *self.buffers()):
            if values.is_floating_point():
                nn.init.uniform_(values, 0.5, 1.5)  # no two alike: equal ones would be shared

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, *sizes]`` through all layers."""
        values = {INPUT: x}
        for position, (node, part) in enumerate(zip(self.network.nodes, self.parts, strict=True)):
            inputs = [values[source] for source in node.inputs]
            if isinstance(node.layer, Add):
                values[position] = sum(inputs[1:], inputs[0])
            elif isinstance(node.layer, Concat):
                values[position] = torch.cat(inputs, dim=1)
            else:
                values[position] = part(inputs[0])
        return values[len(self.network.nodes) - 1]


def stand_in(layer: Layer) -> Layer:
    """Return a layer that the other tests' PyTorch network can build."""
    return Activation("relu") if isinstance(layer, LocalResponseNorm) else layer


def make_part(layer: Layer, built: nn.Module | None) -> nn.Module:
    """Return the module of a layer; joins need none, activations have their function."""
    if isinstance(layer, Activation):
        return FUNCTIONS[layer.function]()
    if isinstance(layer, LocalResponseNorm):
        return nn.LocalResponseNorm(layer.size)
    return nn.Identity() if built is None else built


def export(module: nn.Module, network: Network, path: Path, **options: Any) -> None:  # noqa: ANN401
    """Write a module with random weights as an ONNX file."""
    x = torch.zeros(1, *network.input)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), (x,), path, verbose=False, **options)


def describe(row: Row) -> tuple[object, ...]:
    """Return what must be the same in both tables."""
    kind = ALIKE.get(row.node.layer.kind, row.node.layer.kind)
    fields = None if row.fields is None else [(f.first, f.last, f.advance) for f in row.fields]
    return kind, row.derived.shape, row.params, row.buffers, row.macs, fields


def list_rows(report: Report) -> list[tuple[object, ...]]:
    """Return the rows that a file holds: all but dropout."""
    return [describe(row) for row in report.rows if not isinstance(row.node.layer, Dropout)]


def round_trip(to_torch: ToTorch, line: str, path: Path, **options: Any) -> tuple[Report, Report]:  # noqa: ANN401
    """Return the table of a line and that of its export."""
    network = parse(line)
    export(Exported(network, to_torch), network, path, **options)
    return summarize(network), summarize(load(path))


PLAIN = {"dynamo": True, "optimize": False}
OPTIMIZED = {"dynamo": True, "optimize": True}
SCRIPTED = {"dynamo": False, "opset_version": 13}

SMALL = "[ conv 2@1x1 | relu || conv 2@3x3 p1 | relu || maxpool 3x3 s1 p1 ] concat"
LINES = {
    "acts": "2x6x6 | " + " | ".join(FUNCTIONS),
    "alexnet": "3x67x67 | conv 6@11x11 s4 | relu | lrn 5 | maxpool 3x3 s2 | conv 8@5x5 p2 g2 "
    "| relu | lrn 5 | maxpool 3x3 s2 | flatten | fc 16 | relu | dropout | fc 10 | softmax",
    "vgg": "3x32x32 | conv 4@3x3 p1 | batchnorm | relu | maxpool 2x2 | conv 8@3x3 p1 | batchnorm "
    "noaffine | relu | maxpool 2x2 | flatten | fc 32 | relu | dropout | fc 10 | softmax",
    "resnet": "3x33x33 | conv 8@7x7 s2 p3 nobias | batchnorm | relu | maxpool 3x3 s2 p1 "
    "| [ conv 8@3x3 p1 nobias | batchnorm | relu | conv 8@3x3 p1 nobias | batchnorm || ] add "
    "| relu | [ conv 16@3x3 s2 p1 nobias | batchnorm || conv 16@1x1 s2 nobias ] add | relu "
    "| globalavgpool | flatten | fc 10 | softmax",
    "inception": f"4x9x9 | {SMALL} | avgpool 3x3 s2 ceil | adaptiveavgpool 2x2 | flatten | fc 3",
    "style": "3x24x24 | pad 4 reflect | conv 4@9x9 | instancenorm | relu | pad 1 edge "
    "| conv 4@3x3 s2 | instancenorm noaffine | relu | upsample 2 | pad 1 | conv 12@3x3 | sigmoid "
    "| pixelshuffle 2 | crop 2:3 | tconv 3@3x3 s2 p1 o1 | tanh",
    "mobile": "4x16x16 | dwconv 3x3 p1 s2 m2 | batchnorm | relu6 | conv 8@1x1 nobias | batchnorm "
    "| hardswish | globalavgpool | flatten | fc 4 nobias",
    "line": "2x40 | conv 4@5 s2 p2 | batchnorm | relu | maxpool 2 | tconv 3@4 s2 p1 | flatten "
    "| fc 3",
    "cube": "1x8x8x8 | conv 2@3 p1 | batchnorm | relu | maxpool 2 | globalavgpool | flatten | fc 3",
    "same": "2x9x9 | conv 4@3x3 same d2 | relu | conv 4@5x3 same | globalmaxpool | flatten | fc 3",
}


# without normalisation, which some exporters fold into the convolutions
PLAIN_LINES = [line for line in LINES.values() if "norm" not in line]


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_export_gives_the_table_of_its_line(to_torch: ToTorch, tmp_path: Path, line: str) -> None:
    """Kinds, shapes, parameters, buffers, multiply-adds and fields are those of the line."""
    expected, found = round_trip(to_torch, line, tmp_path / "net.onnx", **PLAIN)
    assert list_rows(found) == list_rows(expected)
    assert found.network.name == "net"


@pytest.mark.parametrize("name", ["lenet5", "simpleconvnet", "inception-3a", "resnet18"])
def test_export_gives_the_table_of_its_name(to_torch: ToTorch, tmp_path: Path, name: str) -> None:
    """A named network, exported, has the layers of its name."""
    expected, found = round_trip(to_torch, name, tmp_path / f"{name}.onnx", **PLAIN)
    assert list_rows(found) == list_rows(expected)
    assert (found.params, found.macs) == (expected.params, expected.macs)


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_older_exporter_gives_the_same_products(
    to_torch: ToTorch, tmp_path: Path, line: str
) -> None:
    """Of the exporter by tracing, too; it folds batch normalisation into convolutions."""
    expected, found = round_trip(to_torch, line, tmp_path / "net.onnx", **SCRIPTED)
    assert found.macs == expected.macs
    assert found.rows[-1].derived.shape == expected.rows[-1].derived.shape
    if line in PLAIN_LINES:
        assert list_rows(found) == list_rows(expected)


@pytest.mark.parametrize("name", ["alexnet", "same"])
def test_optimised_export_without_norms_is_the_same(
    to_torch: ToTorch, tmp_path: Path, name: str
) -> None:
    """Where the optimiser has nothing to put together, the table does not change."""
    expected, found = round_trip(to_torch, LINES[name], tmp_path / "net.onnx", **OPTIMIZED)
    assert list_rows(found) == list_rows(expected)


def test_untrained_scales_are_parameters_and_made_up_ones_are_not(tmp_path: Path) -> None:
    """Ones and zeros count where they have a weight's name, not where the exporter made them."""
    network = parse("3x8x8 | instancenorm | instancenorm noaffine | batchnorm | batchnorm noaffine")
    norms = nn.Sequential(
        nn.InstanceNorm2d(3, affine=True),
        nn.InstanceNorm2d(3),
        nn.BatchNorm2d(3),
        nn.BatchNorm2d(3, affine=False),
    )
    export(norms, network, tmp_path / "net.onnx", **PLAIN)
    assert list_rows(summarize(load(tmp_path / "net.onnx"))) == list_rows(summarize(network))


def draw_layer(draw: st.DrawFn) -> str:
    """Draw one layer or a pair of branches; every channel count is 4."""
    which = draw(st.sampled_from(("conv", "tconv", "pool", "pad", "upsample", "join", "relu")))
    kernel, stride = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    if which == "conv":
        groups, dilation = draw(st.sampled_from((1, 2, 4))), draw(st.integers(1, 2))
        return f"conv 4@{kernel} s{stride} p{draw(st.integers(0, 2))} g{groups} d{dilation}"
    if which == "tconv":
        return f"tconv 4@{kernel} s{stride} p{draw(st.integers(0, 1))} o{stride - 1}"
    if which == "pool":
        mode, ceil = draw(st.sampled_from(("max", "avg"))), draw(st.sampled_from(("", " ceil")))
        # PyTorch's 3-D mean is built with its padding in front, as a layer of its own
        padding = f" p{kernel // 2}" if mode == "max" else ""
        return f"{mode}pool {kernel} s{stride}{padding}{ceil}"
    if which == "pad":
        mode = draw(st.sampled_from(("zeros", "reflect", "edge")))
        return f"pad {draw(st.integers(1, 2))}:{draw(st.integers(0, 2))} {mode}"
    if which == "join":
        join = draw(st.sampled_from(("add", "concat")))
        return f"[ conv 2@3 p1 | tanh || conv 2@1 ] {join} | conv 4@1"
    return "upsample 2" if which == "upsample" else "relu"


@st.composite
def lines(draw: st.DrawFn) -> str:
    """Draw a network of a few layers."""
    axes, side = draw(st.sampled_from((1, 2, 2, 3))), draw(st.integers(3, 9))
    layers = [draw_layer(draw) for _ in range(draw(st.integers(1, 4)))]
    return " | ".join([f"4{f'x{side}' * axes}", *layers])


@given(lines())
@settings(
    deadline=None,
    database=None,
    max_examples=40,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
def test_random_network_gives_the_table_of_its_line(
    to_torch: ToTorch, tmp_path_factory: pytest.TempPathFactory, line: str
) -> None:
    """Any few layers in one to three dimensions survive the way through a file."""
    path = tmp_path_factory.mktemp("random") / "net.onnx"
    try:
        expected, found = round_trip(to_torch, line, path, **SCRIPTED)
    except (CalculatorError, RuntimeError) as error:
        if isinstance(error, CalculatorError) and str(path) in error.message:
            raise
        reject()  # the layers do not fit, or PyTorch has no such layer
    assert list_rows(found) == list_rows(expected)
