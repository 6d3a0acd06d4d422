"""Convolutions and pools of a file as the calculator's own layers."""

from collections.abc import Mapping

from calculator.errors import CalculatorError
from calculator.layers.base import Layer
from calculator.layers.convolutions import Conv, DepthwiseConv, TransposedConv
from calculator.layers.pools import AdaptivePool, Pool
from calculator.layers.shapes import LARGEST_AXES, Borders, Padding, Sides
from calculator.layers.windows import split_same
from calculator.reading.onnx_file.values import Operation, Sizes, Value

# kind -> positions of weight and bias among the inputs
CONVS = {"Conv": (1, 2), "ConvInteger": (1, 9), "QLinearConv": (3, 8)}
TRANSPOSED = {"ConvTranspose": (1, 2)}
POOLS = {"MaxPool": "max", "AveragePool": "avg", "LpPool": "lp"}
WINDOWS = {*CONVS, *TRANSPOSED, *POOLS}


def build_window(operation: Operation, values: Mapping[str, Value]) -> tuple[Layer, Sizes]:
    """Return the layer of a convolution or pool, and the sizes of its output.

    Args:
        operation: one of ``WINDOWS``.
        values: of every tensor so far.

    Raises:
        CalculatorError: a setting makes no sense, or the window does not fit.
    """
    sizes = values[operation.inputs[0]].sizes
    axes = len(sizes) - 2
    if not 1 <= axes <= LARGEST_AXES:
        message = f"its input has {axes} spatial axes; 1 to {LARGEST_AXES} are read"
        raise operation.refuse(message)
    if operation.kind in POOLS:
        layer = build_pool(operation, sizes)
    else:
        weight, bias = (CONVS | TRANSPOSED)[operation.kind]
        name = operation.find_input(weight)
        if name not in values or len(values[name].sizes) != len(sizes):
            message = "its weight has other axes than its input; export the network again"
            raise operation.refuse(message)
        build = build_transposed if operation.kind in TRANSPOSED else build_conv
        has_bias = bool(operation.find_input(bias))
        layer = build(operation, sizes, weight=values[name].sizes, bias=has_bias)
    return layer, (sizes[0], *derive_sizes(operation, layer, sizes=sizes))


def derive_sizes(operation: Operation, layer: Layer, *, sizes: Sizes) -> Sizes:
    """Return channels and sizes of a layer's output.

    Raises:
        CalculatorError: it does not fit its input.
    """
    if min(sizes) < 1:
        message = f"its input has the sizes {sizes}, and nothing in it; give a larger --input"
        raise operation.refuse(message)
    try:
        return layer.derive((sizes[1:],)).shape
    except CalculatorError as error:
        raise operation.misfit(error.message) from error


def build_conv(operation: Operation, sizes: Sizes, *, weight: Sizes, bias: bool) -> Layer:
    """Return a convolution; a depthwise one where every channel is a group."""
    axes, groups = len(sizes) - 2, operation.read_number("group", 1)
    filters, kernel = weight[0], weight[2:]
    if groups < 1 or min(weight) < 1 or weight[1] * groups != sizes[1] or filters % groups:
        message = (
            f"{groups} groups and a weight of {weight} do not fit {sizes[1]} channels; "
            "export the network again"
        )
        raise operation.misfit(message)
    stride = read_sides(operation, "strides", axes=axes)
    dilation = read_sides(operation, "dilations", axes=axes)
    padding = read_padding(operation, sizes[2:], window=(kernel, stride, dilation))
    if groups == sizes[1] > 1:
        multiplier = filters // groups
        return DepthwiseConv(kernel, multiplier, stride, padding, dilation, bias=bias)
    return Conv(filters, kernel, stride, padding, dilation, groups, bias=bias)


