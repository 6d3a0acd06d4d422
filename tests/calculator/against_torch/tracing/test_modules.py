"""Modules as people write them: names, residual blocks, shared, frozen and computed weights."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from calculator import Report, parse, summarize
from models.style.architecture import CONFIGS
from models.style.style_net import StyleNet

Trace = Callable[..., Report]
Numbers = tuple[str, tuple[int, ...], int, int, int]


def list_kinds(report: Report) -> list[str]:
    """Return the kinds of all layers."""
    return [row.node.layer.kind for row in report.rows]


def list_numbers(report: Report) -> list[Numbers]:
    """Return name, shape and counts of all layers."""
    return [
        (row.node.name, row.derived.shape, row.params, row.buffers, row.macs) for row in report.rows
    ]


class Block(nn.Module):
    """A residual block with one ReLU module for both of its places."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, H, W]`` to the same shape."""
        identity = x
        out: Tensor = self.conv2(self.relu(self.bn1(self.conv1(x))))
        out += identity
        return self.relu(out)  # type: ignore[no-any-return]


class Classifier(nn.Module):
    """A classifier as it is usually written, with functions between its modules."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2, padding="valid"), nn.SiLU())
        self.layer1 = nn.Sequential(Block(8), Block(8))
        self.fc = nn.Linear(8 * 7 * 7, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, 3, 32, 32]`` to ``[N, 10]``."""
        x = F.max_pool2d(self.layer1(self.stem(x)), 2)
        x = F.dropout(torch.flatten(F.hardswish(x), 1), training=self.training)
        return F.softmax(self.fc(x), dim=-1)


def test_written_classifier_equals_its_line(trace_it: Trace) -> None:
    """Functions, ``+=`` and one module in two places make the layers of the grammar."""
    block = "[ conv 8@3 p1 nobias | bn | relu | conv 8@3 p1 nobias || ] add | relu"
    line = (
        f"3x32x32 | conv 8@5 s2 | silu | {block} | {block} | maxpool 2 | hardswish | flatten "
        "| dropout | fc 10 | softmax"
    )
    traced, expected = trace_it(Classifier, 3, 32, 32), summarize(parse(line))
    assert [row[1:] for row in list_numbers(traced)] == [row[1:] for row in list_numbers(expected)]
    assert [row.fields for row in traced.rows] == [row.fields for row in expected.rows]
    assert [row.node.inputs for row in traced.rows] == [row.node.inputs for row in expected.rows]


def test_layers_have_the_names_of_their_modules(trace_it: Trace) -> None:
    """A module that is one layer gives its path; the steps of others have their kind behind it."""
    names = [row.node.name for row in trace_it(Classifier, 3, 32, 32).rows]
    assert names[:8] == [
        *("stem.0", "stem.1", "layer1.0.conv1", "layer1.0.bn1", "layer1.0.relu"),
        *("layer1.0.conv2", "layer1.0.add", "layer1.0.relu-2"),
    ]
    assert names[-6:] == ["pool1", "hardswish1", "flatten1", "dropout1", "fc", "softmax1"]
    assert len(set(names)) == len(names)


def test_numbers_of_a_sequential_do_not_begin_a_name(trace_it: Trace) -> None:
    """The names are such as the grammar takes."""
    traced = trace_it(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.ReLU())), 1, 8, 8)
    assert [row.node.name for row in traced.rows] == ["layer0", "layer1.0"]


@pytest.mark.parametrize(
    ("name", "config", "shape"),
    [("style-paper", "paper", (3, 64, 36)), ("style-fast", "fast", (3, 61, 34))],
)
def test_trained_style_network_equals_its_name(
    name: str, config: str, shape: tuple[int, int, int], trace_function: Trace
) -> None:
    """Every layer of the networks that paint, scales and shifts by style included."""

    def paint(module: Any, x: Tensor) -> object:  # noqa: ANN401
        return module.net(x, torch.ones(1, 1))

    traced = trace_function(paint, *shape, net=StyleNet(CONFIGS[config]))
    expected = summarize(parse(name, input_shape=shape))
    assert [row[1:] for row in list_numbers(traced)] == [row[1:] for row in list_numbers(expected)]
    assert list_kinds(traced) == list_kinds(expected)
    assert [row.fields for row in traced.rows] == [row.fields for row in expected.rows]


def test_module_that_runs_twice_is_counted_once(trace_function: Trace) -> None:
    """Its second run has multiply-adds and no parameters."""

    def run(module: Any, x: Tensor) -> object:  # noqa: ANN401
        return module.bn(module.conv(module.bn(module.conv(x))))

    traced = trace_function(run, 2, 4, 4, conv=nn.Conv2d(2, 2, 1), bn=nn.BatchNorm2d(2))
    assert list_numbers(traced) == [
        ("conv", (2, 4, 4), 6, 0, 64),
        ("bn", (2, 4, 4), 4, 4, 0),
        ("conv-2", (2, 4, 4), 0, 0, 64),
        ("bn-2", (2, 4, 4), 0, 0, 0),
    ]


def test_tied_weights_are_counted_once(trace_it: Trace) -> None:
    """Two layers may share a matrix and have biases of their own."""
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    traced = trace_it(nn.Sequential(first, second), 4)
    assert [row.params for row in traced.rows] == [20, 4]
    assert traced.params == sum(p.numel() for p in nn.ModuleList((first, second)).parameters())


def test_frozen_parameters_are_parameters(trace_it: Trace, trace_function: Trace) -> None:
    """What does not require gradients counts alike; what is registered as a buffer does not."""
    conv = nn.Conv2d(3, 3, 2, groups=3, bias=False).requires_grad_(requires_grad=False)
    assert trace_it(conv, 3, 4, 4).params == 12
    blur = nn.Module()
    blur.register_buffer("kernel", torch.ones(3, 1, 2, 2))
    traced = trace_function(lambda m, x: F.conv2d(x, m.blur.kernel, groups=3), 3, 4, 4, blur=blur)
    assert (traced.params, traced.buffers, traced.macs) == (0, 12, 108)
    assert list_kinds(traced) == ["weights", "dwconv"]


@pytest.mark.parametrize(
    ("wrap", "params", "buffers"),
    [(parametrizations.weight_norm, 4, 0), (parametrizations.spectral_norm, 0, 4 + 27)],
)
def test_computed_weights_hold_what_they_are_made_of(
    wrap: Callable[[nn.Module], nn.Module], params: int, buffers: int, trace_it: Trace
) -> None:
    """The numbers beside those of the convolution stand in a row of their own in front."""
    traced = trace_it(wrap(nn.Conv2d(3, 4, 3)), 3, 8, 8)
    assert list_kinds(traced) == ["weights", "conv"]
    assert [(row.params, row.buffers) for row in traced.rows] == [(params, buffers), (112, 0)]


def test_function_in_place_changes_its_input(trace_function: Trace) -> None:
    """A shortcut that was taken before an in-place ReLU is the ReLU's result, as when it runs."""

    def run(module: Any, x: Tensor) -> Tensor:  # noqa: ANN401
        shortcut = module.conv(x)
        changed = F.relu(shortcut, inplace=True)
        return changed.add(shortcut)

    traced = trace_function(run, 1, 4, 4, conv=nn.Conv2d(1, 1, 1))
    assert [row.node.inputs for row in traced.rows] == [(-1,), (0,), (1, 1)]
