"""Functions of PyTorch, one by one, and what they are in the table."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from calculator import Report

Trace = Callable[..., Report]


def list_kinds(report: Report) -> list[str]:
    """Return the kinds of all layers."""
    return [row.node.layer.kind for row in report.rows]


@pytest.mark.parametrize(
    ("run", "kinds"),
    [
        (lambda _, x: x * torch.sigmoid(x), ["silu"]),
        (lambda _, x: torch.sigmoid(x) * x.relu(), ["sigmoid", "relu", "mul"]),
        (lambda _, x: 1 - x * 2 / torch.ones(4, 1, 1, device=x.device), ["scale", "scale", "rsub"]),
        (lambda _, x: x.add(1).sub(3).neg(), ["shift", "shift", "neg"]),
        (lambda _, x: F.hardtanh(x.clamp(min=0), 0, 6).clamp(-1, 1), ["relu", "relu6", "clamp"]),
        (lambda _, x: x.mean((-1, -2)), ["globalavgpool", "flatten"]),
        (lambda _, x: x.amax((2, 3), keepdim=True), ["globalmaxpool"]),
        (lambda _, x: x.mean(1), ["mean"]),
        (lambda _, x: x[:, :, 1:-1][..., 2:], ["crop"]),
        (lambda _, x: x[:, :2], ["slice"]),
        (lambda _, x: F.pad(x, (1, -1)), ["crop", "pad"]),
        (lambda _, x: F.pad(x, (0, 0, 0, 0, 1, 0)), ["pad"]),
        (lambda _, x: F.pixel_shuffle(x, 2), ["pixelshuffle"]),
        (lambda _, x: F.channel_shuffle(x, 2), ["channel_shuffle"]),
        (lambda _, x: F.interpolate(x, scale_factor=2), ["upsample"]),
        (lambda _, x: F.interpolate(x, size=(9, 8)), ["upsample_nearest2d"]),
        (lambda _, x: torch.cat(x.chunk(2, 1)[::-1], 1), ["chunk", "chunk", "concat"]),
        (lambda _, x: torch.cat([x, x], 2), ["cat"]),
        (lambda _, x: x.softmax(1).log_softmax(1), ["softmax", "log_softmax"]),
        (lambda _, x: x.softmax(-1), ["softmax"]),
        (
            lambda _, x: F.max_pool2d(x, 2, return_indices=True),
            ["maxpool", "max_pool2d_with_indices"],
        ),
        (lambda _, x: x.squeeze().view(1, -1), ["flatten"]),
        (lambda _, x: x.permute(0, 2, 3, 1).reshape(1, -1), ["permute"]),
        (lambda _, x: x.transpose(1, 2).transpose(1, 2).contiguous().relu(), ["relu"]),
        (lambda _, x: {"a": x.relu(), "b": [x.tanh()], "c": x}, ["relu", "tanh"]),
    ],
)
def test_function_is_read_as(
    run: Callable[[Any, Tensor], object], kinds: list[str], trace_function: Trace
) -> None:
    """Functions on an input of 4x6x6 give these layers."""
    assert list_kinds(trace_function(run, 4, 6, 6)) == kinds


def shuffle_channels(x: Tensor) -> Tensor:
    """Mix two groups of channels (Zhang et al. 2018, "ShuffleNet", section 3.1)."""
    n, c, h, w = x.shape
    return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


def test_shuffled_channels_keep_the_receptive_field(trace_function: Trace) -> None:
    """A view, a transposition and a view are one step that moves no position."""
    convs = {"a": nn.Conv2d(4, 4, 3), "b": nn.Conv2d(4, 4, 3)}
    traced = trace_function(lambda m, x: m.b(shuffle_channels(m.a(x))), 4, 9, 9, **convs)
    assert list_kinds(traced) == ["conv", "channel_shuffle", "conv"]
    assert traced.rows[-1].fields is not None
    assert traced.rows[-1].fields[0].extent == 5


def test_squeeze_and_excitation_ends_the_receptive_field(trace_function: Trace) -> None:
    """A scale that was computed from the whole input lets every unit see all of it."""
    run = lambda m, x: m.conv(x) * torch.sigmoid(m.conv(x).mean((2, 3), keepdim=True))  # noqa: E731
    traced = trace_function(run, 3, 8, 8, conv=nn.Conv2d(3, 4, 3))
    assert list_kinds(traced) == ["conv", "conv", "globalavgpool", "sigmoid", "mul"]
    assert traced.rows[-1].fields is None


def test_attention_is_one_row(trace_function: Trace) -> None:
    """Projections, scores and weighted sums are counted together."""
    encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    run = lambda m, x: m.enc(x.flatten(2).transpose(1, 2))  # noqa: E731
    traced = trace_function(run, 8, 3, 3, enc=encoder)
    (row,) = [row for row in traced.rows if row.node.layer.kind == "attention"]
    assert row.node.name == "enc.self_attn"
    assert row.params == sum(p.numel() for p in encoder.self_attn.parameters())
    assert row.macs == 9 * 8 * 24 + 2 * 9 * 9 * 8 + 9 * 8 * 8
    assert traced.params == sum(p.numel() for p in encoder.parameters())


def test_products_of_matrices_are_counted(trace_function: Trace) -> None:
    """So are ``matmul``, ``bmm``, ``einsum``, attention as a function, and dense sequences."""

    def run(module: Any, x: Tensor) -> object:  # noqa: ANN401
        rows = module.fc(x.flatten(2))  # [1, 4, 9] -> [1, 4, 5]
        scores = torch.bmm(rows, rows.transpose(1, 2)) @ torch.ones(4, 7, device=x.device)
        mixed = torch.einsum("nij,njk->nik", scores.transpose(1, 2), rows)
        return F.scaled_dot_product_attention(mixed, rows, rows)

    traced = trace_function(run, 4, 3, 3, fc=nn.Linear(9, 5))
    counted = [(row.node.layer.kind, row.macs) for row in traced.rows if row.macs]
    assert counted == [
        ("fc", 4 * 5 * 9),
        ("bmm", 4 * 4 * 5),
        ("matmul", 4 * 7 * 4),
        ("einsum", 7 * 4 * 5),
        ("attention", 2 * 7 * 4 * 5),
    ]


def test_recurrent_layer_counts_every_step(trace_function: Trace) -> None:
    """Every entry of its matrices multiplies once per position of the sequence."""
    lstm = nn.LSTM(3, 5, num_layers=2, bidirectional=True, batch_first=True)
    run = lambda m, x: m.lstm(x.flatten(2).transpose(1, 2))[0]  # noqa: E731
    row = trace_function(run, 3, 2, 2, lstm=lstm).rows[-1]
    assert row.params == sum(p.numel() for p in lstm.parameters())
    assert row.macs == 4 * sum(p.numel() for p in lstm.parameters() if p.dim() == 2)
    assert row.derived.shape == (4, 10)


def test_batch_folded_into_pictures_is_counted(trace_function: Trace) -> None:
    """A convolution of the frames of a video has the multiply-adds of all of them."""
    run = lambda m, x: m.conv(x.transpose(1, 2).flatten(0, 1))  # noqa: E731
    row = trace_function(run, 3, 5, 8, 8, conv=nn.Conv2d(3, 4, 3)).rows[-1]
    assert (row.node.layer.kind, row.derived.shape) == ("conv", (5, 4, 6, 6))
    assert (row.params, row.macs) == (112, 5 * 4 * 6 * 6 * 27)
