"""VGG-16's convolutions as a ruler for pictures: the feature network of the perceptual losses.

Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale
Image Recognition", table 1, configuration D without its dense layers. Layers
are called as in the style-transfer papers: ``relu3_3`` is the third activation of the
third block.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from models.errors import WeightsError, list_nearest

BLOCKS: tuple[tuple[int, int], ...] = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
NETWORK = "vgg16-features"


def list_convolutions() -> list[tuple[str, int, int]]:
    """Return name (``conv3_1``), input and output channels of the 13 convolutions, in order."""
    rows, channels = [], 3
    for b, (count, width) in enumerate(BLOCKS, start=1):
        for i in range(1, count + 1):
            rows.append((f"conv{b}_{i}", channels, width))
            channels = width
    return rows


def expected_shapes() -> dict[str, tuple[int, ...]]:
    """Return the tensors of a ``vgg16-features`` safetensors file and their shapes, all float32."""
    shapes: dict[str, tuple[int, ...]] = {"mean": (3,)}
    for name, inputs, outputs in list_convolutions():
        shapes[f"{name}.weight"] = (outputs, inputs, 3, 3)
        shapes[f"{name}.bias"] = (outputs,)
    return shapes


class VGGFeatures(nn.Module):
    """The activations of chosen VGG-16 layers; frozen, but differentiable in its input.

    Args:
        tensors: float32 tensors by the names of :func:`expected_shapes`. The first
            convolution expects RGB in [0, 255] minus ``mean``.
        layers: which activations to return, such as ``("relu1_2", "relu3_3")``;
            the network ends at the deepest.
        padding_mode: ``zeros``, as published, or ``reflect``, which sees no dark frame around
            a picture: a network trained against zeros learns to paint one.

    Raises:
        WeightsError: a layer is unknown or a tensor that it needs is missing or misshapen.
    """

    def __init__(
        self,
        tensors: dict[str, Tensor],
        layers: Iterable[str],
        *,
        padding_mode: Literal["zeros", "reflect"] = "zeros",
    ) -> None:
        super().__init__()
        self.layers = tuple(layers)
        known = [name.replace("conv", "relu") for name, _, _ in list_convolutions()]
        for layer in self.layers:
            if layer not in known:
                message = f"layer {layer!r} is unknown; VGG-16 has {list_nearest(layer, known)}"
                raise WeightsError(message)
        depth = max(known.index(layer) for layer in self.layers) + 1
        used = dict(list(expected_shapes().items())[: 1 + 2 * depth])
        check_tensors("VGGFeatures", {n: tuple(t.shape) for n, t in tensors.items()}, used)
        self.convolutions = nn.ModuleDict()
        for name, inputs, outputs in list_convolutions()[:depth]:
            conv = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode=padding_mode)
            conv.weight.data.copy_(tensors[f"{name}.weight"])
            conv.bias.data.copy_(tensors[f"{name}.bias"])  # type: ignore[union-attr]
            self.convolutions[name] = conv
        self.mean: Tensor
        self.register_buffer("mean", tensors["mean"].reshape(1, 3, 1, 1).clone())
        self.requires_grad_(requires_grad=False).eval()

    def pool(self, x: Tensor) -> Tensor:
        """Halve both sides of ``[N, C, H, W]``, as published: by the maximum."""
        return F.max_pool2d(x, 2)

    def forward(self, images: Tensor, until: str | None = None) -> dict[str, Tensor]:
        """Return the chosen activations.

        Args:
            images: float32 ``[N, 3, H, W]``, RGB in [0, 1], H and W at least 16.
            until: one of the chosen layers; deeper ones are neither computed nor returned.

        Returns:
            float ``[N, C, H / 2^(block - 1), W / 2^(block - 1)]`` by layer.
        """
        x = images * 255.0 - self.mean
        block, found = "1", {}
        for name, conv in self.convolutions.items():
            if name[4] != block:
                x, block = self.pool(x), name[4]
            x = F.relu(conv(x))
            layer = name.replace("conv", "relu")
            if layer in self.layers:
                found[layer] = x
            if layer == until:
                break
        return found


def load_vgg(
    path: Path, layers: Iterable[str], *, padding_mode: Literal["zeros", "reflect"] = "zeros"
) -> VGGFeatures:
    """Load a ``vgg16-features`` file that ``impasto weights import`` wrote.

    Args:
        path: safetensors file.
        layers: activations to return.
        padding_mode: see :class:`VGGFeatures`.

    Raises:
        WeightsError: the file is missing, is no safetensors file, or lacks a tensor.
    """
    return VGGFeatures(read_vgg(path), layers, padding_mode=padding_mode)


def read_vgg(path: Path) -> dict[str, Tensor]:
    """Read and check the tensors of a ``vgg16-features`` file.

    Raises:
        WeightsError: see :func:`load_vgg`.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        message = f"{path}: no such file; make it with 'impasto weights import'"
        raise WeightsError(message) from None
    except (SafetensorError, OSError) as error:
        message = f"{path}: not a safetensors file ({error}); make it with 'impasto weights import'"
        raise WeightsError(message) from None
    check_tensors(
        str(path), {name: tuple(t.shape) for name, t in tensors.items()}, expected_shapes()
    )
    return tensors


def check_tensors(
    subject: str, found: dict[str, tuple[int, ...]], expected: dict[str, tuple[int, ...]]
) -> None:
    """Compare names and shapes one by one.

    Args:
        subject: what to call the file in the message.
        found: shapes by name, as read.
        expected: shapes by name, as needed.

    Raises:
        WeightsError: the first four differences, and how many more there are.
    """
    wrong = [f"{name} is missing" for name in expected if name not in found]
    wrong += [
        f"{name} has shape {list(found[name])} instead of {list(shape)}"
        for name, shape in expected.items()
        if name in found and found[name] != shape
    ]
    if wrong:
        more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        message = f"{subject}: not the {NETWORK} weights: {'; '.join(wrong[:4])}{more}"
        raise WeightsError(message)


def describe_source(source: str, license_name: str) -> dict[str, str]:
    """Return the header that a ``vgg16-features`` file carries."""
    return {"impasto": json.dumps({"network": NETWORK, "source": source, "license": license_name})}