def build_transposed(operation: Operation, sizes: Sizes, *, weight: Sizes, bias: bool) -> Layer:
    """Return a transposed convolution."""
    axes, groups = len(sizes) - 2, operation.read_number("group", 1)
    if groups < 1 or min(weight) < 1 or weight[0] != sizes[1] or sizes[1] % groups:
        message = (
            f"{groups} groups and a weight of {weight} do not fit {sizes[1]} channels; "
            "export the network again"
        )
        raise operation.misfit(message)
    kernel = weight[2:]
    stride = read_sides(operation, "strides", axes=axes)
    dilation = read_sides(operation, "dilations", axes=axes)
    extra = operation.read_numbers("output_padding", count=axes, least=0, default=0)
    padding = crop_transposed(operation, sizes[2:], window=(kernel, stride, dilation), extra=extra)
    return TransposedConv(
        weight[1] * groups, kernel, stride, padding, extra, dilation, groups, bias=bias
    )


def crop_transposed(
    operation: Operation, sizes: Sizes, *, window: tuple[Sides, Sides, Sides], extra: Sides
) -> Borders:
    """Return what is cropped from a transposed convolution.

    ONNX operator reference, ConvTranspose: with ``output_shape`` or ``SAME``, half of what
    is too much goes from each side, the odd rest from the end only for ``SAME_UPPER``.
    """
    axes, auto = len(sizes), operation.read_text("auto_pad", "NOTSET")
    shape = operation.settings.get("output_shape")
    if shape:
        wanted = operation.read_numbers("output_shape", count=axes, least=1, default=1)
    elif auto in ("SAME_UPPER", "SAME_LOWER"):
        wanted = tuple(size * step for size, step in zip(sizes, window[1], strict=True))
    elif auto == "VALID":
        return ((0, 0),) * axes
    else:
        return read_pads(operation, axes)
    borders = []
    for size, kernel, step, dilation, more, target in zip(
        sizes, *window, extra, wanted, strict=True
    ):
        excess = step * (size - 1) + more + dilation * (kernel - 1) + 1 - target
        if excess < 0:
            message = f"an output of size {target} is larger than its windows reach; use less"
            raise operation.refuse(message)
        half = excess // 2
        borders.append((half, excess - half) if auto == "SAME_UPPER" else (excess - half, half))
    return tuple(borders)


def build_pool(operation: Operation, sizes: Sizes) -> Layer:
    """Return a pool; one of single values is adaptive pooling that had nothing to do."""
    axes = len(sizes) - 2
    kernel = operation.read_numbers("kernel_shape", count=axes, least=1, default=0)
    if min(kernel) < 1:
        message = "kernel_shape is missing; export the network again"
        raise operation.refuse(message)
    stride = read_sides(operation, "strides", axes=axes)
    dilation = read_sides(operation, "dilations", axes=axes)
    padding = read_padding(operation, sizes[2:], window=(kernel, stride, dilation))
    mode = POOLS[operation.kind]
    plain = not isinstance(padding, str) and not any(side for pair in padding for side in pair)
    if mode == "avg" and plain and {*kernel, *stride} == {1}:
        return AdaptivePool("avg", sizes[2:])
    ceil = operation.read_number("ceil_mode", 0) == 1 and padding != "same"
    return Pool("max" if mode == "max" else "avg", kernel, stride, padding, dilation, ceil=ceil)


def read_sides(operation: Operation, name: str, *, axes: int) -> Sides:
    """Return strides or dilations, 1 by default."""
    return operation.read_numbers(name, count=axes, least=1, default=1)


def read_pads(operation: Operation, axes: int) -> Borders:
    """Return the attribute ``pads``: all sides before, then all sides behind."""
    pads = operation.read_numbers("pads", count=2 * axes, least=0, default=0)
    return tuple(zip(pads[:axes], pads[axes:], strict=True))


def read_padding(
    operation: Operation, sizes: Sizes, *, window: tuple[Sides, Sides, Sides]
) -> Padding:
    """Return what is added around the input, from ``pads`` or ``auto_pad``."""
    auto = operation.read_text("auto_pad", "NOTSET")
    if auto == "SAME_UPPER":
        return "same"
    if auto == "SAME_LOWER":
        return tuple((after, before) for before, after in split_same(sizes, window))
    return ((0, 0),) * len(sizes) if auto == "VALID" else read_pads(operation, len(sizes))
