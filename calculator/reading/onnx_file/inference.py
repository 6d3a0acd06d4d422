"""Sizes of what an operation returns, as the package onnx infers them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from calculator.errors import CalculatorError
from calculator.reading.onnx_file.models import STANDARD
from calculator.reading.onnx_file.values import Operation, Sizes, Value

if TYPE_CHECKING:
    import onnx

LARGEST_PRODUCT = 2**63

Inferred = tuple[Sizes | None, int] | None  # sizes, element type; None: no tensor, or unknown


class Inference:
    """The rules of the operator sets that a file names.

    Args:
        opsets: version of every domain.
    """

    def __init__(self, opsets: Mapping[str, int]) -> None:
        self.opsets = dict(opsets)
        self.schemas: dict[tuple[str, str], Any] = {}
        self.arities: dict[tuple[str, str], tuple[int, int, list[int]]] = {}

    def find_schema(self, domain: str, op_type: str) -> Any:  # noqa: ANN401 - onnx's own class
        """Return the definition of an operator; None where onnx has none."""
        from onnx import defs  # noqa: PLC0415 - for files only

        key = (domain, op_type)
        if key not in self.schemas:
            try:
                self.schemas[key] = defs.get_schema(op_type, self.opsets.get(domain, 1), domain)
            except defs.SchemaError:
                self.schemas[key] = None
        return self.schemas[key]

    def check_inputs(self, node: "onnx.NodeProto", operation: Operation) -> None:
        """Refuse an operation that lacks inputs, or has too many.

        Raises:
            CalculatorError: as its definition says.
        """
        domain = "" if node.domain in STANDARD else node.domain
        key = (domain, node.op_type)
        if key not in self.arities:
            schema = self.find_schema(*key)
            self.arities[key] = (0, 2**31, []) if schema is None else read_arity(schema)
        least, most, required = self.arities[key]
        number = len(node.input)
        if not least <= number <= most or any(not node.input[i] for i in required if i < number):
            message = f"has {number} inputs where {least} to {most} are needed; export it again"
            raise operation.refuse(message)

    def infer(
        self, node: "onnx.NodeProto", operation: Operation, *, values: Sequence[Value | None]
    ) -> list[Inferred]:
        """Return sizes and element type of every output.

        Args:
            node: as in the file.
            operation: the same, for messages.
            values: of its inputs; None for one that is left out.

        Raises:
            CalculatorError: the operation does not fit its inputs.
        """
        from onnx import numpy_helper  # noqa: PLC0415 - for files only
        from onnx.checker import ValidationError  # noqa: PLC0415
        from onnx.shape_inference import InferenceError, infer_node_outputs  # noqa: PLC0415

        domain = "" if node.domain in STANDARD else node.domain
        schema = self.find_schema(domain, node.op_type)
        if schema is None:
            return [None] * len(node.output)
        types, data = {}, {}
        for name, value in zip(node.input, values, strict=True):
            if value is None:
                continue
            types[name] = make_type(value)
            if value.array is not None and value.array.dtype.kind in "biuf":
                data[name] = numpy_helper.from_array(value.array, name)
        imports = self.list_imports()
        try:
            found = infer_node_outputs(schema, node, types, data, None, imports)
        except (InferenceError, ValidationError, RuntimeError, ValueError, TypeError) as error:
            raise operation.misfit(shorten(error)) from error
        return [read_type(found.get(name)) for name in node.output]

    def list_imports(self) -> "list[onnx.OperatorSetIdProto]":
        """Return the opsets as onnx wants them."""
        from onnx import helper  # noqa: PLC0415 - for files only

        return [helper.make_opsetid(domain, version) for domain, version in self.opsets.items()]


def read_arity(schema: Any) -> tuple[int, int, list[int]]:  # noqa: ANN401 - onnx's own class
    """Return the least and greatest number of inputs, and those that cannot be left out."""
    single = type(schema).FormalParameterOption.Single
    required = [i for i, entry in enumerate(schema.inputs) if entry.option == single]
    return schema.min_input, schema.max_input, required


def make_type(value: Value) -> "onnx.TypeProto":
    """Return a tensor's element type and sizes as onnx wants them."""
    from onnx import helper  # noqa: PLC0415 - for files only

    return helper.make_tensor_type_proto(value.element, value.sizes)


def read_type(found: "onnx.TypeProto | None") -> Inferred:
    """Return sizes (None where one is unknown) and element type; None for no tensor."""
    if found is None or not found.HasField("tensor_type"):
        return None
    tensor = found.tensor_type
    dims = tensor.shape.dim
    if not tensor.HasField("shape") or not all(dim.HasField("dim_value") for dim in dims):
        return None, tensor.elem_type
    sizes = tuple(dim.dim_value for dim in dims)
    if not all(0 <= size < LARGEST_PRODUCT for size in sizes):
        return None, tensor.elem_type
    return sizes, tensor.elem_type


def shorten(error: Exception) -> str:
    """Return the core of what onnx's inference says, in one line."""
    text = str(error).replace("\n", " ")
    return f"its inputs do not fit ({text[-200:].strip()}); export the network again"


def describe_unknown(operation: Operation) -> CalculatorError:
    """Return the error for an operation whose output sizes nobody says."""
    domain, _, name = operation.kind.rpartition(".")
    if domain:
        return operation.refuse(
            f"the sizes of its output are unknown: {name[:40]!r} is an operator of the domain "
            f"{domain[:40]!r}, and the file says none for this input; write them into the file "
            "(value_info), or export the network with standard operators"
        )
    return operation.refuse(
        "the sizes of its output are not known before it runs; export the network without this "
        "step, or with shapes inferred (onnx.shape_inference)"
    )
