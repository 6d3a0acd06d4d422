"""A file on disk as a model without its weights: bounded, checked, functions written out."""

import stat
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING

from calculator.errors import CalculatorError
from calculator.reading.onnx_file.pruning import Pruner

if TYPE_CHECKING:
    import onnx

LARGEST_FILE = 2**31 - 1  # what one protocol buffer can be
MOST_OPERATIONS = 12_000
OLDEST_OPSET = 7
STANDARD = ("", "ai.onnx")  # both name the standard operators


def open_model(path: Path) -> "onnx.ModelProto":
    """Read a file's structure; of its weights only names, types and sizes.

    Args:
        path: an ONNX file of opset 7 or later.

    Raises:
        CalculatorError: it cannot be read, is damaged, or is too large.
    """
    try:
        import onnx  # noqa: PLC0415 - not part of every installation
    except ImportError as error:
        message = "reading needs the package onnx; run pip install '.[onnx]' in Impasto's folder"
        raise CalculatorError(message) from error
    from google.protobuf.message import (  # type: ignore[import-untyped]  # noqa: PLC0415
        DecodeError,
    )

    pruned = prune_file(path)
    try:
        model = onnx.ModelProto.FromString(pruned)
    except DecodeError as error:
        message = "is no ONNX file: its fields have other types; export the network again"
        raise CalculatorError(message) from error
    check_model(model)
    return write_functions_out(model)


def prune_file(path: Path) -> bytes:
    """Return a file's structure as a serialised model.

    Raises:
        CalculatorError: it cannot be read, is damaged, or is too large.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            message = "is no file; give the path of an .onnx file"
            raise CalculatorError(message)
        if facts.st_size > LARGEST_FILE:
            message = (
                f"has {facts.st_size:,} bytes, and an ONNX file has at most {LARGEST_FILE:,}; "
                "keep the weights in an external data file"
            )
            raise CalculatorError(message)
        if not facts.st_size:
            message = "is empty; export the network again"
            raise CalculatorError(message)
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            return Pruner(data, path.parent).prune()
    except (OSError, ValueError) as error:  # ValueError: emptied meanwhile, a name with a zero
        reason = getattr(error, "strerror", None) or error
        message = f"cannot be read ({reason}); give the path of an .onnx file"
        raise CalculatorError(message) from error


def check_model(model: "onnx.ModelProto") -> None:
    """Refuse what holds no network, and networks of operators that are too old.

    Raises:
        CalculatorError: one of them.
    """
    if not model.graph.node and not model.graph.output:
        message = "holds no network; is it an ONNX file?"
        raise CalculatorError(message)
    opset = find_opset(model)
    is_standard = any(node.domain in STANDARD for node in model.graph.node)
    if opset < OLDEST_OPSET and is_standard:
        message = (
            f"is of opset {opset}, and {OLDEST_OPSET} is the oldest that is read; "
            "convert it with onnx.version_converter"
        )
        raise CalculatorError(message)


def find_opset(model: "onnx.ModelProto") -> int:
    """Return the version of the standard operators; 1 where the file says none."""
    standard = (entry.version for entry in model.opset_import if entry.domain in STANDARD)
    return max(standard, default=1)


def write_functions_out(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """Return a model in which the operations stand that its functions abbreviate.

    Raises:
        CalculatorError: functions call themselves, or stand for too many operations.
    """
    called = count_operations(model)
    if called > MOST_OPERATIONS:
        message = (
            f"has {called:,} operations, and at most {MOST_OPERATIONS:,} are read; "
            "give a part of the network"
        )
        raise CalculatorError(message)
    if not model.functions:
        return model
    from onnx.inliner import inline_local_functions  # noqa: PLC0415 - for few files

    try:
        return inline_local_functions(model)
    except (RuntimeError, ValueError, TypeError) as error:
        message = f"has functions that cannot be written out ({error!s:.200})"
        raise CalculatorError(message) from error


def count_operations(model: "onnx.ModelProto") -> int:
    """Return how many operations a model has once its functions are written out.

    Raises:
        CalculatorError: a function calls itself.
    """
    functions = {(f.domain, f.name): list(f.node) for f in model.functions}
    counted: dict[tuple[str, str], int] = {}
    running: set[tuple[str, str]] = set()

    def count(key: tuple[str, str]) -> int:
        if key in counted or key not in functions:
            return counted.get(key, 1)
        if key in running or len(running) > 100:
            message = f"has a function {key[1]!r:.60} that calls itself; export the network again"
            raise CalculatorError(message)
        running.add(key)
        counted[key] = count_all(functions[key])
        running.discard(key)
        return counted[key]

    def count_all(nodes: "list[onnx.NodeProto]") -> int:
        return sum(
            count((node.domain, node.op_type))
            + sum(count_all(list(graph.node)) for graph in list_graphs(node))
            for node in nodes
        )

    return count_all(list(model.graph.node))


def list_graphs(node: "onnx.NodeProto") -> "list[onnx.GraphProto]":
    """Return the graphs inside a node: branches and bodies of loops."""
    return [
        graph
        for attribute in node.attribute
        for graph in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs)
    ]
