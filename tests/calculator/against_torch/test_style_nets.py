"""The style networks' tables against the networks that are trained."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from calculator import Report, parse, summarize
from models.style.architecture import CONFIGS
from models.style.style_net import StyleNet


def observe(config: str, height: int, width: int) -> tuple[list[tuple[int, ...]], list[int], int]:
    """Return output shapes and multiply-adds of the convolutions, and all parameters."""
    net = StyleNet(CONFIGS[config], styles=1).eval()
    shapes, macs = [], []

    def note(module: nn.Module, _: Any, output: Tensor) -> None:  # noqa: ANN401
        assert isinstance(module, nn.Conv2d)
        shapes.append(tuple(output.shape[1:]))
        macs.append(module.weight[0].numel() * output[0].numel())

    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(note)
    with torch.no_grad():
        painted = net(torch.zeros(1, 3, height, width), torch.ones(1, 1))
    assert painted.shape == (1, 3, height, width)
    return shapes, macs, sum(parameter.numel() for parameter in net.parameters())


def list_convolutions(report: Report) -> list[tuple[tuple[int, ...], int]]:
    """Return output shape and multiply-adds of every convolution."""
    return [(row.derived.shape, row.macs) for row in report.rows if row.node.layer.kind == "conv"]


@pytest.mark.parametrize(
    ("name", "config", "size"),
    [
        ("style-paper", "paper", (64, 96)),
        ("style-slim", "slim", (64, 96)),
        ("style-fast", "fast", (64, 96)),
        ("style-fast", "fast", (61, 34)),
    ],
)
def test_style_network_equals_the_trained_one(
    name: str, config: str, size: tuple[int, int]
) -> None:
    """Every convolution's shape and multiply-adds, all parameters, and the output's size."""
    report = summarize(parse(name, input_shape=(3, *size)))
    shapes, macs, params = observe(config, *size)
    assert list_convolutions(report) == list(zip(shapes, macs, strict=True))
    assert report.params == params
    assert report.rows[-1].derived.shape == (3, *size)


def test_fast_network_sees_equally_far_to_all_sides() -> None:
    """A painted pixel depends on a window that is centred on it, give or take the stride."""
    fields = summarize(parse("style-fast")).rows[-1].fields
    assert fields is not None
    first, last = fields[0].first_of(0), fields[0].last_of(0)
    assert first is not None
    assert last is not None
    assert abs(first + last) <= 4
