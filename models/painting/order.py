"""What a painting is to be, down to the last setting: what a resumed one must repeat."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.errors import CheckpointError, DataError
from models.optimize import Recipe
from models.painting.arguments import Stage
from models.painting.canvas import Solver


@dataclass(frozen=True)
class Order:
    """Everything that decides the picture; two equal orders give equal pictures.

    Attributes:
        content: the photo.
        styles: each painting and its share.
        vgg: ``vgg16-features`` safetensors file.
        stages: sizes, coarse to fine, and their steps.
        recipe: the costs.
        solver: ``lbfgs`` or ``adam``.
        learning_rate: the solver's usual one when None.
        init: ``photo`` or ``noise``.
        pooling: of the VGG, ``max`` or ``avg``.
        keep_color: paint the photo's light and keep its colours.
        style_scale: long side of the paintings to the picture's.
        seed: of the noise.
        frames: whether frames are kept.
    """

    content: Path
    styles: tuple[tuple[Path, float], ...]
    vgg: Path
    stages: tuple[Stage, ...]
    recipe: Recipe
    solver: Solver = "lbfgs"
    learning_rate: float | None = None
    init: str = "photo"
    pooling: str = "max"
    keep_color: bool = False
    style_scale: float = 1.0
    seed: int = 0
    frames: bool = False

    @property
    def steps(self) -> int:
        """Steps of all sizes together."""
        return sum(stage.steps for stage in self.stages)

    def describe(self) -> dict[str, Any]:
        """Return the order setting by setting as JSON values, files by their content."""
        same = ("solver", "learning_rate", "init", "pooling", "keep_color", "style_scale", "seed")
        recipe, weights = self.recipe, self.recipe.weights
        settings: dict[str, Any] = {name: getattr(self, name) for name in (*same, "frames")}
        settings |= {f"{name} weight": value for name, value in asdict(weights).items()}
        settings |= {
            "normalization": recipe.normalization,
            "content layers": ",".join(f"{name}={share}" for name, share in recipe.content_layers),
            "style layers": ",".join(f"{name}={share}" for name, share in recipe.style_layers),
            "sizes": ",".join(str(stage.size) for stage in self.stages),
            "steps": ",".join(str(stage.steps) for stage in self.stages),
            "content": hash_file(self.content),
            "styles": ",".join(f"{hash_file(path)}:{share}" for path, share in self.styles),
            "vgg": hash_file(self.vgg),
        }
        return settings


def hash_file(path: Path) -> str:
    """Return the first half of the SHA-256 of a file's content.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror})"
        raise DataError(message) from None


def compare_orders(path: Path, begun: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse to go on with a painting that was begun otherwise.

    Raises:
        CheckpointError: each setting that differs.
    """
    files = {"content": "another photo", "styles": "other paintings", "vgg": "another --vgg"}
    differences = [
        files.get(name) or f"{name} {begun.get(name)}, not {value}"
        for name, value in wanted.items()
        if begun.get(name) != value
    ]
    if differences:
        message = (
            f"{path}: was begun with {'; '.join(differences)}; repeat its options, or pass "
            "--overwrite without --resume to begin again"
        )
        raise CheckpointError(message)
