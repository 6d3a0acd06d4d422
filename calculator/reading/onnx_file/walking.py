"""One walk over a file's operations: the sizes of every tensor, and what is constant.

What is left behind the walk are the operations that depend on an input; those that only
rename, change the element type or divide by one are gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from calculator.errors import CalculatorError
from calculator.reading.onnx_file.constants import fold, read_constant, read_tensor
from calculator.reading.onnx_file.inference import Inference, Inferred, describe_unknown
from calculator.reading.onnx_file.inputs import Inputs
from calculator.reading.onnx_file.models import MOST_OPERATIONS, STANDARD, list_graphs
from calculator.reading.onnx_file.survey import (
    OWNED_BY_FIRST,
    Survey,
    convert_like,
    list_needed,
    read_said,
    simplify,
    stands_for_weight,
    store_weights,
)
from calculator.reading.onnx_file.values import (
    FLOAT,
    INT64,
    Operation,
    Sizes,
    Value,
    read_operation,
)
from calculator.reading.onnx_file.windows import WINDOWS, build_window

if TYPE_CHECKING:
    import onnx

# the output is what the input was, perhaps in another element type
RENAMING = {"Identity", "Cast", "CastLike"}
# the same sizes as the first input: looked up here rather than inferred
UNARY = {"Relu", "Sigmoid", "Tanh", "Clip", "LeakyRelu", "Elu", "Softmax", "HardSwish", "Erf"}
UNARY |= {"Exp", "Sqrt", "Neg", "Abs", "Softplus", "HardSigmoid", "LRN", "InstanceNormalization"}
UNARY |= {"Dropout", "GroupNormalization"}  # the former also returns its mask
RESHAPING = {"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Expand"}


def survey_model(model: "onnx.ModelProto", inputs: Inputs) -> Survey:
    """Walk over the operations that the outputs need.

    Args:
        model: without large values, functions written out.
        inputs: with their sizes.

    Raises:
        CalculatorError: an operation does not fit its inputs, or its output's sizes are unknown.
    """
    survey = Survey(inputs)
    store_weights(survey, model.graph)
    for name, sizes in inputs.sizes.items():
        survey.values[name] = Value(sizes, inputs.elements[name])
    wanted = [value.name for value in model.graph.output]
    imports = model.opset_import
    opsets = {"" if e.domain in STANDARD else e.domain: e.version for e in imports}
    survey.opset = opsets.get("", 1)
    walker = Walker(survey, Inference(opsets), said=read_said(model.graph, inputs))
    walker.walk(list_needed(model.graph, wanted))
    for name in wanted:
        if name not in survey.values:
            message = f"says its output is {name!r:.80}, which nothing makes; export it again"
            raise CalculatorError(message)
    survey.outputs = tuple(survey.find(name) for name in wanted)
    return survey


class Walker:
    """Goes from operation to operation.

    Args:
        survey: is filled.
        inference: sizes by onnx.
        said: sizes that the file says.
    """

    def __init__(
        self, survey: Survey, inference: Inference, *, said: Mapping[str, Inferred]
    ) -> None:
        self.survey = survey
        self.values = survey.values
        self.inference = inference
        self.said = said
        self.steps = 0

    def walk(self, nodes: "list[onnx.NodeProto]") -> None:
        """Take one node after another; a branch whose condition is known is written out."""
        waiting = nodes[::-1]
        while waiting:
            node = waiting.pop()
            self.steps += 1
            if self.steps > MOST_OPERATIONS:
                message = f"has more than {MOST_OPERATIONS:,} operations; give a part of it"
                raise CalculatorError(message)
            branch = self.choose_branch(node)
            if branch is not None:
                waiting += branch[::-1]
            else:
                self.take(node)

    def choose_branch(self, node: "onnx.NodeProto") -> "list[onnx.NodeProto] | None":
        """Return the nodes of the branch that an If with a constant condition takes."""
        condition = self.values.get(node.input[0]) if node.input else None
        if node.op_type != "If" or condition is None or condition.array is None:
            return None
        if condition.array.size != 1:
            return None
        from onnx import helper  # noqa: PLC0415 - for files only

        wanted = "then_branch" if condition.array.reshape(-1)[0] else "else_branch"
        graph = next((a.g for a in node.attribute if a.name == wanted), None)
        if graph is None or len(graph.output) < len(node.output):
            return None
        store_weights(self.survey, graph)
        ends = [
            helper.make_node("Identity", [inner.name], [outer])
            for inner, outer in zip(graph.output, node.output, strict=False)
        ]
        return [*graph.node, *ends]

    def take(self, node: "onnx.NodeProto") -> None:
        """Settle what a node returns, and keep it if it is an operation on an input."""
        operation = read_operation(node)
        self.inference.check_inputs(node, operation)
        values = [self.look_up(operation, name) for name in operation.inputs]
        present = [value for value in values if value is not None]
        taken = [name for name in operation.outputs if name in self.values]
        if taken:
            message = f"its output {taken[0]!r:.80} is made twice; export the network again"
            raise operation.refuse(message)
        if operation.kind == "Constant":
            self.take_constant(operation)
        elif operation.kind in ("Shape", "Size") and present:
            self.take_sizes(operation, present[0])
        elif operation.kind == "CastLike" and present[:1] and present[0].is_constant:
            self.values[operation.outputs[0]] = convert_like(present)
        elif all(value.is_constant for value in present) and not list_graphs(node):
            self.take_computed(node, operation, values=values)
        else:
            self.take_active(node, operation, values=values)

    def look_up(self, operation: Operation, name: str) -> Value | None:
        """Return an input's value; None for one that is left out."""
        if not name:
            return None
        if name not in self.values:
            message = (
                f"its input {name!r:.80} is made by nothing before it (operations in a circle, "
                "or out of order); export the network again"
            )
            raise operation.refuse(message)
        return self.values[name]

    def take_constant(self, operation: Operation) -> None:
        """Add a constant that stands among the operations."""
        import numpy as np  # noqa: PLC0415 - for files only

        tensor, plain = read_constant(operation)
        name = operation.outputs[0] if operation.outputs else ""
        if tensor is not None:
            sizes, element = tuple(tensor.dims), tensor.data_type
            self.survey.store(name, sizes=sizes, element=element, array=read_tensor(tensor))
        elif plain is not None:
            is_real = "float" in next(iter(operation.settings))
            array = np.asarray(plain, np.float32 if is_real else np.int64)
            element = FLOAT if is_real else INT64
            self.survey.store(name, sizes=array.shape, element=element, array=array)
        else:
            sparse = operation.settings.get("sparse_value")
            dims = tuple(getattr(sparse, "dims", ()))
            self.survey.store(name, sizes=dims, element=FLOAT)
        self.survey.loose.add(name)

    def take_sizes(self, operation: Operation, value: Value) -> None:
        """Add the sizes of a tensor, which are known numbers here."""
        import numpy as np  # noqa: PLC0415 - for files only

        sizes = value.sizes
        if operation.kind == "Size":
            array = np.asarray(min(prod(sizes), 2**63 - 1), np.int64)
        else:
            size = len(sizes)
            start, end = operation.read_number("start", 0), operation.read_number("end", size)
            array = np.asarray(sizes[slice(start, end)], np.int64)
        self.values[operation.outputs[0]] = Value(array.shape, INT64, array, ())

    def take_computed(
        self, node: "onnx.NodeProto", operation: Operation, *, values: Sequence[Value | None]
    ) -> None:
        """Add what is computed from constants alone."""
        import numpy as np  # noqa: PLC0415 - for files only
        from onnx import helper  # noqa: PLC0415 - for files only

        present = [value for value in values if value is not None]
        owners = present[:1] if operation.kind in OWNED_BY_FIRST else present
        roots = tuple(dict.fromkeys(root for value in owners for root in value.roots or ()))
        arrays = [None if value is None else value.array for value in values]
        array = None
        if all(value.array is not None for value in present):
            array = fold(operation, arrays)
        if array is not None:
            element = int(helper.np_dtype_to_tensor_dtype(np.dtype(array.dtype)))
            name = operation.outputs[0]
            if stands_for_weight(self.survey, operation, element=element):
                self.survey.store(name, sizes=array.shape, element=element, array=array)
                return
            roots = () if operation.kind == "ConstantOfShape" else roots
            self.values[name] = Value(array.shape, element, array, roots)
            return
        for name, (sizes, element) in self.infer(node, operation, values=values).items():
            if operation.kind == "ConstantOfShape":
                self.survey.store(name, sizes=sizes, element=element)
                if not stands_for_weight(self.survey, operation, element=element):
                    self.survey.loose.add(name)
            else:
                self.values[name] = Value(sizes, element, None, roots)

    def take_active(
        self, node: "onnx.NodeProto", operation: Operation, *, values: Sequence[Value | None]
    ) -> None:
        """Add an operation that depends on an input."""
        operation = replace(
            operation, inputs=tuple(self.survey.find(name) for name in operation.inputs)
        )
        if operation.kind in WINDOWS:
            layer, sizes = build_window(operation, self.values)
            element = FLOAT if values[0] is None else values[0].element
            found = {name: (sizes, element) for name in operation.outputs if name}
            operation = replace(operation, layer=layer)
        else:
            found = self.infer(node, operation, values=values)
        for name, (sizes, element) in found.items():
            self.values[name] = Value(sizes, element)
        if not found or self.rename(operation, values):
            return
        self.survey.operations.append(simplify(operation, values))

    def rename(self, operation: Operation, values: Sequence[Value | None]) -> bool:
        """Return whether the output is an input under another name, and note it."""
        name, sizes = operation.outputs[0], self.values[operation.outputs[0]].sizes
        first = values[0]
        if operation.kind in RENAMING or (
            operation.kind in RESHAPING and first is not None and first.sizes == sizes
        ):
            self.survey.renamed[name] = operation.inputs[0]
            return True
        neutral = {"Mul": 1, "Div": 1, "Add": 0, "Sub": 0, "Pow": 1}.get(operation.kind)
        if neutral is None or len(values) != 2:
            return False
        sides = [(0, 1)] if operation.kind in ("Div", "Sub", "Pow") else [(0, 1), (1, 0)]
        for kept, other in sides:
            value, constant = values[kept], values[other]
            if value is None or constant is None or constant.array is None:
                continue
            is_neutral = constant.array.size == 1 and constant.array.reshape(-1)[0] == neutral
            if is_neutral and value.sizes == sizes and not value.is_constant:
                self.survey.renamed[name] = operation.inputs[kept]
                return True
        return False

    def infer(
        self, node: "onnx.NodeProto", operation: Operation, *, values: Sequence[Value | None]
    ) -> dict[str, tuple[Sizes, int]]:
        """Return sizes and element type of every output that has a name."""
        first = next((value for value in values if value is not None), None)
        if operation.kind in UNARY and first is not None:
            return {name: (first.sizes, first.element) for name in operation.outputs if name}
        # neither is known of branches, nor of lists of tensors
        is_opaque = bool(list_graphs(node)) or any(v and not v.element for v in values)
        found: list[Inferred] = [None] * len(operation.outputs)
        if not is_opaque:
            found = self.inference.infer(node, operation, values=values)
        settled: dict[str, tuple[Sizes, int]] = {}
        for name, inferred in zip(operation.outputs, found, strict=True):
            if not name:
                continue
            known = inferred if inferred is not None and inferred[0] is not None else None
            known = known or self.said.get(name)
            is_unsaid = inferred is None or node.domain == "ai.onnx.ml"
            if known is None and is_unsaid and first is not None and not is_opaque:
                known = self.assume(node, first)
            if known is None or known[0] is None:
                raise describe_unknown(operation)
            settled[name] = (known[0], known[1])
        return settled

    def assume(self, node: "onnx.NodeProto", first: Value) -> Inferred:
        """Return the input's sizes for what onnx knows and what is no tensor: lists, maps."""
        schema = self.inference.find_schema(node.domain, node.op_type)
        return None if schema is None else (first.sizes, 0)
