"""Response normalisation taken apart gives what the operator gives."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from exporter.classifiers.export import export_classifier
from exporter.classifiers.normalization import expand_response_norm
from exporter.classifiers.settings import ExportSettings

PAPER = {"size": 5, "alpha": 5e-4, "beta": 0.75, "bias": 2.0}


def make(**settings: Any) -> NodeProto:  # noqa: ANN401
    """Return an LRN node."""
    return helper.make_node("LRN", ["x"], ["y"], "lrn1", **settings)


def compute(node: NodeProto, x: Any, *, apart: bool) -> Any:  # noqa: ANN401
    """Return what a node makes of ``[N, C, H, W]``, as it is or taken apart."""
    nodes, weights = expand_response_norm(node, x.shape[1]) if apart else ([node], [])
    stored = [numpy_helper.from_array(np.asarray(w.values, np.float32), w.name) for w in weights]
    value = helper.make_tensor_value_info
    first, last = (value(name, TensorProto.FLOAT, x.shape) for name in ("x", "y"))
    graph = helper.make_graph(nodes, "it", [first], [last], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize("changed", [{}, {"size": 3}, {"alpha": 0.9}, {"bias": 1.0}])
@pytest.mark.parametrize("channels", [2, 5, 17])
def test_parts_give_what_the_operator_gives(changed: dict[str, float], channels: int) -> None:
    """Windows that reach beyond the first and last channel count zeros."""
    x = np.random.default_rng(0).normal(scale=9, size=(2, channels, 4, 3)).astype(np.float32)
    node = make(**{**PAPER, **changed})
    expected, found = (compute(node, x, apart=apart) for apart in (False, True))
    np.testing.assert_allclose(found, expected, rtol=2e-6)
    assert np.abs(expected / x - 1).max() > 0.01


def test_operator_s_own_defaults_hold() -> None:
    """What a node does not state is as ONNX says."""
    x = np.random.default_rng(1).normal(scale=90, size=(1, 6, 2, 2)).astype(np.float32)
    node = make(size=5)
    np.testing.assert_allclose(
        compute(node, x, apart=True), compute(node, x, apart=False), rtol=2e-6
    )


def test_other_exponents_stay_one_node() -> None:
    """Only 3/4 is made of square roots."""
    node = make(**{**PAPER, "beta": 0.5})
    assert expand_response_norm(node, 7) == ([node], [])


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_folded_files_have_no_such_operator(precision: Any, saved: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """With --fold the parts stand in the file, which the export has compared with PyTorch."""
    found = {}
    for fold in (False, True):
        path = tmp_path / f"{fold}.onnx"
        settings = ExportSettings(precision=precision, fold=fold)
        export_classifier(saved("alexnet"), path, settings)
        found[fold] = {node.op_type for node in onnx.load(path).graph.node}
    assert "LRN" in found[False]
    assert "LRN" not in found[True]
    assert found[True] >= {"Sqrt", "MatMul"}
