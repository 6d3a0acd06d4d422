"""Convolutions without classes: every layer is an output, and nothing is taken for a classifier."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from click.testing import CliRunner, Result
from onnx import numpy_helper
from safetensors.torch import save_file
from torch import nn

from exporter import cli
from exporter.classifiers.command import FEATURES_HEADER, format_features
from exporter.classifiers.features import export as features_export
from exporter.classifiers.features.export import export_features
from exporter.classifiers.features.graphs import build_features
from exporter.classifiers.features.network import FeatureNetwork, read_features
from exporter.classifiers.features.parity import FeatureCase, describe_parity, require_features
from exporter.classifiers.settings import ExportSettings
from exporter.errors import ExportError, ParityError
from models.classifiers.networks import PixelScaling
from models.classifiers.preprocessing import InputRule
from models.errors import WeightsError
from models.style.perceptual import expected_shapes, load_vgg
from runner import Classifier, ImpastoError
from runner.info import describe_file

MEAN = (123.68, 116.779, 103.939)
LAYERS = ["conv1_1", "conv1_2", "pool1", "conv2_1", "pool2"]
GOOD = FeatureCase(7, 18, 1e-6, "conv1_1", 0.0)


@pytest.fixture
def small() -> FeatureNetwork:
    """Three convolutions, two poolings, 24x24 pixels."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        layers = nn.Sequential()
        for name, inputs, outputs in (("1_1", 3, 4), ("1_2", 4, 4), ("2_1", 4, 6)):
            layers.add_module(f"conv{name}", nn.Conv2d(inputs, outputs, 3, padding=1))
            layers.add_module(f"relu{name}", nn.ReLU())
            if name != "1_1":
                layers.add_module(f"pool{name[0]}", nn.MaxPool2d(2))
    rule = InputRule((24, 24), "RGB", {"rule": "crop", "short_side": 26})
    pixels = PixelScaling((1.0,) * 3, tuple(-value for value in MEAN))
    return FeatureNetwork(layers.eval(), rule, pixels, source="somewhere", license="CC BY 4.0")


@pytest.fixture
def weights(small: FeatureNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that calls itself VGG-16's convolutions and is read as the small network."""
    path = tmp_path / "weights.safetensors"
    save_file({"mean": torch.zeros(3)}, path, {"impasto": '{"network": "vgg16-features"}'})
    monkeypatch.setattr(features_export, "read_features", lambda _: small)
    return path


def invoke(command: Any, *arguments: object) -> Result:  # noqa: ANN401 - a click command
    """Run a command of the exporter."""
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_every_layer_is_an_output(small: FeatureNetwork, weights: Path, tmp_path: Path) -> None:
    """Layers come in their order, behind their activations, then the filters; PyTorch agrees."""
    path = tmp_path / "deep" / "it.onnx"
    exported = export_features(weights, path)
    assert (exported.file, exported.layers) == (path, 5)
    onnx.checker.check_model(str(path), full_check=True)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    assert names == [*LAYERS, "filters/after"]
    images = np.random.default_rng(0).integers(0, 256, (2, 24, 24, 3), dtype=np.uint8)
    found = dict(zip(names, session.run(None, {"image": images}), strict=True))
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() - torch.tensor(MEAN)[:, None, None]
    expected = small.layers(x).detach().numpy()
    np.testing.assert_allclose(found["pool2"], expected, rtol=0, atol=1e-5 * expected.max())
    assert min(values.min() for name, values in found.items() if name in LAYERS) == 0
    filters = small.layers.get_parameter("conv1_1.weight").detach().numpy()
    np.testing.assert_array_equal(found["filters/after"], filters)


def test_metadata_are_a_feature_network_s(weights: Path, tmp_path: Path) -> None:
    """The task is features; there are an input rule, taps and parity, and no labels."""
    path = tmp_path / "it.onnx"
    export_features(weights, path)
    model = onnx.load(path)
    entries = {p.key.removeprefix("impasto."): json.loads(p.value) for p in model.metadata_props}
    assert entries["task"] == "features"
    assert entries["network"]["name"] == "vgg16"
    assert entries["network"]["config"] == {"depth": 16, "batch_norm": False}
    assert entries["network"]["parameters"] == 3 * 9 * 4 + 4 + 4 * 9 * 4 + 4 + 4 * 9 * 6 + 6
    assert entries["input"]["resize"] == {"rule": "crop", "short_side": 26}
    assert [output["name"] for output in entries["taps"]["outputs"]] == LAYERS
    assert entries["taps"]["outputs"][-1]["receptive_field"] == [12, 12]
    assert entries["taps"]["filters"] == {"before": None, "after": "filters/after"}
    assert entries["license"] == "CC BY 4.0"
    cases = entries["parity"]["cases"]
    assert [(case["batch"], case["layers"]) for case in cases] == [(1, 5), (2, 5), (7, 5), (32, 4)]
    assert entries["parity"]["max_difference"] <= 1e-5
    assert not {"labels", "calibration"} & set(entries)
    assert model.domain == "impasto.features"


def test_commands_export_and_verify(weights: Path, tmp_path: Path) -> None:
    """By name with weights, or by file alone; verify prints a row per batch in 80 columns."""
    path = tmp_path / "it.onnx"
    sources: list[list[object]] = [["vgg16", "--weights", weights], [weights, "--overwrite"]]
    for source in sources:
        done = invoke(cli.export, *source, "-o", path)
        assert done.exit_code == 0, done.output
        assert "bytes, 5 layers; they differ from PyTorch's by" in done.output
    table = invoke(cli.verify, path, weights)
    assert table.exit_code == 0, table.output
    lines = table.output.splitlines()
    assert lines[0] == FEATURES_HEADER
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "7", "32"]
    assert all(line.endswith("agrees") for line in lines[1:])
    assert max(map(len, lines)) <= 80
    assert format_features(GOOD).index("agrees") == FEATURES_HEADER.index("verdict")


