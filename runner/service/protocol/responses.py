"""Inference responses: a JSON object, and binary tensors behind it where they are wanted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.service.engine.tensors import Array
from runner.service.protocol.classification import classify, pack_texts
from runner.service.protocol.datatypes import WORDS
from runner.service.protocol.numerals import write_numbers
from runner.service.protocol.requests import InferenceRequest, RequestedOutput

ENCODE = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True)
class InferenceResponse:
    """The body of an answer.

    Attributes:
        body: all of its bytes.
        header_bytes: of JSON at its front, when binary tensors follow; else None.
    """

    body: bytes
    header_bytes: int | None


@dataclass(frozen=True)
class WrittenTensor:
    """One output as JSON, and what follows the JSON of all."""

    text: bytes
    binary: bytes | None


def write_response(
    request: InferenceRequest,
    outputs: Mapping[str, Array],
    *,
    model: str,
    version: str,
    labels: Sequence[str],
) -> InferenceResponse:
    """Write the answer to a request.

    Args:
        request: that is answered.
        outputs: the model's, by name.
        model: the name of the model.
        version: of it.
        labels: of its classes, or none.

    Raises:
        BadRequest: the request wants classes of what has none.
        Failed: an output holds what JSON cannot say.
    """
    wanted = request.outputs or tuple(RequestedOutput(name, request.binary) for name in outputs)
    tensors = [write_tensor(output, outputs[output.name], labels) for output in wanted]
    head: dict[str, Any] = {"model_name": model, "model_version": version}
    if request.id is not None:
        head["id"] = request.id
    listed = b",".join(tensor.text for tensor in tensors)
    text = dump(head)[:-1] + b',"outputs":[' + listed + b"]}"
    parts = [tensor.binary for tensor in tensors if tensor.binary is not None]
    if not parts:
        return InferenceResponse(text + b"\n", None)
    return InferenceResponse(b"".join([text, *parts]), len(text))


def write_tensor(output: RequestedOutput, array: Array, labels: Sequence[str]) -> WrittenTensor:
    """Write one output, as itself or as its likeliest classes.

    Raises:
        BadRequest: classes are wanted of what has none.
        Failed: it holds what JSON cannot say.
    """
    subject = f"output {output.name!r}"
    head: dict[str, Any] = {"name": output.name}
    if not output.classes:
        head |= {"datatype": WORDS[array.dtype], "shape": list(array.shape)}
        if output.binary:
            return write_binary(head, array.tobytes())
        data = write_numbers(array, subject)
        return WrittenTensor(dump(head)[:-1] + b',"data":' + data + b"}", None)
    rows = classify(array, output.classes, labels, subject=subject)
    texts = [text for row in rows for text in row]
    head |= {"datatype": "BYTES", "shape": [len(rows), len(texts) // len(rows)]}
    if output.binary:
        return write_binary(head, pack_texts(texts))
    return WrittenTensor(dump({**head, "data": texts}), None)


def write_binary(head: dict[str, Any], data: bytes) -> WrittenTensor:
    """Write an output whose bytes follow the JSON."""
    return WrittenTensor(dump({**head, "parameters": {"binary_data_size": len(data)}}), data)


def dump(value: dict[str, Any]) -> bytes:
    """Return an object as compact JSON in ASCII."""
    return ENCODE(value).encode()
