"""Layers as outputs: the right tensors, and receptive fields that the calculator agrees with."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from calculator import parse, summarize
from exporter.classifiers.export import export_classifier
from exporter.classifiers.geometry import Geometry, Window
from exporter.classifiers.graphs import ClassifierModel, build_classifier
from exporter.classifiers.settings import ExportSettings
from exporter.classifiers.taps import describe_taps
from exporter.errors import ExportError
from runner import Classifier, ImpastoError

from .conftest import NETWORKS, Draw, draw_bytes, run, scale

LAST_MODULES = {
    "lenet5": {
        "conv1": "tanh1",
        "pool1": "pool1",
        "conv2": "tanh2",
        "fc1": "tanh3",
        "fc2": "tanh4",
    },
    "vgg11-bn": {"conv1_1": "relu1_1", "pool1": "pool1", "conv5_2": "relu5_2", "fc2": "relu2"},
    "lenet5-1998": {"c1": "c1", "s2": "tanh1", "c3": "c3", "s4": "tanh2", "c5": "tanh3"},
}


def build(draw: Draw, name: str) -> ClassifierModel:
    """Return the model of a random network, its layers as outputs."""
    checkpoint = draw(name)
    return build_classifier(checkpoint, checkpoint.build(), taps=True)


def describe(model: ClassifierModel) -> dict[str, Any]:
    """Return what a file says of its layers."""
    return describe_taps(model.taps, model.filters or {})


@pytest.mark.parametrize("name", NETWORKS)
def test_fields_are_the_calculator_s(name: str, draw: Draw) -> None:
    """Shape, extent, jump and start equal those of the layer in the network's table."""
    rows = {row.node.name: row for row in summarize(parse(name)).rows}
    outputs = describe(build(draw, name))["outputs"]
    assert len(outputs) > 2
    for output in outputs:
        if output["name"] in ("pool1", "pool2", "pool5") and output["name"] not in rows:
            continue
        row = rows[output["name"]]
        assert output["kind"] == row.node.layer.kind
        if output["kind"] == "fc":
            assert output["receptive_field"] is output["jump"] is output["start"] is None
            continue
        assert output["shape"] == list(row.derived.shape)
        fields = row.fields or ()
        assert output["receptive_field"] == [field.extent for field in fields]
        assert output["jump"] == [field.jump for field in fields]
        assert output["start"] == [field.start for field in fields]


@pytest.mark.parametrize("name", LAST_MODULES)
def test_outputs_are_what_the_layers_return(name: str, draw: Draw, tmp_path: Path) -> None:
    """A tap holds PyTorch's tensor behind the layer's normalisation and activation."""
    checkpoint, wanted = draw(name), LAST_MODULES[name]
    net = checkpoint.build()
    seen: dict[str, Tensor] = {}

    def keep(layer: str) -> Any:  # noqa: ANN401 - a hook
        return lambda _, __, output: seen.update({layer: output})

    children = dict([*net.features.named_children(), *net.classifier.named_children()])
    for tap, module in wanted.items():
        children[module].register_forward_hook(keep(tap))
    images = draw_bytes(checkpoint)
    with torch.inference_mode():
        net(scale(checkpoint, images))
    found = run(build(draw, name), tmp_path, images, *wanted)
    for tap, values in zip(wanted, found, strict=True):
        assert np.ptp(values) > 0
        expected = seen[tap].numpy()
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_first_filters_are_shown_before_and_after_training(draw: Draw, tmp_path: Path) -> None:
    """Both outputs hold the checkpoint's tensors, which differ."""
    checkpoint = draw("lenet5")
    model = build(draw, "lenet5")
    assert describe(model)["filters"] == {"before": "filters/before", "after": "filters/after"}
    images = draw_bytes(checkpoint)
    before, after = run(model, tmp_path, images, "filters/before", "filters/after")
    np.testing.assert_array_equal(before, checkpoint.initial["features.conv1.weight"].numpy())
    np.testing.assert_array_equal(after, checkpoint.net["features.conv1.weight"].numpy())
    assert np.abs(before - after).max() > 0


