"""Every formula of the calculator, each in one place.

The letters: ``L`` or ``H, W`` or ``D, H, W`` are sizes along the spatial axes, ``k`` the
kernel, ``s`` the stride, ``p`` the padding (``p_0`` and ``p_1`` where the two sides
differ), ``d`` the dilation, ``g`` the groups, ``C`` channels, ``N`` the batch.

Arithmetic of windows after Dumoulin and Visin 2016, "A guide to convolution arithmetic
for deep learning", sections 2 and 4; receptive fields after Araujo, Norris and Sim 2019,
"Computing Receptive Fields of Convolutional Neural Networks", section 2.
"""

from functools import cache

from calculator.arithmetic.expressions import (
    Expression,
    Folded,
    Formula,
    Name,
    Number,
    Operation,
    ceil,
    floor,
    least,
    multiply,
)

AXES = {0: (), 1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}

N, C, C_IN, C_OUT = Name("N"), Name("C"), Name("C_in"), Name("C_out")
K, S, D, G = Name("k"), Name("s"), Name("d"), Name("g")
F_IN, F_OUT = Name("F_in"), Name("F_out")


def to_padding(*, symmetric: bool) -> Expression:
    """Return what padding adds to an axis: ``2*p``, or ``p_0 + p_1`` where they differ."""
    return Folded(2 * Name("p")) if symmetric else Name("p_0") + Name("p_1")


@cache
def window_size(axis: str, *, symmetric: bool = True) -> Formula:
    """Return the output size of a convolution or pooling window along an axis."""
    room = Name(axis) + to_padding(symmetric=symmetric)
    return Formula(f"{axis}_out", floor(room - Folded(D * (K - 1)) - 1, S) + 1)


@cache
def ceil_window_size(axis: str, *, symmetric: bool = True) -> Formula:
    """Return the output size of a pooling window in ceil mode.

    The second choice keeps only windows that start inside the input or the padding
    before it; a window that begins in the padding behind would see nothing.
    """
    room = Name(axis) + to_padding(symmetric=symmetric)
    before = Name("p") if symmetric else Name("p_0")
    windows = ceil(room - Folded(D * (K - 1)) - 1, S) + 1
    return Formula(f"{axis}_out", least(windows, ceil(Name(axis) + before, S)))


@cache
def same_size(axis: str) -> Formula:
    """Return the output size under ``same`` padding: every stride-th position."""
    return Formula(f"{axis}_out", ceil(Name(axis), S))


@cache
def transposed_size(axis: str, *, symmetric: bool = True, extra: bool = False) -> Formula:
    """Return the output size of a transposed convolution; ``extra`` has output padding ``o``."""
    body = Folded((Name(axis) - 1) * S) - to_padding(symmetric=symmetric)
    body = body + Folded(D * (K - 1)) + 1
    return Formula(f"{axis}_out", body + Name("o") if extra else body)


@cache
def padded_size(axis: str) -> Formula:
    """Return the size after padding both sides."""
    return Formula(f"{axis}_out", Name(axis) + Name("p_0") + Name("p_1"))


@cache
def cropped_size(axis: str) -> Formula:
    """Return the size after cropping both sides."""
    return Formula(f"{axis}_out", Name(axis) - Name("p_0") - Name("p_1"))


@cache
def repeated_size(axis: str) -> Formula:
    """Return the size after upsampling or pixel shuffle by a factor ``r``."""
    return Formula(f"{axis}_out", Name(axis) * Name("r"))


def list_kernel(axes: int) -> tuple[Name, ...]:
    """Return ``k_H, k_W`` for two axes."""
    return tuple(Name(f"k_{axis}") for axis in AXES[axes])


def list_sizes(axes: int, suffix: str = "") -> tuple[Name, ...]:
    """Return ``H, W`` for two axes, with ``suffix`` added to each."""
    return tuple(Name(axis + suffix) for axis in AXES[axes])


def per_group(channels: Expression, *, grouped: bool) -> Expression:
    """Return the channels that one filter sees: all, or ``C/g``."""
    return Operation("/", channels, G) if grouped else channels


@cache
def conv_params(axes: int, *, grouped: bool, bias: bool) -> Formula:
    """Return the parameters of a convolution: ``(k_H*k_W*C_in + 1)*C_out``."""
    taps = multiply(*list_kernel(axes), per_group(C_IN, grouped=grouped))
    return Formula("params", (taps + 1) * C_OUT if bias else taps * C_OUT)


