"""The exact rewrites around a trunk, against the graph that they replace."""

from collections import Counter

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

from exporter.blocks import spread_blocks
from exporter.rewrite import CROP
from exporter.tables import merge_tables
from exporter.tail import Layout, find_tail, shave_tail

Floats = NDArray[np.float32]


def build_tail(*, kernel: int = 3, last_in_phases: bool = True, norm: bool = True) -> ModelProto:
    """Return (InstanceNormalization,) upsampling in phases, ReLU, a last convolution, sigmoid."""
    random = np.random.default_rng(3)
    last = (12, 4, 2, 2) if last_in_phases else (3, 4, kernel, kernel)
    shapes = {"w0": (16, 5, 2, 2), "b0": (16,), "w1": last, "b1": last[:1], "ones": (5,)}
    values = {name: random.standard_normal(shape, np.float32) for name, shape in shapes.items()}
    crop = dict(zip(CROP, ([1, 1], [-1, -1], [2, 3]), strict=True))
    constants = values | {name: np.array(v, np.int64) for name, v in crop.items()}
    nodes = (
        [helper.make_node("InstanceNormalization", ["x", "ones", "ones"], ["n"])] if norm else []
    )
    nodes += [
        helper.make_node("Conv", ["n" if norm else "x", "w0", "b0"], ["p0"], pads=[1] * 4),
        helper.make_node("DepthToSpace", ["p0"], ["d0"], blocksize=2, mode="DCR"),
        helper.make_node("Slice", ["d0", *CROP], ["c0"]),
        helper.make_node("Relu", ["c0"], ["r0"]),
    ]
    margin = 1 if last_in_phases else kernel // 2
    nodes.append(helper.make_node("Conv", ["r0", "w1", "b1"], ["p1"], pads=[margin] * 4))
    if last_in_phases:
        nodes.append(helper.make_node("DepthToSpace", ["p1"], ["d1"], blocksize=2, mode="DCR"))
        nodes.append(helper.make_node("Slice", ["d1", *CROP], ["c1"]))
    nodes.append(helper.make_node("Sigmoid", ["c1" if last_in_phases else "p1"], ["painted"]))
    graph = helper.make_graph(
        nodes,
        "tail",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 5, "H", "W"])],
        [helper.make_tensor_value_info("painted", TensorProto.FLOAT, ["N", None, "H4", "W4"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model: ModelProto, x: Floats) -> Floats:
    """Run a model of one input and one output in ONNX Runtime."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    result: Floats = session.run(None, {"x": x})[0]
    return result


def order(phases: Floats, side: int) -> Floats:
    """Return phases ``[N, B * B * 3, h, w]`` as a picture ``[N, 3, B h, B w]``."""
    n, _, height, width = phases.shape
    blocks = phases.reshape(n, side, side, 3, height, width).transpose(0, 3, 4, 1, 5, 2)
    return blocks.reshape(n, 3, side * height, side * width)


@pytest.mark.parametrize("last_in_phases", [True, False])
@pytest.mark.parametrize("margin", [4, 7, 8, 12])
def test_shaved_tail_paints_the_same_inside(*, margin: int, last_in_phases: bool) -> None:
    """Whatever the margin, every pixel of the picture is what the whole tail painted."""
    model = build_tail(last_in_phases=last_in_phases)
    x = np.random.default_rng(1).standard_normal((2, 5, 20, 17), np.float32)
    scale = 4 if last_in_phases else 2
    height, width = (scale * side - 2 * margin for side in x.shape[2:])
    expected = run(model, x)[:, :, margin : margin + height, margin : margin + width]
    layout = shave_tail(model, margin)
    checker.check_model(model, full_check=True)
    painted = run(model, x)
    assert layout.blocks == (2 if last_in_phases else 1)
    assert layout.first < scale
    picture = order(painted, layout.blocks)
    found = picture[:, :, layout.first :, layout.first :][:, :, :height, :width]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_shaved_tail_pads_and_crops_nothing() -> None:
    """No convolution pads, no ordering is cropped, and the margin goes in front."""
    model = build_tail()
    shave_tail(model, 24)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    assert not [a for node in convolutions for a in node.attribute if a.name == "pads"]
    operators = Counter(node.op_type for node in model.graph.node)
    assert operators["Slice"] == 1
    assert "DepthToSpace" not in operators


@pytest.mark.parametrize("margin", [4, 8, 9, 10, 12])
def test_joined_doublings_paint_the_same_inside(margin: int) -> None:
    """Blocks of 4x4 from one convolution hold the pixels that two doublings painted."""
    model = build_tail()
    x = np.random.default_rng(1).standard_normal((2, 5, 20, 17), np.float32)
    height, width = (4 * side - 2 * margin for side in x.shape[2:])
    expected = run(model, x)[:, :, margin : margin + height, margin : margin + width]
    layout = shave_tail(model, margin, join=True)
    checker.check_model(model, full_check=True)
    assert layout.blocks == 4
    assert layout.first < 3
    picture = order(run(model, x), 4)[:, :, layout.first :, layout.first :]
    np.testing.assert_allclose(picture[:, :, :height, :width], expected, rtol=0, atol=1e-5)
    operators = Counter(node.op_type for node in model.graph.node)
    assert not {"Split", "Concat", "DepthToSpace"} & set(operators)


@pytest.mark.parametrize(("margin", "last_in_phases"), [(7, True), (12, False)])
def test_doublings_stay_apart_where_they_cannot_join(*, margin: int, last_in_phases: bool) -> None:
    """A tail whose picture begins with its first pixel, or in no doubling, is shaved as ever."""
    models = [build_tail(last_in_phases=last_in_phases) for _ in range(2)]
    layouts = [shave_tail(models[0], margin), shave_tail(models[1], margin, join=True)]
    assert layouts[0] == layouts[1]
    assert models[0] == models[1]


def test_tail_without_margin_keeps_its_border() -> None:
    """Without pixels to spare only the last ordering is left to the bytes."""
    model = build_tail()
    assert shave_tail(model, 2) == Layout(3, blocks=2)
    assert Counter(node.op_type for node in model.graph.node)["DepthToSpace"] == 1


def test_tail_ends_at_a_normalisation() -> None:
    """What a normalisation looks at is no part of the tail."""
    assert [step.conv.input[0] for step in find_tail(build_tail().graph)] == ["n", "r0"]


def test_tail_ends_where_something_else_reads() -> None:
    """A map that is needed whole elsewhere is not shaved."""
    model = build_tail()
    model.graph.output.append(helper.make_tensor_value_info("r0", TensorProto.FLOAT, None))
    assert [step.conv.input[0] for step in find_tail(model.graph)] == ["r0"]


def test_spread_blocks_are_the_same_numbers() -> None:
    """Rows copied whole give what DepthToSpace gives, bit for bit."""
    model = build_tail()
    x = np.random.default_rng(1).standard_normal((2, 5, 6, 7), np.float32)
    expected = run(model, x)
    assert spread_blocks(model) == 2
    assert "DepthToSpace" not in {node.op_type for node in model.graph.node}
    np.testing.assert_array_equal(run(model, x), expected)


def test_merged_tables_are_the_same_rows() -> None:
    """One product and a split give what a product per table gave."""
    random = np.random.default_rng(0)
    tables = {
        name: random.standard_normal((3, width), np.float32)
        for name, width in (("a", 4), ("b", 7), ("c", 2))
    }
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", name], [f"{name}/row"]) for name in tables],
        "tables",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])],
        [helper.make_tensor_value_info(f"{n}/row", TensorProto.FLOAT, None) for n in tables],
        [numpy_helper.from_array(value, name) for name, value in tables.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    x = random.standard_normal((5, 3), np.float32)
    assert merge_tables(model, "x") == 3
    assert [node.op_type for node in model.graph.node] == ["MatMul", "Split"]
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for found, table in zip(session.run(None, {"x": x}), tables.values(), strict=True):
        np.testing.assert_allclose(found, x @ table, rtol=1e-6, atol=1e-6)
