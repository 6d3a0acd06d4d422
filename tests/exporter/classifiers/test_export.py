"""Exports of classifiers: complete files, or none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from exporter.classifiers import drafts
from exporter.classifiers.drafts import assemble, draft_classifier
from exporter.classifiers.export import export_classifier
from exporter.classifiers.parity import classify, draw_pictures
from exporter.classifiers.sessions import open_classifier
from exporter.classifiers.settings import ExportSettings, Precision
from exporter.classifiers.storage import write_model
from exporter.errors import ExportError, ParityError
from models.classifiers.checkpoint import write_classifier
from models.errors import CheckpointError
from runner.session import open_session

from .conftest import Draw, ask_torch

Saved = Callable[[str], Path]


def read_entries(path: Path) -> dict[str, Any]:
    """Return a file's metadata, decoded."""
    props = onnx.load(path, load_external_data=False).metadata_props
    return {entry.key.removeprefix("impasto."): json.loads(entry.value) for entry in props}


def list_names(folder: Path) -> list[str]:
    """Return the names of everything in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("name", ["lenet5", "lenet5-1998", "simpleconvnet"])
def test_export_writes_a_complete_file(
    name: str,
    precision: Precision,
    saved: Saved,
    draw: Draw,
    tmp_path: Path,
) -> None:
    """One valid file, nothing beside it, that says what PyTorch says and how closely."""
    path = tmp_path / "deep" / "it.onnx"
    exported = export_classifier(saved(name), path, ExportSettings(precision=precision))
    assert exported.files == (path,)
    assert list_names(path.parent) == ["it.onnx"]
    onnx.checker.check_model(str(path), full_check=True)
    images = draw_pictures(draw(name).input, 7)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = session.run(None, {"image": images})[0]
    tolerance = {"fp32": 1e-5, "fp16": 1e-2}[precision]
    np.testing.assert_allclose(found, ask_torch(draw(name), images), rtol=0, atol=tolerance)
    entries = read_entries(path)
    assert entries["precision"] == precision
    assert entries["parity"]["max_difference"] == exported.parity.max_difference <= tolerance
    assert [case["batch"] for case in entries["parity"]["cases"]] == [1, 2, 7, 32]


def test_metadata_are_the_contract_s(saved: Saved, tmp_path: Path) -> None:
    """Schema, task, network, input rule, labels, training and licence stand in the file."""
    path = tmp_path / "it.onnx"
    export_classifier(saved("lenet5"), path)
    entries = read_entries(path)
    assert (entries["schema"], entries["task"]) == (1, "classify")
    assert entries["network"] == {
        "name": "lenet5",
        "config": {"variant": "notes", "classes": 10},
        "parameters": 61_706,
    }
    assert entries["input"] == {
        "size": [32, 32],
        "color": "grey",
        "dtype": "uint8",
        "layout": "NHWC",
        "resize": {"rule": "fit", "box": [28, 28]},
        "interpolation": "bilinear",
        "invert": "auto",
        "background": 0,
    }
    assert entries["labels"] == [f"class {number}" for number in range(10)]
    assert entries["training"]["step"] == 3
    assert entries["license"] == "CC0-1.0"  # what the checkpoint says, while nobody says else
    assert "taps" not in entries
    model = onnx.load(path)
    assert (model.producer_name, model.domain) == ("impasto", "impasto.classify")
    assert "LeNet-5" in model.doc_string


def test_stated_licence_wins(saved: Saved, tmp_path: Path) -> None:
    """What the user says of the weights replaces what their publisher said."""
    path = tmp_path / "it.onnx"
    export_classifier(saved("simpleconvnet"), path, ExportSettings(licence="MIT"))
    assert read_entries(path)["license"] == "MIT"


def test_large_weights_lie_beside_the_file(saved: Saved, draw: Draw, tmp_path: Path) -> None:
    """Above the limit there are two files, which the runner opens as one."""
    path = tmp_path / "it.onnx"
    exported = export_classifier(saved("lenet5"), path, ExportSettings(largest_bytes=1000))
    assert exported.files == (path, tmp_path / "it.onnx.data")
    assert list_names(tmp_path) == ["it.onnx", "it.onnx.data"]
    images = draw_pictures(draw("lenet5").input, 2)
    found = open_session(path, "cpu").run(None, {"image": images})[0]
    np.testing.assert_allclose(found, ask_torch(draw("lenet5"), images), rtol=0, atol=1e-5)
    assert read_entries(path)["task"] == "classify"


def test_existing_files_stay(saved: Saved, tmp_path: Path) -> None:
    """A model or weights of its name are replaced only where the user says so."""
    path = tmp_path / "it.onnx"
    for name in ("it.onnx", "it.onnx.data"):
        (tmp_path / name).write_bytes(b"old")
        with pytest.raises(ExportError, match=rf"{name}: exists already; pass --overwrite"):
            export_classifier(saved("lenet5"), path)
        assert (tmp_path / name).read_bytes() == b"old"
        (tmp_path / name).unlink()
    path.write_bytes(b"old")
    export_classifier(saved("lenet5"), path, ExportSettings(overwrite=True))
    assert read_entries(path)["task"] == "classify"


def test_disagreement_leaves_nothing(
    saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where PyTorch says something else there is no file, and an old one stays."""
    path = tmp_path / "it.onnx"
    path.write_bytes(b"old")

    def lie(*_: object) -> Any:  # noqa: ANN401
        return np.full((32, 10), 0.1, np.float32)

    monkeypatch.setattr(drafts, "classify_with_torch", lie)
    with pytest.raises(ParityError, match=r"the export of .*lenet5\.safetensors: in a batch of 1"):
        export_classifier(saved("lenet5"), path, ExportSettings(overwrite=True))
    assert list_names(tmp_path) == ["it.onnx"]
    assert path.read_bytes() == b"old"


