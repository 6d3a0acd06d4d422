"""What a training of a style network is told, what it reads and writes, and what a step tells."""

from dataclasses import dataclass, field
from pathlib import Path

from models.style.checkpoint import Checkpoint
from models.style.losses import Normalization
from models.style.objective import Weights
from models.style.photos import Painting


@dataclass(frozen=True)
class Settings:
    """Everything that decides the numbers of a run; two runs with equal settings are equal.

    Attributes:
        network: ``fast``, ``paper``, or ``added`` when one style is added to a checkpoint.
        steps: optimiser steps.
        batch: photos per step.
        crop: side of the square crops, pixels.
        style_sizes: short sides of the paintings, pixels: they set the sizes of the strokes.
        weights: of the costs.
        normalization: of the costs.
        learning_rate: peak of the one-cycle schedule.
        seed: of initial weights, data order and crops.
        precision: of the feature network, ``fp32`` or ``bf16``.
    """

    network: str = "fast"
    steps: int = 4000
    batch: int = 4
    crop: int = 192
    style_sizes: tuple[int, ...] = (384, 512, 768)
    weights: Weights = field(default_factory=Weights)
    normalization: Normalization = "relative"
    learning_rate: float = 3e-3
    seed: int = 0
    precision: str = "fp32"


@dataclass(frozen=True)
class Step:
    """What one training step measured; ``step`` counts from 1."""

    step: int
    costs: dict[str, float]
    learning_rate: float


@dataclass(frozen=True)
class RunFiles:
    """What a run reads, and where it writes.

    Attributes:
        vgg: ``vgg16-features`` safetensors file.
        photos: files to paint.
        paintings: files to learn, one per style (only the new one when ``base`` is given).
        folder: where checkpoints go.
        base: checkpoint to add ``paintings`` to; its trunk and styles stay as they are.
    """

    vgg: Path
    photos: list[Path]
    paintings: list[Painting]
    folder: Path
    base: Checkpoint | None = None