@cache
def linked_params(axes: int, *, bias: bool) -> Formula:
    """Return the parameters of a convolution whose filters see only some input maps.

    ``E`` counts the pairs of an input map and a filter that are connected (LeCun et al.
    1998, "Gradient-Based Learning Applied to Document Recognition", table 1).
    """
    taps = multiply(*list_kernel(axes), Name("E"))
    return Formula("params", taps + C_OUT if bias else taps)


@cache
def conv_macs(axes: int, *, grouped: bool) -> Formula:
    """Return the multiply-adds of a convolution: one per tap and output value."""
    outputs = multiply(N, C_OUT, *list_sizes(axes, "_out"))
    return Formula("macs", multiply(outputs, *list_kernel(axes), per_group(C_IN, grouped=grouped)))


@cache
def linked_macs(axes: int) -> Formula:
    """Return the multiply-adds of a convolution whose filters see only some input maps."""
    outputs = multiply(N, *list_sizes(axes, "_out"))
    return Formula("macs", multiply(outputs, *list_kernel(axes), Name("E")))


@cache
def transposed_params(axes: int, *, grouped: bool, bias: bool) -> Formula:
    """Return the parameters of a transposed convolution."""
    taps = multiply(C_IN, *list_kernel(axes), per_group(C_OUT, grouped=grouped))
    return Formula("params", taps + C_OUT if bias else taps)


@cache
def transposed_macs(axes: int, *, grouped: bool) -> Formula:
    """Return the multiply-adds of a transposed convolution: one per tap and *input* value."""
    inputs = multiply(N, C_IN, *list_sizes(axes))
    return Formula("macs", multiply(inputs, *list_kernel(axes), per_group(C_OUT, grouped=grouped)))


@cache
def activation_size(axes: int) -> Formula:
    """Return the number of output values."""
    return Formula("activations", multiply(N, C_OUT, *list_sizes(axes, "_out")))


@cache
def conv_links(axes: int) -> Formula:
    """Return the connections of a convolution with bias: its products and one per output."""
    return Formula("connections", Name("macs") + multiply(N, C_OUT, *list_sizes(axes, "_out")))


@cache
def subsample_links(axes: int) -> Formula:
    """Return the connections of trainable subsampling: the window's values and a bias."""
    outputs = multiply(N, C, *list_sizes(axes, "_out"))
    return Formula("connections", outputs * (multiply(*list_kernel(axes)) + 1))


@cache
def flat_size(axes: int) -> Formula:
    """Return the number of features after flattening."""
    return Formula("F_out", multiply(C, *list_sizes(axes)))


@cache
def shuffled_channels(axes: int) -> Formula:
    """Return the channels after pixel shuffle by ``r``: ``C/(r*r)`` for two axes."""
    return Formula("C_out", C / multiply(*(Name("r") for _ in range(axes))))


FLAT_ACTIVATIONS = Formula("activations", N * F_OUT)
DENSE_PARAMS = Formula("params", (F_IN + 1) * F_OUT)
DENSE_WEIGHTS = Formula("params", F_IN * F_OUT)
DENSE_MACS = Formula("macs", N * F_IN * F_OUT)
DENSE_LINKS = Formula("connections", Name("macs") + N * F_OUT)
PRODUCT_LINKS = Formula("connections", Name("macs"))
FIXED_WEIGHTS = Formula("buffers", F_IN * F_OUT)
NORM_PARAMS = Formula("params", Number(2) * C)
NORM_BUFFERS = Formula("buffers", Number(2) * C)
# what a file's operation holds, and its matrix products for one sample
HELD_PARAMS = Formula("params", Name("values"))
HELD_BUFFERS = Formula("buffers", Name("values"))
HELD_PRODUCTS = Formula("macs", N * Name("products"))
SUBSAMPLE_PARAMS = Formula("params", Number(2) * C)

# memory, with 4 bytes per float32; what is alive and what is kept is said in the convention
PARAMS, BUFFERS = Name("params"), Name("buffers")
FORWARD_BYTES = Formula("forward_bytes", 4 * (PARAMS + BUFFERS + Name("alive")))
TRAINING_BYTES = Formula(
    "training_bytes", 4 * (3 * PARAMS + BUFFERS + 2 * Name("activations") + Name("entered"))
)

# along one axis, where every unit sees a window of the same extent
FIELD = Formula("field_out", Name("field") + Folded(D * (K - 1)) * Name("jump"))
JUMP = Formula("jump_out", Name("jump") * S)
START = Formula("start_out", Name("start") - Name("p") * Name("jump"))
