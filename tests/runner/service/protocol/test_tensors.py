"""Tensors of requests, as binary parts and raw bodies."""

import math

import numpy as np
import pytest

from runner.service.engine.tensors import TensorSpec
from runner.service.errors import BadRequest, Unsupported
from runner.service.protocol.datatypes import DTYPES, WORDS, find_dtype
from runner.service.protocol.tensors import BinaryPart, read_raw, read_tensor


def build_spec(*shape: int, word: str = "FP32") -> TensorSpec:
    """Return an input."""
    return TensorSpec("x", word, shape, DTYPES[word])


@pytest.mark.parametrize("word", DTYPES)
def test_every_datatype_is_read_from_bytes(word: str) -> None:
    """Binary data give their elements in little-endian order."""
    values = np.array([[0, 1], [1, 0]]).astype(DTYPES[word])
    size = values.nbytes
    tensor = {"shape": [2, 2], "datatype": word, "parameters": {"binary_data_size": size}}
    found = read_tensor(tensor, BinaryPart(memoryview(values.tobytes())), subject="input 'x'")
    assert found.dtype == DTYPES[word]
    np.testing.assert_array_equal(found, values)
    assert WORDS[found.dtype] == word


def test_binary_data_are_not_copied() -> None:
    """An array of a request lies in the request's own bytes."""
    body = np.arange(4, dtype=np.uint8)
    tensor = {"shape": [4], "datatype": "UINT8", "parameters": {"binary_data_size": 4}}
    found = read_tensor(tensor, BinaryPart(memoryview(body.data).toreadonly()), subject="x")
    assert np.shares_memory(found, body)
    assert not found.flags.writeable


@pytest.mark.parametrize("word", ["BYTES", "BF16"])
def test_unserved_datatypes_are_named(word: str) -> None:
    """A word of the protocol that no model takes is not called unknown."""
    with pytest.raises(Unsupported, match=f"x: datatype {word} is not served here; send BOOL, "):
        find_dtype(word, "x")


@pytest.mark.parametrize(("word", "nearest"), [("FP31", "FP32, FP16"), ("float32", "BOOL")])
def test_unknown_datatypes_list_the_known(word: str, nearest: str) -> None:
    """The known words come nearest first."""
    with pytest.raises(BadRequest, match=f"datatype '{word}' is unknown; send one of {nearest}"):
        find_dtype(word, "x")


def test_truth_values_are_bytes_of_0_and_1() -> None:
    """Other bytes are no truth values, though NumPy would take them."""
    tensor = {"shape": [2], "datatype": "BOOL", "parameters": {"binary_data_size": 2}}
    with pytest.raises(BadRequest, match="a truth value is one byte, 0 or 1"):
        read_tensor(tensor, BinaryPart(memoryview(b"\x01\x02")), subject="x")


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ((-1, 4), 16, (1, 4)),
        ((-1, 4), 48, (3, 4)),
        ((2, 4), 32, (2, 4)),
        ((2, -1), 24, (2, 3)),
        ((), 4, ()),
    ],
)
def test_a_raw_body_tells_the_free_dimension(
    shape: tuple[int, ...], size: int, expected: tuple[int, ...]
) -> None:
    """The one free dimension is as large as the bytes make it."""
    found = read_raw(memoryview(bytes(size)), [build_spec(*shape)])
    assert found.shape == expected
    assert found.nbytes == 4 * math.prod(expected)


@pytest.mark.parametrize(
    ("specs", "size", "message"),
    [
        ([build_spec(-1, 4)], 0, r"0 bytes where shape \[1, 4\] of float32 needs 16"),
        ([build_spec(-1, 4)], 20, r"20 bytes where shape \[1, 4\] of float32 needs 16"),
        ([build_spec(-1, -1)], 16, "free in more than one dimension, which bytes alone do not"),
        ([build_spec(1), build_spec(1)], 4, r"this model has 2 \(x, x\); send a JSON header"),
        ([], 4, r"this model has 0 \(\)"),
    ],
)
def test_raw_bodies_that_say_too_little_are_refused(
    specs: list[TensorSpec], size: int, message: str
) -> None:
    """Where bytes do not tell the shape, the client must."""
    with pytest.raises(BadRequest, match=message):
        read_raw(memoryview(bytes(size)), specs)
