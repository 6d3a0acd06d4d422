"""Inference requests: a JSON object, the binary tensors behind it, and what may be asked for.

Open Inference Protocol, "Inference Request JSON Object", with Triton's binary tensor data
extension. Fields and parameters that are not known here are ignored.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runner.service.engine.tensors import TensorSpec
from runner.service.errors import BadRequest, Unsupported
from runner.service.protocol.documents import read_document
from runner.service.protocol.tensors import (
    Array,
    BinaryPart,
    read_parameters,
    read_raw,
    read_tensor,
)

LENGTH = re.compile(r"[0-9]{1,12}")
MAX_ID = 1024
MAX_TIMEOUT_US = 2**63


@dataclass(frozen=True)
class RequestedOutput:
    """How one output is wanted.

    Attributes:
        name: of the output.
        binary: behind the JSON instead of inside.
        classes: of the classification extension; 0 for the tensor itself.
    """

    name: str
    binary: bool
    classes: int = 0


@dataclass(frozen=True)
class InferenceRequest:
    """What a client asks of a model.

    Attributes:
        inputs: tensors by name; their memory may be the body's.
        outputs: those that are wanted; all of the model's when empty.
        binary: how outputs are wanted of which the request says nothing.
        id: the client's own word for the request, None when it has none.
        timeout_us: microseconds in which the answer is worth having; None for no such limit.
    """

    inputs: dict[str, Array]
    outputs: tuple[RequestedOutput, ...] = ()
    binary: bool = False
    id: str | None = None
    timeout_us: int | None = None


def read_header_length(text: str | None, body_bytes: int) -> int | None:
    """Return the value of ``Inference-Header-Content-Length``, None where it is not sent.

    Raises:
        BadRequest: it is no number, or larger than the body.
    """
    if text is None:
        return None
    if not LENGTH.fullmatch(text) or int(text) > body_bytes:
        message = (
            f"Inference-Header-Content-Length {text[:40]!r} must be a whole number of at most "
            f"{body_bytes}, the bytes of the body; send the length of the JSON in it"
        )
        raise BadRequest(message)
    return int(text)


def read_request(
    body: bytes | bytearray, header_bytes: int | None, specs: Sequence[TensorSpec]
) -> InferenceRequest:
    """Read the body of an inference request.

    Args:
        body: decompressed.
        header_bytes: of JSON at its front; all of it when None, none of it when 0.
        specs: of the model's inputs, which a body without JSON leaves to be known.

    Raises:
        BadRequest: it does not follow the protocol.
        Unsupported: it asks for what the protocol has and this server has not.
    """
    data = memoryview(body).toreadonly()
    if header_bytes == 0:
        array = read_raw(data, specs)
        return InferenceRequest({specs[0].name: array}, binary=True)
    text = body if header_bytes is None else bytes(data[:header_bytes])
    document = read_document(text, "body")
    binary = BinaryPart(data[header_bytes:] if header_bytes is not None else data[:0])
    inputs = read_inputs(document.get("inputs"), binary)
    binary.finish()
    parameters = read_parameters(document, "request")
    all_binary = read_flag(parameters, "binary_data_output", subject="request", default=False)
    return InferenceRequest(
        inputs,
        read_outputs(document.get("outputs"), all_binary=all_binary),
        all_binary,
        read_id(document.get("id")),
        read_timeout(parameters.get("timeout")),
    )


def read_inputs(inputs: object, binary: BinaryPart) -> dict[str, Array]:
    """Return the tensors of a request by name.

    Raises:
        BadRequest: they are no list of inputs, or one is named twice.
    """
    if not isinstance(inputs, list) or not inputs:
        message = (
            "request: 'inputs' must be a list of at least one tensor; send the name, shape, "
            "datatype and data of each input"
        )
        raise BadRequest(message)
    arrays: dict[str, Array] = {}
    for place, tensor in enumerate(inputs):
        name = read_name(tensor, f"inputs[{place}]")
        if name in arrays:
            message = f"input {name[:80]!r} is sent twice; send each input once"
            raise BadRequest(message)
        arrays[name] = read_tensor(tensor, binary, subject=f"input {name[:80]!r}")
    return arrays


def read_outputs(outputs: object, *, all_binary: bool) -> tuple[RequestedOutput, ...]:
    """Return the outputs that a request names.

    Raises:
        BadRequest: they are no list of outputs.
        Unsupported: one is wanted in shared memory.
    """
    if outputs is None:
        return ()
    if not isinstance(outputs, list):
        message = "request: 'outputs' must be a list of objects with a name; or leave it out"
        raise BadRequest(message)
    return tuple(
        read_output(output, f"outputs[{place}]", all_binary=all_binary)
        for place, output in enumerate(outputs)
    )


def read_output(output: object, place: str, *, all_binary: bool) -> RequestedOutput:
    """Return how one output is wanted.

    Raises:
        BadRequest: it has no name, or a parameter is of the wrong kind.
        Unsupported: it is wanted in shared memory.
    """
    name = read_name(output, place)
    subject = f"output {name[:80]!r}"
    parameters = read_parameters(output, subject) if isinstance(output, dict) else {}
    if "shared_memory_region" in parameters:
        message = f"{subject}: shared memory is not served here; take the tensor from the answer"
        raise Unsupported(message)
    classes = parameters.get("classification", 0)
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 0:
        message = (
            f"{subject}: classification {str(classes)[:80]!r} must be a whole number; send how "
            "many classes are wanted, or leave it out"
        )
        raise BadRequest(message)
    binary = read_flag(parameters, "binary_data", subject=subject, default=all_binary)
    return RequestedOutput(name, binary, classes)


def read_name(holder: object, place: str) -> str:
    """Return the name of an input or output.

    Raises:
        BadRequest: it is no object with a name.
    """
    name = holder.get("name") if isinstance(holder, dict) else None
    if not isinstance(name, str) or not name:
        message = f"request: {place} must be an object with a 'name'; send the tensor's name"
        raise BadRequest(message)
    return name


def read_flag(parameters: dict[str, Any], name: str, *, subject: str, default: bool) -> bool:
    """Return a parameter that is true or false.

    Raises:
        BadRequest: it is neither.
    """
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        message = f"{subject}: {name} {str(value)[:80]!r} must be true or false; send one of them"
        raise BadRequest(message)
    return value


def read_id(value: object) -> str | None:
    """Return the client's word for its request.

    Raises:
        BadRequest: it is no text, or a long one.
    """
    if value is None or (isinstance(value, str) and len(value) <= MAX_ID):
        return value
    message = f"request: id {str(value)[:80]!r} must be a text of at most {MAX_ID} characters"
    raise BadRequest(message)


def read_timeout(value: object) -> int | None:
    """Return the ``timeout`` parameter in microseconds; 0 means none, as in Triton.

    Raises:
        BadRequest: it is no number of microseconds.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MAX_TIMEOUT_US:
        message = (
            f"request: timeout {str(value)[:80]!r} must be a whole number from 0; send the "
            "microseconds in which the answer is worth having, or leave it out"
        )
        raise BadRequest(message)
    return value or None
