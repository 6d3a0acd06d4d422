"""Which layer each operation is, and the operations that are no layer of the grammar."""

from collections.abc import Callable, Mapping, Sequence

from calculator.layers.joins import Add
from calculator.layers.operators import Operator
from calculator.layers.pointwise import Activation, Dropout
from calculator.reading.onnx_file.builder import NOTHING, Builder, Holding, keep_order
from calculator.reading.onnx_file.inputs import Order
from calculator.reading.onnx_file.survey import OWNED_BY_FIRST
from calculator.reading.onnx_file.values import Operation

AXIS_ALONE = 13  # the opset from which a softmax is taken along one axis
Place = Callable[[Builder, Operation], None]

ACTIVATIONS = {
    **{word: word.lower() for word in ("Relu", "Relu6", "Elu", "Gelu", "Softplus", "Sigmoid")},
    **{word: word.lower() for word in ("Tanh", "Softmax", "HardSwish", "HardSigmoid")},
    "LeakyRelu": "leakyrelu",
    "Swish": "silu",
    "com.microsoft.Gelu": "gelu",
    "com.microsoft.FastGelu": "gelu",
}
ELEMENTWISE = {"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum", "Mean", "PRelu", "Where"}
ELEMENTWISE |= {"Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Mod", "And", "Or"}
ELEMENTWISE |= {"Xor", "BitShift", "Clip"}
POINTWISE = {"Exp", "Log", "Sqrt", "Neg", "Abs", "Floor", "Ceil", "Round", "Reciprocal", "Sin"}
POINTWISE |= {"Cos", "Tan", "Erf", "Sign", "Softsign", "Not", "IsNaN", "IsInf", "Selu", "Celu"}
POINTWISE |= {"ThresholdedRelu", "Mish", "LogSoftmax", "Hardmax", "Shrink", "Identity"}
# normalisation is taken as acting on single values, as in the whole table
NORMS = {"LayerNormalization", "GroupNormalization", "RMSNormalization", "LpNormalization"}
NORMS |= {"MeanVarianceNormalization"}
QUANTISING = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"}
# what leaves every value at its position
STEADY = {*ELEMENTWISE, *POINTWISE, *NORMS, *QUANTISING}
STEADY |= {"BatchNormalization", "InstanceNormalization"}
SHARES = {"Softmax", "LogSoftmax", "Hardmax"}  # compare the values along some axes
WORDS = {"Add": "shift", "Sub": "shift", "Mul": "scale", "Div": "scale"}  # by a constant


def name_operator(operation: Operation) -> str:
    """Return the operator's name in lower case, without its domain."""
    return operation.kind.rsplit(".", 1)[-1].lower()[:40] or "operation"


def split_inputs(builder: Builder, operation: Operation) -> tuple[list[str], list[str]]:
    """Return the tensors that depend on an input, and the constants."""
    names = [name for name in operation.inputs if name]
    active = [name for name in names if not builder.is_constant(name)]
    return active, [name for name in names if builder.is_constant(name)]


def place_activation(builder: Builder, operation: Operation) -> None:
    """Add an activation, whatever the order of axes."""
    source = operation.inputs[0]
    if mixes_positions(builder, operation):
        place_pointwise(builder, operation)
        return
    layer = Activation(ACTIVATIONS[operation.kind])
    builder.add(operation, layer, inputs=[source], order=builder.locate(source).order)


def place_dropout(builder: Builder, operation: Operation) -> None:
    """Add dropout."""
    source = operation.inputs[0]
    builder.add(operation, Dropout(), inputs=[source], order=builder.locate(source).order)


def place_elementwise(builder: Builder, operation: Operation) -> None:
    """Add a sum of branches, or an operation on the elements of tensors and constants."""
    active, constants = split_inputs(builder, operation)
    order = settle_order(builder, operation, active=active)
    shapes = [builder.shape_of(name) for name in active]
    shape = builder.order_shape(builder.values[operation.outputs[0]].sizes, order)
    is_sum = operation.kind in ("Add", "Sum") and not constants and len(active) > 1
    if is_sum and {*shapes} == {shape}:
        builder.add(operation, Add(), inputs=active, order=order)
        return
    word = name_operator(operation)
    if len(active) == 1 and constants:
        word = WORDS.get(operation.kind, word)
    holding = builder.hold_stored(constants, as_weights=operation.kind == "PRelu")
    add_operator(builder, operation, active=active, word=word, order=order, holding=holding)


