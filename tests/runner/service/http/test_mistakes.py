"""Requests that do not follow the protocol, each answered in words."""

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.runner.service.http.conftest import RunningServer

INFER = "/v2/models/lenet5/infer"
LENGTH = "Inference-Header-Content-Length"


def build_tensor(**changes: object) -> dict[str, Any]:
    """Return the input of LeNet-5 with some fields changed; None leaves a field out."""
    tensor = {"name": "image", "shape": [1, 32, 32, 1], "datatype": "UINT8", "data": [7] * 1024}
    return {key: value for key, value in (tensor | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "'inputs' must be a list of at least one tensor"),
        ({}, "'inputs' must be a list of at least one tensor"),
        ([7], "inputs[0] must be an object with a 'name'"),
        ([build_tensor(name=None)], "inputs[0] must be an object with a 'name'"),
        ([build_tensor(name="picture")], "unknown to model 'lenet5'; its inputs are: image"),
        ([build_tensor(), build_tensor()], "input 'image' is sent twice"),
        ([build_tensor(datatype="INT8X")], "datatype 'INT8X' is unknown; send one of INT8,"),
        ([build_tensor(datatype=None)], "datatype 'None' is unknown"),
        ([build_tensor(shape=None)], "shape None must be a list"),
        ([build_tensor(shape=[1, -1])], "shape [1, -1] must be a list of at most 16 whole"),
        ([build_tensor(shape=[True])], "shape [True] must be a list"),
        ([build_tensor(shape=[1.0])], "shape [1.0] must be a list"),
        ([build_tensor(shape=[0])], "shape [0] must be a list"),
        ([build_tensor(shape=[2, 32, 32, 1])], "1024 elements where its shape [2, 32, 32, 1]"),
        ([build_tensor(shape=[2**40] * 16)], "1024 elements where its shape"),
        ([build_tensor(data=[[7] * 1024])], "brackets that fit neither its shape"),
        ([build_tensor(data=[7] * 1023 + [256])], "256 is outside 0 to 255 of uint8"),
        ([build_tensor(data=[7] * 1023 + [-1])], "-1 is outside 0 to 255 of uint8"),
        ([build_tensor(data=[7] * 1023 + [0.5])], "'0.5' is not an integer, as uint8 needs"),
        ([build_tensor(data=[7] * 1023 + [True])], "'true' is not an integer"),
        ([build_tensor(data=[7] * 1023 + [None])], "'null' is not an integer"),
        ([build_tensor(data=["7"] * 1024)], "needs either 'data', a list of numbers"),
        ([build_tensor(data=None)], "needs either 'data', a list of numbers"),
        ([build_tensor(data=7)], "needs either 'data', a list of numbers"),
        ([build_tensor(parameters=[])], "parameters must be a JSON object"),
        ([build_tensor(parameters={"binary_data_size": 9})], "'binary_data_size', not both"),
        (
            [build_tensor(data=None, parameters={"binary_data_size": -1})],
            "binary_data_size '-1' must be a whole number from 0",
        ),
        (
            [build_tensor(data=None, parameters={"binary_data_size": 1024})],
            "binary_data_size 1024 exceeds the 0 bytes that are left",
        ),
    ],
)
def test_wrong_inputs_are_explained(server: RunningServer, inputs: object, message: str) -> None:
    """What is wrong with an input is told with its value and what it must be."""
    answer = server.infer({"inputs": inputs})
    assert answer.status == 400
    assert message in answer.error


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id": 7}, "id '7' must be a text"),
        ({"id": "x" * 1025}, "must be a text of at most 1024 characters"),
        ({"outputs": {}}, "'outputs' must be a list"),
        ({"outputs": [{"name": "scores"}]}, "its outputs are: probabilities"),
        ({"outputs": [{"name": "probabilities"}] * 2}, "name each once"),
        (
            {"outputs": [{"name": "probabilities", "parameters": {"classification": "2"}}]},
            "classification '2' must be a whole number",
        ),
        (
            {"outputs": [{"name": "probabilities", "parameters": {"binary_data": 1}}]},
            "binary_data '1' must be true or false",
        ),
        ({"parameters": {"timeout": "soon"}}, "timeout 'soon' must be a whole number"),
        ({"parameters": {"timeout": -1}}, "timeout '-1' must be a whole number"),
        ({"parameters": {"binary_data_output": 1}}, "binary_data_output '1' must be true"),
        ({"parameters": 7}, "parameters must be a JSON object"),
    ],
)
def test_wrong_fields_are_explained(
    server: RunningServer, fields: dict[str, object], message: str
) -> None:
    """What is wrong beside the inputs is told as well."""
    answer = server.infer({"inputs": [build_tensor()], **fields})
    assert answer.status == 400
    assert message in answer.error


