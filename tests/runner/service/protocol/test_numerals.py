"""Arrays of numbers as JSON text."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from runner.service.errors import BadRequest, Failed
from runner.service.protocol import numerals
from runner.service.protocol.datatypes import DTYPES
from runner.service.protocol.numerals import (
    build_skeleton,
    measure_skeleton,
    read_numbers,
    split_text,
    write_numbers,
)

SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, max_side=6)
TENSORS = st.sampled_from(list(DTYPES.values())).flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        SHAPES,
        elements=arrays.from_dtype(dtype, allow_nan=False, allow_infinity=False),
    )
)


def read(text: str, word: str = "UINT8", shape: tuple[int, ...] = (2,)) -> np.ndarray[Any, Any]:
    """Read a text as a tensor named t."""
    return read_numbers(memoryview(text.encode()), DTYPES[word], shape, subject="input 't'")


@given(TENSORS, st.sampled_from([None, 1]), st.booleans())
def test_every_tensor_comes_back(
    array: np.ndarray[Any, Any],
    indent: int | None,
    nested: bool,  # noqa: FBT001 - hypothesis hands it over
) -> None:
    """Nested or flat, with spaces or without, the same elements come out, bit for bit."""
    value = array.tolist() if nested else array.reshape(-1).tolist()
    text = json.dumps(value, indent=indent).encode()
    found = read_numbers(memoryview(text), array.dtype, array.shape, subject="t")
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()


@given(TENSORS)
def test_what_is_written_is_read_again(array: np.ndarray[Any, Any]) -> None:
    """A flat list of JSON gives the same tensor bit for bit."""
    text = write_numbers(array, "t")
    assert isinstance(json.loads(text), list)
    found = read_numbers(memoryview(text), array.dtype, array.shape, subject="t")
    assert found.tobytes() == array.tobytes()


@settings(max_examples=30)
@given(SHAPES, st.integers(3, 40), st.booleans())
def test_pieces_make_no_difference(
    shape: tuple[int, ...],
    size: int,
    nested: bool,  # noqa: FBT001 - hypothesis hands it over
) -> None:
    """Wherever the text is cut, the tensor is the same."""
    array = np.arange(math.prod(shape)).astype(np.uint8).reshape(shape)
    text = json.dumps(
        array.tolist() if nested else array.reshape(-1).tolist(), separators=(",", ":")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numerals, "PIECE_BYTES", size + 2 * len(shape))
        found = read(text, "UINT8", shape)
    np.testing.assert_array_equal(found, array)


@given(SHAPES)
def test_the_length_of_a_skeleton_is_known_before(shape: tuple[int, ...]) -> None:
    """A skeleton is built only where its length is that of the text's."""
    assert measure_skeleton(shape) == len(build_skeleton(shape))


@given(st.text(alphabet='[],0123456789.eE+-truefalsn "{}', max_size=40))
def test_no_text_is_misread(text: str) -> None:
    """Any text is either the JSON of such an array, as Python's own parser says, or refused."""
    try:
        found = read(text, "FP64", (2,))
    except BadRequest:
        return
    value = json.loads(text)
    np.testing.assert_array_equal(np.array(value, np.float64).reshape(-1), found)


