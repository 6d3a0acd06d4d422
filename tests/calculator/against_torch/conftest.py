"""Networks of the calculator, built a second time from PyTorch's own modules."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from calculator import Network
from calculator.layers.base import Layer
from calculator.layers.convolutions import Conv, DepthwiseConv, TransposedConv
from calculator.layers.dense import Dense, Flatten
from calculator.layers.joins import Add, Concat
from calculator.layers.pointwise import Activation, BatchNorm, Dropout, InstanceNorm
from calculator.layers.pools import AdaptivePool, GlobalPool, Pool
from calculator.layers.resizing import Crop, Pad, PixelShuffle, Upsample
from calculator.layers.shapes import Borders, Padding, Sides
from calculator.network import INPUT

# per number of axes; typed loosely, since a tuple's length is known only when it runs
Build = Callable[..., nn.Module]
CONVS: tuple[Build, ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED: tuple[Build, ...] = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
BATCH_NORMS: tuple[Build, ...] = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
INSTANCE_NORMS: tuple[Build, ...] = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
MAX_POOLS: tuple[Build, ...] = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
AVG_POOLS: tuple[Build, ...] = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
ADAPTIVE: dict[str, tuple[Build, ...]] = {
    "max": (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d),
    "avg": (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
}


class Bordered(nn.Module):
    """Pad a tensor, then call a module."""

    def __init__(self, borders: Borders, inner: nn.Module, mode: str = "constant") -> None:
        super().__init__()
        self.borders = [side for border in reversed(borders) for side in border]
        self.inner = inner
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, *sizes]`` through padding and module."""
        return self.inner(F.pad(x, self.borders, mode=self.mode))  # type: ignore[no-any-return]


