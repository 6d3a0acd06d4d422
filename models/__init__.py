"""Networks in PyTorch, their losses, their data and their training.

Everything here is loaded when it is first asked for, so that ``import models``, and
with it the command line's help, does not wait for PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.classifiers.checkpoint import (
        ClassifierCheckpoint,
        read_classifier,
        write_classifier,
    )
    from models.classifiers.networks import NETWORKS
    from models.classifiers.preprocessing import InputRule
    from models.classifiers.published import import_classifier
    from models.classifiers.settings import ClassifierSettings
    from models.classifiers.training import ClassifierTraining
    from models.errors import (
        CheckpointError,
        DataError,
        DivergedError,
        ModelsError,
        WeightsError,
    )
    from models.style.architecture import CONFIGS, Stage, StyleNetConfig
    from models.style.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
    from models.style.features import import_vgg16_features
    from models.style.losses import content_cost, gram_matrix, style_cost, total_variation
    from models.style.objective import Costs, StyleObjective, Weights
    from models.style.perceptual import VGGFeatures, load_vgg
    from models.style.photos import Painting, PhotoBatches, list_paintings, list_photos
    from models.style.settings import RunFiles, Settings, Step
    from models.style.style_net import StyleNet
    from models.style.training import StyleTraining

__all__ = [
    "CONFIGS",
    "NETWORKS",
    "Checkpoint",
    "CheckpointError",
    "ClassifierCheckpoint",
    "ClassifierSettings",
    "ClassifierTraining",
    "Costs",
    "DataError",
    "DivergedError",
    "InputRule",
    "ModelsError",
    "Painting",
    "PhotoBatches",
    "RunFiles",
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
    "import_classifier",
    "import_vgg16_features",
    "list_paintings",
    "list_photos",
    "load_vgg",
    "read_checkpoint",
    "read_classifier",
    "style_cost",
    "total_variation",
    "write_checkpoint",
    "write_classifier",
]

_HOMES = {
    "classifiers.checkpoint": ("ClassifierCheckpoint", "read_classifier", "write_classifier"),
    "classifiers.networks": ("NETWORKS",),
    "classifiers.preprocessing": ("InputRule",),
    "classifiers.published": ("import_classifier",),
    "classifiers.settings": ("ClassifierSettings",),
    "classifiers.training": ("ClassifierTraining",),
    "style.checkpoint": ("Checkpoint", "read_checkpoint", "write_checkpoint"),
    "errors": ("CheckpointError", "DataError", "DivergedError", "ModelsError", "WeightsError"),
    "style.losses": ("content_cost", "gram_matrix", "style_cost", "total_variation"),
    "style.objective": ("Costs", "StyleObjective", "Weights"),
    "style.perceptual": ("VGGFeatures", "load_vgg"),
    "style.photos": ("Painting", "PhotoBatches", "list_paintings", "list_photos"),
    "style.architecture": ("CONFIGS", "Stage", "StyleNetConfig"),
    "style.style_net": ("StyleNet",),
    "style.settings": ("RunFiles", "Settings", "Step"),
    "style.training": ("StyleTraining",),
    "style.features": ("import_vgg16_features",),
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"models.{module}"), name)
    message = f"module 'models' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
