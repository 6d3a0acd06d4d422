"""Networks in PyTorch, their losses, their data and their training.

Everything here is loaded when it is first asked for, so that ``import models``, and
with it the command line's help, does not wait for PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
    from models.errors import (
        CheckpointError,
        DataError,
        DivergedError,
        ModelsError,
        WeightsError,
    )
    from models.losses import content_cost, gram_matrix, style_cost, total_variation
    from models.objective import Costs, StyleObjective, Weights
    from models.perceptual import VGGFeatures, load_vgg
    from models.photos import Painting, PhotoBatches, list_paintings, list_photos
    from models.style_net import CONFIGS, Stage, StyleNet, StyleNetConfig
    from models.train_style import Settings, Step, StyleTraining
    from models.weights import import_vgg16_features

__all__ = [
    "CONFIGS",
    "Checkpoint",
    "CheckpointError",
    "Costs",
    "DataError",
    "DivergedError",
    "ModelsError",
    "Painting",
    "PhotoBatches",
    "Settings",
    "Stage",
    "Step",
    "StyleNet",
    "StyleNetConfig",
    "StyleObjective",
    "StyleTraining",
    "VGGFeatures",
    "Weights",
    "WeightsError",
    "content_cost",
    "gram_matrix",
    "import_vgg16_features",
    "list_paintings",
    "list_photos",
    "load_vgg",
    "read_checkpoint",
    "style_cost",
    "total_variation",
    "write_checkpoint",
]

_HOMES = {
    "checkpoint": ("Checkpoint", "read_checkpoint", "write_checkpoint"),
    "errors": ("CheckpointError", "DataError", "DivergedError", "ModelsError", "WeightsError"),
    "losses": ("content_cost", "gram_matrix", "style_cost", "total_variation"),
    "objective": ("Costs", "StyleObjective", "Weights"),
    "perceptual": ("VGGFeatures", "load_vgg"),
    "photos": ("Painting", "PhotoBatches", "list_paintings", "list_photos"),
    "style_net": ("CONFIGS", "Stage", "StyleNet", "StyleNetConfig"),
    "train_style": ("Settings", "Step", "StyleTraining"),
    "weights": ("import_vgg16_features",),
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"models.{module}"), name)
    message = f"module 'models' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
