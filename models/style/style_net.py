"""The feed-forward style-transfer network with conditional instance normalisation.

One convolutional trunk is shared by S styles; a style is nothing but one scale
and one shift per normalised channel (Dumoulin, Shlens and Kudlur 2017, "A Learned
Representation for Artistic Style", section 2.2). With S = 1 it is the image
transformation network of Johnson, Alahi and Fei-Fei (2016, "Perceptual Losses for
Real-Time Style Transfer and Super-Resolution", section 3.1 and supplement).

Deviations from the papers: transposed convolutions are nearest upsampling plus a
convolution (Odena et al. 2016: no checkerboard), the output is a sigmoid instead of
a scaled tanh (the same curve, in [0, 1]).
"""

import math
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.errors import ModelsError

Padding = Literal["zeros", "reflect"]
MINIMUM_SIDE = 32  # reflection is undefined when the padding reaches the side


@dataclass(frozen=True)
class Stage:
    """One convolution of the stem: output channels, square kernel, stride."""

    channels: int
    kernel: int
    stride: int


@dataclass(frozen=True)
class StyleNetConfig:
    """Everything that sets the shape of a :class:`StyleNet`; the defaults are ``fast``.

    ``fast`` spends 7,728 multiply-adds per pixel: one 8x8 convolution goes straight
    to a quarter of the resolution, where a pixel of 32 channels costs a sixteenth;
    the ends are narrow because a full-resolution channel moves more bytes than
    sixteen at a quarter. Its inner convolutions pad with zeros, which convolution
    kernels do for free; one reflection in front (``margin``), cropped at the end,
    keeps those zeros away from the picture.

    Raises:
        ModelsError: a network of this shape would not return pictures of its input's size.
    """

    stem: tuple[Stage, ...] = (Stage(32, kernel=8, stride=4),)
    blocks: int = 5
    ends: tuple[int, ...] = (16,)  # channels after each upsampling but the last
    end_kernel: int = 3  # of the convolution that makes RGB
    upsample_last: bool = True  # whether that convolution follows an upsampling
    padding: Padding = "zeros"  # of the inner convolutions
    margin: int = 24  # reflected pixels around the whole picture

    @property
    def width(self) -> int:
        """Channels of the residual blocks."""
        return self.stem[-1].channels

    @property
    def stride(self) -> int:
        """Pixels per latent pixel along one side."""
        return math.prod(stage.stride for stage in self.stem)

    def __post_init__(self) -> None:
        growth = 2 ** (len(self.ends) + self.upsample_last)
        kernels = [*((s.kernel, s.stride) for s in self.stem), (self.end_kernel, 1)]
        exact = all(k >= s and (s > 1 or k % 2) for k, s in kernels)
        margins = range(0, MINIMUM_SIDE, max(1, self.stride))
        rules = {
            f"stem {self.stem} must be at least one stage": len(self.stem) > 0,
            f"stem divides the resolution by {self.stride}, ends multiply by {growth}; "
            "give log2(stride) upsamplings": self.stride == growth,
            f"(kernel, stride) {kernels}: odd at stride 1, never below it": exact,
            f"margin {self.margin} must be in {margins}": self.margin in margins,
            f"padding {self.padding!r} is unknown": self.padding in get_args(Padding),
        }
        if not all(rules.values()):
            message = "StyleNetConfig: " + "; ".join(r for r, kept in rules.items() if not kept)
            raise ModelsError(message)


def config_as_dict(config: StyleNetConfig) -> dict[str, object]:
    """Return ``config`` as plain JSON values; :func:`config_from_dict` reads it back."""
    return asdict(config)


def config_from_dict(values: dict[str, object]) -> StyleNetConfig:
    """Build the configuration that :func:`config_as_dict` wrote.

    Raises:
        ModelsError: a key is unknown or missing.
    """
    try:
        fields: dict[str, object] = dict(values)
        fields["stem"] = tuple(Stage(**stage) for stage in fields["stem"])  # type: ignore[attr-defined]
        fields["ends"] = tuple(fields["ends"])  # type: ignore[arg-type]
        return StyleNetConfig(**fields)  # type: ignore[arg-type]
    except (KeyError, TypeError) as error:
        message = f"network description {values!r} is not one of this version's: {error}"
        raise ModelsError(message) from error


CONFIGS: dict[str, StyleNetConfig] = {
    "fast": StyleNetConfig(),
    "paper": StyleNetConfig(
        stem=(
            Stage(32, kernel=9, stride=1),
            Stage(64, kernel=3, stride=2),
            Stage(128, kernel=3, stride=2),
        ),
        ends=(64, 32),
        end_kernel=9,
        upsample_last=False,
        padding="reflect",
        margin=0,
    ),
}


