"""What is known of a file: its tensors, and the operations that depend on an input."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING, Any

from calculator.reading.onnx_file.constants import convert, read_tensor
from calculator.reading.onnx_file.inference import Inferred
from calculator.reading.onnx_file.inputs import Inputs, read_dims
from calculator.reading.onnx_file.models import list_graphs
from calculator.reading.onnx_file.tensors import FLOATS
from calculator.reading.onnx_file.values import Operation, Sizes, Value

if TYPE_CHECKING:
    import onnx

# the further inputs are settings: sizes, axes, places, scales and zero points of quantisation
OWNED_BY_FIRST = {"Reshape", "Expand", "Tile", "Slice", "Pad", "Squeeze", "Unsqueeze", "Gather"}
OWNED_BY_FIRST |= {"DequantizeLinear", "QuantizeLinear", "Resize"}
OWNED_BY_FIRST |= {"Split", "TopK", "CumSum", "CenterCropPad", "Upsample"}
OWNED_BY_FIRST |= {f"Reduce{word}" for word in ("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2")}


@dataclass
class Survey:
    """What is known of a file.

    Args:
        inputs: with their sizes.
        values: every tensor so far.
        operations: those that depend on an input, in an order in which they can run.
        outputs: of the network.
        counts: elements of every stored tensor.
        floats: stored tensors of numbers with a fraction.
        loose: tensors that stand inside an operation rather than among the weights.
        renamed: other names of tensors.
        opset: version of the standard operators.
    """

    inputs: Inputs
    values: dict[str, Value] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    outputs: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    floats: set[str] = field(default_factory=set)
    loose: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    opset: int = 1

    def find(self, name: str) -> str:
        """Return the first name of a tensor."""
        return self.renamed.get(name, name)

    def store(self, name: str, *, sizes: Sizes, element: int, array: Any = None) -> None:  # noqa: ANN401
        """Add a stored tensor."""
        self.values[name] = Value(sizes, element, array, (name,))
        self.counts[name] = prod(sizes)
        if element in FLOATS:
            self.floats.add(name)


def store_weights(survey: Survey, graph: "onnx.GraphProto") -> None:
    """Add a graph's stored tensors."""
    for tensor in graph.initializer:
        sizes, element = tuple(tensor.dims), tensor.data_type
        survey.store(tensor.name, sizes=sizes, element=element, array=read_tensor(tensor))
    for sparse in graph.sparse_initializer:
        survey.store(sparse.values.name, sizes=tuple(sparse.dims), element=sparse.values.data_type)


def stands_for_weight(survey: Survey, operation: Operation, *, element: int) -> bool:
    """Return whether a filled tensor takes the place of a weight that the file leaves out.

    Its shape is then stored among the weights, and it is filled with a number that is
    neither 0 nor 1, with which exporters fill biases, scales and states.
    """
    if operation.kind != "ConstantOfShape" or element not in FLOATS:
        return False
    shape, tensor = operation.inputs[0], operation.settings.get("value")
    array = None if tensor is None else read_tensor(tensor)
    is_stored = shape in survey.counts and shape not in survey.loose
    return is_stored and array is not None and array.size == 1 and array.item() not in (0, 1)


def list_needed(graph: "onnx.GraphProto", wanted: Sequence[str]) -> "list[onnx.NodeProto]":
    """Return the nodes that the outputs depend on, in the file's order."""
    needed, nodes = set(wanted), []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            nodes.append(node)
            needed.update(list_read(node))
    return nodes[::-1]


def list_read(node: "onnx.NodeProto") -> list[str]:
    """Return the names that a node reads, those inside its branches among them."""
    names = list(node.input)
    for graph in list_graphs(node):
        names += [output.name for output in graph.output]
        names += [name for inner in graph.node for name in list_read(inner)]
    return names


def read_said(graph: "onnx.GraphProto", inputs: Inputs) -> dict[str, Inferred]:
    """Return the sizes that a file itself says, names of sizes resolved.

    Nothing where the caller's input is not the file's: its sizes are then for another one.
    """
    said: dict[str, Inferred] = {}
    if inputs.is_replaced:
        return said
    for value in (*graph.value_info, *graph.output):
        dims = [
            inputs.symbols.get(d, d) if isinstance(d, str) else d
            for d in read_dims(value) or [None]
        ]
        sizes = tuple(dim for dim in dims if isinstance(dim, int))
        if len(sizes) == len(dims):
            said[value.name] = (sizes, value.type.tensor_type.elem_type)
    return said


def simplify(operation: Operation, values: Sequence[Value | None]) -> Operation:
    """Return a clip at 0 as a ReLU, between 0 and 6 as ReLU6."""
    if operation.kind != "Clip":
        return operation
    low, high = (read_bound(operation, values, position=i) for i in (1, 2))
    if low != 0 or high not in (None, 6):
        return operation
    return replace(operation, kind="Relu" if high is None else "Relu6", inputs=operation.inputs[:1])


def read_bound(
    operation: Operation, values: Sequence[Value | None], *, position: int
) -> float | None:
    """Return a bound of a clip, an input or in older files an attribute; None if there is none."""
    value = values[position] if position < len(values) else None
    if value is not None:
        return value.array.reshape(-1)[0].item() if value.array is not None else float("nan")
    bound = operation.settings.get("min" if position == 1 else "max")
    if not isinstance(bound, int | float) or abs(bound) > 1e38:
        return None
    return float(bound)


def convert_like(values: Sequence[Value]) -> Value:
    """Return a constant in the element type of another tensor."""
    constant, element = values[0], values[-1].element
    array = None if constant.array is None else convert(constant.array, element)
    return replace(constant, element=element, array=array)
