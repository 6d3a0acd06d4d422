"""Foreign classifiers wrapped: what they say of a picture is what they said of its numbers."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from exporter.errors import ExportError, ParityError
from exporter.foreign import annotation
from exporter.foreign.annotation import annotate_classifier
from exporter.foreign.wishes import Wishes
from exporter.graph import drop_dead
from exporter.scenes import draw_scenes
from models.classifiers.preprocessing import InputRule
from runner.session import open_session

from .conftest import (
    CLASSES,
    build_convolutional,
    build_keras,
    build_rows,
    build_sklearn,
    build_torchvision,
)

Save = Callable[[ModelProto], Path]
NAMES = ["ant", "bee", "cat", "dog", "élan"]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
COLOR = Wishes(NAMES, InputRule((12, 16)), MEAN, STD)
KERAS = replace(COLOR, mean=(123.68, 116.779, 103.939), std=(1.0,), scale=1.0, color="bgr")
GREY = Wishes(NAMES, InputRule((8, 8), "grey"), (0.0,), (1.0,), 255 / 16, "grey")
IMAGES = draw_scenes(7, 12, 16, seed=1)
DIGITS = draw_scenes(7, 8, 8, seed=1)[..., :1]


def ask(model: ModelProto, name: str, feeds: Any, batch: int = 1) -> NDArray[np.float64]:  # noqa: ANN401
    """Return a foreign network's numbers, so many pictures at a time."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (entry,) = (value.name for value in session.get_inputs())
    parts = np.split(feeds, len(feeds) // batch)
    return np.concatenate([session.run([name], {entry: part})[0] for part in parts]).astype(float)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return logits as probabilities."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def as_planes(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pictures as torchvision's networks read them, written out once more."""
    rows = [(images[..., c] / 255 - MEAN[c]) / STD[c] for c in range(3)]
    return np.stack(rows, axis=1).astype(np.float32)


def as_caffe(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pictures as Keras's VGG reads them: blue first, less the mean."""
    blue_first = images[..., [2, 1, 0]].astype(np.float32)
    return blue_first - np.array([103.939, 116.779, 123.68], np.float32)


def classify(path: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what a wrapped file says, opened as the runner opens it."""
    session = open_session(path, "cpu")
    shapes = [(v.name, v.type, v.shape) for v in [*session.get_inputs(), *session.get_outputs()]]
    assert shapes == [
        ("image", "tensor(uint8)", ["N", *images.shape[1:]]),
        ("probabilities", "tensor(float)", ["N", CLASSES]),
    ]
    rows: NDArray[np.float32] = session.run(None, {"image": images})[0]
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-3)
    return rows


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


def read_entries(path: Path) -> dict[str, Any]:
    """Return a file's metadata, decoded."""
    props = onnx.load(path, load_external_data=False).metadata_props
    return {p.key.removeprefix("impasto."): json.loads(p.value) for p in props}


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


def list_refused() -> dict[str, tuple[ModelProto, Wishes, str]]:
    """Return networks that do not fit what is said of them."""
    extra = build_torchvision()
    extra.graph.input.append(helper.make_tensor_value_info("more", 1, [1]))
    whole = build_torchvision()
    whole.graph.node[-1].CopyFrom(helper.make_node("Identity", ["probabilities"], ["logits"]))
    whole.graph.output[0].CopyFrom(helper.make_tensor_value_info("logits", 1, [None, 6, 10, 14]))
    integers = build_torchvision()
    integers.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    ours = build_torchvision()
    ours.metadata_props.add(key="impasto.task", value='"classify"')
    broken = build_torchvision()
    broken.graph.node[0].input[1] = "fc.weight"
    small = replace(COLOR, rule=InputRule((3, 3)))
    cube = build_convolutional()
    cube.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "C"
    plain = build_torchvision()
    return {
        "input": (plain, replace(COLOR, input="data"), "has no input 'data'; there are 'input'"),
        "output": (plain, replace(COLOR, output="x"), "has no output 'x'; there are 'logits'"),
        "labels": (
            plain,
            replace(COLOR, labels=NAMES[:3]),
            "has 5 numbers per picture and --labels 3 names; give a label per class",
        ),
        "inputs": (extra, COLOR, "has the inputs 'input', 'more'; a classifier takes pictures and"),
        "maps": (whole, COLOR, r"is no classifier: its outputs are 'logits' \[\?, 6, 10, 14\]"),
        "integers": (integers, COLOR, "input 'input' takes UINT8; only FLOAT, FLOAT16 and DOUBLE"),
        "ours": (ours, COLOR, "says already what it is; 'impasto info' prints it"),
        "old": (build_torchvision(opset=6), COLOR, "is of opset 6, and 7 is the oldest"),
        "size": (plain, replace(COLOR, rule=InputRule((9, 9))), r"which is not \[N, C, H, W\] or"),
        "rows": (build_sklearn(), COLOR, "which is not rows of 576 numbers of pictures of 12x16"),
        "layout": (plain, replace(COLOR, layout="nhwc"), "mend --size, --color or --layout"),
        "either": (cube, small, r"may have its channels in front or behind; say which with --lay"),
        "broken": (broken, COLOR, r"ONNX Runtime \S+ cannot open it \("),
    }


REFUSED = list_refused()


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "either"])
def test_networks_that_do_not_fit_are_refused(name: str, save: Save, tmp_path: Path) -> None:
    """Each with its file, what was found and what to do; nothing is written."""
    model, wishes, words = REFUSED[name]
    with pytest.raises(ExportError, match=rf"foreign\.onnx: .*{words}"):
        annotate_classifier(save(model), tmp_path / "out.onnx", wishes)
    assert not (tmp_path / "out.onnx").exists()


def test_layout_is_asked_for_where_both_fit(save: Save, tmp_path: Path) -> None:
    """With all sizes open nothing tells the layouts apart, and the user says which."""
    model, path = build_convolutional(), tmp_path / "out.onnx"
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "C"
    with pytest.raises(ExportError, match="channels in front or behind; say which with --layout"):
        annotate_classifier(save(model), path, COLOR)
    annotate_classifier(save(model), path, replace(COLOR, layout="nchw"))
    expected = softmax(ask(model, "y", as_planes(IMAGES)).reshape(7, CLASSES))
    np.testing.assert_allclose(classify(path, IMAGES), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("content", [None, b"", b"\x08\x07hello", b"not protobuf at all"])
def test_other_files_are_refused(content: bytes | None, tmp_path: Path) -> None:
    """A missing, empty or foreign file gives one line."""
    path = tmp_path / "bad.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(
        ExportError, match=r"bad\.onnx: (no such file|not an ONNX file|holds no net)"
    ):
        annotate_classifier(path, tmp_path / "out.onnx", COLOR)


def test_large_files_keep_their_weights_beside_them(
    save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the limit the weights go to OUT.onnx.data, and the runner opens both."""
    path = tmp_path / "deep" / "out.onnx"
    defaults = {"largest_bytes": 1500}
    monkeypatch.setattr(annotation.write, "__kwdefaults__", defaults)
    model = build_torchvision()
    big = np.zeros((6, 400), np.float32)
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(big, "fc.weight"))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 400
    wishes = replace(COLOR, labels=[f"class {number}" for number in range(400)])
    annotate_classifier(save(model), path, wishes)
    assert sorted(p.name for p in path.parent.iterdir()) == ["out.onnx", "out.onnx.data"]
    rows = open_session(path, "cpu").run(None, {"image": IMAGES})[0]
    np.testing.assert_allclose(rows, 1 / 400, rtol=1e-4)


def test_existing_files_stay(save: Save, tmp_path: Path) -> None:
    """Only --overwrite replaces one."""
    path = tmp_path / "out.onnx"
    path.write_bytes(b"old")
    with pytest.raises(ExportError, match=r"out\.onnx: exists already; pass --overwrite"):
        annotate_classifier(save(build_keras()), path, KERAS)
    annotate_classifier(save(build_keras()), path, KERAS, overwrite=True)
    assert read_entries(path)["task"] == "classify"


def test_what_branches_read_is_kept() -> None:
    """A tensor that only a branch reads is not dropped as a dead end."""
    branch = helper.make_graph(
        [helper.make_node("Identity", ["outer"], ["b"])],
        "branch",
        [],
        [helper.make_tensor_value_info("b", 1, [1])],
    )
    nodes = [
        helper.make_node("Neg", ["x"], ["outer"]),
        helper.make_node("Exp", ["x"], ["unused"]),
        helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch),
    ]
    values = [helper.make_tensor_value_info("x", 1, [1]), helper.make_tensor_value_info("c", 9, [])]
    graph = helper.make_graph(nodes, "if", values, [helper.make_tensor_value_info("y", 1, [1])])
    drop_dead(graph)
    assert [node.op_type for node in graph.node] == ["Neg", "If"]
