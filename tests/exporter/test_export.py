"""The file contract, and that nothing is written unless it holds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import ModelProto, TensorProto

import exporter
from exporter.annotate import annotate, name_network
from exporter.errors import ExportError, ParityError
from exporter.export import export_checkpoint
from models.errors import CheckpointError
from models.style.architecture import CONFIGS
from models.style.checkpoint import read_checkpoint
from models.style.style_net import StyleNet


@pytest.fixture
def metadata(exported: Path) -> dict[str, Any]:
    """Every metadata entry of the exported file, decoded."""
    return {p.key: json.loads(p.value) for p in onnx.load(exported).metadata_props}


def test_file_has_the_contract_s_inputs_and_outputs(exported: Path) -> None:
    """Names, types and dynamic dimensions are the ones every client relies on."""
    graph = onnx.load(exported).graph
    found = {
        value.name: (
            value.type.tensor_type.elem_type,
            [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim],
        )
        for value in [*graph.input, *graph.output]
    }
    assert found == {
        "image": (TensorProto.UINT8, ["N", "H", "W", 3]),
        "style_weights": (TensorProto.FLOAT, ["N", 3]),
        "stylized": (TensorProto.UINT8, ["N", "H", "W", 3]),
    }
    assert all(value.doc_string for value in [*graph.input, *graph.output])


def test_file_is_of_opset_17(exported: Path) -> None:
    """The opset is asserted on the file, because an exporter may not write what it was asked."""
    model = onnx.load(exported)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    assert model.ir_version == 8
    assert model.producer_name == "impasto"
    onnx.checker.check_model(model, full_check=True)


@pytest.mark.parametrize("size", [(1, 32, 32), (3, 33, 47), (2, 61, 34)])
def test_file_paints_any_size(exported: Path, size: tuple[int, int, int]) -> None:
    """What comes out has exactly the size of what went in."""
    session = ort.InferenceSession(exported, providers=["CPUExecutionProvider"])
    image = np.zeros((*size, 3), np.uint8)
    weights = np.full((size[0], 3), 1 / 3, np.float32)
    painted = session.run(["stylized"], {"image": image, "style_weights": weights})[0]
    assert painted.shape == image.shape
    assert painted.dtype == np.uint8


def test_metadata_tells_what_the_file_is(metadata: dict[str, Any], tiny_net: StyleNet) -> None:
    """Schema, task, network, input and training stand in the file as JSON."""
    assert metadata["impasto.schema"] == 1
    assert metadata["impasto.task"] == "stylize"
    assert metadata["impasto.network"]["name"] == "custom"
    assert metadata["impasto.network"]["parameters"] == sum(
        p.numel() for p in tiny_net.parameters()
    )
    assert metadata["impasto.network"]["config"]["stem"] == [
        {"channels": 8, "kernel": 8, "stride": 4}
    ]
    assert metadata["impasto.input"]["color"] == "RGB"
    assert metadata["impasto.input"]["minimum_side"] == 32
    assert metadata["impasto.training"] == {
        "photos": "scenes",
        "losses": {"style": 0.2},
        "step": 12,
    }
    assert metadata["impasto.license"] == "unstated"


def test_metadata_names_the_paintings(metadata: dict[str, Any]) -> None:
    """Each style's painting stands in the file; what is unknown of it is left out."""
    assert [style["name"] for style in metadata["impasto.styles"]] == ["wave", "cry", "plain"]
    assert metadata["impasto.styles"][0] == {
        "name": "wave",
        "title": "The Great Wave off Kanagawa",
        "artist": "Hokusai",
        "year": 1831,
        "licence": "public domain",
    }
    assert metadata["impasto.styles"][2] == {"name": "plain"}


def test_metadata_holds_the_parity(metadata: dict[str, Any]) -> None:
    """What was measured stands in the file, with the rule and the versions."""
    parity = metadata["impasto.parity"]
    assert parity["max_grey_levels"] <= 1
    assert parity["exact_share"] >= 0.999
    assert parity["tolerance"] == {"grey_levels": 1, "exact_share": 0.999}
    assert [(c["batch"], c["height"], c["width"]) for c in parity["cases"]] == [
        (1, 32, 32),
        (5, 33, 47),
    ]
    assert parity["runtime"].startswith("onnxruntime ")


def test_known_networks_are_named() -> None:
    """The configurations with names keep them in the file."""
    assert [name_network(config) for config in CONFIGS.values()] == list(CONFIGS)


def test_invalid_graph_is_refused(checkpoint: Path, tiny_model: ModelProto) -> None:
    """A graph that ONNX's checker rejects is not annotated as good."""
    broken = ModelProto.FromString(tiny_model.SerializeToString())
    broken.graph.node[0].input[0] = "nothing"
    with pytest.raises(ExportError, match="not valid ONNX"):
        annotate(broken, read_checkpoint(checkpoint), entries={})


def test_disagreeing_export_is_not_written(
    checkpoint: Path, tmp_path: Path, tiny_model: ModelProto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graph that paints other pictures than PyTorch leaves no file, not even a part of one."""
    damaged = ModelProto.FromString(tiny_model.SerializeToString())
    lines = next(node for node in damaged.graph.node if node.name == "pixels/ordered/lines")
    lines.input.reverse()
    monkeypatch.setattr("exporter.export.build_model", lambda _: damaged)
    with pytest.raises(ParityError, match=r"differs from PyTorch by up to \d+ grey levels"):
        export_checkpoint(checkpoint, tmp_path / "bad.onnx", sizes=[(1, 32, 32)])
    assert list(tmp_path.iterdir()) == []


def test_existing_output_is_kept(checkpoint: Path, tmp_path: Path) -> None:
    """A file that exists is neither replaced nor touched."""
    output = tmp_path / "old.onnx"
    output.write_bytes(b"old")
    with pytest.raises(ExportError, match=r"old\.onnx: exists already; pass --overwrite"):
        export_checkpoint(checkpoint, output)
    assert output.read_bytes() == b"old"


def test_disagreement_keeps_the_old_file(
    checkpoint: Path, tmp_path: Path, dimmed_model: ModelProto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even with --overwrite, the old file stays until a good one is complete."""
    output = tmp_path / "old.onnx"
    output.write_bytes(b"old")
    monkeypatch.setattr("exporter.export.build_model", lambda _: dimmed_model)
    with pytest.raises(ParityError, match="grey levels"):
        export_checkpoint(checkpoint, output, overwrite=True, sizes=[(1, 32, 32)])
    assert output.read_bytes() == b"old"


def test_unwritable_output_leaves_nothing(
    checkpoint: Path, tmp_path: Path, tiny_model: ModelProto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that cannot be made gives one line."""
    (tmp_path / "file").write_bytes(b"")
    copied = ModelProto.FromString(tiny_model.SerializeToString())
    monkeypatch.setattr("exporter.export.build_model", lambda _: copied)
    with pytest.raises(CheckpointError, match="cannot be written"):
        export_checkpoint(checkpoint, tmp_path / "file" / "out.onnx", sizes=[(1, 32, 32)])


def test_public_names_exist() -> None:
    """Every name that the package offers can be had, and others give the usual error."""
    assert all(getattr(exporter, name) for name in exporter.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        exporter.nothing  # noqa: B018