def test_file_that_is_not_the_draft_is_found_out(
    saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was verified with mapped weights is opened once more in its last form."""
    write = write_model

    def damage(skeleton: Any, weights: Any, path: Path, **others: Any) -> bool:  # noqa: ANN401
        done = write(skeleton, weights, path, **others)
        if path.name == "it.onnx":
            damaged = onnx.load(path)
            next(n for n in damaged.graph.node if n.op_type == "Tanh").op_type = "Relu"
            onnx.save(damaged, path)
        return done

    monkeypatch.setattr(drafts, "write_model", damage)
    with pytest.raises(ParityError, match="the file as it was written differs from PyTorch"):
        export_classifier(saved("lenet5"), tmp_path / "it.onnx")
    assert list_names(tmp_path) == []


def test_half_precision_is_verified_as_a_cpu_computes_it(
    saved: Saved, draw: Draw, tmp_path: Path
) -> None:
    """The float32 model with rounded weights says what ONNX Runtime makes of the float16 file."""
    settings = ExportSettings(precision="fp16")
    draft = draft_classifier(saved("simpleconvnet"), "it.onnx", tmp_path, settings)
    images = draw_pictures(draw("simpleconvnet").input, 4)
    expected = classify(open_classifier(draft.file), images)
    found = classify(open_classifier(draft.mapped, mapped=True), images)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert 1e-6 < np.abs(found - draft.reference[:4]).max() < 1e-2


def test_refused_folder_is_told(saved: Saved, tmp_path: Path) -> None:
    """Where a file stands in place of a folder, the message names the output."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ExportError, match=r"it\.onnx: cannot be written \("):
        export_classifier(saved("lenet5"), tmp_path / "file" / "it.onnx")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"precision": "int8"}, "int8 and pictures to calibrate on go together"),
        ({"pictures": Path()}, "int8 and pictures to calibrate on go together"),
        ({"precision": "fp16", "taps": True}, "layers are shown in fp32 only, not in fp16"),
    ],
)
def test_contradicting_settings_are_refused(
    settings: dict[str, Any], words: str, saved: Saved, tmp_path: Path
) -> None:
    """Before anything is read."""
    with pytest.raises(ExportError, match=words):
        export_classifier(saved("lenet5"), tmp_path / "it.onnx", ExportSettings(**settings))


def test_network_is_assembled_around_the_checkpoint_s_tensors(draw: Draw) -> None:
    """No copy of the weights is made, and the result is the network that build() gives."""
    checkpoint = draw("vgg11-bn")
    net = assemble(checkpoint, Path("it.safetensors"))
    for name, tensor in net.state_dict().items():
        assert tensor.data_ptr() == checkpoint.net[name].data_ptr()
    assert not net.training
    small = assemble(draw("lenet5-1998"), Path("it.safetensors"))
    x = torch.zeros(1, 1, 32, 32)
    torch.testing.assert_close(small(x), draw("lenet5-1998").build()(x))


def test_weights_of_another_shape_are_refused(draw: Draw, tmp_path: Path) -> None:
    """The message names the file and the tensor."""
    checkpoint = draw("lenet5")
    wrong = {**checkpoint.net, "features.conv1.bias": torch.zeros(7)}
    path = tmp_path / "wrong.safetensors"
    write_classifier(path, type(checkpoint)(**{**vars(checkpoint), "net": wrong}))
    with pytest.raises(CheckpointError, match=r"wrong\.safetensors: .*conv1\.bias has shape \[7\]"):
        export_classifier(path, tmp_path / "it.onnx")
    assert list_names(tmp_path) == ["wrong.safetensors"]
