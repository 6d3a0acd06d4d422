"""What a style network is trained to lower: content, style and total variation together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.style.losses import (
    Normalization,
    content_cost,
    gram_matrix,
    style_cost,
    total_variation,
)
from models.style.perceptual import VGGFeatures

CONTENT_LAYER = "relu3_3"  # Johnson et al. 2016, section 4.1, as are the style layers
STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
CPU_FLAGS = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Weights:
    """How much each cost counts; style is the mean over the style layers.

    Steadiness (:mod:`models.style.steadiness`) is measured only where it counts, in training.
    """

    content: float = 1.0
    style: float = 10.0
    variation: float = 1.0
    steadiness: float = 0.0


@dataclass(frozen=True)
class Costs:
    """The unweighted costs of one batch and their weighted sum, float32 scalars."""

    total: Tensor
    content: Tensor
    style: Tensor
    variation: Tensor

    def as_floats(self) -> dict[str, float]:
        """Return the four numbers by name."""
        names = ("total", "content", "style", "variation")
        return {name: float(getattr(self, name).detach()) for name in names}


class StyleObjective:
    """The cost of a painted batch against its photos and their paintings.

    Johnson et al. 2016, section 3.2; one target per style as in Dumoulin et al. 2017.

    Args:
        vgg: features at ``CONTENT_LAYER`` and ``STYLE_LAYERS``.
        paintings: per style, float32 ``[1, 3, H, W]``, RGB in [0, 1], at one or more sizes; the
            target is the mean of their Gram matrices, so that strokes of every size take part.
        weights: of the costs.
        normalization: of content and style cost, see ``models.style.losses``.
        bf16: run the feature network under bfloat16 autocast.
    """

    def __init__(
        self,
        vgg: VGGFeatures,
        paintings: Sequence[Sequence[Tensor]],
        *,
        weights: Weights,
        normalization: Normalization = "relative",
        bf16: bool = False,
    ) -> None:
        # Channels last: a fifth faster in bfloat16 on CPUs, and what CUDA prefers.
        self.vgg = vgg.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.weights = weights
        self.normalization = normalization
        self.bf16 = bf16
        grams = [self._measure_painting(painting) for painting in paintings]
        self.targets = {layer: torch.cat([gram[layer] for gram in grams]) for layer in STYLE_LAYERS}

    def measure(self, painted: Tensor, photos: Tensor, styles: Tensor) -> Costs:
        """Return the costs, differentiable in ``painted``.

        Args:
            painted: float32 ``[N, 3, H, W]``, RGB in [0, 1].
            photos: float32 ``[N, 3, H, W]``, RGB in [0, 1].
            styles: int64 ``[N]``, the style of each picture.
        """
        features = self._extract(painted)
        with torch.no_grad():
            target = self._extract(photos, until=CONTENT_LAYER)[CONTENT_LAYER]
        content = content_cost(features[CONTENT_LAYER], target, self.normalization)
        per_layer = [
            style_cost(
                gram_matrix(features[layer]), self.targets[layer][styles], self.normalization
            )
            for layer in STYLE_LAYERS
        ]
        style = torch.stack(per_layer).mean()
        variation = total_variation(painted)
        total = (
            self.weights.content * content
            + self.weights.style * style
            + self.weights.variation * variation
        )
        return Costs(total, content.detach(), style.detach(), variation.detach())

    def _measure_painting(self, sizes: Sequence[Tensor]) -> dict[str, Tensor]:
        with torch.no_grad():
            features = [self._extract(painting) for painting in sizes]
            return {
                layer: torch.stack([gram_matrix(found[layer]) for found in features]).mean(0)
                for layer in STYLE_LAYERS
            }

    def _extract(self, images: Tensor, until: str | None = None) -> dict[str, Tensor]:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.bf16):
            images = images.contiguous(memory_format=torch.channels_last)
            return self.vgg(images, until)  # type: ignore[no-any-return]


def gains_from_bf16(device: torch.device) -> bool:
    """Tell whether ``device`` multiplies bfloat16 in hardware, where autocast saves time."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if not CPU_FLAGS.exists():
        return False
    flags = CPU_FLAGS.read_text(encoding="ascii", errors="replace")
    return "avx512_bf16" in flags or "amx_bf16" in flags


def choose_precision(precision: str, device: torch.device) -> str:
    """Resolve ``auto`` to ``bf16`` where the hardware gains from it, else ``fp32``."""
    if precision != "auto":
        return precision
    return "bf16" if gains_from_bf16(device) else "fp32"