def test_unknown_fields_are_ignored(server: RunningServer) -> None:
    """A client may say more than the server knows, as the protocol allows."""
    tensor = build_tensor(parameters={"colour": "grey"}, unit="level")
    outputs = [{"name": "probabilities", "parameters": {"rounding": 3}}]
    answer = server.infer(
        {
            "inputs": [tensor],
            "outputs": outputs,
            "parameters": {"priority": 7, "sequence_id": "a", "timeout": 0},
            "data": [[1], [2, 3]],
        }
    )
    assert answer.status == 200
    assert "id" not in answer.value


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no JSON (Expecting value"),
        (b"{", "no JSON (Expecting property name"),
        (b"[1]", "a JSON list must be an object in braces"),
        (b"\xff\xfe", "no JSON ('utf-8' codec can't decode"),
        (b'{"inputs": NaN}', "NaN is no JSON; send finite numbers"),
        (b'{"inputs": -Infinity}', "-Infinity is no JSON"),
        (b"[" * 100_000, "lists or objects are nested too deeply"),
        (b'{"a":' * 50_000, "lists or objects are nested too deeply"),
        (b'{"a":"' + b"x" * 300_000 + b'"}', "exceed the 262144 that are read"),
        (b"{" + b'"data":[1],' * 2000 + b'"x":1}', "more than 1024 fields 'data' are not read"),
        (b'{"n":' + b"9" * 5000 + b"}", "no JSON (Exceeds the limit"),
    ],
)
def test_what_is_no_request_is_explained(server: RunningServer, body: bytes, message: str) -> None:
    """Bodies that are no JSON, too deep or too large besides their numbers are refused."""
    answer = server.ask("POST", INFER, body)
    assert answer.status == 400
    assert message in answer.error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "'x' must be a whole number of at most 4"),
        ("-1", "'-1' must be a whole number"),
        ("5", "'5' must be a whole number of at most 4"),
        ("9" * 30, "must be a whole number of at most 4"),
    ],
)
def test_false_header_lengths_are_refused(server: RunningServer, text: str, message: str) -> None:
    """A length of the JSON that the body contradicts is refused."""
    answer = server.ask("POST", INFER, b"{}  ", {LENGTH: text})
    assert answer.status == 400
    assert message in answer.error


@pytest.mark.parametrize(
    ("size", "sent", "message"),
    [
        (1024, 1023, "binary_data_size 1024 exceeds the 1023 bytes that are left of 1023"),
        (1024, 1025, "1 of 1025 bytes behind the JSON belong to no input"),
        (1023, 1023, "1023 bytes where shape [1, 32, 32, 1] of uint8 needs 1024"),
        (10**18, 4, "binary_data_size 1000000000000000000 exceeds the 4 bytes"),
    ],
)
def test_false_binary_sizes_are_refused(
    server: RunningServer, size: int, sent: int, message: str
) -> None:
    """Sizes of binary tensors must add up to the bytes that were sent."""
    tensor = build_tensor(data=None, parameters={"binary_data_size": size})
    text = json.dumps({"inputs": [tensor]}).encode()
    answer = server.ask("POST", INFER, text + bytes(sent), {LENGTH: str(len(text))})
    assert answer.status == 400
    assert message in answer.error


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(server: RunningServer, value: float) -> None:
    """A NaN or an infinity is refused before it reaches a model."""
    weights = np.array([[value, *[0.1] * 10]], np.float32)
    tensor = {
        "name": "style_weights",
        "shape": [1, 11],
        "datatype": "FP32",
        "parameters": {"binary_data_size": 44},
    }
    text = json.dumps({"inputs": [tensor]}).encode()
    path = "/v2/models/style-fast/infer"
    answer = server.ask("POST", path, text + weights.tobytes(), {LENGTH: str(len(text))})
    assert answer.status == 400
    assert "input 'style_weights': holds a NaN or an infinity" in answer.error


def test_classes_of_a_picture_are_refused(server: RunningServer) -> None:
    """What has no classes cannot be classified, and the answer says so."""
    photo = np.zeros((1, 32, 32, 3), np.uint8)
    answer = server.infer(
        {
            "inputs": [
                build_tensor(shape=list(photo.shape), data=photo.reshape(-1).tolist()),
                {
                    "name": "style_weights",
                    "shape": [1, 11],
                    "datatype": "FP32",
                    "data": [1.0] + [0.0] * 10,
                },
            ],
            "outputs": [{"name": "stylized", "parameters": {"classification": 1}}],
        },
        "style-fast",
    )
    assert answer.status == 400
    assert "shape [1, 32, 32, 3] is no [rows, classes]" in answer.error


def test_long_json_gives_the_same_answer(
    server: RunningServer, digits: NDArray[np.uint8], probabilities: NDArray[np.float32]
) -> None:
    """A body of many pieces, read in a thread, is read as a short one is."""
    tensor = build_tensor(
        shape=[150, 32, 32, 1], data=np.tile(digits, (50, 1, 1, 1)).tolist(), name="image"
    )
    answer = server.infer({"inputs": [tensor]})
    assert answer.status == 200, answer.body
    (output,) = answer.value["outputs"]
    found = np.array(output["data"]).reshape(output["shape"])
    np.testing.assert_allclose(found, np.tile(probabilities, (50, 1)), rtol=1e-5)
