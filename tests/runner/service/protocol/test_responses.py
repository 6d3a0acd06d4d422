"""Answers, and the classes in them."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays
from tritonclient.http import InferResult

from runner.service.errors import BadRequest
from runner.service.protocol.classification import classify, pack_texts, rank
from runner.service.protocol.requests import InferenceRequest, RequestedOutput
from runner.service.protocol.responses import write_response

SCORES = np.array([[0.5, 0.25, 0.25], [0, 0.75, 0.25]], np.float32)
PIXELS = np.arange(4, dtype=np.uint8).reshape(1, 4)


def answer(*outputs: RequestedOutput, binary: bool = False) -> InferResult:
    """Return an answer of two tensors as Triton's client reads it."""
    request = InferenceRequest({}, outputs, binary, "id-1")
    arrays_by_name: dict[str, np.ndarray[Any, Any]] = {"scores": SCORES, "pixels": PIXELS}
    wanted = {output.name: arrays_by_name[output.name] for output in outputs} or arrays_by_name
    written = write_response(request, wanted, model="m", version="1", labels=("cat", "dog", "emu"))
    return InferResult.from_response_body(written.body, header_length=written.header_bytes)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_outputs_come_in_the_order_and_form_that_is_asked(*, first: bool, second: bool) -> None:
    """Binary and JSON outputs mix, and the bytes follow in the order of the outputs."""
    result = answer(RequestedOutput("pixels", first), RequestedOutput("scores", second))
    assert [output["name"] for output in result.get_response()["outputs"]] == ["pixels", "scores"]
    np.testing.assert_array_equal(result.as_numpy("pixels"), PIXELS)
    np.testing.assert_array_equal(result.as_numpy("scores"), SCORES)


def test_all_outputs_come_where_none_is_named() -> None:
    """Without names every output comes, in the form that the request wants in general."""
    for binary in (True, False):
        result = answer(binary=binary)
        np.testing.assert_array_equal(result.as_numpy("scores"), SCORES)
        parameters = [output.get("parameters") for output in result.get_response()["outputs"]]
        assert parameters == (
            [{"binary_data_size": 24}, {"binary_data_size": 4}] if binary else [None, None]
        )


@pytest.mark.parametrize("binary", [True, False])
def test_classes_are_texts(*, binary: bool) -> None:
    """Each row holds value, index and label, the highest first, and equal ones by index."""
    found = answer(RequestedOutput("scores", binary, 2)).as_numpy("scores")
    texts = [[t.decode() if isinstance(t, bytes) else t for t in row] for row in found.tolist()]
    assert texts == [["0.5:0:cat", "0.25:1:dog"], ["0.75:1:dog", "0.25:2:emu"]]


def test_more_classes_than_there_are_give_all() -> None:
    """Asking for more classes than the model has gives every class."""
    assert answer(RequestedOutput("scores", binary=False, classes=99)).as_numpy("scores").shape == (
        2,
        3,
    )


def test_labels_of_another_number_are_left_out() -> None:
    """A label is told only where there is one for each class."""
    assert classify(SCORES[:1], 1, ("cat",), subject="y") == [["0.5:0"]]


@given(arrays.arrays(np.int8, (3, 7)))
def test_the_rank_is_that_of_sorting(scores: np.ndarray[Any, Any]) -> None:
    """Higher scores come first, and equal ones in the order of their indices."""
    for row, order in zip(scores.tolist(), rank(scores).tolist(), strict=True):
        assert order == sorted(range(7), key=lambda index: (-row[index], index))


@pytest.mark.parametrize("shape", [(3,), (1, 2, 3), (1, 8, 8, 3)])
def test_what_is_no_row_of_scores_has_no_classes(shape: tuple[int, ...]) -> None:
    """Only rows of scores can be classified."""
    with pytest.raises(BadRequest, match=r"output 'y': shape .* is no \[rows, classes\]"):
        classify(np.zeros(shape), 1, (), subject="output 'y'")


def test_texts_are_packed_behind_their_lengths() -> None:
    """The lengths count bytes, not characters, in four bytes of little-endian order."""
    assert pack_texts(["é", ""]) == b"\x02\0\0\0\xc3\xa9\0\0\0\0"


def test_the_head_names_model_and_request() -> None:
    """The answer tells the model, its version and the client's own id, and ends with a line."""
    request = InferenceRequest({}, id='a"\ud800')
    written = write_response(request, {"y": PIXELS}, model="m", version="2", labels=())
    assert written.header_bytes is None
    assert written.body.endswith(b"}\n")
    value = json.loads(written.body)
    assert (value["model_name"], value["model_version"], value["id"]) == ("m", "2", 'a"\ud800')
