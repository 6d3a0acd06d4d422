"""Makes the scripts importable, and photos and paintings for them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.models.conftest import _one_thread, vgg_file, vgg_tensors
from tests.models.style.conftest import draw_colors

__all__ = ["_one_thread", "vgg_file", "vgg_tensors"]  # fixtures of these tests too

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))  # they import each other by name

Draw = Callable[..., Image.Image]


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Return a function that draws smooth random colours of a (width, height)."""
    return lambda width, height, seed: draw_colors((width, height), seed=seed)


@pytest.fixture
def photos(tmp_path: Path, draw: Draw) -> Path:
    """Return a folder of five photos; ``b`` and ``d`` have a short side under 256 px."""
    folder = tmp_path / "photos"
    folder.mkdir()
    sizes = [(300, 260), (300, 255), (256, 256), (90, 64), (270, 400)]
    for seed, (name, size) in enumerate(zip("abcde", sizes, strict=True)):
        draw(*size, seed).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def paintings(tmp_path: Path, draw: Draw) -> Path:
    """Return a folder of the paintings ``bold`` and ``plain``."""
    folder = tmp_path / "paintings"
    folder.mkdir()
    for seed, name in enumerate(["bold", "plain"]):
        draw(80, 70, 100 + seed).save(folder / f"{name}.png")
    return folder