def settle_order(builder: Builder, operation: Operation, *, active: Sequence[str]) -> Order:
    """Return the order of axes that all inputs share; transpose them where they differ."""
    rank = len(builder.values[operation.outputs[0]].sizes)
    orders = {builder.locate(name).order for name in active}
    if len(orders) == 1 and len(order := orders.pop()) == rank:
        return order
    for name in active:
        builder.arrange(name)
    return keep_order(rank)


def place_pointwise(builder: Builder, operation: Operation) -> None:
    """Add an operation on single values that the grammar has no word for."""
    active, constants = split_inputs(builder, operation)
    order = settle_order(builder, operation, active=active)
    holding = NOTHING
    if operation.kind not in QUANTISING:
        holding = builder.hold_stored(constants, as_weights=operation.kind in NORMS)
    word = name_operator(operation)
    add_operator(builder, operation, active=active, word=word, order=order, holding=holding)


def place_operator(builder: Builder, operation: Operation) -> None:
    """Add any other operation with the shapes that the file implies."""
    active, constants = split_inputs(builder, operation)
    for name in active:
        builder.arrange(name)
    if operation.kind in OWNED_BY_FIRST:
        constants = [name for name in constants if name == operation.inputs[0]]
    holding = builder.hold_stored(constants, as_weights=True)
    word = name_operator(operation)
    add_operator(builder, operation, active=active, word=word, holding=holding)


def mixes_positions(builder: Builder, operation: Operation) -> bool:
    """Return whether a softmax compares values at different positions.

    Before opset 13 it is taken over its axis and all axes behind it.
    """
    if operation.kind not in SHARES:
        return False
    source = operation.inputs[0]
    sizes, order = builder.values[source].sizes, builder.locate(source).order
    is_old = builder.survey.opset < AXIS_ALONE
    axis = operation.read_number("axis", 1 if is_old else -1) % max(len(sizes), 1)
    mixed = range(axis, len(sizes)) if is_old else (axis,)
    return any(sizes[place] > 1 and place in order[2:] for place in mixed)


def add_operator(
    builder: Builder,
    operation: Operation,
    *,
    active: Sequence[str],
    word: str,
    order: Order | None = None,
    holding: Holding = NOTHING,
) -> None:
    """Add one operator for every output that something reads."""
    outputs = [name for name in operation.outputs if name in builder.used]
    shapes = [builder.shape_of(name) for name in active]
    for i, output in enumerate(outputs):
        sizes = builder.values[output].sizes
        fits = order is not None and len(order) == len(sizes)
        own = order if order is not None and fits else keep_order(len(sizes))
        shape = builder.order_shape(sizes, own)
        is_steady = operation.kind in STEADY and keeps_axes(shapes, shape)
        layer = Operator(
            word,
            shape,
            params=0 if i else holding.params,
            buffers=0 if i else holding.buffers,
            products=0 if i else holding.products,
            pointwise=is_steady and not mixes_positions(builder, operation),
        )
        one = Operation(operation.kind, operation.name if not i else "", (), (output,))
        held = NOTHING if i else holding
        builder.add(one, layer, inputs=active, order=own, holding=held)


def keeps_axes(shapes: Sequence[Sequence[int]], output: Sequence[int]) -> bool:
    """Return whether every input that has spatial axes has those of the output."""
    spatial = [shape for shape in shapes if len(shape) > 1]
    same = any(tuple(shape[1:]) == tuple(output[1:]) for shape in spatial)
    return same and all(len(shape) == len(output) for shape in spatial)


PLACES: Mapping[str, Place] = {
    **dict.fromkeys(ACTIVATIONS, place_activation),
    **dict.fromkeys(ELEMENTWISE, place_elementwise),
    **dict.fromkeys((*POINTWISE, *NORMS, *QUANTISING), place_pointwise),
    "Dropout": place_dropout,
}
