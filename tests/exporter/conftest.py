"""Small random networks whose paintings are not flat, their checkpoints and their models."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import ModelProto, numpy_helper

from exporter.export import build_model, export_checkpoint
from models.style.architecture import CONFIGS, Stage, StyleNetConfig
from models.style.checkpoint import Checkpoint, write_checkpoint
from models.style.style_net import StyleNet

SMALL_SIZES = ((1, 32, 32), (5, 33, 47))
STYLES: list[dict[str, Any]] = [
    {
        "name": "wave",
        "title": "The Great Wave off Kanagawa",
        "artist": "Hokusai",
        "year": 1831,
        "licence": "public domain",
    },
    {"name": "cry", "title": "Skrik", "artist": "Munch", "year": 1893, "licence": "public domain"},
    {"name": "plain"},
]
TINY = StyleNetConfig(stem=(Stage(8, kernel=8, stride=4),), blocks=1, ends=(6,), margin=8)


def draw_net(config: StyleNetConfig, styles: int = 3) -> StyleNet:
    """Return a random network whose tables spread its paintings over the grey range."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        net = StyleNet(config, styles).eval()
        for table in net.to_tables():
            table.data += 0.5 * torch.randn_like(table)
        net.to_rgb.conv.weight.data *= 4
        return net


def save_net(net: StyleNet, path: Path) -> Path:
    """Write a network as a checkpoint of three styles."""
    training = {"photos": "scenes", "losses": {"style": 0.2}}
    weights = net.state_dict()
    write_checkpoint(path, Checkpoint(net.config, STYLES, training, 12, weights))
    return path


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small convolutions wait for their threads longer than they compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny_net() -> StyleNet:
    """A network of 8 channels and one block."""
    return draw_net(TINY)


@pytest.fixture(scope="session")
def tiny_model(tiny_net: StyleNet) -> ModelProto:
    """The tiny network from pixels to pixels, without metadata; copy it to change it."""
    return build_model(tiny_net)


@pytest.fixture(scope="session")
def dimmed_model(tiny_model: ModelProto) -> ModelProto:
    """The tiny network's model, whose greys are two percent too dark."""
    dimmed: ModelProto = ModelProto.FromString(tiny_model.SerializeToString())
    level = next(t for t in dimmed.graph.initializer if t.name == "pixels/level")
    level.CopyFrom(numpy_helper.from_array(np.array(1 / 250, np.float32), level.name))
    return dimmed


@pytest.fixture(scope="session")
def checkpoint(tiny_net: StyleNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the tiny network."""
    return save_net(tiny_net, tmp_path_factory.mktemp("run") / "style.safetensors")


@pytest.fixture(scope="session")
def exported(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny network's ONNX file."""
    path = tmp_path_factory.mktemp("export") / "tiny.onnx"
    export_checkpoint(checkpoint, path, sizes=SMALL_SIZES)
    return path


@pytest.fixture(scope="session")
def paper_net() -> StyleNet:
    """The paper's network, random."""
    return draw_net(CONFIGS["paper"])


@pytest.fixture(scope="session")
def paper_model(paper_net: StyleNet) -> ModelProto:
    """The paper's network from pixels to pixels."""
    return build_model(paper_net)


@pytest.fixture(scope="session")
def fast_net() -> StyleNet:
    """The default network, random."""
    return draw_net(CONFIGS["fast"])


@pytest.fixture(scope="session")
def fast_model(fast_net: StyleNet) -> ModelProto:
    """The default network from pixels to pixels."""
    return build_model(fast_net)