def test_verify_names_the_layer_that_disagrees(weights: Path, tmp_path: Path) -> None:
    """A changed weight is found in its own layer or behind it, and the status is 1."""
    path = tmp_path / "it.onnx"
    assert invoke(cli.export, weights, "-o", path).exit_code == 0
    model = onnx.load(path)
    tensor = next(t for t in model.graph.initializer if t.name == "conv1_2.weight")
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * 1.1, tensor.name))
    onnx.save(model, path)
    result = invoke(cli.verify, path, weights)
    assert result.exit_code == 1
    assert result.output.count("DISAGREES") == 4
    assert "in a batch of 1 layer " in result.output
    assert "layer conv1_1 differs" not in result.output


def test_verify_refuses_other_files(weights: Path, tmp_path: Path) -> None:
    """A file that gives out other layers is named, with the remedy."""
    path = tmp_path / "it.onnx"
    assert invoke(cli.export, weights, "-o", path).exit_code == 0
    model = onnx.load(path)
    del model.graph.output[0]
    onnx.save(model, path)
    result = invoke(cli.verify, path, weights)
    assert result.exit_code == 1
    assert "its outputs ['conv1_2', 'pool1', 'conv2_1'], not image and the" in result.output
    pictures = invoke(cli.verify, path, weights, "--pictures", tmp_path)
    assert pictures.exit_code == 2
    assert "--pictures is for classifiers" in pictures.output


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_layers_are_shown_in_floats(precision: str, weights: Path, tmp_path: Path) -> None:
    """Half precision and eight bits are refused in one line."""
    more = ["--calibrate", tmp_path] if precision == "int8" else []
    path = tmp_path / "it.onnx"
    result = invoke(cli.export, weights, "--precision", precision, *more, "-o", path)
    assert result.exit_code == 1
    assert f"shown in fp32 only, not in {precision}; leave out --precision" in result.output
    assert not path.exists()