class Lambda(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Call the function."""
        return self.function(x)


def expand(sides: Sides, axes: int) -> Sides:
    """Return one entry per axis."""
    return sides * axes if len(sides) == 1 else sides


def split(padding: Padding, axes: int) -> tuple[Borders, Sides]:
    """Return what must be padded by hand, and what a module can pad itself."""
    assert not isinstance(padding, str)
    borders = padding * axes if len(padding) == 1 else padding
    if all(before == after for before, after in borders):
        return (), tuple(before for before, _ in borders)
    return borders, (0,) * axes


def build_conv(layer: Conv | DepthwiseConv, channels: int, axes: int) -> nn.Module:
    """Return PyTorch's convolution."""
    if isinstance(layer, DepthwiseConv):
        filters, groups = channels * layer.multiplier, channels
    else:
        filters, groups = layer.filters, layer.groups
    build_one = partial(
        CONVS[axes - 1],
        channels,
        filters,
        expand(layer.kernel, axes),
        stride=expand(layer.stride, axes),
        dilation=expand(layer.dilation, axes),
        groups=groups,
        bias=layer.bias,
    )
    if layer.padding == "same":
        return build_one(padding="same")
    borders, padding = split(layer.padding, axes)
    conv = build_one(padding=padding)
    return Bordered(borders, conv) if borders else conv


def build_transposed(layer: TransposedConv, channels: int, axes: int) -> nn.Module:
    """Return PyTorch's transposed convolution."""
    _, padding = split(layer.padding, axes)
    return TRANSPOSED[axes - 1](
        channels,
        layer.filters,
        expand(layer.kernel, axes),
        stride=expand(layer.stride, axes),
        padding=padding,
        output_padding=expand(layer.output_padding, axes),
        dilation=expand(layer.dilation, axes),
        groups=layer.groups,
        bias=layer.bias,
    )


def build_pool(layer: Pool, axes: int) -> nn.Module:
    """Return PyTorch's pooling."""
    _, padding = split(layer.padding, axes)
    kernel = expand(layer.kernel, axes)
    stride = expand(layer.stride or layer.kernel, axes)
    if layer.mode == "avg" and axes == 3 and not layer.ceil:
        # PyTorch's 3-D mean, unlike all its others, refuses what fits only with its padding
        borders = tuple((side, side) for side in padding)
        return Bordered(borders, AVG_POOLS[2](kernel, stride))
    if layer.mode == "avg":
        return AVG_POOLS[axes - 1](kernel, stride, padding, ceil_mode=layer.ceil)
    dilation = expand(layer.dilation, axes)
    return MAX_POOLS[axes - 1](kernel, stride, padding, dilation, ceil_mode=layer.ceil)


def build_shuffle(factor: int, axes: int) -> nn.Module:
    """Return pixel shuffle in any number of dimensions."""

    def shuffle(x: Tensor) -> Tensor:
        n, c, *sizes = x.shape
        split_up = x.reshape(n, c // factor**axes, *(factor,) * axes, *sizes)
        pairs = [i for axis in range(axes) for i in (2 + axes + axis, 2 + axis)]
        return split_up.permute(0, 1, *pairs).reshape(n, -1, *(size * factor for size in sizes))

    return Lambda(shuffle)


def build_crop(layer: Crop, axes: int) -> nn.Module:
    """Return a crop as negative padding."""
    borders = layer.padding * axes if len(layer.padding) == 1 else layer.padding
    return Bordered(tuple((-before, -after) for before, after in borders), nn.Identity())


def build_pad(layer: Pad, axes: int) -> nn.Module:
    """Return padding with the layer's values."""
    borders = layer.padding * axes if len(layer.padding) == 1 else layer.padding
    mode = {"zeros": "constant", "reflect": "reflect", "edge": "replicate"}[layer.mode]
    return Bordered(borders, nn.Identity(), mode)


def build_norm(layer: BatchNorm | InstanceNorm, channels: int, axes: int) -> nn.Module:
    """Return PyTorch's normalisation."""
    kinds = BATCH_NORMS if isinstance(layer, BatchNorm) else INSTANCE_NORMS
    return kinds[max(axes, 1) - 1](channels, affine=layer.affine)


def build_adaptive(layer: AdaptivePool | GlobalPool, axes: int) -> nn.Module:
    """Return PyTorch's adaptive pooling, of which the global one is a case."""
    size = (1,) if isinstance(layer, GlobalPool) else layer.size
    return ADAPTIVE[layer.mode][axes - 1](expand(size, axes))


BUILDERS: tuple[tuple[Any, Callable[[Any, int, int], nn.Module]], ...] = (
    ((Conv, DepthwiseConv), build_conv),
    (TransposedConv, build_transposed),
    (Pool, lambda layer, _, axes: build_pool(layer, axes)),
    ((AdaptivePool, GlobalPool), lambda layer, _, axes: build_adaptive(layer, axes)),
    ((BatchNorm, InstanceNorm), build_norm),
    (Upsample, lambda layer, *_: nn.Upsample(scale_factor=layer.factor)),
    (PixelShuffle, lambda layer, _, axes: build_shuffle(layer.factor, axes)),
    (Crop, lambda layer, _, axes: build_crop(layer, axes)),
    (Pad, lambda layer, _, axes: build_pad(layer, axes)),
    (Flatten, lambda *_: nn.Flatten()),
    (Dense, lambda layer, channels, _: nn.Linear(channels, layer.units, bias=layer.bias)),
    ((Activation, Dropout), lambda *_: nn.Identity()),
)


def build(layer: Layer, shape: torch.Size) -> nn.Module:
    """Return PyTorch's module for a layer whose input has this shape, batch included."""
    builder = next(builder for kinds, builder in BUILDERS if isinstance(layer, kinds))
    return builder(layer, shape[1], len(shape) - 2)


class TorchNetwork:
    """A network, built while its first input runs through it.

    Args:
        network: of the calculator.
        x: float64 ``[N, C, *sizes]``.
    """

    def __init__(self, network: Network, x: Tensor) -> None:
        self.values: dict[int, Tensor] = {INPUT: x}
        self.modules: list[nn.Module | None] = []
        self.macs: list[int] = []
        for position, node in enumerate(network.nodes):
            inputs = [self.values[source] for source in node.inputs]
            if isinstance(node.layer, Add):
                self.modules.append(None)
                self.values[position] = torch.stack(inputs).sum(0)
            elif isinstance(node.layer, Concat):
                self.modules.append(None)
                self.values[position] = torch.cat(inputs, dim=1)
            else:
                module = build(node.layer, inputs[0].shape).double()
                fill_positive(module)
                self.modules.append(module)
                self.values[position] = module(inputs[0])

    @property
    def output(self) -> Tensor:
        """What the last layer returned."""
        return self.values[len(self.modules) - 1]

    def count_params(self, position: int) -> int:
        """Return the trainable numbers of one layer."""
        module = self.modules[position]
        return 0 if module is None else sum(p.numel() for p in module.parameters())


def fill_positive(module: nn.Module) -> None:
    """Make every weight positive, so that gradients cannot cancel, and sums stay small."""
    for parameter in module.parameters():
        nn.init.constant_(parameter, 1 / max(1, parameter[0].numel()))


def count_products(layer: Layer, shape: tuple[int, ...]) -> int:
    """Count the products that a convolution forms, as the sum over ones times ones.

    Padding is made of ones as well, so that its products count; a transposed convolution
    runs without cropping, so that every product ends in a sum.
    """
    x = torch.ones(1, *shape, dtype=torch.float64)
    module: Any = build(layer, x.shape).double()
    if isinstance(module, Bordered):
        borders, module = module.borders, module.inner
        x = F.pad(x, borders, value=1.0)
    functions: tuple[Callable[..., Tensor], ...] = (F.conv1d, F.conv2d, F.conv3d)
    if isinstance(layer, TransposedConv):
        functions = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
    else:
        # holds the borders of every axis, the last axis first, for numbers and for "same"
        x = F.pad(x, module._reversed_padding_repeated_twice, value=1.0)
    products = functions[len(shape) - 2](
        x,
        torch.ones_like(module.weight),
        stride=module.stride,
        dilation=module.dilation,
        groups=module.groups,
    )
    return int(products.sum().item())


@pytest.fixture(scope="session")
def to_torch() -> Callable[[Network, Tensor], TorchNetwork]:
    """Return what builds a network in PyTorch and runs it."""
    return TorchNetwork


@pytest.fixture(scope="session")
def form_products() -> Callable[[Layer, tuple[int, ...]], int]:
    """Return what counts the products of a convolution."""
    return count_products
