"""Makes the scripts importable, and a random VGG-16, photos and paintings for them."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from models.style.perceptual import expected_shapes

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))  # they import each other by name

Draw = Callable[..., Image.Image]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and sums keep one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def vgg_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a ``vgg16-features`` file of a random VGG-16, scaled after He et al. (2015)."""
    generator = torch.Generator().manual_seed(16)
    tensors = {}
    for name, shape in expected_shapes().items():
        std = (2.0 / (shape[1] * 9)) ** 0.5 if len(shape) == 4 else 0.1
        tensors[name] = torch.randn(shape, generator=generator) * std
    tensors["conv1_1.weight"] /= 64.0  # its input reaches 255, not 1
    tensors["mean"] = torch.tensor([123.68, 116.779, 103.939])
    path = tmp_path_factory.mktemp("vgg") / "vgg16.safetensors"
    save_file(tensors, path)
    return path


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Return a function that draws smooth random colours of a (width, height)."""

    def draw_colors(width: int, height: int, seed: int) -> Image.Image:
        coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
        return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)

    return draw_colors


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
