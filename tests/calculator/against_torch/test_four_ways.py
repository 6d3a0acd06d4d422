"""One network, written in every way that is read."""

import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from calculator import Network, load, parse, summarize, trace
from calculator.reading.networks import describe_network

INPUT = (1, 32, 32)
Layers = list[tuple[object, ...]]


def make_lenet5() -> nn.Sequential:
    """Return LeNet-5 as a user of PyTorch writes it."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.Tanh(),
        nn.Linear(120, 84),
        nn.Tanh(),
        nn.Linear(84, 10),
        nn.Softmax(dim=1),
    )


def list_layers(network: Network) -> Layers:
    """Return what the four ways must agree on; names may differ."""
    return [
        (
            row.node.layer.kind,
            row.derived.window,
            row.derived.shape,
            row.params,
            row.buffers,
            row.macs,
            row.activations.result,
            row.fields and [(field.extent, field.jump, field.start) for field in row.fields],
        )
        for row in summarize(network, batch=3).rows
    ]


@pytest.fixture(scope="module")
def expected() -> Layers:
    """Return the layers of the name."""
    return list_layers(parse("lenet5"))


def test_line_says_the_same(expected: Layers) -> None:
    """The grammar."""
    assert list_layers(parse(describe_network("lenet5"))) == expected


def test_recipe_says_the_same(expected: Layers, tmp_path: Path) -> None:
    """A YAML file."""
    head, *layers = describe_network("lenet5").split(" | ")
    path = tmp_path / "net.yaml"
    path.write_text("\n".join([f"input: {head}", "layers:", *(f"  - {one}" for one in layers)]))
    assert list_layers(load(path)) == expected


def test_export_says_the_same(expected: Layers, tmp_path: Path) -> None:
    """An ONNX file of PyTorch's own exporter."""
    path = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            make_lenet5().eval(), (torch.zeros(1, *INPUT),), path, dynamo=True, verbose=False
        )
    assert list_layers(load(path)) == expected


def test_module_says_the_same(expected: Layers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of PyTorch."""
    module = ModuleType("four_ways_net")
    module.lenet5 = make_lenet5()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert list_layers(trace("four_ways_net:lenet5", input_shape=INPUT)) == expected
