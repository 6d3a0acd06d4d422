"""Sizes against onnx's own inference, and names."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper, parser, shape_inference

from calculator import CalculatorError, load, summarize
from calculator.reading.grammar import NAME
from calculator.reading.onnx_file.naming import Naming, suggest

many = settings(
    deadline=None, max_examples=400, suppress_health_check=list(HealthCheck), database=None
)


def draw_settings(draw: st.DrawFn, kind: str, *, axes: int, ceil: bool) -> dict[str, Any]:
    """Draw the attributes of a window."""
    few = st.integers(1, 3)
    kernel = draw(st.lists(few, min_size=axes, max_size=axes))
    chosen: dict[str, Any] = {"strides": draw(st.lists(few, min_size=axes, max_size=axes))}
    auto = draw(st.sampled_from(("NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")))
    if auto == "NOTSET":
        pads = [draw(st.integers(0, kernel[i % axes] - 1)) for i in range(2 * axes)]
        chosen["pads"] = pads
    else:
        chosen["auto_pad"] = auto
    if kind != "AveragePool" and auto == "NOTSET":
        chosen["dilations"] = draw(st.lists(st.integers(1, 2), min_size=axes, max_size=axes))
    if kind.endswith("Pool") and auto == "NOTSET" and ceil:
        chosen["ceil_mode"] = draw(st.integers(0, 1))
    if kind == "ConvTranspose" and auto == "NOTSET":
        chosen["output_padding"] = [s - 1 for s in chosen["strides"]]
    return {"kernel_shape": kernel, **chosen}


@st.composite
def windows(draw: st.DrawFn) -> onnx.ModelProto:
    """Draw a model of one convolution or pool."""
    kind = draw(st.sampled_from(("Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool")))
    axes = draw(st.integers(1, 3))
    sizes = [2, 4, *draw(st.lists(st.integers(3, 12), min_size=axes, max_size=axes))]
    # before opset 22 onnx's inference counts windows that begin behind the input; runtimes do not
    opset = draw(st.sampled_from((18, 21, 22)))
    chosen = draw_settings(draw, kind, axes=axes, ceil=opset >= 22)
    inputs, weights = ["x"], []
    if kind.startswith("Conv"):
        shape = (
            (6, 4, *chosen["kernel_shape"]) if kind == "Conv" else (4, 6, *chosen["kernel_shape"])
        )
        weights = [numpy_helper.from_array(np.ones(shape, np.float32), "w")]
        inputs.append("w")
    node = helper.make_node(kind, inputs, ["y"], **chosen)
    given_x = helper.make_tensor_value_info("x", 1, sizes)
    made = helper.make_tensor_value_info("y", 1, None)
    graph = helper.make_graph([node], "g", [given_x], [made], weights)
    model: onnx.ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)]
    )
    return model


@given(windows())
@many
def test_windows_have_the_sizes_that_onnx_infers(
    tmp_path_factory: pytest.TempPathFactory, model: onnx.ModelProto
) -> None:
    """Our formulas and onnx's inference agree for every padding, stride, dilation and rounding."""
    path = tmp_path_factory.mktemp("window") / "net.onnx"
    path.write_bytes(model.SerializeToString())
    try:
        inferred = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        (row,) = summarize(load(path)).rows
    except (CalculatorError, shape_inference.InferenceError):
        reject()  # the window does not fit
    (output,) = inferred.graph.output
    sizes = tuple(dim.dim_value for dim in output.type.tensor_type.shape.dim)
    assert row.derived.shape == sizes[1:]