def test_unknown_first_filters_are_none(draw: Draw) -> None:
    """Imported weights have no beginning to show."""
    checkpoint = draw("simpleconvnet")
    empty = type(checkpoint)(**{**vars(checkpoint), "initial": {}})
    model = build_classifier(empty, empty.build(), taps=True)
    assert describe(model)["filters"] == {"before": None, "after": "filters/after"}
    assert "filters/before" not in {value.name for value in model.skeleton.graph.output}


def test_last_layer_is_told_by_the_probabilities(draw: Draw) -> None:
    """The logits are no tap; the taps are in the order in which layers run."""
    names = [tap.name for tap in build(draw, "lenet5").taps]
    assert names == ["conv1", "pool1", "conv2", "pool2", "fc1", "fc2"]


def test_file_with_taps_says_so(saved: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """The outputs named in impasto.taps are the file's, behind the probabilities."""
    path = tmp_path / "taps.onnx"
    export_classifier(saved("simpleconvnet"), path, ExportSettings(taps=True))
    model = onnx.load(path)
    entries = {p.key: json.loads(p.value) for p in model.metadata_props}
    assert entries["impasto.task"] == "classify"
    names = [output["name"] for output in entries["impasto.taps"]["outputs"]]
    filters = entries["impasto.taps"]["filters"].values()
    assert [v.name for v in model.graph.output] == ["probabilities", *names, *filters]


def test_runner_classifies_with_such_a_file(saved: Any, draw: Draw, tmp_path: Path) -> None:  # noqa: ANN401
    """The further outputs change no answer; without the word in the metadata they are refused."""
    plain, tapped = tmp_path / "plain.onnx", tmp_path / "taps.onnx"
    export_classifier(saved("simpleconvnet"), plain, ExportSettings())
    export_classifier(saved("simpleconvnet"), tapped, ExportSettings(taps=True))
    pixels = draw_bytes(draw("simpleconvnet"), 3)
    expected = Classifier(plain).predict(pixels)
    np.testing.assert_allclose(Classifier(tapped).predict(pixels), expected, rtol=0, atol=1e-6)
    model = onnx.load(tapped)
    kept = [entry for entry in model.metadata_props if entry.key != "impasto.taps"]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    onnx.save(model, tapped)
    with pytest.raises(ImpastoError, match="do not fit a classify network"):
        Classifier(tapped)


def test_windows_move_the_field() -> None:
    """Araujo et al.: extent grows by reach times jump, jump by stride, start by padding."""
    first = Geometry((3, 20, 30)).slide(Window((3, 5), (2, 1), (1, 2), (2, 1)), channels=4)
    assert first.shape == (4, 9, 30)
    assert (first.extent, first.jump, first.start) == ((5, 5), (2, 1), (-1, -2))
    second = first.slide(Window((3, 3), (1, 2), (1, 0)))
    assert second.shape == (4, 9, 14)
    assert (second.extent, second.jump, second.start) == ((9, 7), (2, 2), (-3, -2))


def test_nothing_slides_behind_flatten() -> None:
    """Rows have no two axes."""
    with pytest.raises(ExportError, match=r"cannot slide over \(75,\)"):
        Geometry((3, 5, 5)).flatten(75).slide(Window((2, 2)))


def test_shapes_are_those_of_pytorch() -> None:
    """Windows that do not divide the input leave a rest, as in PyTorch."""
    x = torch.zeros(1, 2, 11, 8)
    for module in (nn.MaxPool2d(3, 2), nn.MaxPool2d(2, 3, 1), nn.MaxPool2d(2, 1, dilation=3)):
        window = Window(
            *((v, v) for v in (module.kernel_size, module.stride, module.padding, module.dilation))  # type: ignore[arg-type]
        )
        assert Geometry((2, 11, 8)).slide(window).shape == tuple(module(x).shape[1:])
