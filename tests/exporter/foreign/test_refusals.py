"""Files that are no classifier, or not the one described, are refused; others keep theirs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from exporter.errors import ExportError
from exporter.foreign import annotation
from exporter.foreign.annotation import annotate_classifier
from exporter.foreign.wishes import Wishes
from exporter.graph import drop_dead
from exporter.scenes import draw_scenes
from models.classifiers.preprocessing import InputRule
from runner.session import open_session

from .conftest import (
    CLASSES,
    MEAN,
    STD,
    as_planes,
    ask,
    build_convolutional,
    build_keras,
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
