"""JSON of strangers."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.service.errors import BadRequest
from runner.service.protocol.documents import (
    STRUCTURE_BYTES,
    NumberText,
    lift_arrays,
    read_document,
)

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
NUMBERS = st.recursive(
    st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.lists, max_leaves=5
)
KEYS = st.sampled_from(["data", "name", 'a"data', "data\\", "shape"]) | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES | st.lists(NUMBERS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def restore(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Parse the lifted arrays, as if they had never been lifted."""
    if isinstance(value, NumberText):
        return json.loads(bytes(value.text))
    if isinstance(value, dict):
        return {key: restore(each) for key, each in value.items()}
    return [restore(each) for each in value] if isinstance(value, list) else value


@given(st.dictionaries(KEYS, VALUES, max_size=5), st.sampled_from([None, 2]), st.booleans())
def test_a_document_means_the_same(
    document: dict[str, Any],
    indent: int | None,
    ascii_only: bool,  # noqa: FBT001 - hypothesis hands it over
) -> None:
    """Whatever is lifted out is what stood there."""
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "replace")
    assert restore(read_document(text, "body")) == json.loads(text)


@given(st.text(alphabet='{}[],:"\\data 1N', max_size=60))
def test_no_text_is_misread(text: str) -> None:
    """What is read is what Python's own parser reads, or arrays that are left to be judged."""
    try:
        found = read_document(text.encode(), "body")
    except BadRequest:
        return
    try:
        assert restore(found) == json.loads(text, parse_constant=float)
    except json.JSONDecodeError:
        assert "NumberText" in repr(found)


def test_numbers_of_a_tensor_stay_text() -> None:
    """Arrays under ``data`` are lifted, others and those that hold texts are parsed."""
    found = read_document(
        b'{"inputs":[{"shape":[2],"data" : [[1, 2]]},{"data":["a"]},{"data":[]}]}', "body"
    )
    first, second, third = found["inputs"]
    assert first == {"shape": [2], "data": NumberText(memoryview(b"[[1, 2]]"))}
    assert second == {"data": ["a"]}
    assert third == {"data": NumberText(memoryview(b"[]"))}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"data":[1,2}', "body: no JSON"),
        (b'{"data":[1,2]', "body: no JSON"),
        (b'{"data":[1,2],}', "body: no JSON"),
        (b'{"a":NaN,"data":[1]}', "NaN is no JSON; send finite numbers"),
        (b'{"data":NaN}', "NaN is no JSON"),
        (b'{"data":Infinity}', "Infinity is no JSON"),
        (b"null", "a JSON NoneType must be an object in braces"),
        (b"\xef\xbb\xbf{}", "body: no JSON"),
        (b'{"x":"' + b"y" * STRUCTURE_BYTES + b'"}', "besides arrays of numbers exceed"),
        (b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
    ],
)
def test_what_is_no_document_is_refused(text: bytes, message: str) -> None:
    """Broken, deep and large documents are told apart."""
    with pytest.raises(BadRequest, match=message):
        read_document(text, "body")


def test_many_arrays_take_no_more_than_one_look() -> None:
    """The brace that ends an object is looked for once, however many arrays stand before it."""

    class Text(bytes):
        looks = 0

        def find(self, *arguments: Any) -> int:  # noqa: ANN401 - as bytes has it
            Text.looks += arguments[0] == b"}"
            return super().find(*arguments)

    _, arrays = lift_arrays(Text(b'{"data":[1]' + b',"data":[1]' * 900 + b"}"), "body")
    assert len(arrays) == 901
    assert Text.looks == 1


@pytest.mark.parametrize(
    "data", [[[], ""], [[], {}], [[1], ["a", [2]]], [[1], {"data": [2]}, [3]], ['"', [1]]]
)
def test_arrays_of_other_things_are_parsed(data: list[object]) -> None:
    """An array that holds a text or an object somewhere is no tensor of numbers."""
    found = read_document(json.dumps({"data": data, "x": 1}).encode(), "body")
    assert restore(found["data"]) == data
    assert isinstance(found["data"], list)


def test_a_lifted_array_is_not_shown() -> None:
    """An error that shows a value does not show a whole tensor."""
    assert math.isclose(len(repr(NumberText(memoryview(b"1" * 10_000)))), 12, abs_tol=5)
