"""Tensors as a request sends them: checked against its own words before anything is allocated."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runner.service.engine.tensors import TensorSpec
from runner.service.errors import BadRequest, Unsupported
from runner.service.protocol.datatypes import find_dtype
from runner.service.protocol.documents import NumberText
from runner.service.protocol.numerals import read_numbers

MAX_RANK = 16
MAX_SIDE = 2**40
Array = NDArray[Any]


class BinaryPart:
    """The bytes behind a request's JSON, handed out from front to back.

    Args:
        data: all of them.
    """

    def __init__(self, data: memoryview) -> None:
        self._rest = data
        self._total = len(data)

    def take(self, size: int, subject: str) -> memoryview:
        """Return the next ``size`` bytes.

        Raises:
            BadRequest: so many are not left.
        """
        if size > len(self._rest):
            message = (
                f"{subject}: binary_data_size {size} exceeds the {len(self._rest)} bytes that are "
                f"left of {self._total} behind the JSON; send as many as the sizes say"
            )
            raise BadRequest(message)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def finish(self) -> None:
        """Check that nothing is left.

        Raises:
            BadRequest: bytes are left that no input claims.
        """
        if self._rest:
            message = (
                f"body: {len(self._rest)} of {self._total} bytes behind the JSON belong to no "
                "input; the binary_data_size of all inputs must add up to them"
            )
            raise BadRequest(message)


def read_tensor(tensor: Mapping[str, Any], binary: BinaryPart, *, subject: str) -> Array:
    """Return the array of one input.

    Args:
        tensor: the input's object of the request.
        binary: whose next bytes it may claim.
        subject: what it is, for messages.

    Raises:
        BadRequest: its shape, datatype and data contradict each other.
        Unsupported: it lies in shared memory, or is of a type that is not served.
    """
    dtype = find_dtype(tensor.get("datatype"), subject)
    shape = read_shape(tensor.get("shape"), subject)
    size = find_size(tensor, subject)
    data = tensor.get("data")
    if size is not None and data is None:
        return read_binary(binary.take(size, subject), dtype, shape, subject=subject)
    if isinstance(data, NumberText) and size is None:
        return read_numbers(data.text, dtype, shape, subject=subject)
    message = f"{subject}: needs either 'data', a list of numbers, or 'binary_data_size', not both"
    raise BadRequest(message)


def read_shape(shape: object, subject: str) -> tuple[int, ...]:
    """Return a shape whose sides are all at least 1.

    Raises:
        BadRequest: it is none.
    """
    sides = shape if isinstance(shape, list) else [None]
    if len(sides) <= MAX_RANK and all(is_side(side) for side in sides):
        return tuple(sides)
    message = (
        f"{subject}: shape {str(shape)[:80]} must be a list of at most {MAX_RANK} whole numbers "
        "from 1; send the size of each dimension"
    )
    raise BadRequest(message)


def is_side(value: object) -> bool:
    """Tell whether a value is the size of a dimension."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_SIDE


def find_size(tensor: Mapping[str, Any], subject: str) -> int | None:
    """Return the bytes that an input claims behind the JSON, or None where it claims none.

    Raises:
        BadRequest: the size is no number of bytes.
        Unsupported: the input lies in shared memory.
    """
    parameters = read_parameters(tensor, subject)
    if "shared_memory_region" in parameters:
        message = f"{subject}: shared memory is not served here; send the tensor in the body"
        raise Unsupported(message)
    size = parameters.get("binary_data_size")
    if size is None:
        return None
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        message = f"{subject}: binary_data_size {str(size)[:80]!r} must be a whole number from 0"
        raise BadRequest(message)
    return size


def read_parameters(holder: Mapping[str, Any], subject: str) -> dict[str, Any]:
    """Return the parameters of a request, an input or an output; none where there are none.

    Raises:
        BadRequest: they are no object.
    """
    parameters = holder.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        message = f"{subject}: parameters must be a JSON object; send names with values"
        raise BadRequest(message)
    return parameters


def read_binary(
    data: memoryview, dtype: np.dtype[Any], shape: Sequence[int], *, subject: str
) -> Array:
    """Return bytes as an array, without copying them.

    Raises:
        BadRequest: there are fewer or more than the shape needs, or values that are no numbers.
    """
    needed = math.prod(shape) * dtype.itemsize
    if len(data) != needed:
        message = (
            f"{subject}: {len(data)} bytes where shape {list(shape)} of {dtype.name} needs "
            f"{needed}; send numbers of {dtype.itemsize} bytes, little-endian, row by row"
        )
        raise BadRequest(message)
    array = np.frombuffer(data, dtype).reshape(shape)
    if dtype.kind == "f" and not np.isfinite(array).all():
        message = f"{subject}: holds a NaN or an infinity; send finite numbers"
        raise BadRequest(message)
    if dtype.kind == "b" and (np.frombuffer(data, np.uint8) > 1).any():
        message = f"{subject}: a truth value is one byte, 0 or 1; send those"
        raise BadRequest(message)
    return array


def read_raw(data: memoryview, specs: Sequence[TensorSpec]) -> Array:
    """Return a whole body as the only input of a model.

    Triton's binary extension, section "Raw Binary Request": a model that has one input, with at
    most one free dimension, whose size the number of bytes tells.

    Raises:
        BadRequest: the model is not so, or the bytes are no whole number of rows.
    """
    if len(specs) != 1:
        listed = ", ".join(spec.name for spec in specs)
        message = (
            f"body: Inference-Header-Content-Length 0 sends one input alone, and this model has "
            f"{len(specs)} ({listed}); send a JSON header that describes them"
        )
        raise BadRequest(message)
    spec = specs[0]
    if spec.shape.count(-1) > 1:
        message = (
            f"body: shape {list(spec.shape)} of input {spec.name!r} is free in more than one "
            "dimension, which bytes alone do not tell; send a JSON header with its shape"
        )
        raise BadRequest(message)
    fixed = math.prod(side for side in spec.shape if side > 0) * spec.dtype.itemsize
    free = max(1, len(data) // fixed)
    shape = [free if side < 0 else side for side in spec.shape]
    return read_binary(data, spec.dtype, shape, subject=f"body as input {spec.name!r}")