@pytest.mark.parametrize(
    ("name", "kind", "word", "owner", "expected"),
    [
        ("node_conv2d_3", "conv", "Conv", "features.0.weight", "features.0"),
        ("/layer1/layer1.0/conv1/Conv", "conv", "Conv", "onnx::Conv_193", "layer1.0/conv1"),
        ("", "fc", "Gemm", "fc.weight", "fc"),
        ("", "fc", "MatMul", "net.stem.0.norm.scale", "net.stem.0.norm.scale"),
        ("", "conv", "Conv", "net.stem.0.conv.weight/255", "net.stem.0.conv"),
        ("", "conv", "Conv", "net.stem.0.conv.weight/255/integers", "net.stem.0.conv"),
        ("", "conv", "Conv", "tail/weights/half", "tail"),
        ("", "conv", "Conv", "features.255.weight", "features.255"),
        ("f/block1_conv1/BiasAdd", "conv", "Conv", "f/block1_conv1/Conv2D/ReadVariableOp:0",
         "f/block1_conv1"),
        ("f/block1_pool/MaxPool2d", "maxpool", "MaxPool", "", "f/block1_pool"),
        ("model/Sequential.1/weird name!", "relu", "Relu", "", "model/Sequential.1/weird_name_"),
        ("node_relu_1", "relu", "Relu", "", "relu1"),
        ("Relu_17", "relu", "Relu", "", "relu1"),
        ("n0_3", "hardswish", "HardSwish", "", "hardswish1"),
        ("", "add", "Add", "", "add1"),
        ("4", "conv", "Conv", "4.weight", "conv1"),
        ("a" * 100, "relu", "Relu", "", "relu1"),
        ("a" * 100 + "/tail", "relu", "Relu", "", "tail"),
        ("bö/x", "relu", "Relu", "", "b_/x"),
    ],
)  # fmt: skip
def test_names_come_from_the_file_where_it_has_any(
    name: str, kind: str, word: str, owner: str, expected: str
) -> None:
    """The weight's name without its role, or the operation's without its kind, or a usual one."""
    naming = Naming()
    naming.wishes.append(suggest(name, kind=kind, word=word, owner=owner))
    assert naming.choose() == [expected]


@given(
    st.lists(
        st.tuples(
            st.text("ab/._0 é:", max_size=50),
            st.sampled_from(("conv", "relu")),
            st.sampled_from(("", "a.weight", "a/b/kernel:0", "model.a.0.w", "é.bias")),
        ),
        min_size=1,
        max_size=30,
    )
)
@many
def test_names_are_unique_and_of_the_grammar(layers: list[tuple[str, str, str]]) -> None:
    """Whatever a file calls its layers, the table has one name each that the grammar reads."""
    naming = Naming()
    for name, kind, owner in layers:
        naming.wishes.append(suggest(name, kind=kind, word=kind, owner=owner))
    names = naming.choose()
    assert len(set(names)) == len(layers)
    assert all(NAME.fullmatch(f"{name}:") and len(name) <= 40 for name in names)


def test_shared_beginnings_are_dropped() -> None:
    """What nearly all weights' names begin with says nothing."""
    naming = Naming()
    for i in range(6):
        naming.wishes.append(
            suggest("", kind="conv", word="Conv", owner=f"net.block.{i}.conv.weight")
        )
    naming.wishes.append(suggest("", kind="conv", word="Conv", owner="head/weights"))
    assert naming.choose() == [*(f"block.{i}.conv" for i in range(6)), "head"]


def test_receptive_field_ends_with_pointwise_operators_only_where_it_must(tmp_path: Path) -> None:
    """Scales and shifts keep the field; a reshape ends it."""
    text = (
        '<ir_version: 8, opset_import: ["" : 17]> net (float[1,3,8,8] x) => (float y) {'
        "k = Constant<value = float {2.0}>() a = MaxPool<kernel_shape=[3,3]>(x) b = Mul(a, k) "
        "c = Floor(b) s = Constant<value = int64[4] {1,6,3,6}>() y = Reshape(c, s) }"
    )
    (tmp_path / "net.onnx").write_bytes(parser.parse_model(text).SerializeToString())
    fields = [
        row.fields and row.fields[0].extent for row in summarize(load(tmp_path / "net.onnx")).rows
    ]
    assert fields == [3, 3, 3, None]
