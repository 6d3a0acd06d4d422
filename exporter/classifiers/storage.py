"""ONNX files written piece by piece, so that weights are never copied as a whole.

A model in onnx's own classes, serialised, holds its weights three times: in the network, in
the message and in the bytes. Here the message holds everything but the weights. They go
from the network's memory into the file one by one, as the fields that a reader of protocol
buffers expects (https://protobuf.dev/programming-guides/encoding; field numbers in onnx.proto).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, checker, helper
from onnx.checker import ValidationError
from onnx.shape_inference import InferenceError

from exporter.errors import ExportError
from exporter.publication import LARGEST_FILE, name_data

GRAPH, INITIALIZER, RAW_DATA = 7, 5, 9  # numbers of fields in onnx.proto
LENGTH_DELIMITED = 2
PAGE = 4096  # runtimes map external data into memory page by page
CHUNK = 2**22  # values that are converted at once


@dataclass(frozen=True)
class Weight:
    """A constant of a graph, in the network's own memory until it is written.

    Attributes:
        name: of the tensor.
        values: any shape.
        element: what it becomes in the file, of ``TensorProto.DataType``.
        steps: float32 ``[K]`` for ``values`` of ``[K, ...]``: the file has multiples of them,
            rounded; None: the file has the values.
        through: a type that values are rounded to on their way to ``element``; None: to no other.
    """

    name: str
    values: NDArray[Any]
    element: int = TensorProto.FLOAT
    steps: NDArray[np.float32] | None = None
    through: type[np.floating[Any]] | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """The numpy type of :attr:`element`."""
        return np.dtype(helper.tensor_dtype_to_np_dtype(self.element))

    @property
    def size_bytes(self) -> int:
        """Bytes in the file."""
        return prod(self.values.shape) * self.dtype.itemsize

    def encode(self) -> Iterator[memoryview]:
        """Yield the bytes as the file has them, copied only where the type changes.

        What is copied is converted some rows at a time: a dense layer of VGG-16 is 411 MB.
        """
        if self.steps is None and self.through is None and self.values.dtype == self.dtype:
            yield self.convert(self.values)
            return
        rows = self.values if self.values.ndim else self.values[None]
        count = max(1, CHUNK // max(1, prod(rows.shape[1:])))
        for first in range(0, len(rows), count):
            part = rows[first : first + count]
            if self.steps is not None:
                steps = self.steps[first : first + count].reshape(-1, *[1] * (part.ndim - 1))
                part = np.rint(part / steps)
            if self.through is not None:
                part = part.astype(self.through)
            yield self.convert(part)

    def convert(self, values: NDArray[Any]) -> memoryview:
        """Return values as bytes in the file's type."""
        little = values.astype(self.dtype.newbyteorder("<"), order="C", copy=False)
        return little.reshape(-1).view(np.uint8).data

    def describe(self) -> TensorProto:
        """Return name, shape and type, without values."""
        return TensorProto(name=self.name, dims=self.values.shape, data_type=self.element)


def write_model(
    skeleton: ModelProto,
    weights: Sequence[Weight],
    path: Path,
    *,
    largest_bytes: int = LARGEST_FILE,
) -> bool:
    """Write a model, its weights inside it, or beside it where one file cannot hold them.

    Weights beside it lie in ``<name>.data`` in the same folder; those of less than a page stay
    inside, because shapes that depend on them must be known before data are mapped.

    Args:
        skeleton: the model without initializers.
        weights: its initializers.
        path: the file, replaced if it exists.
        largest_bytes: of the weights inside the file.

    Returns:
        Whether the weights lie beside the file.

    Raises:
        OSError: the disk refuses.
    """
    total = sum(weight.size_bytes for weight in weights)
    outside = [w for w in weights if w.size_bytes >= PAGE] if total > largest_bytes else []
    places = write_data(outside, name_data(path)) if outside else {}
    inside = [(w, w.describe().SerializeToString() + head(RAW_DATA, w.size_bytes)) for w in weights]
    parts = [(places[w.name], None) if w.name in places else (tensor, w) for w, tensor in inside]
    sizes = [len(tensor) + (weight.size_bytes if weight else 0) for tensor, weight in parts]
    body = skeleton.graph.SerializeToString()
    rest = ModelProto()
    rest.CopyFrom(skeleton)
    rest.ClearField("graph")
    with path.open("wb") as file:
        file.write(rest.SerializeToString())
        file.write(head(GRAPH, len(body) + sum(len(head(INITIALIZER, s)) + s for s in sizes)))
        file.write(body)
        for (tensor, weight), size in zip(parts, sizes, strict=True):
            file.write(head(INITIALIZER, size) + tensor)
            if weight:
                file.writelines(weight.encode())
    return bool(outside)


def write_data(weights: Sequence[Weight], path: Path) -> dict[str, bytes]:
    """Write weights into a file of their own, each at the start of a page.

    Returns:
        By name the serialised tensors, each of which tells its place.

    Raises:
        OSError: the disk refuses.
    """
    tensors = {}
    with path.open("wb") as file:
        for weight in weights:
            fill_page(file)
            tensor = weight.describe()
            tensor.data_location = TensorProto.EXTERNAL
            place = {"location": path.name, "offset": file.tell(), "length": weight.size_bytes}
            for key, value in place.items():
                tensor.external_data.add(key=key, value=str(value))
            tensors[weight.name] = tensor.SerializeToString()
            file.writelines(weight.encode())
    return tensors


def fill_page(file: BinaryIO) -> None:
    """Write zeros up to the next page."""
    file.write(bytes(-file.tell() % PAGE))


def append_properties(path: Path, entries: Mapping[str, str]) -> None:
    """Add entries to the ``metadata_props`` of a file without reading it.

    Messages may be cut and joined between fields, so that what is said of a model may come last.

    Raises:
        OSError: the disk refuses.
    """
    properties = ModelProto()
    helper.set_model_props(properties, dict(entries))
    with path.open("ab") as file:
        file.write(properties.SerializeToString())


def head(number: int, size: int) -> bytes:
    """Return what stands before a field's bytes: its number and their count."""
    return write_varint(number << 3 | LENGTH_DELIMITED) + write_varint(size)


def write_varint(value: int) -> bytes:
    """Return a number in base 128, least digit first, the highest bit where more follow."""
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def check_skeleton(skeleton: ModelProto, weights: Sequence[Weight]) -> None:
    """Check a model against ONNX's rules, with shapes, without its weights' values.

    Raises:
        ExportError: the model breaks one.
    """
    model = ModelProto()
    model.CopyFrom(skeleton)
    for weight in weights:
        if weight.size_bytes < PAGE:  # shapes and axes, which decide other shapes
            tensor = weight.describe()
            tensor.raw_data = b"".join(weight.encode())
            model.graph.initializer.append(tensor)
        else:
            value = helper.make_tensor_value_info(weight.name, weight.element, weight.values.shape)
            model.graph.input.append(value)
    try:
        checker.check_model(model, full_check=True)
    except (ValidationError, InferenceError) as error:
        message = f"the exported graph is not valid ONNX ({error}); report it with the checkpoint"
        raise ExportError(message) from error
