"""Files written piece by piece: the same as onnx's own, in one file or two."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper

from exporter.classifiers import storage
from exporter.classifiers.storage import (
    PAGE,
    Weight,
    append_properties,
    check_skeleton,
    write_model,
    write_varint,
)
from exporter.errors import ExportError

RANDOM = np.random.default_rng(2)
WEIGHTS = (
    Weight("w", RANDOM.normal(size=(3, 40, 50)).astype(np.float32)[:, ::2]),  # not contiguous
    Weight("h", RANDOM.normal(size=(3, 20, 50)).astype(np.float32), TensorProto.FLOAT16),
    Weight("one", np.array(2.5, np.float32)),
    Weight("sizes", np.array([-1, 50], np.int64), TensorProto.INT64),
)


def build_skeleton() -> ModelProto:
    """Return a model that adds and reshapes its weights, without them."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Cast", ["h"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["x", "one"], ["a"]),
        helper.make_node("Add", ["a", "w"], ["b"]),
        helper.make_node("Add", ["b", "f"], ["c"]),
        helper.make_node("Reshape", ["c", "sizes"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "sum",
        [value("x", TensorProto.FLOAT, [1])],
        [value("y", TensorProto.FLOAT, [60, 50])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def compute(path: Path) -> Any:  # noqa: ANN401
    """Return what a file makes of 3."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": np.array([3], np.float32)})[0]


EXPECTED = 7.5 + WEIGHTS[0].values + WEIGHTS[1].values.astype(np.float16).astype(np.float32)


def test_file_holds_its_weights(tmp_path: Path) -> None:
    """Every weight is read back, in its type, and can be computed with."""
    path = tmp_path / "model.onnx"
    assert write_model(build_skeleton(), WEIGHTS, path) is False
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    for weight, tensor in zip(WEIGHTS, model.graph.initializer, strict=True):
        found = numpy_helper.to_array(tensor)
        assert (tensor.name, tensor.data_type) == (weight.name, weight.element)
        np.testing.assert_array_equal(found, weight.values.astype(found.dtype))
    np.testing.assert_allclose(compute(path), EXPECTED.reshape(60, 50), rtol=1e-6)


def test_written_file_is_onnx_s_own_file(tmp_path: Path) -> None:
    """Piece by piece gives byte for byte the model that onnx's classes hold."""
    path, whole = tmp_path / "model.onnx", build_skeleton()
    write_model(whole, WEIGHTS, path)
    for weight in WEIGHTS:
        array = np.asarray(weight.values, weight.dtype)
        whole.graph.initializer.append(numpy_helper.from_array(array, weight.name))
    assert onnx.load(path) == whole


def test_large_weights_lie_beside_the_file(tmp_path: Path) -> None:
    """Above the limit they go to FILE.data, each at the start of a page."""
    path = tmp_path / "model.onnx"
    total = sum(weight.size_bytes for weight in WEIGHTS)
    assert write_model(build_skeleton(), WEIGHTS, path, largest_bytes=total) is False
    assert write_model(build_skeleton(), WEIGHTS, path, largest_bytes=total - 1) is True
    assert path.stat().st_size < 1000
    found = onnx.load(path, load_external_data=False).graph.initializer
    places = [{entry.key: entry.value for entry in tensor.external_data} for tensor in found]
    assert {place["location"] for place in places[:2]} == {"model.onnx.data"}
    assert all(int(place["offset"]) % PAGE == 0 for place in places[:2])
    assert [int(place["length"]) for place in places[:2]] == [w.size_bytes for w in WEIGHTS[:2]]
    assert places[2:] == [{}, {}]  # small ones decide about shapes, and stay inside
    np.testing.assert_allclose(compute(path), EXPECTED.reshape(60, 50), rtol=1e-6)


def test_properties_may_come_last(tmp_path: Path) -> None:
    """What is appended is read as the model's metadata, the rest as before."""
    path = tmp_path / "model.onnx"
    write_model(build_skeleton(), WEIGHTS, path)
    append_properties(path, {"a": "1", "b": '"ü"'})
    found = onnx.load(path)
    assert {entry.key: entry.value for entry in found.metadata_props} == {"a": "1", "b": '"ü"'}
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map == {"a": "1", "b": '"ü"'}


@given(st.integers(0, 2**40))
def test_numbers_are_written_in_base_128(value: int) -> None:
    """Digits of seven bits give the number back; only the last lacks the highest bit."""
    digits = write_varint(value)
    assert sum((digit & 0x7F) << 7 * place for place, digit in enumerate(digits)) == value
    assert [digit >> 7 for digit in digits] == [1] * (len(digits) - 1) + [0]


def test_skeletons_are_checked_with_their_shapes() -> None:
    """A sound model passes; one whose shapes contradict is refused without its weights' values."""
    check_skeleton(build_skeleton(), WEIGHTS)
    wrong = (Weight("w", np.zeros((3, 21, 50), np.float32)), *WEIGHTS[1:])
    with pytest.raises(ExportError, match="the exported graph is not valid ONNX"):
        check_skeleton(build_skeleton(), wrong)


def test_weights_are_not_copied_to_be_written() -> None:
    """A contiguous weight of the file's own type is given to the disk as it lies in memory."""
    values = np.ones((4, 5), np.float32)
    (encoded,) = Weight("w", values).encode()
    assert np.shares_memory(np.frombuffer(encoded, np.float32), values)


def test_weights_are_converted_some_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes another type comes in parts, which together are the whole."""
    monkeypatch.setattr(storage, "CHUNK", 7)
    values = RANDOM.normal(size=(5, 3)).astype(np.float32)
    parts = list(Weight("w", values, TensorProto.FLOAT16).encode())
    assert [len(part) // 2 for part in parts] == [6, 6, 3]
    assert b"".join(parts) == values.astype(np.float16).tobytes()
    assert list(map(bytes, Weight("s", np.array(0.5), TensorProto.FLOAT16).encode())) == [
        np.float16(0.5).tobytes()
    ]


def test_weights_become_multiples_of_their_steps() -> None:
    """Each row is divided by its own step and rounded, half to even."""
    values = np.array([[1.0, -2.5], [0.3, 0.1]], np.float32)
    weight = Weight("w", values, TensorProto.INT8, np.array([1, 0.1], np.float32))
    assert np.frombuffer(b"".join(weight.encode()), np.int8).tolist() == [1, -2, 3, 1]
    assert weight.size_bytes == 4


def test_weights_are_rounded_on_their_way() -> None:
    """A value goes through a narrower type, and stays what that type made of it."""
    values = np.array([1.0, 1 / 3], np.float32)
    (encoded,) = Weight("w", values, through=np.float16).encode()
    assert np.frombuffer(encoded, np.float32).tolist() == [1.0, float(np.float16(1 / 3))]
