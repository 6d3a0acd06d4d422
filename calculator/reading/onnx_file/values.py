"""Tensors and operations of a file, as the reader knows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from calculator.errors import CalculatorError
from calculator.layers.base import Layer
from calculator.reading.onnx_file.models import STANDARD

if TYPE_CHECKING:
    import numpy as np
    import onnx

Sizes = tuple[int, ...]  # of a tensor, the batch among them

FLOAT, INT64, BOOL = 1, 7, 9  # onnx.proto, TensorProto.DataType
LARGEST_SETTING = 2**31  # of a stride, a padding, a kernel


class UnfitError(CalculatorError):
    """An operation does not fit its inputs: the file is wrong, or the input that is given."""


@dataclass(frozen=True)
class Value:
    """What is known of one tensor.

    Args:
        sizes: as in the file, the batch among them.
        element: its TensorProto.DataType.
        array: its numbers, of few constants; None elsewhere.
        roots: the stored tensors that a constant is computed from; None for what depends on
            an input.
    """

    sizes: Sizes
    element: int = FLOAT
    array: "np.ndarray | None" = None
    roots: tuple[str, ...] | None = None

    @property
    def is_constant(self) -> bool:
        """Whether the tensor is the same for every input."""
        return self.roots is not None


@dataclass(frozen=True)
class Operation:
    """One operation of a file, or several that are one layer.

    Args:
        kind: name of the operator, behind its domain where that is no standard one.
        name: given by the file; may be empty.
        inputs: names of tensors; empty for one that is left out.
        outputs: likewise.
        settings: its attributes.
        layer: what it is in the table, where that is known already.
        added_bias: name of a constant that another operation adds to the output.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    layer: Layer | None = None
    added_bias: str = ""

    def find_input(self, position: int) -> str:
        """Return the name of an input; empty for one that is left out."""
        return self.inputs[position] if position < len(self.inputs) else ""

    def read_number(self, name: str, default: int) -> int:
        """Return an integer attribute."""
        value = self.settings.get(name, default)
        if not isinstance(value, int) or abs(value) > LARGEST_SETTING:
            message = f"{name} is {value!r:.40}, and must be one integer"
            raise self.refuse(message)
        return value

    def read_numbers(self, name: str, *, count: int, least: int, default: int) -> Sizes:
        """Return a list of integers, ``count`` of them and none under ``least``.

        Raises:
            CalculatorError: the attribute is something else.
        """
        value = self.settings.get(name)
        if value is None or value == []:
            return (default,) * count
        if (
            not isinstance(value, list)
            or len(value) != count
            or not all(isinstance(v, int) and least <= v <= LARGEST_SETTING for v in value)
        ):
            need = f"{count} integers of at least {least}"
            message = f"{name} is {value!r:.60}, and must be {need}"
            raise self.refuse(message)
        return tuple(value)

    def read_text(self, name: str, default: str) -> str:
        """Return a text attribute; ``default`` where it is no text."""
        value = self.settings.get(name, default)
        return value if isinstance(value, str) else default

    def misfit(self, message: str) -> "UnfitError":
        """Return an error that names the operation, for inputs that do not fit it."""
        return UnfitError(self.refuse(message).message)

    def refuse(self, message: str) -> CalculatorError:
        """Return an error that names the operation."""
        shown = self.name or next(iter(self.outputs), "")
        return CalculatorError(f"{shown[:80]} ({self.kind[:40]}): {message}")


def read_operation(node: "onnx.NodeProto") -> Operation:
    """Return a node of a file as an operation."""
    domain = "" if node.domain in STANDARD else f"{node.domain}."
    return Operation(
        kind=f"{domain}{node.op_type}",
        name=node.name,
        inputs=tuple(node.input),
        outputs=tuple(node.output),
        settings={attribute.name: read_setting(attribute) for attribute in node.attribute},
    )


def read_setting(attribute: "onnx.AttributeProto") -> Any:  # noqa: ANN401 - as the file has it
    """Return the value of an attribute: number, text, tensor, graph, or a list of them."""
    fields = {1: "f", 2: "i", 3: "s", 4: "t", 5: "g", 11: "sparse_tensor"}
    lists = {6: "floats", 7: "ints", 8: "strings", 9: "tensors", 10: "graphs"}
    if attribute.type in fields:
        value = getattr(attribute, fields[attribute.type])
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return list(getattr(attribute, lists[attribute.type])) if attribute.type in lists else None
