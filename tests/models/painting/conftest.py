"""What the tests of this room share: a random VGG-16, tiny pictures, and the command."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from impasto import main

Invoke = Callable[..., Result]


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
