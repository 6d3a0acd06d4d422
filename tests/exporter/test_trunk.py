"""What crosses torch's exporter: one normalisation per layer, dynamic sizes, opset 17."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from exporter.errors import ExportError
from exporter.norms import fix_norm_shapes
from exporter.trunk import lower_opset
from models.style.style_net import ConditionalInstanceNorm, StyleNet


@pytest.mark.parametrize("name", ["tiny", "fast", "paper"])
def test_normalisation_is_one_node_per_layer(name: str, request: pytest.FixtureRequest) -> None:
    """Scale and shift stay inside InstanceNormalization: nothing else passes over the image."""
    net: StyleNet = request.getfixturevalue(f"{name}_net")
    model: ModelProto = request.getfixturevalue(f"{name}_model")
    norms = [m for m in net.modules() if isinstance(m, ConditionalInstanceNorm)]
    operators = Counter(node.op_type for node in model.graph.node)
    assert operators["InstanceNormalization"] == len(norms)
    assert operators["MatMul"] == 1  # all tables side by side
    assert operators["Add"] == len(net.blocks) + 2  # residual sums; two of sizes
    assert not {"BatchNormalization", "ReduceMean", "Sqrt", "Sub"} & set(operators)


@pytest.mark.parametrize("name", ["tiny", "fast", "paper"])
def test_shapes_are_constant_in_the_trunk(name: str, request: pytest.FixtureRequest) -> None:
    """Only the steps around the trunk look at shapes; reshapes inside are constant."""
    model: ModelProto = request.getfixturevalue(f"{name}_model")
    constants = {tensor.name for tensor in model.graph.initializer}
    shapes = [node.name for node in model.graph.node if node.op_type == "Shape"]
    assert shapes == ["pixels/size"]
    reshapes = [node for node in model.graph.node if node.op_type == "Reshape"]
    assert all(node.input[1] in constants for node in reshapes)


@pytest.mark.parametrize("name", ["tiny", "fast", "paper"])
def test_upsamplings_become_phases(name: str, request: pytest.FixtureRequest) -> None:
    """Both upsamplings of these networks are phases, put in order as whole rows."""
    model: ModelProto = request.getfixturevalue(f"{name}_model")
    operators = Counter(node.op_type for node in model.graph.node)
    ordered = [n for n in model.graph.node if n.op_type == "Concat" and n.name.endswith("/lines")]
    assert len(ordered) == 2
    assert not {"DepthToSpace", "Resize"} & set(operators)


def build_single(node: str, inputs: list[str], opset: int = 18, **attributes: Any) -> ModelProto:  # noqa: ANN401
    """Return a model of one node, at opset 18."""
    graph = helper.make_graph(
        [helper.make_node(node, inputs, ["y"], name="it", **attributes)],
        "single",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones(4, np.float32), "s")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def test_lowering_drops_defaults_of_opset_18() -> None:
    """An attribute that opset 17 lacks goes where it says nothing, and only that one."""
    model = build_single("Resize", ["x", "", "s"], mode="nearest", antialias=0)
    lower_opset(model)
    assert [entry.version for entry in model.opset_import] == [17]
    assert [attribute.name for attribute in model.graph.node[0].attribute] == ["mode"]


def test_lowering_refuses_what_opset_17_lacks() -> None:
    """An attribute that changes the result cannot be dropped."""
    model = build_single("Resize", ["x", "", "s"], mode="linear", antialias=1)
    with pytest.raises(ExportError, match=r"Resize node 'it' .*antialias.* at opset 17"):
        lower_opset(model)


def test_lowering_refuses_inputs_that_opset_17_lacks() -> None:
    """Axes as an input came with opset 18."""
    model = build_single("ReduceMean", ["x", "s"])
    with pytest.raises(ExportError, match="ReduceMean node 'it' with 2 inputs"):
        lower_opset(model)


def test_lowering_refuses_foreign_operators() -> None:
    """A node of another domain has no place in a file for any ONNX runtime."""
    model = build_single("Gelu", ["x"], domain="com.microsoft")
    with pytest.raises(ExportError, match=r"com\.microsoft::Gelu, not a standard operator"):
        lower_opset(model)


def test_lowering_refuses_another_opset() -> None:
    """An exporter that did not write what it was asked for is named, not believed."""
    with pytest.raises(ExportError, match=r"wrote opset .*20.*, not 18"):
        lower_opset(build_single("Relu", ["x"], opset=20))


def test_norm_shapes_leave_plain_normalisation_alone() -> None:
    """A normalisation without reshapes around it stays as it is."""
    model = build_single("InstanceNormalization", ["x", "s", "s"])
    before = model.SerializeToString()
    assert fix_norm_shapes(model) == 0
    assert model.SerializeToString() == before
