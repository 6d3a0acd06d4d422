"""Structures that make no sense or mean harm: bounded, and named in one clear error."""

import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from onnx import AttributeProto, helper, numpy_helper, parser

from calculator import CalculatorError, load
from calculator.reading.onnx_file import builder, models, pruning
from impasto import main

from .conftest import GOOD, HEAD, SMALL, make_model, save, write_varint


def wrap(number: int, body: bytes) -> bytes:
    """Return a field with a body."""
    return write_varint(number << 3 | 2) + write_varint(len(body)) + body


def test_structure_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of fields, of copied bytes, of operations and of layers has an end."""
    path = save(tmp_path, wrap(7, wrap(1, b"") * pruning.MOST_FIELDS))
    with pytest.raises(CalculatorError, match="has more than 250,000 fields"):
        load(path)
    path = save(tmp_path, GOOD)
    monkeypatch.setattr(pruning, "LARGEST_COPY", 500)
    with pytest.raises(CalculatorError, match="has more than 500 bytes beside its weights"):
        load(path)
    monkeypatch.undo()
    monkeypatch.setattr(models, "MOST_OPERATIONS", 6)
    with pytest.raises(CalculatorError, match="has 7 operations, and at most 6 are read"):
        load(path)
    monkeypatch.undo()
    monkeypatch.setattr(builder, "MOST_LAYERS", 5)
    with pytest.raises(CalculatorError, match="has more than 5 layers"):
        load(path)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    """Graphs inside graphs end in one error, whatever lies deeper."""
    graph = b""
    for _ in range(2_000):
        graph = wrap(1, wrap(5, wrap(6, graph)))
    with pytest.raises(CalculatorError, match="nested deeper than 32 levels"):
        load(save(tmp_path, wrap(7, graph)))


def test_branches_do_not_multiply(tmp_path: Path) -> None:
    """Ten levels of branches with two copies each are counted before anything is done."""
    inner = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["o"])],
        "inner",
        [],
        [helper.make_tensor_value_info("o", 1, [1, 4])],
    )
    for _ in range(6):
        node = helper.make_node("If", ["c"], ["o"], then_branch=inner, else_branch=inner)
        outputs = [helper.make_tensor_value_info("o", 1, [1, 4])]
        inner = helper.make_graph([node], "outer", [], outputs)
    inputs = [helper.make_tensor_value_info("x", 1, [1, 4])]
    inputs.append(helper.make_tensor_value_info("c", 9, []))
    inner.input.extend(inputs)
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(inner, opset_imports=opsets)
    assert [node.layer.kind for node in load(save(tmp_path, model)).nodes][-1] == "if"
    assert models.count_operations(model) == 2**7 - 1


def test_functions_that_multiply_or_call_themselves_are_refused(tmp_path: Path) -> None:
    """Sixty functions that call the one before twice stand for 2**60 operations."""
    functions = ['<domain: "f", opset_import: ["" : 17]> f0 (a) => (b) { b = Relu(a) }']
    functions += [
        f'<domain: "f", opset_import: ["" : 17, "f" : 1]> f{i} (a) => (c) '
        f"{{ b = f.f{i - 1}(a) c = f.f{i - 1}(b) }}"
        for i in range(1, 61)
    ]
    head = '<ir_version: 8, opset_import: ["" : 17, "f" : 1]>'
    text = f"{head} net (float[1,4] x) => (float y) {{ y = f.f60(x) }}"
    model = parser.parse_model("\n".join([text, *functions]))
    with pytest.raises(CalculatorError, match="has 1,152,921,504,606,846,976 operations"):
        load(save(tmp_path, model))
    again = '<domain: "f", opset_import: ["f" : 1]> f60 (a) => (b) { b = f.f60(a) }'
    model = parser.parse_model(f"{text}\n{again}")
    with pytest.raises(CalculatorError, match="has a function 'f60' that calls itself"):
        load(save(tmp_path, model))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("b = Relu(y) y = Relu(b)", r"\(Relu\): its input 'y' is made by nothing before it"),
        ("y = Relu(y)", "its input 'y' is made by nothing"),
        ("a = Relu(x) a = Tanh(x) y = Exp(a)", "its output 'a' is made twice"),
        ("z = Relu(x)", "says its output is 'y', which nothing makes"),
        ("y = Foo(x)", r"y \(Foo\): the sizes of its output are not known"),
        ("y = NonZero(x)", r"y \(NonZero\): the sizes of its output are not known"),
        ("y = Conv<strides=[0,0]>(x, w)", r"y \(Conv\): strides is \[0, 0\]"),
        ("y = Conv<strides=[1]>(x, w)", r"strides is \[1\], and must be 2 integers"),
        ("y = Conv<strides=1.5>(x, w)", "strides is 1.5"),
        ("y = Conv<group=3>(x, w)", "3 groups and a weight of .* do not fit 3 channels"),
        ("y = Conv<pads=[-1,0,0,0]>(x, w)", "pads is .*-1.* of at least 0"),
        ("y = Conv(x, s)", "its weight has other axes than its input"),
        ("y = Conv(x)", "has 1 inputs where 2 to 3 are needed"),
        ("y = MaxPool(x)", "kernel_shape is missing"),
        ("y = MaxPool<kernel_shape=[9,9]>(x)", "kernel 9 is larger than the input 3x8x8"),
        ("a = Flatten(x) y = MatMul(a, s)", r"y \(MatMul\): its inputs do not fit"),
        ("y = Concat<axis=9>(x, x)", r"y \(Concat\): its inputs do not fit"),
        ("y = Transpose<perm=[0,0,0,0]>(x)", r"y \(Transpose\): "),
        ("y = RNN<hidden_size=3>(x)", r"y \(RNN\): has 1 inputs where 3 to 6 are"),
    ],
)
def test_operations_that_make_no_sense_are_named(tmp_path: Path, body: str, message: str) -> None:
    """The error names the operation, its kind, and what is wrong."""
    inputs = "float[1,3,8,8] x, float[4,3,3,3] w, float[4] s"
    model = make_model(f"{HEAD} net ({inputs}) => (float y) {{ {body} }}")
    with pytest.raises(CalculatorError, match=message):
        load(save(tmp_path, model))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("float[N,3,H,W] x", r"open \(H, W of \[N, 3, H, W\]\); .* --input 3x256x256"),
        ("float[N,C,8,8] x", r"open \(C of \[N, C, 8, 8\]\)"),
        ("float[N,?,8,8] x", r"open \(\? of \[N, \?, 8, 8\]\)"),
        ("float[N,3,8,8] x, float[2,K] k", r"of its input 'k' open \(\[2, K\]\)"),
        ("float[N,3,8,8,8,8] x", "at most 3 and the channels"),
        ("", "has no input"),
    ],
)
def test_open_sizes_are_asked_for(tmp_path: Path, inputs: str, message: str) -> None:
    """The error says which sizes are open, and how to give them."""
    body = "y = Add(x, k)" if " k" in inputs else "y = Relu(x)"
    model = parser.parse_model(f"{HEAD} net ({inputs}) => (float y) {{ {body} }}")
    with pytest.raises(CalculatorError, match=message):
        load(save(tmp_path, model))


def test_input_of_another_rank_is_refused(tmp_path: Path) -> None:
    """What is given has one number per axis, without the batch."""
    path = save(tmp_path, GOOD)
    with pytest.raises(CalculatorError, match=r"--input 3x8 has 2 numbers; give 3"):
        load(path, input_shape=(3, 8))
    with pytest.raises(CalculatorError, match="do not fit 5 channels"):
        load(path, input_shape=(5, 8, 8))


def test_old_operators_are_refused(tmp_path: Path) -> None:
    """Before opset 7 broadcasting had other rules."""
    model = make_model(SMALL.replace("17", "6"))
    with pytest.raises(CalculatorError, match=r"is of opset 6, and 7 is the oldest .* convert it"):
        load(save(tmp_path, model))


def test_attributes_of_the_wrong_type_are_refused(tmp_path: Path) -> None:
    """A list of numbers that is a text is no list."""
    model = make_model()
    stride = next(a for a in model.graph.node[0].attribute if a.name == "strides")
    stride.CopyFrom(AttributeProto(name="strides", type=AttributeProto.STRING, s=b"ab"))
    with pytest.raises(CalculatorError, match="strides is 'ab', and must be 2 integers"):
        load(save(tmp_path, model))


def test_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package onnx the error says what to install."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(CalculatorError, match=r"pip install '\.\[onnx\]'"):
        load(save(tmp_path, GOOD))


def test_command_prints_the_table_or_one_error(tmp_path: Path) -> None:
    """A file is a network on the command line, and an error there has exit status 2."""
    path = save(tmp_path, GOOD)
    result = CliRunner().invoke(main, ["shapes", str(path)])
    assert result.exit_code == 0
    assert "net: input 3x8x8, batch 1" in result.output
    result = CliRunner().invoke(main, ["shapes", str(save(tmp_path, GOOD[:-9]))])
    assert result.exit_code == 2
    assert f"Error: {path}: is cut off or damaged" in result.output


def test_names_and_attributes_of_strangers_are_only_text(tmp_path: Path) -> None:
    """A line break in a name does not reach the message; attributes of our own do nothing."""
    model = make_model(f"{HEAD} net (float[1,4] x, float[4,4] w) => (float y) {{ y = Foo(x) }}")
    model.graph.node[0].name = "a\nb\x1b[31m"
    with pytest.raises(CalculatorError, match=r"net.onnx: a\?b\?\[31m \(Foo\): the sizes"):
        load(save(tmp_path, model))
    body = 'y = MatMul<added_bias="z">(x, m)'
    text = f"{HEAD} net (float[1,4] x, float[4,4] m) => (float y) {{ {body} }}"
    model = parser.parse_model(text)
    model.graph.initializer.append(numpy_helper.from_array(np.ones((4, 4), np.float32), "m"))
    with pytest.raises(CalculatorError, match=r"y \(MatMul\): its inputs do not fit"):
        load(save(tmp_path, model))
    text = f"{HEAD} net (float[1,4] x) => (float y) {{ c = Constant<value = 3>() y = Add(x, c) }}"
    assert [n.layer.kind for n in load(save(tmp_path, parser.parse_model(text))).nodes] == ["shift"]
