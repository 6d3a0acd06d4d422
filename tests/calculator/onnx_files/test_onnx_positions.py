"""Operations that move values end the receptive field; all others leave it as it is."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from calculator import CalculatorError, Report, load, summarize
from calculator.symbolic.letters import Alphabet, read_sides
from calculator.symbolic.templates import read_template

Weights = Mapping[str, tuple[int, ...] | np.ndarray]
Write = Callable[..., Path]
W: Weights = {"w": (3, 3, 3, 3)}
LINEAR = 'd = Resize<mode="linear">(x, , s)'


def read(path: Path) -> Report:
    """Return a file's table."""
    return summarize(load(path))


def scale(factor: float) -> Weights:
    """Return a convolution's weight and the factors of a resize."""
    return {**W, "s": np.array([1, 1, factor, factor], np.float32)}


MOVING: list[tuple[str, Weights, int]] = [
    (LINEAR, scale(0.5), 17),
    (LINEAR, scale(2), 17),
    ("d = Resize(x, , s)", scale(0.5), 17),
    ("d = Resize(x, , s)", scale(1.5), 17),
    ("d = Resize(x, , s)", scale(2.1), 17),
    ('d = Resize<coordinate_transformation_mode="tf_half_pixel_for_nn">(x, , s)', scale(1), 17),
    ("d = Resize(x, , , z)", {**W, "z": np.array([1, 3, 4, 4])}, 17),
    ('d = Upsample<mode="linear">(x, s)', scale(2), 9),
    ("d = Softmax<axis=3>(x)", W, 17),
    ("d = LogSoftmax<axis=2>(x)", W, 17),
    ("d = Hardmax(x)", W, 17),
    ("d = Softmax<axis=1>(x)", W, 11),
    ("d = CumSum(x, a)", {**W, "a": np.array(2)}, 17),
    ("d = SpaceToDepth<blocksize=2>(x) e = DepthToSpace<blocksize=2>(d)", {}, 17),
    ("a = ReduceMean<axes=[3]>(x) b = Relu(x) d = Add(a, b)", {}, 17),
    ("a = MaxPool<kernel_shape=[1,8]>(x) d = Mul(a, k)", {"k": (1, 3, 8, 8)}, 17),
    ("d = Transpose<perm=[0,1,3,2]>(x)", W, 17),
]


@pytest.mark.parametrize(("body", "weights", "opset"), MOVING)
def test_operation_that_moves_or_mixes_positions_ends_the_field(
    write: Write, body: str, weights: Weights, opset: int
) -> None:
    """Behind it no row has a receptive field, rather than a wrong one."""
    last = "y = Conv(d, w)" if "w" in weights else "y = Tanh(d)"
    report = read(write(f"{body} {last}", weights, opset=opset))
    assert len(report.rows) > 1
    assert report.rows[-1].fields is None


STEADY: list[tuple[str, Weights, int]] = [
    ("d = Softmax<axis=1>(x)", {}, 17),
    ("d = LogSoftmax<axis=1>(x)", {}, 17),
    ("d = Exp(x)", {}, 17),
    ("d = Mul(x, k)", {"k": (1, 3, 1, 1)}, 17),
    ("a = Relu(x) d = Sub(a, x)", {}, 17),
    ("d = PRelu(x, k)", {"k": (3, 1, 1)}, 17),
    ("d = GroupNormalization<num_groups=3>(x, k, k)", {"k": (3,)}, 21),
    ("d = LayerNormalization<axis=1>(x, k)", {"k": (3, 8, 8)}, 17),
    ("d = Resize(x, , s)", {"s": np.ones(4, np.float32)}, 17),
]


@pytest.mark.parametrize(("body", "weights", "opset"), STEADY)
def test_operation_on_single_values_leaves_the_field(
    write: Write, body: str, weights: Weights, opset: int
) -> None:
    """Normalisation is taken as acting on single values; so are softmaxes over channels."""
    row = read(write(f"{body} y = Conv(d, w)", {**weights, **W}, opset=opset)).rows[-1]
    assert row.fields is not None
    assert [(f.first, f.last, f.advance) for f in row.fields] == [((0,), (2,), 1)] * 2


def test_group_norm_keeps_its_shape_and_counts_its_weights(write: Write) -> None:
    """A scale and a shift per channel; onnx infers no sizes of it."""
    body = "y = GroupNormalization<num_groups=2>(x, s, b)"
    (row,) = read(write(body, {"s": (8,), "b": (8,)}, opset=21, x="float[N,8,4,4] x")).rows
    assert (row.node.layer.kind, row.derived.shape, row.params) == (
        "groupnormalization",
        (8, 4, 4),
        16,
    )


FILL = "ConstantOfShape<value = float[1] {{{}}}>"


def test_filled_weights_count_wherever_they_are_read(write: Write) -> None:
    """Test data leave weights out and fill their shapes; a scale counts like a convolution."""
    fill = FILL.format(0.02)
    body = (
        f"w = {fill}(a) s = {fill}(k) n = {fill}(k) "
        "c = Conv<pads=[1,1,1,1]>(x, w) b = BatchNormalization(c, s, n, s, n) "
        "v = Unsqueeze(u, d) g = Mul(b, v) z = Unsqueeze(t, d) y = Add(g, z)"
    ).replace("v = U", f"u = {fill}(k) t = {fill}(k) v = U")
    sizes: Weights = {"a": np.array([3, 3, 3, 3]), "k": np.array([3]), "d": np.array([1, 2])}
    rows = read(write(body, sizes)).rows
    kinds = [row.node.layer.kind for row in rows]
    assert kinds == ["conv", "batchnorm", "scale", "shift"]
    assert [row.params for row in rows] == [81, 6, 3, 3]


