"""Activations, normalisation, dropout, dense layers, sums and concatenations of aten as layers."""

from calculator.layers.dense import Dense
from calculator.layers.joins import Add, Concat
from calculator.layers.pointwise import Activation as Function
from calculator.layers.pointwise import BatchNorm, Dropout, InstanceNorm
from calculator.reading.aten.steps import Activation, Call, Constant
from calculator.reading.aten.windows import Layers

FUNCTIONS = {
    "leaky_relu": "leakyrelu",
    **{
        name: name
        for name in (
            *("relu", "relu6", "elu", "gelu", "silu", "hardswish"),
            *("softplus", "sigmoid", "hardsigmoid", "tanh"),
        )
    },
}
# names of what is multiplied, and of what is added
FACTORS = {
    "addmm": ("mat1", "mat2", "self"),
    "mm": ("self", "mat2", ""),
    "matmul": ("self", "other", ""),
}


def read_function(call: Call) -> Layers:
    """Read an activation function."""
    return (Function(FUNCTIONS[call.step.operator]),)


def read_clamp(call: Call) -> Layers:
    """Read a clamp from 0 to 6, or from 0, as what it is usually called."""
    settings = call.settings
    low = settings.get("min", settings.get("min_val"))
    high = settings.get("max", settings.get("max_val"))
    names = {(0, 6): "relu6", (0, None): "relu"}
    name = next((name for ends, name in names.items() if ends == (low, high)), None)
    return () if name is None else (Function(name),)


def read_softmax(call: Call) -> Layers:
    """Read a softmax over the channels."""
    return (Function("softmax"),) if call.is_sample() and call.axis() == 1 else ()


def read_batch_norm(call: Call) -> Layers:
    """Read batch normalisation of one sample, with a scale per channel or without."""
    if not call.is_sample() or not is_affine(call, of_any=True):
        return ()
    return (BatchNorm(affine=call.settings["weight"] is not None),)


def read_instance_norm(call: Call) -> Layers:
    """Read instance normalisation by the statistics of the sample."""
    if not call.is_sample() or len(call.shape) < 3 or not is_affine(call, of_any=False):
        return ()
    return (InstanceNorm(affine=call.settings["weight"] is not None),)


def is_affine(call: Call, *, of_any: bool) -> bool:
    """Return whether scale and shift are weights, both or neither, and the statistics fit."""
    weight, bias = call.settings["weight"], call.settings["bias"]
    plain = all(value is None or isinstance(value, Constant) for value in (weight, bias))
    stored = of_any or call.settings["running_mean"] is None
    return plain and stored and (weight is None) == (bias is None)


def read_dropout(call: Call) -> Layers:  # noqa: ARG001 - as all readers
    """Read dropout of any kind."""
    return (Dropout(),)


def read_linear(call: Call) -> Layers:
    """Read a dense layer on one row of values."""
    weight = call.settings["weight"]
    if not call.is_sample(0) or not isinstance(weight, Constant) or len(call.activations) > 1:
        return ()
    return (Dense(weight.shape[0], bias=call.settings["bias"] is not None),)


def read_product(call: Call) -> Layers:
    """Read the product of one row of values with a matrix of weights as a dense layer."""
    x, weight, bias = (call.settings.get(name) for name in FACTORS[call.step.operator])
    if not isinstance(x, Activation) or not isinstance(weight, Constant):
        return ()
    if not call.is_sample(0) or len(weight.shape) != 2 or isinstance(bias, Activation):
        return ()
    if bias is not None and bias.shape != weight.shape[1:]:
        return ()
    return (Dense(weight.shape[1], bias=bias is not None),)


def read_sum(call: Call) -> Layers:
    """Read the sum of two values of one shape."""
    shapes = [x.shape for x in call.activations]
    return (Add(),) if len(shapes) == 2 and shapes[0] == shapes[1] else ()


def read_concatenation(call: Call) -> Layers:
    """Read the concatenation of samples along their channels."""
    shapes = [x.shape for x in call.activations]
    if len(shapes) < len(call.settings["tensors"]) or not call.is_sample():
        return ()
    return (Concat(),) if call.axis() == 1 else ()


POINTWISE = {
    **dict.fromkeys(FUNCTIONS, read_function),
    **dict.fromkeys(("clamp", "clamp_min", "hardtanh"), read_clamp),
    "softmax": read_softmax,
    "batch_norm": read_batch_norm,
    "instance_norm": read_instance_norm,
    **dict.fromkeys(("dropout", "feature_dropout", "alpha_dropout"), read_dropout),
    "feature_alpha_dropout": read_dropout,
    "linear": read_linear,
    **dict.fromkeys(FACTORS, read_product),
    "add": read_sum,
    **dict.fromkeys(("cat", "concat", "concatenate"), read_concatenation),
}
