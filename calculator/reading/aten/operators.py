"""Operations of aten for which the grammar has no word: their names and multiply-adds."""

from collections.abc import Callable
from math import prod

from calculator.layers.operators import Operator
from calculator.reading.aten.pointwise import POINTWISE
from calculator.reading.aten.resizing import RESIZING
from calculator.reading.aten.steps import Activation, Call, Constant, take_sample, walk
from calculator.reading.aten.windows import WINDOWS, Layers

READERS = {**WINDOWS, **POINTWISE, **RESIZING}
SCALES = {"mul": "scale", "div": "scale", "add": "shift", "sub": "shift"}
# the grammar's words for what its own layers do not cover, such as layers on sequences
KINDS = {
    "linear": "fc",
    "batch_norm": "batchnorm",
    "instance_norm": "instancenorm",
    "scaled_dot_product_attention": "attention",
    **{f"conv{axes}d": "conv" for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": "tconv" for axes in (1, 2, 3)},
}
NORMS = {"batch_norm", "instance_norm", "group_norm", "layer_norm", "rms_norm", "prelu"}
# which pieces of a value they return; the channels of a position stay there
PIECES = {"chunk", "split", "split_with_sizes", "tensor_split", "unbind", "unsafe_chunk"}
OF_CHANNELS = {"slice", "narrow", *PIECES}
RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")
# the argument whose last axis a matrix product sums over
FIRST_FACTORS = {
    **dict.fromkeys(("mm", "bmm", "matmul", "mv", "dot"), "self"),
    "linear": "input",
    "addmm": "mat1",
    "baddbmm": "batch1",
}
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def read_call(call: Call) -> Layers:
    """Return the layers that an operation is; one ``Operator`` where the grammar has none."""
    reader = READERS.get(call.step.operator)
    layers: Layers = () if reader is None else reader(call)
    return layers or (read_operator(call),)


def read_operator(call: Call) -> Operator:
    """Return an operation as what it returns, holds and multiplies."""
    return Operator(
        choose_kind(call),
        take_sample(call.shape),
        params=call.params,
        buffers=call.buffers,
        products=count_products(call),
        pointwise=is_pointwise(call),
    )


def choose_kind(call: Call) -> str:
    """Return ``scale`` or ``shift`` where one factor or summand is constant, else aten's name."""
    operator = call.step.operator.strip("_")
    if len(call.activations) == 1 and operator in SCALES:
        first = isinstance(call.settings["self"], Activation)
        return SCALES[operator] if first or operator in ("mul", "add") else operator
    return KINDS.get(operator, operator)


def is_pointwise(call: Call) -> bool:
    """Return whether every output value depends on values at its own position only."""
    values, operator = call.activations, call.step.operator
    if any(len(x.shape) < 3 or x.shape[2:] != call.shape[2:] for x in values):
        return False
    if operator in OF_CHANNELS:
        return call.axis() == 1
    return call.step.pointwise or operator in NORMS


def count_products(call: Call) -> int:
    """Count the multiply-adds of convolutions, matrix products and recurrent layers."""
    operator, outputs = call.step.operator, prod(call.shape)
    if operator in COUNTERS:
        return COUNTERS[operator](call)
    if operator in FIRST_FACTORS:
        return outputs * call.shape_of(FIRST_FACTORS[operator])[-1]
    if operator.startswith("conv_transpose"):
        return prod(call.shape_of("input")) * prod(call.shape_of("weight")[1:])
    return outputs * prod(call.shape_of("weight")[1:]) if KINDS.get(operator) == "conv" else 0


def count_attention(call: Call) -> int:
    """Count the products of queries with keys, and of their weights with values."""
    query, key, value = (call.shape_of(name) for name in ("query", "key", "value"))
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def count_recurrent(call: Call) -> int:
    """Count one multiply-add per entry of every weight matrix and step of the sequence."""
    x, settings = call.settings["input"], call.settings
    steps = x.shape[1 if settings.get("batch_first") and len(x.shape) > 2 else 0]
    matrices = [p.shape for p in walk(settings["params"]) if isinstance(p, Constant)]
    return int(steps) * sum(prod(shape) for shape in matrices if len(shape) == 2)


def count_einsum(call: Call) -> int:
    """Count the products of an ``einsum`` of two values: one per combination of its indices."""
    values = [v for v in walk([call.settings["tensors"]]) if isinstance(v, Activation | Constant)]
    terms = call.settings["equation"].replace(" ", "").partition("->")[0].split(",")
    if len(values) != 2 or not set("".join(terms)) <= LETTERS:
        return 0
    sizes = {
        letter: size
        for term, value in zip(terms, values, strict=True)
        for letter, size in zip(term, value.shape, strict=True)
    }
    return prod(sizes.values())


COUNTERS: dict[str, Callable[[Call], int]] = {
    **dict.fromkeys(RECURRENT, count_recurrent),
    "scaled_dot_product_attention": count_attention,
    "einsum": count_einsum,
}
