"""``impasto weights import`` for classifiers: torchvision's names, checked one by one."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result
from torch import nn

from models.classifiers.checkpoint import read_classifier
from models.classifiers.networks import find_network
from models.classifiers.published import import_classifier, pair_names
from models.errors import WeightsError

Invoke = Callable[..., Result]
State = dict[str, torch.Tensor]
# torchvision's layers by their numbers: the convolutions of vgg16 and of vgg16_bn.
VGG16 = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
VGG16_BN = (0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40)


def make_state(network: str, variant: str, classes: int) -> State:
    """Return a state dict under torchvision's names, of one shared number, so that it is small."""
    description = find_network(network)
    with torch.device("meta"):
        net = description.build(description.configure(variant, classes=classes))
    shapes = net.state_dict()
    return {
        theirs: torch.zeros((), dtype=shapes[ours].dtype).expand(shapes[ours].shape)
        for ours, theirs in pair_names(net).items()
    }


@pytest.fixture(scope="module")
def alexnet_state() -> State:
    """Return torchvision's AlexNet with random convolutions and three classes."""
    state = make_state("alexnet", "torchvision", 3)
    torch.manual_seed(0)
    return {n: torch.randn(t.shape) if "features" in n else t for n, t in state.items()}


@pytest.fixture(scope="module")
def alexnet_file(alexnet_state: State, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return its file."""
    path = tmp_path_factory.mktemp("torchvision") / "alexnet.pth"
    torch.save(alexnet_state, path)
    return path


def torchvision_alexnet() -> nn.Sequential:
    """Return torchvision's AlexNet features, layer by layer as its source has them."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
    )  # fmt: skip


def test_imported_alexnet_computes_what_torchvisions_does(
    alexnet_file: Path, alexnet_state: State, tmp_path: Path, invoke: Invoke
) -> None:
    """The file is read by name, and its features are those of the original layers."""
    (tmp_path / "labels.txt").write_text("cat\ndog\nemu\n")
    target = tmp_path / "alexnet.safetensors"
    result = invoke(
        *("weights", "import", alexnet_file, "--as", "alexnet", "-o", target),
        *("--labels", tmp_path / "labels.txt"),
    )
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{target}: 16 tensors of torchvision's alexnet, 3 classes\n"
    checkpoint = read_classifier(target)
    assert checkpoint.labels == ["cat", "dog", "emu"]
    assert checkpoint.config.variant == "torchvision"  # type: ignore[union-attr]
    assert checkpoint.training["license"] == "BSD-3-Clause (torchvision)"
    original = torchvision_alexnet()
    original.load_state_dict(
        {n.removeprefix("features."): t for n, t in alexnet_state.items() if "features" in n}
    )
    x = torch.randn(1, 3, 224, 224)
    found = checkpoint.build().features(x)
    torch.testing.assert_close(found, original(x).flatten(1))


@pytest.mark.parametrize(
    ("network", "variant", "convolutions", "dense"),
    [
        ("alexnet", "torchvision", (0, 3, 6, 8, 10), (1, 4, 6)),
        ("vgg16", "plain", VGG16, (0, 3, 6)),
        ("vgg16", "bn", VGG16_BN, (0, 3, 6)),
    ],
)
def test_names_are_torchvisions(
    network: str, variant: str, convolutions: tuple[int, ...], dense: tuple[int, ...]
) -> None:
    """Convolutions and dense layers stand under the numbers that torchvision's files have."""
    found = [name for name, tensor in make_state(network, variant, 5).items() if tensor.ndim > 1]
    expected = [f"features.{i}.weight" for i in convolutions]
    assert found == [*expected, *(f"classifier.{i}.weight" for i in dense)]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: s.pop("features.3.bias"), "features.3.bias is missing"),
        (lambda s: s.update(more=torch.zeros(1)), "more does not belong to it"),
        (
            lambda s: s.update({"features.0.weight": torch.zeros(64, 3, 9, 9)}),
            r"features.0.weight has shape \[64, 3, 9, 9\] instead of \[64, 3, 11, 11\]",
        ),
        (lambda s: s.clear(), "16 differences in all"),
    ],
)
def test_other_tensors_are_refused(
    alexnet_state: State, tmp_path: Path, change: Callable[[State], object], match: str
) -> None:
    """A missing, additional or misshapen tensor is named; nothing is written."""
    state = dict(alexnet_state)
    change(state)
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=match):
        import_classifier(tmp_path / "a.pth", tmp_path / "out", network="alexnet")
    assert not (tmp_path / "out").exists()


def test_labels_must_match_the_last_layer(alexnet_file: Path, tmp_path: Path) -> None:
    """A label file with another number of lines, or no text at all, is refused."""
    labels = tmp_path / "labels.txt"
    labels.write_text("cat\ndog\n")
    target = tmp_path / "out"
    with pytest.raises(WeightsError, match="2 labels for 3 classes; give one line per class"):
        import_classifier(alexnet_file, target, network="alexnet", labels=labels)
    labels.write_bytes(b"\xff\xfe")
    with pytest.raises(WeightsError, match="cannot be read as text"):
        import_classifier(alexnet_file, target, network="alexnet", labels=labels)
    assert not target.exists()


def test_classes_without_labels_are_numbered(alexnet_file: Path, tmp_path: Path) -> None:
    """Without a label file the classes are called by their numbers."""
    import_classifier(alexnet_file, tmp_path / "out", network="alexnet")
    assert read_classifier(tmp_path / "out").labels == ["class 0", "class 1", "class 2"]


def test_code_in_a_pickle_is_not_run(tmp_path: Path) -> None:
    """A file that would run a program when unpickled is refused."""

    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "ran",)  # type: ignore[return-value]

    torch.save({"features.0.weight": Hostile()}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="not a PyTorch state dict of plain tensors"):
        import_classifier(tmp_path / "a.pth", tmp_path / "out", network="alexnet")
    assert not (tmp_path / "ran").exists()


def test_other_contents_are_refused(tmp_path: Path) -> None:
    """A list of tensors and a missing file are named as such."""
    torch.save([torch.zeros(1)], tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="holds a list, but not one of tensors by name"):
        import_classifier(tmp_path / "a.pth", tmp_path / "out", network="vgg16")
    with pytest.raises(WeightsError, match="nowhere: no such file"):
        import_classifier(tmp_path / "nowhere", tmp_path / "out", network="vgg16")


def test_labels_are_for_classifiers(tmp_path: Path, invoke: Invoke) -> None:
    """--labels beside vgg16-features, which has no classes, is wrong usage."""
    result = invoke(
        *("weights", "import", tmp_path / "a", "--as", "vgg16-features"),
        *("-o", tmp_path / "b", "--labels", tmp_path / "c"),
    )
    assert result.exit_code == 2
    assert "names the classes of a classifier, which vgg16-features is not" in result.stderr
