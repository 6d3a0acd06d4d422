"""How each network is trained: as its paper did, and as one would today."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Optimizer = Literal["sgd", "adam", "adamw", "levenberg-marquardt"]
Schedule = Literal["constant", "cosine", "plateau", "lecun"]
Augmentation = Literal["none", "affine", "alexnet", "vgg"]


@dataclass(frozen=True)
class Preset:
    """Optimiser, schedule and augmentation of a run.

    Attributes:
        optimizer: ``levenberg-marquardt`` is LeCun's stochastic diagonal one.
        learning_rate: the first, or the peak.
        schedule: ``constant``; ``cosine`` with a linear rise before it; ``plateau``: a tenth
            whenever validation stands still; ``lecun``: the table of the 1998 paper.
        epochs: passes over the training pictures.
        batch: pictures per step.
        momentum: of ``sgd``.
        weight_decay: of ``sgd`` and ``adamw``; not of biases and normalisation in ``adamw``.
        augmentation: see ``augmentation.py``.
        smoothing: of the labels, 0 to 1 (Szegedy et al. 2016, section 7).
        average: decay of the moving average of the weights that is evaluated and kept
            (Polyak and Juditsky 1992); 0: none.
    """

    optimizer: Optimizer
    learning_rate: float
    schedule: Schedule
    epochs: int
    batch: int
    momentum: float = 0.0
    weight_decay: float = 0.0
    augmentation: Augmentation = "none"
    smoothing: float = 0.0
    average: float = 0.0


# Digits: what the two small networks share today.
DIGITS_TODAY = Preset(
    "adamw",
    2e-3,
    "cosine",
    epochs=60,
    batch=64,
    weight_decay=0.01,
    augmentation="affine",
    average=0.998,
)
LENET5_PRESETS: Mapping[str, Preset] = {
    # LeCun et al. 1998, section III.B and appendix C: 20 passes, one picture at a time.
    "paper": Preset("levenberg-marquardt", 5e-4, "lecun", epochs=20, batch=1),
    "modern": DIGITS_TODAY,
}
SIMPLECONVNET_PRESETS: Mapping[str, Preset] = {
    # Saito 2016, section 7.5.
    "paper": Preset("adam", 1e-3, "constant", epochs=20, batch=100),
    "modern": DIGITS_TODAY,
}
ALEXNET_PRESETS: Mapping[str, Preset] = {
    # Krizhevsky et al. 2012, section 5.
    "paper": Preset(
        "sgd",
        1e-2,
        "plateau",
        epochs=90,
        batch=128,
        momentum=0.9,
        weight_decay=5e-4,
        augmentation="alexnet",
    ),
    "modern": Preset(
        "adamw",
        3e-4,
        "cosine",
        epochs=60,
        batch=128,
        weight_decay=0.05,
        augmentation="alexnet",
        smoothing=0.1,
    ),
}
VGG_PRESETS: Mapping[str, Preset] = {
    # Simonyan and Zisserman 2015, section 3.1.
    "paper": Preset(
        "sgd",
        1e-2,
        "plateau",
        epochs=74,
        batch=256,
        momentum=0.9,
        weight_decay=5e-4,
        augmentation="vgg",
    ),
    "modern": Preset(
        "adamw",
        3e-4,
        "cosine",
        epochs=60,
        batch=128,
        weight_decay=0.05,
        augmentation="vgg",
        smoothing=0.1,
    ),
}