@pytest.mark.parametrize(
    ("text", "word", "message"),
    [
        ("[1,2,3]", "UINT8", r"input 't': 3 elements where its shape \[2\] needs 2"),
        ("[1]", "UINT8", "1 elements where"),
        ("[]", "UINT8", "0 elements where"),
        ("[[ ]]", "UINT8", "0 elements where"),
        ("[[],[1]]", "UINT8", "nothing is not an integer"),
        ("[[],[],[]]", "UINT8", "0 elements where"),
        ("[1,[],2]", "UINT8", "brackets that fit neither its shape"),
        (f"[{'1,' * 70_000}[]]", "UINT8", "70000 elements where"),
        ("[ , ]", "FP32", "nothing is not a finite number"),
        ("[,]", "UINT8", "nothing is not an integer"),
        ("[1,]", "UINT8", "nothing is not an integer"),
        ("[[1],[2]]", "UINT8", "brackets that fit neither its shape"),
        ("[1],[2]", "UINT8", "brackets that fit neither"),
        ("[1,-1]", "UINT8", "-1 is outside 0 to 255 of uint8"),
        ("[1,256]", "UINT8", "256 is outside 0 to 255 of uint8"),
        (f"[1,{'9' * 40}]", "INT64", "a number of more than 30 digits is outside"),
        (f"[1,{'9' * 5000}]", "INT64", "is not an integer, as int64 needs"),
        ("[1,2.0]", "INT32", r"'2\.0' is not an integer, as int32 needs; send plain JSON"),
        ("[1,1e3]", "INT32", "'1e3' is not an integer"),
        ("[1,true]", "UINT8", "'true' is not an integer"),
        ("[1, null]", "FP32", "'null' is not a finite number"),
        ("[1, NaN]", "FP32", "'NaN' is not a finite number"),
        ("[1,1e39]", "FP32", r"a number exceeds 3\.40.*e\+38, the largest float32"),
        ("[1,-65520]", "FP16", r"a number exceeds 65504\.0, the largest float16"),
        (f"[1,1{'0' * 400}]", "FP64", "a number exceeds 1.79.*, the largest float64"),
        ("[1,1e999]", "FP64", "a number exceeds"),
        ("[true,1]", "BOOL", "'1' is not true or false, as bool needs"),
        ("[true,null]", "BOOL", "'null' is not true or false"),
        ("[true,tru]", "BOOL", "'tru' is not true or false"),
        ("[01,2]", "UINT8", "'01' is not an integer"),
        ("[1 2,3]", "UINT8", "'1 2' is not an integer"),
        ("[1,--2]", "INT8", "'--2' is not an integer"),
        ("[1,+2]", "FP32", r"'\+2' is not a finite number"),
    ],
)
def test_wrong_elements_are_explained(text: str, word: str, message: str) -> None:
    """What is no such number is shown with what the type needs."""
    with pytest.raises(BadRequest, match=message):
        read(text, word)


@pytest.mark.parametrize("text", ["[[1[,2]]", "[1[,]2]", "[[1,2]3]", "[[1],2[]", "[[1,2][]"])
def test_brackets_beside_numbers_are_refused(text: str) -> None:
    """Brackets in the right number at the wrong place are not read as if they were right."""
    with pytest.raises(BadRequest, match=r"input 't': "):
        read(text, "UINT8", (1, 2))


def test_a_piece_without_a_comma_is_refused() -> None:
    """An element that fills a piece is no number."""
    with pytest.raises(BadRequest, match=r"an element is longer than 131072 bytes"):
        list(split_text(memoryview(b"[" + b"1" * 300_000 + b",2]"), "input 't'"))


def test_a_false_shape_allocates_nothing() -> None:
    """A shape of more elements than the text has is refused by counting, whatever its size."""
    with pytest.raises(BadRequest, match=r"2 elements where its shape .* needs \d+$"):
        read("[1,2]", "FP64", (2**40,) * 4)


@pytest.mark.parametrize(
    ("word", "values", "text"),
    [
        ("FP32", [0.1, 1, 1e-5, -0.0, 3e38], b"[0.1,1.0,1e-05,-0.0,3e+38]"),
        ("FP16", [0.1, 65504], b"[0.1,6.55e+04]"),
        ("BOOL", [True, False], b"[true,false]"),
        ("UINT64", [2**64 - 1, 0], b"[18446744073709551615,0]"),
        ("INT8", [-128, 127], b"[-128,127]"),
    ],
)
def test_numbers_are_written_briefly(word: str, values: list[float], text: bytes) -> None:
    """A float has the fewest digits that give it again, not those of the next wider type."""
    array = np.array(values, DTYPES[word])
    assert write_numbers(array, "t") == text
    np.testing.assert_array_equal(
        read_numbers(memoryview(text), array.dtype, array.shape, subject="t"), array
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_json_cannot_say_is_not_written(value: float) -> None:
    """An output that is not finite is a failure of the model, told with the remedy."""
    with pytest.raises(Failed, match=r"output 'y': not every number is finite.*ask for binary"):
        write_numbers(np.array([1, value], np.float32), "output 'y'")


def test_an_element_may_be_missing_between_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two commas are refused also where the text is cut between them."""
    monkeypatch.setattr(numerals, "PIECE_BYTES", 4)
    with pytest.raises(BadRequest, match=r"nothing is not|elements where"):
        read("[1,,2]", "UINT8", (3,))