def test_large_filled_weights_count_wherever_they_are_read(write: Write) -> None:
    """Those that are too large to compute with are counted alike."""
    body = f"w = {FILL.format(0.02)}(a) c = Relu(x) y = MatMul(c, w)"
    sizes: Weights = {"a": np.array([192, 100])}
    assert read(write(body, sizes, x="float[N,4,192] x")).params == 19_200
    body = f"c = Conv(x, w) f = Flatten(c) m = {FILL.format(0.02)}(a) y = Mul(f, m)"
    sizes = {**W, "a": np.array([1, 4 * 36 * 36])}
    rows = read(write(body, {**sizes, "w": (4, 3, 3, 3)}, x="float[N,3,38,38] x")).rows
    assert rows[-1].params == 4 * 36 * 36


@pytest.mark.parametrize("number", [0.0, 1.0])
def test_tensors_filled_with_zeros_or_ones_are_no_weights(write: Write, number: float) -> None:
    """Exporters fill them in; nothing of them is trained."""
    body = f"c = Conv<pads=[1,1,1,1]>(x, w) m = {FILL.format(number)}(k) y = Sub(c, m)"
    rows = read(write(body, {**W, "k": np.array([1, 3, 8, 8])})).rows
    assert [(row.params, row.buffers) for row in rows][1:] in ([(0, 0)], [])


SHAPES: list[tuple[str, Weights]] = [
    ("y = Reshape(x, v)", {"v": np.array([0, 3, 4, 16])}),
    ("y = Expand(x, v)", {"v": np.array([2, 1, 3, 8, 8])}),
    ("y = Tile(x, v)", {"v": np.array([1, 1, 2, 2])}),
    ("a, y = Split<axis=1>(x, v)", {"v": np.array([1, 2])}),
    ("y = ReduceSum(x, v)", {"v": np.array([1, 2])}),
    ("y = Gather<axis=1>(x, v)", {"v": np.array([0, 2])}),
]


@pytest.mark.parametrize(("body", "weights"), SHAPES)
def test_numbers_that_say_shapes_and_places_are_not_stored(
    write: Write, body: str, weights: Weights
) -> None:
    """They are settings of the operation, neither parameters nor buffers."""
    report = read(write(body, weights))
    assert (report.params, report.buffers) == (0, 0)


def test_table_that_is_looked_up_counts(write: Write) -> None:
    """The places are settings, what lies there is trained."""
    (row,) = read(write("y = Gather(e, i)", {"e": (9, 5)}, x="int64[N,4] i")).rows
    assert (row.derived.shape, row.params) == ((4, 5), 45)


def test_letters_at_a_layer_of_unknown_sizes_ask_for_numbers(write: Write) -> None:
    """Also of a file that leaves its sizes open: none of them is the file's input."""
    path = write(f"{LINEAR} y = Conv(d, w)", scale(0.5), x="float[N,3,H,W] x")
    message = r"\(resize\): its output is known for numbers only, .* other sizes .*; give numbers"
    with pytest.raises(CalculatorError, match=message):
        read_template(str(path), read_sides("3xHxW", Alphabet()))


FULL = "a = Flatten(x) y = Gemm(a, w)"


@pytest.mark.parametrize(
    ("body", "x", "given", "stated"),
    [
        (FULL, "float[N,3,8,8] x", (3, 9, 9), r"\[N, 3, 8, 8\]"),
        (FULL, "float[N,3,H,W] x", (3, 9, 9), r"\[N, 3, H, W\]"),
        ("y = Conv(x, v)", "float[N,3,H,W] x", (1, 8, 8), r"\[N, 3, H, W\]"),
        ("y = Conv(x, v)", "float[N,3,H,W] x", (3, 2, 8), r"\[N, 3, H, W\]"),
        ("y = ConvTranspose(x, v)", "float[N,3,H,W] x", (1, 8, 8), r"\[N, 3, H, W\]"),
    ],
)
def test_given_input_that_does_not_fit_is_named(
    write: Write, body: str, x: str, given: tuple[int, ...], stated: str
) -> None:
    """The error blames the input, says what the file states, and asks for no other file."""
    path = write(body, {"w": (192, 5), "v": (3, 3, 3, 3)}, x=x)
    shown = "x".join(map(str, given))
    message = rf"the file's layers do not fit --input {shown}; the file states the input {stated}"
    with pytest.raises(CalculatorError, match=message) as caught:
        load(path, input_shape=given)
    assert "export" not in caught.value.message


@pytest.mark.parametrize("given", [None, (3, 8, 8)])
def test_file_that_does_not_fit_its_own_input_is_at_fault(
    write: Write, given: tuple[int, ...] | None
) -> None:
    """Also where the caller gives the very input that the file states."""
    path = write("y = Conv(x, v)", {"v": (3, 4, 3, 3)})
    with pytest.raises(CalculatorError, match=r"fit 3 channels; export the network again$"):
        load(path, input_shape=given)


def test_unknown_operator_is_named_with_its_domain(write: Write) -> None:
    """The error says whose operator it is, and that its sizes are unknown."""
    message = r"the sizes of its output are unknown: 'Foo' is an operator of the domain 'other'"
    with pytest.raises(CalculatorError, match=message):
        load(write("y = other.Foo(x)"))


def test_single_open_size_is_named(write: Write) -> None:
    """A list of open sizes is not empty where the only axis is open."""
    with pytest.raises(CalculatorError, match=r"open \(n of \[n\]\); .*--input 256$"):
        load(write("y = Relu(x)", x="float[n] x"))
