"""A small VGG-16 for everything that measures with one, and one thread for everything."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.style.perceptual import expected_shapes

Tensors = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and sums keep one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def vgg_tensors() -> Tensors:
    """Return a random VGG-16 in this project's convention, scaled after He et al. (2015)."""
    generator = torch.Generator().manual_seed(16)
    tensors = {}
    for name, shape in expected_shapes().items():
        std = (2.0 / (shape[1] * 9)) ** 0.5 if len(shape) == 4 else 0.1
        tensors[name] = torch.randn(shape, generator=generator) * std
    tensors["conv1_1.weight"] /= 64.0  # its input reaches 255, not 1
    tensors["mean"] = torch.tensor([123.68, 116.779, 103.939])
    return tensors


@pytest.fixture(scope="session")
def vgg_file(vgg_tensors: Tensors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a ``vgg16-features`` file of the random VGG-16."""
    path = tmp_path_factory.mktemp("vgg") / "vgg16.safetensors"
    save_file(vgg_tensors, path)
    return path
