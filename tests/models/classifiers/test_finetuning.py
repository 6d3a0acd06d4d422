"""``--from`` and ``--freeze``: what is taken over, what is fresh, what stays as it is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result
from safetensors.torch import save_file

from models.classifiers.batches import scale_pixels
from models.classifiers.checkpoint import read_classifier
from models.classifiers.finetuning import read_base
from models.classifiers.material import prepare_material
from models.classifiers.networks import config_as_dict, find_network
from models.classifiers.settings import ClassifierSettings
from models.classifiers.sources import read_source
from models.errors import WeightsError
from models.style.perceptual import describe_source, expected_shapes

Invoke = Callable[..., Result]
Tensors = dict[str, torch.Tensor]


def train(invoke: Invoke, *options: object) -> Result:
    """Train LeNet-5 for an epoch."""
    return invoke("train", "lenet5", "--epochs", 1, "--batch", 8, "--validation", 0.25, *options)


def test_frozen_features_stay_and_the_last_layer_is_new(
    finished: Path, classes: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """For other classes the last layer is drawn anew, the dense layers move, features do not."""
    base = finished / "classifier.safetensors"
    options = ("--data", classes, "--from", base, "--freeze", "features", "-o", tmp_path / "run")
    result = train(invoke, *options)
    assert result.exit_code == 0, result.output
    assert "fresh: classifier.fc3.bias, classifier.fc3.weight" in result.stderr
    before = read_classifier(base)
    after = read_classifier(tmp_path / "run" / "classifier.safetensors")
    same = {name for name, t in after.net.items() if torch.equal(t, before.net[name])}
    assert same == {f"features.conv{i}.{part}" for i in (1, 2) for part in ("weight", "bias")}
    assert after.net["classifier.fc3.weight"].shape == (3, 84)
    assert after.training["origin"]["network"] == "lenet5"


def test_same_classes_keep_the_last_layer(
    finished: Path, digits: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """Trained on with the same classes, nothing is fresh."""
    base = finished / "classifier.safetensors"
    result = train(invoke, "--data", digits, "--from", base, "-o", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "fresh: nothing" in result.stderr


def test_cached_features_change_nothing(
    finished: Path, digits: Path, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features computed once train the same classifier as features computed at every step."""
    base = finished / "classifier.safetensors"
    frozen = ("--freeze", "features", "--no-augmentation")
    options = ("--data", digits, "--from", base, *frozen)
    cached = train(invoke, *options, "-o", tmp_path / "cached")
    assert "computing the frozen features of 50 pictures once" in cached.stderr
    monkeypatch.setattr("models.classifiers.command.CACHED_FEATURES", 0)
    plain = train(invoke, *options, "-o", tmp_path / "plain")
    assert "once" not in plain.stderr
    one, other = (
        read_classifier(tmp_path / name / "classifier.safetensors").net
        for name in ("cached", "plain")
    )
    for name, tensor in one.items():
        torch.testing.assert_close(other[name], tensor, rtol=1e-4, atol=1e-6)


def test_weights_of_another_network_are_refused(
    finished: Path, digits: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """Features that do not fit are named, and nothing is written."""
    result = invoke(
        *("train", "lenet5", "--variant", "1998", "--data", digits),
        *("--from", finished / "classifier.safetensors", "-o", tmp_path / "run"),
    )
    assert result.exit_code == 1
    assert "features.c1.weight is missing or of another shape than [6, 1, 5, 5]" in result.stderr
    assert "not of this network and variant" in result.stderr
    assert not (tmp_path / "run").exists()


def test_fresh_dense_layer_expects_the_features_scale(finished: Path, classes: Path) -> None:
    """A first dense layer that is drawn anew is divided by the root mean square of features."""
    base = read_base(finished / "classifier.safetensors")
    kept = {name: t for name, t in base.tensors.items() if "classifier" not in name}
    kept["features.conv2.weight"] = kept["features.conv2.weight"] * 0 + 3.0
    config = config_as_dict(find_network("lenet5").configure(None, classes=3))
    settings = ClassifierSettings("lenet5", config, "modern", "sgd", 0.1, "constant", 1, 4)
    data = read_source(str(classes), share=0.0, seed=0, report=print)
    cpu = torch.device("cpu")
    material = prepare_material(settings, data, device=cpu, base=replace(base, tensors=kept))
    plain = prepare_material(settings, data, device=cpu)
    pictures = scale_pixels(material.training.take(np.arange(12), 0).inputs, material.scaling)
    root = material.net.features(pictures).square().mean().sqrt()
    found = material.net.get_parameter("classifier.fc1.weight")
    torch.testing.assert_close(found * root, plain.net.get_parameter("classifier.fc1.weight"))


@pytest.fixture(scope="module")
def features_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a vgg16-features file of random tensors."""
    generator = torch.Generator().manual_seed(0)
    tensors = {
        name: torch.randn(shape, generator=generator) for name, shape in expected_shapes().items()
    }
    path = tmp_path_factory.mktemp("vgg") / "features.safetensors"
    save_file(tensors, path, metadata=describe_source("a test", "CC BY 4.0"))
    return path


def test_style_features_become_vgg16s_convolutions(features_file: Path) -> None:
    """Thirteen convolutions are taken over with their mean and licence; dense layers are fresh."""
    base = read_base(features_file)
    assert base.scaling.scale == (1.0, 1.0, 1.0)
    assert base.license == "CC BY 4.0"
    with torch.device("meta"):
        description = find_network("vgg16")
        net = description.build(description.configure(None, classes=3, hidden=8))
    net = net.to_empty(device="cpu")
    origin = base.load_into(net, ("a", "b", "c"))
    assert len(origin["fresh"]) == 6
    assert all(name.startswith("classifier.fc") for name in origin["fresh"])
    last = "features.conv5_3.bias"
    assert torch.equal(net.get_parameter(last), base.tensors[last])


@pytest.mark.parametrize(("name", "variant"), [("vgg19", "plain"), ("vgg16", "bn")])
def test_style_features_fit_vgg16_alone(features_file: Path, name: str, variant: str) -> None:
    """Another depth, or batch normalisation, needs other weights."""
    description = find_network(name)
    with torch.device("meta"):
        net = description.build(description.configure(variant, classes=3))
    with pytest.raises(WeightsError, match="these are weights of vgg16-features, not of this"):
        read_base(features_file).load_into(net, ("a", "b", "c"))