def test_names_of_other_networks_are_refused(weights: Path, tmp_path: Path) -> None:
    """These are the convolutions of VGG-16, not of VGG-19."""
    result = invoke(cli.export, "vgg19", "--weights", weights, "-o", tmp_path / "it.onnx")
    assert result.exit_code == 1
    assert "holds the weights of vgg16, not of vgg19; name that one" in result.output


def test_existing_files_stay(weights: Path, tmp_path: Path) -> None:
    """Nothing is replaced unless the user says so."""
    path = tmp_path / "it.onnx"
    path.write_bytes(b"old")
    with pytest.raises(ExportError, match="exists already; pass --overwrite"):
        export_features(weights, path)
    assert path.read_bytes() == b"old"
    export_features(weights, path, ExportSettings(overwrite=True, licence="MIT"))
    assert path.stat().st_size > 1000


def test_disagreement_leaves_nothing(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where PyTorch's layers are others there is no file."""
    from exporter.classifiers.features import parity

    run = parity.run_torch

    def lie(*arguments: Any) -> Any:  # noqa: ANN401
        return {name: values + 1 for name, values in run(*arguments).items()}

    monkeypatch.setattr(parity, "run_torch", lie)
    with pytest.raises(ParityError, match="the export of somewhere: in a batch of 1 layer"):
        export_features(weights, tmp_path / "it.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["weights.safetensors"]


def test_runner_takes_it_for_no_classifier(weights: Path, tmp_path: Path) -> None:
    """Classify says in one line what the file is made for; info describes it."""
    path = tmp_path / "it.onnx"
    export_features(weights, path)
    with pytest.raises(ImpastoError, match="made for 'features', not 'classify'"):
        Classifier(path)
    rows = describe_file(path)
    assert ("task", "features") in rows
    assert ("output", "pool2  float [N, 6, 6, 6]") in rows


@pytest.mark.parametrize("changed", [{"max_difference": 2e-5}, {"batch_difference": float("inf")}])
def test_both_differences_can_refuse(changed: dict[str, float]) -> None:
    """From PyTorch, and from itself alone."""
    require_features([GOOD], "it")
    case = FeatureCase(**{**vars(GOOD), **changed})
    assert not case.agrees
    with pytest.raises(ParityError, match="it: in a batch of 7 layer conv1_1 differs"):
        require_features([GOOD, case], "it")
    assert describe_parity([GOOD, case])["tolerance"] == {"share of a layer's span": 1e-5}


def test_published_convolutions_are_read(tmp_path: Path) -> None:
    """Thirteen convolutions, five poolings, the file's mean, and the loss's own activations."""
    random = torch.Generator().manual_seed(0)
    tensors = {
        name: torch.randn(shape, generator=random) * (0.03 if len(shape) > 1 else 1)
        for name, shape in expected_shapes().items()
    }
    path = tmp_path / "vgg16.safetensors"
    header = {"network": "vgg16-features", "source": "it", "license": "CC0"}
    save_file(tensors, path, {"impasto": json.dumps(header)})
    network = read_features(path)
    assert network.parameters == 14_714_688
    assert (network.source, network.license) == ("it", "CC0")
    assert network.input == InputRule((224, 224), "RGB", {"rule": "crop", "short_side": 256})
    assert network.pixels.shift == pytest.approx([-float(mean) for mean in tensors["mean"]])
    model = build_features(network)
    assert [tap.name for tap in model.taps][:3] == ["conv1_1", "conv1_2", "pool1"]
    assert [tap.name for tap in model.taps][-1] == "pool5"
    assert len(model.taps) == 18
    photo = torch.rand(1, 3, 32, 32, generator=random)
    expected = load_vgg(path, ["relu3_3"])(photo)["relu3_3"]
    x = photo * 255 + torch.tensor(network.pixels.shift)[:, None, None]
    for name, module in network.layers.named_children():
        x = module(x)
        if name == "relu3_3":
            break
    torch.testing.assert_close(x, expected)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    """A file that lacks tensors is named."""
    path = tmp_path / "vgg16.safetensors"
    save_file({"mean": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match=r"vgg16\.safetensors.*conv1_1\.weight is missing"):
        read_features(path)