class Convolution(nn.Module):
    """A convolution that divides the resolution by exactly its stride.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel: side of the square kernel.
        stride: step; the input's sides must be multiples of it.
        padding: ``"zeros"`` or ``"reflect"``.
    """

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int, stride: int = 1, padding: str = "zeros"
    ) -> None:
        super().__init__()
        margin = (kernel - stride + 1) // 2
        self.reflected = margin if padding == "reflect" else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, margin - self.reflected)

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 ``[N, inputs, H, W]`` to ``[N, outputs, H / stride, W / stride]``."""
        if self.reflected:
            x = F.pad(x, (self.reflected,) * 4, mode="reflect")
        return self.conv(x)  # type: ignore[no-any-return]


class ConditionalInstanceNorm(nn.Module):
    """Instance normalisation whose scale and shift are chosen by style (Dumoulin et al., eq. 5).

    A blend of styles blends the scales and the shifts (their section 3.4).

    Args:
        channels: C.
        styles: S, rows of the two tables.
    """

    epsilon = 1e-5

    def __init__(self, channels: int, styles: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(styles, channels))
        self.shift = nn.Parameter(torch.zeros(styles, channels))

    def forward(self, x: Tensor, style_weights: Tensor) -> Tensor:
        """Normalise each channel of each picture, then scale and shift it.

        Args:
            x: float32 ``[N, C, H, W]``.
            style_weights: float32 ``[N, S]``, rows sum to 1.

        Returns:
            float32 ``[N, C, H, W]``.
        """
        # Pictures and channels become one axis, so that the scale and shift of every
        # picture go into the one normalisation instead of two more passes over memory.
        n, c, h, w = x.shape
        scale = (style_weights @ self.scale).reshape(-1)  # [N * C]
        shift = (style_weights @ self.shift).reshape(-1)
        flat = F.instance_norm(
            x.reshape(1, n * c, h, w), None, None, scale, shift, eps=self.epsilon
        )
        return flat.reshape(n, c, h, w)


class ConvNormRelu(nn.Module):
    """Optional nearest upsampling by 2, convolution, conditional normalisation, ReLU."""

    def __init__(self, conv: Convolution, channels: int, styles: int, *, upsample: bool) -> None:
        super().__init__()
        self.conv = conv
        self.norm = ConditionalInstanceNorm(channels, styles)
        self.upsample = upsample

    def forward(self, x: Tensor, style_weights: Tensor) -> Tensor:
        """Map float32 ``[N, C, H, W]`` to the convolution's shape, doubled first if upsampling."""
        if self.upsample:
            x = double(x)
        return F.relu(self.norm(self.conv(x), style_weights))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a sum, no ReLU after it (Gross and Wilber 2016)."""

    def __init__(self, channels: int, styles: int, padding: str) -> None:
        super().__init__()
        self.conv1 = Convolution(channels, channels, kernel=3, padding=padding)
        self.norm1 = ConditionalInstanceNorm(channels, styles)
        self.conv2 = Convolution(channels, channels, kernel=3, padding=padding)
        self.norm2 = ConditionalInstanceNorm(channels, styles)

    def forward(self, x: Tensor, style_weights: Tensor) -> Tensor:
        """Map float32 ``[N, C, H, W]`` to the same shape."""
        y = F.relu(self.norm1(self.conv1(x), style_weights))
        return x + self.norm2(self.conv2(y), style_weights)  # type: ignore[no-any-return]


class StyleNet(nn.Module):
    """Paint photographs in one of S styles, or in a blend of them, in one forward pass.

    Args:
        config: shape of the network.
        styles: S, at least 1.
    """

    def __init__(self, config: StyleNetConfig, styles: int = 1) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.ModuleList()
        channels = 3
        for stage in config.stem:
            size = {"kernel": stage.kernel, "stride": stage.stride}
            conv = Convolution(channels, stage.channels, **size, padding=config.padding)
            channels = stage.channels
            self.stem.append(ConvNormRelu(conv, channels, styles, upsample=False))
        self.blocks = nn.ModuleList(
            ResidualBlock(channels, styles, config.padding) for _ in range(config.blocks)
        )
        self.ends = nn.ModuleList()
        for end in config.ends:
            conv = Convolution(channels, end, kernel=3, padding=config.padding)
            self.ends.append(ConvNormRelu(conv, end, styles, upsample=True))
            channels = end
        self.to_rgb = Convolution(channels, 3, kernel=config.end_kernel, padding=config.padding)

    @property
    def styles(self) -> int:
        """S, the number of styles."""
        return int(self.to_tables()[0].shape[0])

    def to_tables(self) -> list[nn.Parameter]:
        """Return every ``[S, C]`` table of scales and shifts, in the order of the layers."""
        norms = [m for m in self.modules() if isinstance(m, ConditionalInstanceNorm)]
        return [table for norm in norms for table in (norm.scale, norm.shift)]

    def forward(self, photos: Tensor, style_weights: Tensor) -> Tensor:
        """Paint a batch.

        Args:
            photos: float32 ``[N, 3, H, W]``, RGB in [0, 1], H and W at least 32.
            style_weights: float32 ``[N, S]``, rows sum to 1.

        Returns:
            float32 ``[N, 3, H, W]``, RGB in [0, 1].
        """
        height, width = photos.shape[2:]
        margin, stride = self.config.margin, self.config.stride
        below, right = margin + -height % stride, margin + -width % stride
        padded = F.pad(photos, (margin, right, margin, below), mode="reflect")
        painted = self.trunk(padded, style_weights)
        return painted[:, :, margin : margin + height, margin : margin + width]

    def trunk(self, x: Tensor, style_weights: Tensor) -> Tensor:
        """Paint a batch whose sides are multiples of the stride; margins stay.

        Args:
            x: float32 ``[N, 3, H, W]``, RGB in [0, 1].
            style_weights: float32 ``[N, S]``, rows sum to 1.

        Returns:
            float32 ``[N, 3, H, W]``, RGB in [0, 1].
        """
        for stage in self.stem:
            x = stage(x, style_weights)  # ends at [N, width, H / stride, W / stride]
        for block in self.blocks:
            x = block(x, style_weights)
        for end in self.ends:
            x = end(x, style_weights)  # doubles H and W each time
        if self.config.upsample_last:
            x = double(x)
        return torch.sigmoid(self.to_rgb(x))


def double(x: Tensor) -> Tensor:
    """Repeat every pixel of ``[N, C, H, W]`` twice along both sides: nearest upsampling."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
