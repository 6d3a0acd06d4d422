"""Which input of a foreign network takes pictures, in which layout, and which output classifies."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

from exporter.errors import ExportError
from exporter.foreign.wishes import Layout

OLDEST_OPSET = 7  # from here on Mul and Add broadcast as they do today
STANDARD = ("", "ai.onnx")
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)
ROWS = 2  # axes of an input that takes each picture as one row

Dims = tuple[int | None, ...]  # None: the file leaves it open
Form = Literal["nchw", "nhwc", "rows"]


@dataclass(frozen=True)
class Port:
    """An input or an output.

    Attributes:
        name: of the tensor.
        element: of ``TensorProto.DataType``.
        dims: sizes.
    """

    name: str
    element: int
    dims: Dims


def find_opset(model: ModelProto) -> int:
    """Return the version of the standard operators.

    Raises:
        ExportError: it is older than 7, or the model is one of ours already.
    """
    if any(entry.key == "impasto.task" for entry in model.metadata_props):
        message = "says already what it is; 'impasto info' prints it"
        raise ExportError(message)
    versions = [entry.version for entry in model.opset_import if entry.domain in STANDARD]
    opset = max(versions, default=0)
    if opset < OLDEST_OPSET:
        message = (
            f"is of opset {opset}, and {OLDEST_OPSET} is the oldest that can be annotated; convert "
            "it with onnx.version_converter"
        )
        raise ExportError(message)
    return opset


def find_input(model: ModelProto, name: str) -> Port:
    """Return the input that takes pictures.

    Args:
        model: the foreign network.
        name: of the input; empty where there is only one.

    Raises:
        ExportError: there is no such input, there are several, or it takes no floats.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    ports = [read_port(v) for v in model.graph.input if v.name not in weights]
    if name and all(port.name != name for port in ports):
        message = f"has no input {name!r}; there are {list_names(ports)}"
        raise ExportError(message)
    if len(ports) != 1:
        message = (
            f"has the inputs {list_names(ports)}; a classifier takes pictures and nothing else"
        )
        raise ExportError(message)
    port = ports[0]
    if port.element not in FLOATS:
        found = TensorProto.DataType.Name(port.element)
        message = (
            f"input {port.name!r} takes {found}; only FLOAT, FLOAT16 and DOUBLE can be wrapped"
        )
        raise ExportError(message)
    return port


def find_output(model: ModelProto, name: str) -> Port:
    """Return the output that has a number per class.

    A scikit-learn classifier's ``ZipMap``, which makes dictionaries, is looked through.

    Args:
        model: the foreign network.
        name: of the output; empty where only one can be meant.

    Raises:
        ExportError: there is no such output, none can be meant, or several can.
    """
    zips = {n.output[0]: n for n in model.graph.node if n.op_type == "ZipMap" and n.output}
    ports = [look_through(read_port(value), zips) for value in model.graph.output]
    names = [value.name for value in model.graph.output]
    if name and name not in names:
        message = f"has no output {name!r}; there are {', '.join(map(repr, names))}"
        raise ExportError(message)
    possible = [
        port
        for port, known in zip(ports, names, strict=True)
        if is_scores(port) and name in ("", known)
    ]
    if not possible:
        shown = ", ".join(f"{port.name!r} {show_dims(port.dims)}" for port in ports)
        message = (
            f"is no classifier: its outputs are {shown}, and none has a number per class, [N, K]"
        )
        raise ExportError(message)
    if len(possible) > 1:
        message = (
            f"has several outputs of numbers, {list_names(possible)}; choose one with --output"
        )
        raise ExportError(message)
    return possible[0]


def look_through(port: Port, zips: dict[str, NodeProto]) -> Port:
    """Return what a ZipMap reads in place of what it makes."""
    if port.name not in zips:
        return port
    return Port(zips[port.name].input[0], TensorProto.FLOAT, (None, None))


def is_scores(port: Port) -> bool:
    """Return whether an output may be ``[N, K]``, or that with further axes of size 1."""
    known = [size for size in port.dims[2:] if size is not None]
    return (
        port.element in FLOATS
        and len(port.dims) >= ROWS
        and all(size == 1 for size in known)
        and len(known) == len(port.dims) - 2
    )


def find_form(port: Port, size: tuple[int, int], channels: int, layout: Layout) -> Form:
    """Return how an input's axes lie.

    Args:
        port: the input.
        size: ``(H, W)`` that pictures will have.
        channels: C that they will have.
        layout: what the user says of it.

    Raises:
        ExportError: the axes are not those of pictures of this size, or cannot be told apart.
    """
    shape = {"nchw": (channels, *size), "nhwc": (*size, channels)}
    if len(port.dims) == ROWS:
        if port.dims[1] in (None, prod(shape["nhwc"])):
            return "rows"
        raise refuse_input(port, f"rows of {prod(shape['nhwc'])} numbers", size, channels)
    if len(port.dims) != len(shape["nchw"]) + 1:
        raise refuse_input(port, "[N, C, H, W], [N, H, W, C] or rows", size, channels)
    fitting = [
        form
        for form in ("nchw", "nhwc")
        if all(d in (None, s) for d, s in zip(port.dims[1:], shape[form], strict=True))
        and layout in ("auto", form)
    ]
    if not fitting:
        raise refuse_input(port, "[N, C, H, W] or [N, H, W, C]", size, channels)
    if len(fitting) > 1 and shape["nchw"] != shape["nhwc"]:
        message = (
            f"input {port.name!r} {show_dims(port.dims)} may have its channels in front or behind; "
            "say which with --layout nchw or nhwc"
        )
        raise ExportError(message)
    return "nchw" if fitting[0] == "nchw" else "nhwc"


def refuse_input(port: Port, what: str, size: tuple[int, int], channels: int) -> ExportError:
    """Return the error that an input does not take the pictures that were described."""
    return ExportError(
        f"input {port.name!r} is {show_dims(port.dims)}, which is not {what} of pictures of "
        f"{size[0]}x{size[1]} with {channels} channels; mend --size, --color or --layout"
    )


def find_size(port: Port) -> tuple[int, int] | None:
    """Return the pictures' ``(H, W)`` where the file fixes them and the axes are plain."""
    if len(port.dims) != 4:
        return None
    channels_first = port.dims[1] in (1, 3)
    height, width = port.dims[2:] if channels_first else port.dims[1:3]
    return None if height is None or width is None else (height, width)


def read_port(value: ValueInfoProto) -> Port:
    """Return an input or output as the file describes it; no sizes where it is no tensor."""
    tensor = value.type.tensor_type
    dims = [dim.dim_value if dim.dim_value > 0 else None for dim in tensor.shape.dim]
    return Port(value.name, tensor.elem_type, tuple(dims))


def list_names(ports: Sequence[Port]) -> str:
    """Return names for a message."""
    return ", ".join(repr(port.name) for port in ports) or "none"


def show_dims(dims: Dims) -> str:
    """Return sizes for a message: ``[?, 3, 224, 224]``."""
    return f"[{', '.join('?' if size is None else str(size) for size in dims)}]"
