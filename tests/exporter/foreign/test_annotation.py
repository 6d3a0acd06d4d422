"""Foreign classifiers wrapped: what they say of a picture is what they said of its numbers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from exporter.errors import ExportError, ParityError
from exporter.foreign.annotation import annotate_classifier
from exporter.foreign.wishes import Wishes
from exporter.scenes import draw_scenes
from models.classifiers.preprocessing import InputRule

from .conftest import (
    CLASSES,
    MEAN,
    STD,
    as_caffe,
    as_planes,
    ask,
    build_convolutional,
    build_keras,
    build_rows,
    build_sklearn,
    build_torchvision,
    classify,
    read_entries,
    softmax,
)

Save = Callable[[ModelProto], Path]
NAMES = ["ant", "bee", "cat", "dog", "élan"]
COLOR = Wishes(NAMES, InputRule((12, 16)), MEAN, STD)
KERAS = replace(COLOR, mean=(123.68, 116.779, 103.939), std=(1.0,), scale=1.0, color="bgr")
GREY = Wishes(NAMES, InputRule((8, 8), "grey"), (0.0,), (1.0,), 255 / 16, "grey")
IMAGES = draw_scenes(7, 12, 16, seed=1)
DIGITS = draw_scenes(7, 8, 8, seed=1)[..., :1]


@pytest.mark.parametrize(
    ("opset", "ir"), [(7, 3), (8, 3), (11, 6), (13, 7), (17, 8), (21, 10)], ids=str
)
def test_torchvision_s_networks(opset: int, ir: int, save: Save, tmp_path: Path) -> None:
    """Planes in, logits out: mean, deviation and softmax move inside, in every opset."""
    model, path = build_torchvision(opset=opset, ir=ir), tmp_path / "out.onnx"
    trial = annotate_classifier(save(model), path, COLOR)
    expected = softmax(ask(model, "logits", as_planes(IMAGES)))
    assert np.ptp(expected, axis=1).min() > 0.1
    np.testing.assert_allclose(classify(path, IMAGES), expected, rtol=0, atol=1e-5)
    wrapped = onnx.load(path)
    onnx.checker.check_model(wrapped, full_check=True)
    assert [(e.domain, e.version) for e in wrapped.opset_import] == [("", opset)]
    assert wrapped.ir_version == ir
    assert trial.max_difference < 1e-5


def test_keras_s_networks(save: Save, tmp_path: Path) -> None:
    """Interleaved pixels, blue first, in; probabilities out stay as they are."""
    model, path = build_keras(), tmp_path / "out.onnx"
    annotate_classifier(save(model), path, KERAS)
    expected = ask(model, "dense_1", as_caffe(IMAGES))
    assert np.ptp(expected, axis=1).min() > 0.1
    np.testing.assert_allclose(classify(path, IMAGES), expected, rtol=0, atol=1e-5)
    assert sum(node.op_type == "Softmax" for node in onnx.load(path).graph.node) == 1


@pytest.mark.parametrize("zipped", [True, False])
def test_scikit_learn_s_classifiers(*, zipped: bool, save: Save, tmp_path: Path) -> None:
    """Rows in; of label, scores and dictionaries the scores are taken."""
    path = tmp_path / "out.onnx"
    annotate_classifier(save(build_sklearn(zipped=zipped)), path, GREY)
    rows = (DIGITS.reshape(7, 64) / 255 * 16).astype(np.float32)
    expected = ask(build_sklearn(zipped=False), "scores", rows)
    assert np.ptp(expected, axis=1).min() > 0.1
    np.testing.assert_allclose(classify(path, DIGITS), expected, rtol=0, atol=1e-5)
    assert not any(node.op_type == "ZipMap" for node in onnx.load(path).graph.node)


def test_networks_that_end_in_a_convolution(save: Save, tmp_path: Path) -> None:
    """[N, K, 1, 1] becomes [N, K], and open sizes become those of the pictures."""
    model, path = build_convolutional(), tmp_path / "out.onnx"
    annotate_classifier(save(model), path, COLOR)
    expected = softmax(ask(model, "y", as_planes(IMAGES)).reshape(7, CLASSES))
    np.testing.assert_allclose(classify(path, IMAGES), expected, rtol=0, atol=1e-5)


def test_networks_of_float16(save: Save, tmp_path: Path) -> None:
    """They are fed with float16, and give float32."""
    model, path = build_torchvision(element=TensorProto.FLOAT16), tmp_path / "out.onnx"
    annotate_classifier(save(model), path, COLOR)
    expected = softmax(ask(model, "logits", as_planes(IMAGES).astype(np.float16)))
    np.testing.assert_allclose(classify(path, IMAGES), expected, rtol=0, atol=1e-2)
    assert read_entries(path)["precision"] == "fp16"


def test_networks_of_float64(save: Save, tmp_path: Path) -> None:
    """They are fed with float64, and give float32."""
    model, path = build_rows(), tmp_path / "out.onnx"
    annotate_classifier(save(model), path, GREY)
    expected = softmax(ask(model, "y", DIGITS.reshape(7, 64) / 255 * 16))
    np.testing.assert_allclose(classify(path, DIGITS), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 2])
def test_fixed_batches_are_freed(batch: int, save: Save, tmp_path: Path) -> None:
    """A batch that a reshape fixes becomes open, with the same results."""
    model, path = build_torchvision(batch), tmp_path / "out.onnx"
    annotate_classifier(save(model), path, COLOR)
    pairs = as_planes(IMAGES[:6])
    expected = softmax(ask(model, "logits", pairs, batch))
    np.testing.assert_allclose(classify(path, IMAGES[:6]), expected, rtol=0, atol=1e-5)


def test_batches_that_cannot_be_freed_are_refused(save: Save, tmp_path: Path) -> None:
    """A batch that is fixed in another way is found out by running, and the remedy is told."""
    model = build_torchvision(1)
    model.graph.node[3].CopyFrom(helper.make_node("Squeeze", ["p"], ["s"], axes=[0, 2, 3]))
    model.graph.node.insert(4, helper.make_node("Unsqueeze", ["s"], ["f"], axes=[0]))
    with pytest.raises(
        ExportError, match=r"pictures at once .*; export it with an open batch size"
    ):
        annotate_classifier(save(model), tmp_path / "out.onnx", COLOR)
    assert not (tmp_path / "out.onnx").exists()


def test_dependence_on_the_batch_is_refused(save: Save, tmp_path: Path) -> None:
    """A network that looks at its neighbours in a batch is no classifier to serve."""
    model = build_torchvision()
    model.graph.node[-1].output[0] = "l"
    mean = helper.make_node("ReduceMean", ["l"], ["m"], axes=[0], keepdims=1)
    model.graph.node.extend([mean, helper.make_node("Sub", ["l", "m"], ["logits"])])
    with pytest.raises(
        ParityError, match=r"foreign\.onnx: differs by up to 0\.\d+ in a probability"
    ):
        annotate_classifier(save(model), tmp_path / "out.onnx", COLOR)


def test_metadata_are_the_contract_s(save: Save, tmp_path: Path) -> None:
    """What the user said and what was measured stands in the file."""
    path = tmp_path / "out.onnx"
    rule = InputRule((12, 16), "RGB", {"rule": "crop", "short_side": 20}, "bicubic")
    annotate_classifier(save(build_torchvision()), path, replace(COLOR, rule=rule, licence="MIT"))
    entries = read_entries(path)
    assert (entries["schema"], entries["task"], entries["license"]) == (1, "classify", "MIT")
    assert entries["labels"] == NAMES
    assert entries["input"] == {
        "size": [12, 16],
        "color": "RGB",
        "dtype": "uint8",
        "layout": "NHWC",
        "resize": {"rule": "crop", "short_side": 20},
        "interpolation": "bicubic",
        "invert": "never",
        "background": 0,
    }
    assert entries["network"] == {"name": "foreign", "config": {}, "parameters": 162 + 30}
    assert entries["training"] == {"source": "annotated from foreign.onnx"}
    assert entries["precision"] == "fp32"
    assert entries["parity"]["max_difference"] <= 1e-5


def test_softmax_can_be_decided(save: Save, tmp_path: Path) -> None:
    """Probabilities get a second softmax only where it is asked for; logits cannot do without."""
    path = tmp_path / "out.onnx"
    annotate_classifier(save(build_keras()), path, replace(KERAS, softmax="yes"))
    expected = softmax(ask(build_keras(), "dense_1", as_caffe(IMAGES)))
    np.testing.assert_allclose(classify(path, IMAGES), expected, rtol=0, atol=1e-5)
    with pytest.raises(
        ExportError, match=r"gives values from .*, which are no probabilities; leave"
    ):
        annotate_classifier(
            save(build_torchvision()), path, replace(COLOR, softmax="no"), overwrite=True
        )


def test_outputs_can_be_chosen(save: Save, tmp_path: Path) -> None:
    """Of several outputs of numbers the user names one; the others' nodes go."""
    model, path = build_torchvision(), tmp_path / "out.onnx"
    model.graph.node.append(helper.make_node("Exp", ["logits"], ["powers"]))
    model.graph.output.append(helper.make_tensor_value_info("powers", 1, ["batch", CLASSES]))
    with pytest.raises(ExportError, match="several outputs of numbers, 'logits', 'powers'; choose"):
        annotate_classifier(save(model), path, COLOR)
    annotate_classifier(save(model), path, replace(COLOR, output="logits", input="input"))
    assert not any(node.op_type == "Exp" for node in onnx.load(path).graph.node)
