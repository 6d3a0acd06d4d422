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

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.style.architecture import StyleNetConfig


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
    """Optional nearest upsampling by 2, convolution, optional conditional normalisation, ReLU.

    Args:
        conv: the convolution.
        norm: what normalises its result, if anything does.
        upsample: whether its input is doubled first.
    """

    def __init__(
        self, conv: Convolution, norm: ConditionalInstanceNorm | None, *, upsample: bool
    ) -> None:
        super().__init__()
        self.conv = conv
        self.norm = norm
        self.upsample = upsample

    def forward(self, x: Tensor, style_weights: Tensor) -> Tensor:
        """Map float32 ``[N, C, H, W]`` to the convolution's shape, doubled first if upsampling."""
        x = self.conv(double(x) if self.upsample else x)
        return F.relu(x if self.norm is None else self.norm(x, style_weights))


class ResidualBlock(nn.Module):
    """Two normalised 3x3 convolutions, no ReLU behind the sum (Gross and Wilber 2016)."""

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


class LeanBlock(nn.Module):
    """Two 3x3 convolutions; their sum with the input is normalised, ReLU behind it.

    ReLU stands where He et al. 2016 have it; one normalisation in place of their two.
    """

    def __init__(self, channels: int, styles: int, padding: str) -> None:
        super().__init__()
        self.conv1 = Convolution(channels, channels, kernel=3, padding=padding)
        self.conv2 = Convolution(channels, channels, kernel=3, padding=padding)
        self.norm = ConditionalInstanceNorm(channels, styles)

    def forward(self, x: Tensor, style_weights: Tensor) -> Tensor:
        """Map float32 ``[N, C, H, W]`` to the same shape."""
        y = self.conv2(F.relu(self.conv1(x)))
        return F.relu(self.norm(x + y, style_weights))


BLOCKS: dict[str, Callable[[int, int, str], nn.Module]] = {
    "convolution": ResidualBlock,
    "sum": LeanBlock,
}


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
            norm = ConditionalInstanceNorm(channels, styles)
            self.stem.append(ConvNormRelu(conv, norm, upsample=False))
        block = BLOCKS[config.block_norm]
        self.blocks = nn.ModuleList(
            block(channels, styles, config.padding) for _ in range(config.blocks)
        )
        self.ends = nn.ModuleList()
        for end in config.ends:
            conv = Convolution(channels, end, kernel=3, padding=config.padding)
            end_norm = ConditionalInstanceNorm(end, styles) if config.norm_ends else None
            self.ends.append(ConvNormRelu(conv, end_norm, upsample=True))
            channels = end
        self.to_rgb = Convolution(channels, 3, kernel=config.end_kernel, padding=config.padding)
        self.rgb_norm = ConditionalInstanceNorm(3, styles) if config.norm_rgb else None

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
        x = self.to_rgb(x)
        return torch.sigmoid(x if self.rgb_norm is None else self.rgb_norm(x, style_weights))


def double(x: Tensor) -> Tensor:
    """Repeat every pixel of ``[N, C, H, W]`` twice along both sides: nearest upsampling."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
