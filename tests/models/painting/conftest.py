"""What the tests of this room share: a random VGG-16, tiny pictures, and the command."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from safetensors.torch import save_file

from impasto import main
from models.style.perceptual import expected_shapes

Invoke = Callable[..., Result]


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
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small colourful photo of 48x36 px."""
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    draw_colors((48, 36), seed=1).save(path)
    return path


@pytest.fixture(scope="session")
def mill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small painting of 40x44 px."""
    path = tmp_path_factory.mktemp("paintings") / "mill.png"
    draw_colors((40, 44), seed=2).save(path)
    return path


@pytest.fixture(scope="session")
def tiny(vgg_file: Path, photo: Path, mill: Path) -> list[object]:
    """Return the arguments of a tiny painting, without its output."""
    return [
        *("paint", photo, mill, "--vgg", vgg_file, "--sizes", "32,40", "--steps", "4,3"),
        *("--content-layers", "relu2_1", "--style-layers", "relu1_2,relu2_1=2"),
    ]


@pytest.fixture(scope="session")
def invoke() -> Invoke:
    """Return a function that runs ``impasto`` with the given arguments, in this process."""

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return run


def draw_colors(size: tuple[int, int], *, seed: int) -> Image.Image:
    """Return smooth random colours, ``size`` as (width, height)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
