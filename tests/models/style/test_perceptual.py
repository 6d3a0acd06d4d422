"""The feature network: its layers, its file, its gradients."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.errors import WeightsError
from models.style.perceptual import (
    VGGFeatures,
    expected_shapes,
    list_convolutions,
    load_vgg,
    read_vgg,
)

Tensors = dict[str, Tensor]


def test_convolutions_are_configuration_d() -> None:
    """Thirteen 3x3 convolutions hold VGG-16's 14,714,688 published parameters."""
    assert len(list_convolutions()) == 13
    sizes = [torch.Size(shape).numel() for name, shape in expected_shapes().items()]
    assert sum(sizes) - 3 == 14_714_688


def test_features_have_the_shapes_of_their_blocks(vgg_file: Path) -> None:
    """Each block halves the sides, and the network ends at the deepest layer asked for."""
    vgg = load_vgg(vgg_file, ["relu3_1", "relu1_2"])
    features = vgg(torch.rand(2, 3, 34, 40))
    shapes = {name: tuple(x.shape) for name, x in features.items()}
    assert shapes == {"relu1_2": (2, 64, 34, 40), "relu3_1": (2, 256, 8, 10)}
    assert list(vgg.convolutions)[-1] == "conv3_1"


def test_deeper_layers_can_be_left_out(vgg_file: Path) -> None:
    """What is returned until a layer is what would be returned of the whole."""
    vgg = load_vgg(vgg_file, ("relu1_2", "relu2_1", "relu2_2"))
    images = torch.rand(1, 3, 32, 32)
    whole, part = vgg(images), vgg(images, "relu2_1")
    assert list(part) == ["relu1_2", "relu2_1"]
    for layer, values in part.items():
        torch.testing.assert_close(values, whole[layer], rtol=0, atol=0)


def test_features_pass_gradients_but_are_frozen(vgg_file: Path) -> None:
    """The picture gets a gradient and the weights do not."""
    vgg = load_vgg(vgg_file, ["relu2_2"])
    picture = torch.rand(1, 3, 16, 16, requires_grad=True)
    vgg(picture)["relu2_2"].sum().backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in vgg.parameters())


def test_reflecting_features_see_no_frame(vgg_file: Path) -> None:
    """Padded by reflection a plain grey picture has plain features; padded with zeros, not."""
    grey = torch.full((1, 3, 32, 32), 0.9)
    reflecting = load_vgg(vgg_file, ["relu3_3"], padding_mode="reflect")(grey)["relu3_3"]
    torch.testing.assert_close(reflecting, reflecting[:, :, 4:5, 4:5].expand_as(reflecting))
    published = load_vgg(vgg_file, ["relu3_3"])(grey)["relu3_3"]
    assert (published[:, :, 0, 0] - published[:, :, 4, 4]).abs().max() > 0.1


def test_unknown_layer_lists_the_nearest_first(vgg_tensors: Tensors) -> None:
    """A layer that VGG-16 lacks is answered with its layers, the likeliest first."""
    with pytest.raises(WeightsError, match="'relu3_4' is unknown; VGG-16 has relu3_"):
        VGGFeatures(vgg_tensors, ["relu3_4"])


def test_missing_tensor_is_named(vgg_tensors: Tensors) -> None:
    """Tensors that lack one that is needed are refused by its name, before any is used."""
    tensors = {name: t for name, t in vgg_tensors.items() if name != "conv1_2.bias"}
    with pytest.raises(WeightsError, match=r"VGGFeatures: .*: conv1_2\.bias is missing$"):
        VGGFeatures(tensors, ["relu2_2"])
    assert VGGFeatures(tensors, ["relu1_1"]).layers == ("relu1_1",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file; make it with 'impasto weights import'"),
        (b"not tensors", "not a safetensors file .*; make it with 'impasto weights import'"),
        (b"", "not a safetensors file"),
    ],
)
def test_wrong_weights_file_names_the_remedy(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    """A file that is missing or no safetensors file is answered with the command to run."""
    path = tmp_path / "vgg.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf"vgg\.safetensors: {message}"):
        read_vgg(path)


def test_folder_as_weights_file_is_refused(tmp_path: Path) -> None:
    """A folder in place of the file is refused like any other wrong file."""
    with pytest.raises(WeightsError, match="make it with 'impasto weights import'"):
        read_vgg(tmp_path)


def test_foreign_safetensors_file_is_refused(tmp_path: Path) -> None:
    """Tensors of another network are answered with what lacks, and how much more does."""
    save_file({"mean": torch.zeros(3), "head": torch.zeros(2)}, tmp_path / "other.safetensors")
    message = r"other\.safetensors: not the vgg16-features weights: conv1_1\.weight is missing.*22"
    with pytest.raises(WeightsError, match=message):
        read_vgg(tmp_path / "other.safetensors")
