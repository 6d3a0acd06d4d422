"""Operations with weights: convolutions, products, normalisation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

from calculator.layers.base import Layer
from calculator.layers.convolutions import Conv, DepthwiseConv, TransposedConv
from calculator.layers.dense import Dense
from calculator.layers.operators import Operator
from calculator.layers.pointwise import BatchNorm, InstanceNorm, LocalResponseNorm
from calculator.reading.onnx_file.builder import Builder
from calculator.reading.onnx_file.inputs import Order
from calculator.reading.onnx_file.placing import (
    Place,
    add_operator,
    split_inputs,
)
from calculator.reading.onnx_file.values import Operation
from calculator.reading.onnx_file.windows import CONVS, TRANSPOSED, WINDOWS

# kind -> positions of both factors and of the bias
FACTORS = {"MatMul": (0, 1, 9), "Gemm": (0, 1, 2), "MatMulInteger": (0, 1, 9)}
FACTORS["QLinearMatMul"] = (0, 3, 9)
MADE_UP = re.compile(r"val_\d+.*")  # PyTorch's names for what its optimiser computed


def place_window(builder: Builder, operation: Operation) -> None:
    """Add a convolution or a pool that was built with its sizes."""
    source, layer = operation.inputs[0], operation.layer
    builder.arrange(source)
    if operation.kind == "LpPool":
        add_operator(builder, operation, active=[source], word="lppool")
        return
    if not isinstance(layer, (Conv, DepthwiseConv, TransposedConv)):
        builder.add(operation, layer or Operator("pool", (1,)), inputs=[source])
        return
    weight, bias = (CONVS | TRANSPOSED)[operation.kind]
    weights = [operation.inputs[weight], operation.find_input(bias) or operation.added_bias]
    held = [name for name in weights if name]
    if len(held) > 1 and is_filled(builder, held[1], number=0):
        held, layer = held[:1], replace(layer, bias=False)
    if all(builder.is_constant(name) for name in held):
        holding, owner = builder.hold_weights(held), builder.find_owner(held[0])
        builder.add(operation, layer, inputs=[source], holding=holding, owner=owner)
    else:
        place_made_weights(builder, operation, layer=layer, weights=held)


def place_made_weights(
    builder: Builder, operation: Operation, *, layer: Layer, weights: Sequence[str]
) -> None:
    """Add a convolution whose weights another layer makes: its products, no parameters."""
    macs = layer.derive((builder.shape_of(operation.inputs[0]),)).macs
    active = [name for name in weights if not builder.is_constant(name)]
    constants = [name for name in weights if builder.is_constant(name)]
    holding = builder.hold_stored(constants, as_weights=True)
    holding.products = macs.result if macs is not None else 0
    read = [operation.inputs[0], *active]
    add_operator(builder, operation, active=read, word=layer.kind, holding=holding)


def place_product(builder: Builder, operation: Operation) -> None:
    """Add a fully connected layer, or a product of matrices."""
    left, right, bias = FACTORS[operation.kind]
    first, second = operation.inputs[left], operation.inputs[right]
    weights = [second, operation.find_input(bias) or operation.added_bias]
    held = [name for name in weights if name]
    if len(held) > 1 and is_filled(builder, held[1], number=0):
        held = held[:1]
    if builder.is_constant(first) or not all(builder.is_constant(name) for name in held):
        place_matrices(builder, operation, first=first)
        return
    sizes, made = builder.values[second].sizes, builder.values[operation.outputs[0]].sizes
    if len(sizes) != 2 or len(made) != 2:
        place_matrices(builder, operation, first=first)
        return
    builder.arrange(first)
    features = prod(sizes) // max(made[-1], 1)
    if builder.shape_of(first) != (features,):
        place_matrices(builder, operation, first=first)
        return
    if len(held) > 1 and prod(builder.values[held[1]].sizes) != made[-1]:
        place_matrices(builder, operation, first=first)  # a bias that is broadcast
        return
    holding, owner = builder.hold_weights(held), builder.find_owner(second)
    layer = Dense(made[-1], bias=len(held) > 1)
    builder.add(operation, layer, inputs=[first], holding=holding, owner=owner)


def place_matrices(builder: Builder, operation: Operation, *, first: str) -> None:
    """Add a product of matrices with its multiply-adds."""
    active, constants = split_inputs(builder, operation)
    order = builder.locate(first).order if active == [first] else None
    if order is None or not keeps_order(builder, operation, order=order):
        order = None
        for name in active:
            builder.arrange(name)
    inner, made = builder.values[first].sizes, builder.values[operation.outputs[0]].sizes
    is_turned = operation.kind == "Gemm" and operation.read_number("transA", 0)
    length = (inner[0] if is_turned else inner[-1]) if inner else 1
    products = prod(made) * length
    per_sample = products // builder.batch if products % builder.batch == 0 else products
    constants += [operation.added_bias] if operation.added_bias else []
    holding = builder.hold_stored(constants, as_weights=True)
    holding.products = per_sample
    add_operator(builder, operation, active=active, word="matmul", order=order, holding=holding)


def keeps_order(builder: Builder, operation: Operation, *, order: Order) -> bool:
    """Return whether a matrix multiplies the last axis alone, wherever the batch lies."""
    weight = builder.values[operation.inputs[1]]
    is_matrix = operation.kind == "MatMul" and weight.is_constant and len(weight.sizes) == 2
    return is_matrix and order[-1] == len(order) - 1


def place_batch_norm(builder: Builder, operation: Operation) -> None:
    """Add batch normalisation."""
    source, *stored = operation.inputs[:5]
    builder.arrange(source)
    shape = builder.shape_of(source)
    sizes = {builder.values[name].sizes for name in stored}
    one = replace(operation, outputs=operation.outputs[:1])
    if not all(builder.is_constant(name) for name in stored) or sizes != {shape[:1]}:
        place_conditional(builder, one, word="batchnorm")
        return
    affine = not is_plain(builder, stored[:2], beside=stored[2:])
    params = stored[:2] if affine else []
    owner = builder.find_owner(stored[0] if affine else stored[2])
    holding = builder.hold_weights(params, stored[2:])
    builder.add(one, BatchNorm(affine=affine), inputs=[source], holding=holding, owner=owner)


def place_instance_norm(builder: Builder, operation: Operation) -> None:
    """Add instance normalisation; scale and shift may be what other layers return."""
    source, *stored = operation.inputs[:3]
    builder.arrange(source)
    shape = builder.shape_of(source)
    sizes = {builder.values[name].sizes for name in stored}
    if not all(builder.is_constant(name) for name in stored) or len(shape) < 2:
        place_conditional(builder, operation, word="instancenorm")
        return
    plain = is_plain(builder, stored, beside=[]) or sizes != {shape[:1]}
    params = [] if plain else stored
    owner = "" if plain else builder.find_owner(stored[0])
    holding = builder.hold_weights(params)
    builder.add(
        operation, InstanceNorm(affine=not plain), inputs=[source], holding=holding, owner=owner
    )


def place_conditional(builder: Builder, operation: Operation, *, word: str) -> None:
    """Add a normalisation of which other layers return the scale and shift, or one does both."""
    active, constants = split_inputs(builder, operation)
    homes: dict[int, str] = {}
    for name in active:
        homes.setdefault(builder.locate(name).position, name)
    source = operation.inputs[0]
    add_operator(
        builder,
        operation,
        active=[*homes.values()],
        word=word,
        order=builder.locate(source).order,
        holding=builder.hold_stored(constants, as_weights=True),
    )


def is_plain(builder: Builder, affine: Sequence[str], *, beside: Sequence[str]) -> bool:
    """Return whether a scale of ones and a shift of zeros stand for none."""
    scale, shift = affine
    return is_filled(builder, scale, number=1, beside=beside) and is_filled(
        builder, shift, number=0, beside=beside
    )


def is_filled(builder: Builder, name: str, *, number: int, beside: Sequence[str] = ()) -> bool:
    """Return whether a constant is one number that the exporter filled in.

    Trained numbers have a name of their own among the weights; what an exporter fills in
    stands among the operations, under a number, or is another weight that is alike.

    Args:
        builder: knows the weights.
        name: of the constant.
        number: that it must be.
        beside: the layer's other weights.
    """
    array, owner = builder.values[name].array, builder.find_owner(name)
    if array is None or not (array == number).all():
        return False
    if not owner or owner in builder.survey.loose or MADE_UP.fullmatch(owner):
        return True
    return owner in {builder.find_owner(other) for other in beside}


def place_response_norm(builder: Builder, operation: Operation) -> None:
    """Add local response normalisation."""
    source = operation.inputs[0]
    builder.arrange(source)
    size = operation.read_number("size", 5)
    builder.add(operation, LocalResponseNorm(max(size, 1)), inputs=[source])


PLACES: Mapping[str, Place] = {
    **dict.fromkeys(WINDOWS, place_window),
    **dict.fromkeys(FACTORS, place_product),
    "BatchNormalization": place_batch_norm,
    "InstanceNormalization": place_instance_norm,
    "LRN": place_response_norm,
}
