"""Which networks can be scored, and what they are called."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from quality_networks import (
    PaintingNetwork,
    match_siblings,
    name_files,
    open_network,
    open_networks,
)

from models.errors import CheckpointError
from models.style.architecture import StyleNetConfig
from models.style.checkpoint import Checkpoint, write_checkpoint
from models.style.style_net import StyleNet
from runner.errors import ModelError

DATA = Path(__file__).parents[1] / "runner" / "data"
IDENTITY = DATA / "brittle.onnx"  # paints the photo itself, as "plain" and as "bold"
Draw = Callable[..., Image.Image]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Return a checkpoint of a random network of two styles."""
    torch.manual_seed(3)
    net = StyleNet(StyleNetConfig(blocks=1), styles=2)
    styles = [{"name": "plain"}, {"name": "bold"}]
    path = tmp_path / "style.safetensors"
    write_checkpoint(path, Checkpoint(net.config, styles, {}, 0, dict(net.state_dict())))
    return path


def test_exported_file_paints_as_it_is(draw: Draw) -> None:
    """Pixels in, pixels out, by the names in the file."""
    network = open_network("one", IDENTITY)
    pixels = np.asarray(draw(64, 48, 1))
    assert (network.styles, network.precision) == (("plain", "bold"), "fp32")
    np.testing.assert_array_equal(network.paint(pixels, style="bold"), pixels)


def test_checkpoint_paints_in_its_styles(checkpoint: Path, draw: Draw) -> None:
    """The result has 8 bits and the photo's size, and is what the network gives."""
    network = open_network("one", checkpoint)
    torch.manual_seed(3)
    net = StyleNet(StyleNetConfig(blocks=1), styles=2).eval()
    pixels = np.asarray(draw(50, 42, 1))
    photo = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None] / 255.0
    with torch.no_grad():
        expected = net(photo, torch.tensor([[0.0, 1.0]]))[0].permute(1, 2, 0) * 255.0
    painted = network.paint(pixels, style="bold")
    assert painted.dtype == np.uint8
    np.testing.assert_array_equal(painted, expected.round().numpy())


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (DATA / "foreign.onnx", "without impasto metadata, not 'stylize'"),
        (DATA / "classify.onnx", "made for 'classify', not 'stylize'"),
        (DATA / "other_tensors.onnx", "do not fit a stylize network"),
        (DATA / "none.onnx", "no such model file"),
    ],
)
def test_other_files_are_refused(file: Path, message: str) -> None:
    """A file that is no stylize model says what it is."""
    with pytest.raises(ModelError, match=message):
        open_network("one", file)


def test_other_checkpoints_are_refused(vgg_file: Path) -> None:
    """A safetensors file of another kind is not taken."""
    with pytest.raises(CheckpointError, match="style checkpoint"):
        open_network("one", vgg_file)


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    """Only exported files and checkpoints can be scored."""
    message = r"style\.pth: neither an \.onnx file nor a \.safetensors checkpoint"
    with pytest.raises(SystemExit, match=message):
        open_networks([tmp_path / "style.pth"])


def test_names_are_the_shortest_that_differ() -> None:
    """Suffix and folder are named only where they tell two files apart."""
    assert name_files([Path("a/fast.onnx"), Path("b/paper.onnx")]) == ["fast", "paper"]
    assert name_files([Path("a/style.onnx"), Path("b/style.onnx")]) == ["a/style", "b/style"]
    same = [Path("a/style.onnx"), Path("a/style.safetensors")]
    assert name_files(same) == ["style.onnx", "style.safetensors"]
    assert name_files([]) == []


def test_file_given_twice_is_refused() -> None:
    """Two columns of one network would be a mistake."""
    with pytest.raises(SystemExit, match="is given 2 times; give each network once"):
        name_files([Path("a/style.onnx"), Path("b/../a/style.onnx")])


def make_network(file: str, precision: str) -> PaintingNetwork:
    """Return a network that need not lie anywhere."""

    def paint(pixels: NDArray[np.uint8], style: str) -> NDArray[np.uint8]:
        del style
        return pixels

    return PaintingNetwork(Path(file).stem, Path(file), precision, ("a",), partial(paint))


def test_siblings_without_a_pair_are_refused() -> None:
    """Q in lower precision says nothing without that of fp32 beside it."""
    networks = [make_network("a-int8.onnx", "int8"), make_network("b.onnx", "fp32")]
    with pytest.raises(SystemExit, match=r"is given together with its FILE\.onnx"):
        match_siblings(networks)


def test_siblings_of_another_network_are_refused() -> None:
    """A file that only has the right name is not taken for the same network."""
    networks = [make_network("a-int8.onnx", "int8"), make_network("a.onnx", "fp32")]
    with pytest.raises(SystemExit, match=r"does not belong to a\.onnx, which is not there"):
        match_siblings(networks)
