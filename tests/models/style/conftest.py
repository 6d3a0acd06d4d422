"""What the tests of this room share: a random VGG-16, tiny photos and paintings, a tiny run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from impasto import main

Tensors = dict[str, torch.Tensor]
Invoke = Callable[..., Result]
Draw = Callable[..., Image.Image]


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of five small photos of different shapes."""
    folder = tmp_path_factory.mktemp("photos")
    for i, size in enumerate([(64, 48), (48, 64), (20, 30), (90, 40), (50, 50)]):
        draw_colors(size, seed=i).save(folder / f"photo{i}.png")
    return folder


@pytest.fixture(scope="session")
def paintings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two small paintings, ``mill`` and ``waves``."""
    folder = tmp_path_factory.mktemp("paintings")
    for i, name in enumerate(["mill", "waves"]):
        draw_colors((40, 36), seed=100 + i).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="session")
def invoke() -> Invoke:
    """Return a function that runs ``impasto`` with the given arguments, in this process."""
    return run_impasto


@pytest.fixture(scope="session")
def tiny_options(vgg_file: Path, photos: Path) -> list[object]:
    """Return the arguments of a tiny training run, without its paintings and output folder."""
    return [
        *("train", "style", "--vgg", vgg_file, "--photos", photos),
        *("--steps", 6, "--batch", 1, "--crop", 32, "--style-size", 32),
        *("--precision", "fp32", "--every", 2),
    ]


@pytest.fixture(scope="session")
def tiny_run(tiny_options: list[object], paintings: Path) -> list[object]:
    """Return the arguments of a tiny training run on two paintings, without its output folder."""
    return [*tiny_options, "--paintings", paintings]


@pytest.fixture(scope="session")
def finished(tiny_run: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny run that went to its end; do not write into it."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    result = run_impasto(*tiny_run, "-o", folder)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Return a function that draws smooth random colours of a (width, height)."""
    return draw_colors


def draw_colors(size: tuple[int, int], *, seed: int) -> Image.Image:
    """Return smooth random colours, ``size`` as (width, height)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def run_impasto(*arguments: object) -> Result:
    """Run ``impasto`` with the given arguments, in this process, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])
    finally:
        torch.set_num_threads(threads)
