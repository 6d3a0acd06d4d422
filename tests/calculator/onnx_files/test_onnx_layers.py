"""Operations of ONNX files become the layers of the grammar, whatever the opset and exporter."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from calculator import Network, Report, load, parse, summarize

Weights = Mapping[str, tuple[int, ...] | np.ndarray]
Write = Callable[..., Path]


def list_rows(network: Network) -> list[tuple[object, ...]]:
    """Return what the table says of every layer but its name."""
    rows: list[tuple[object, ...]] = []
    for row in summarize(network).rows:
        fields = None if row.fields is None else [(f.first, f.last, f.advance) for f in row.fields]
        counts = (row.params, row.buffers, row.macs, row.connections)
        rows.append((row.node.layer.kind, row.derived.shape, *counts, fields))
    return rows


def read(path: Path) -> Report:
    """Return a file's table."""
    return summarize(load(path))


W = {"w": (4, 3, 3, 3), "b": (4,)}
D = {"w": (3, 1, 3, 3)}
T = {"w": (3, 4, 3, 3), "b": (4,)}
NORM = {"s": (3,), "b": (3,), "m": (3,), "v": (3,)}
PADS = "p = Constant<value = int64[8] {0,0,1,2,0,0,3,4}>() "
HALF = "h = Constant<value = float {0.5}>() "

CASES: list[tuple[str, str, Weights, int]] = [
    ("conv 4@3", "y = Conv(x, w, b)", W, 7),
    ("conv 4@3 s2 p1 d2", "y = Conv<strides=[2,2],pads=[1,1,1,1],dilations=[2,2]>(x,w,b)", W, 11),
    ("conv 4@3 p1:0x2:1 nobias", "y = Conv<pads=[1,2,0,1]>(x, w)", {"w": (4, 3, 3, 3)}, 13),
    ("conv 4@3 s3 same", 'y = Conv<auto_pad="SAME_UPPER",strides=[3,3]>(x, w, b)', W, 17),
    ("conv 4@3 s2 p1:0", 'y = Conv<auto_pad="SAME_LOWER",strides=[2,2]>(x, w, b)', W, 17),
    ("conv 4@3", 'y = Conv<auto_pad="VALID",pads=[0,0,0,0]>(x, w, b)', W, 21),
    ("dwconv 3 nobias", "y = Conv<group=3>(x, w)", D, 7),
    ("dwconv 3 m2 nobias", "y = Conv<group=3>(x, w)", {"w": (6, 1, 3, 3)}, 7),
    ("conv 4@3", "a = Conv(x, w) y = Add(a, b)", {**W, "b": (1, 4, 1, 1)}, 13),
    ("conv 4@3", "a = Conv(x, w) y = Add(b, a)", {**W, "b": (4, 1, 1)}, 13),
    ("tconv 4@3 s2 p1 o1", ("y = ConvTranspose<strides=[2,2],pads=[1,1,1,1],output_padding=[1,1]>"
     "(x, w, b)"), T, 7),
    ("tconv 4@3 s2 p1:0", "y = ConvTranspose<strides=[2,2],output_shape=[16,16]>(x,w,b)", T, 11),
    ("tconv 4@3 s2 p0:1", 'y = ConvTranspose<strides=[2,2],auto_pad="SAME_UPPER">(x,w,b)', T, 11),
    ("maxpool 2 s1", "y = MaxPool<kernel_shape=[2,2]>(x)", {}, 7),
    ("maxpool 3 s2 p1 ceil", ("y, i = MaxPool<kernel_shape=[3,3],strides=[2,2],pads=[1,1,1,1],"
     "ceil_mode=1>(x)"), {}, 12),
    ("avgpool 2", "y = AveragePool<kernel_shape=[2,2],strides=[2,2]>(x)", {}, 7),
    ("adaptiveavgpool 8", "y = AveragePool<kernel_shape=[1,1]>(x)", {}, 7),
    ("globalavgpool", "y = GlobalAveragePool(x)", {}, 7),
    ("globalmaxpool", "y = GlobalMaxPool(x)", {}, 7),
    ("globalavgpool", "y = ReduceMean<axes=[2,3]>(x)", {}, 13),
    ("globalavgpool | flatten", "y = ReduceMean<axes=[-1,-2],keepdims=0>(x)", {}, 13),
    ("globalmaxpool", "a = Constant<value = int64[2] {2,3}>() y = ReduceMax(x, a)", {}, 18),
    ("batchnorm", "y = BatchNormalization(x, s, b, m, v)", NORM, 7),
    ("batchnorm", "y = BatchNormalization<momentum=0.9>(x, s, b, m, v)", NORM, 15),
    ("instancenorm", "y = InstanceNormalization(x, s, b)", {"s": (3,), "b": (3,)}, 7),
    ("lrn 3", "y = LRN<size=3>(x)", {}, 7),
    ("relu", "y = Relu(x)", {}, 7),
    ("relu6", "y = Clip<min=0.0,max=6.0>(x)", {}, 7),
    ("relu6", ("l = Constant<value = float {0.0}>() h = Constant<value = float {6.0}>() "
     "y = Clip(x, l, h)"), {}, 13),
    ("relu", "l = Constant<value = float {0.0}>() y = Clip(x, l)", {}, 13),
    ("relu6", "h = Constant<value = float {6.0}>() a = Relu(x) y = Min(a, h)", {}, 13),
    ("leakyrelu", "y = LeakyRelu(x)", {}, 7),
    ("elu", "y = Elu(x)", {}, 7),
    ("gelu", "y = Gelu(x)", {}, 20),
    ("silu", "a = Sigmoid(x) y = Mul(a, x)", {}, 7),
    ("hardswish", "y = HardSwish(x)", {}, 14),
    ("hardswish", "a = HardSigmoid<alpha=0.1667>(x) y = Mul(x, a)", {}, 13),
    ("hardswish", ("t = Constant<value = float {3.0}>() s = Constant<value = float {6.0}>() "
     "a = Add(x, t) c = Clip<min=0.0,max=6.0>(a) d = Div(c, s) y = Mul(x, d)"), {}, 10),
    ("softplus", "y = Softplus(x)", {}, 7),
    ("sigmoid", "y = Sigmoid(x)", {}, 7),
    ("hardsigmoid", "y = HardSigmoid(x)", {}, 7),
    ("tanh", "y = Tanh(x)", {}, 7),
    ("softmax", "y = Softmax<axis=1>(x)", {}, 13),
    ("dropout", "y, m = Dropout<ratio=0.3>(x)", {}, 7),
    ("dropout", f"{HALF} y = Dropout(x, h)", {}, 13),
    ("flatten", "y = Flatten(x)", {}, 7),
    ("flatten", "s = Constant<value = int64[2] {0,-1}>() y = Reshape(x, s)", {}, 7),
    ("flatten", ("h = Shape(x) i = Constant<value = int64 {0}>() n = Gather(h, i) "
     "a = Constant<value = int64[1] {0}>() u = Unsqueeze(n, a) "
     "r = Constant<value = int64[1] {-1}>() s = Concat<axis=0>(u, r) y = Reshape(x, s)"), {}, 13),
    ("pad 1:3x2:4", "y = Pad<pads=[0,0,1,2,0,0,3,4]>(x)", {}, 7),
    ("pad 1:3x2:4 reflect", f'{PADS} y = Pad<mode="reflect">(x, p)', {}, 11),
    ("pad 1:3x2:4 edge", ('p = Constant<value = int64[4] {1,2,3,4}>() '
     'a = Constant<value = int64[2] {2,3}>() y = Pad<mode="edge">(x, p, , a)'), {}, 21),
    ("crop 1", "y = Pad<pads=[0,0,-1,-1,0,0,-1,-1]>(x)", {}, 7),
    ("crop 1:2x0:3", "y = Slice<axes=[2,3],starts=[1,0],ends=[-2,5]>(x)", {}, 9),
    ("crop 0:0x3:0", ("s = Constant<value = int64[1] {3}>() e = Constant<value = int64[1] {99}>() "
     "a = Constant<value = int64[1] {-1}>() y = Slice(x, s, e, a)"), {}, 13),
    ("upsample 2", "y = Upsample<scales=[1.0,1.0,2.0,2.0]>(x)", {}, 7),
    ("upsample 3", "s = Constant<value = float[4] {1.0,1.0,3.0,3.0}>() y = Upsample(x, s)", {}, 9),
    ("upsample 2", "s = Constant<value = float[4] {1.0,1.0,2.0,2.0}>() y = Resize(x, s)", {}, 10),
    ("upsample 2", ("z = Constant<value = int64[4] {1,3,16,16}>() "
     'y = Resize<coordinate_transformation_mode="asymmetric",nearest_mode="floor">(x, , , z)'),
     {}, 13),
    ("[ relu || tanh ] add", "a = Relu(x) b = Tanh(x) y = Add(a, b)", {}, 7),
    ("[ relu || tanh || ] add", "a = Relu(x) b = Tanh(x) y = Sum(a, b, x)", {}, 8),
    ("[ relu || conv 4@1 nobias ] concat", "a = Relu(x) b = Conv(x, w) y = Concat<axis=1>(a, b)",
     {"w": (4, 3, 1, 1)}, 7),
    ("flatten | fc 5", "a = Flatten(x) y = Gemm<transB=1>(a, w, b)", {"w": (5, 192), "b": (5,)}, 7),
    ("flatten | fc 5 nobias", "a = Flatten(x) y = Gemm(a, w)", {"w": (192, 5)}, 11),
    ("flatten | fc 5", "a = Flatten(x) m = MatMul(a, w) y = Add(m, b)",
     {"w": (192, 5), "b": (5,)}, 9),
    ("flatten | fc 5 nobias", "a = Flatten(x) t = Transpose<perm=[1,0]>(w) y = MatMul(a, t)",
     {"w": (5, 192)}, 13),
]  # fmt: skip
FILLED = "n = Constant<value = int64[1] {4}>() "
# what exporters write around a layer, and what is none of it
CASES += [
    ("conv 4@3 nobias", f"{FILLED} z = ConstantOfShape(n) y = Conv(x, w, z)", W, 13),
    (
        "pad 1:3x2:4",
        (
            "r = Constant<value = int64[4] {2,4,1,3}>() o = Constant<value = int64[4] {0,0,0,0}>() "
            "c = Concat<axis=0>(r, o) v = Constant<value = int64[2] {-1,2}>() m = Reshape(c, v) "
            "a = Constant<value = int64[1] {0}>() b = Constant<value = int64[1] {-1}>() "
            "l = Constant<value = int64[1] {-9223372036854775807}>() s = Slice(m, b, l, a, b) "
            "t = Transpose<perm=[1,0]>(s) f = Constant<value = int64[1] {-1}>() u = Reshape(t, f) "
            "p = Cast<to=7>(u) y = Pad(x, p)"
        ),
        {},
        13,
    ),
]


@pytest.mark.parametrize(("line", "body", "weights", "opset"), CASES)
def test_operation_is_the_layer_of_the_line(
    write: Write, line: str, body: str, weights: Weights, opset: int
) -> None:
    """Kind, shape, counts and receptive field are those that the grammar gives."""
    network = load(write(body, weights, opset=opset))
    assert list_rows(network) == list_rows(parse(f"3x8x8 | {line}"))


def test_pixel_shuffle_is_one_layer_in_every_form(write: Write) -> None:
    """As an operator, and as a view, a transposition and a view with channels first or last."""
    view = "t = Reshape(x, v) p = Transpose<perm=[{}]>(t) y = Reshape(p, w)"
    shapes = {
        "0,1,4,2,5,3": ([0, 3, 2, 2, 8, 8], [0, 3, 16, 16]),
        "0,3,4,1,5,2": ([0, 2, 2, 3, 8, 8], [0, 3, 16, 16]),
    }
    expected = list_rows(parse("12x8x8 | pixelshuffle 2"))
    x = "float[N,12,8,8] x"
    assert list_rows(load(write("y = DepthToSpace<blocksize=2>(x)", x=x))) == expected
    for perm, (middle, after) in shapes.items():
        sizes: Weights = {"v": np.array(middle), "w": np.array(after)}
        assert list_rows(load(write(view.format(perm), sizes, x=x))) == expected
    last = "a = Transpose<perm=[0,2,3,1]>(x) b = Reshape(a, v) c = Transpose<perm=[0,1,3,2,4]>(b) "
    sizes = {"v": np.array([0, 0, 0, 2, 6]), "w": np.array([0, 16, 16, 3])}
    assert list_rows(load(write(f"{last} y = Reshape(c, w)", sizes, x=x))) == expected


GELUS = {
    "erf": "a = Div(x, r) e = Erf(a) f = Add(e, o) g = Mul(x, f) y = Mul(g, h)",
    "half first": "k = Mul(x, h) a = Div(x, r) e = Erf(a) f = Add(o, e) y = Mul(k, f)",
    "tanh": "q = Pow(x, t) p = Mul(q, c) s = Add(x, p) m = Mul(s, i) e = Tanh(m) f = Add(e, o) "
    "k = Mul(x, h) y = Mul(k, f)",
}


@pytest.mark.parametrize("body", GELUS.values(), ids=GELUS)
def test_gelu_is_recognised_in_every_order(write: Write, body: str) -> None:
    """With the error function or the tanh, and half of x taken first or last."""
    numbers = {"r": 2**0.5, "o": 1.0, "h": 0.5, "t": 3.0, "c": 0.044715, "i": 0.79788}
    constants = "".join(
        f"{name} = Constant<value = float {{{value}}}>() "
        for name, value in numbers.items()
        if f"{name})" in body or f"({name}," in body
    )
    assert list_rows(load(write(constants + body))) == list_rows(parse("3x8x8 | gelu"))


def test_part_of_a_formula_that_is_read_elsewhere_stays(write: Write) -> None:
    """x*sigmoid(x) is no SiLU where something else reads the sigmoid."""
    kinds = [
        row.node.layer.kind
        for row in read(write("a = Sigmoid(x) b = Mul(a, x) y = Add(a, b)")).rows
    ]
    assert kinds == ["sigmoid", "mul", "add"]


def test_local_response_norm_is_recognised_as_pytorch_takes_it_apart(write: Write) -> None:
    """Squares, their mean over a padded view, a power and a quotient are one layer."""
    sizes: Weights = {"v": np.array([0, 1, 3, 8, 8]), "p": np.array([0, 0, 1, 0, 0, 0, 0, 1, 0, 0])}
    sizes = {**sizes, "a": np.array([1], np.int64)}
    body = (
        "s = Mul(x, x) t = Reshape(s, v) u = Pad(t, p) "
        "m = AveragePool<kernel_shape=[3,1,1]>(u) q = Squeeze(m, a) "
        "k = Constant<value = float {0.0001}>() o = Constant<value = float {1.0}>() "
        "e = Constant<value = float {0.75}>() "
        "c = Mul(q, k) d = Add(c, o) f = Pow(d, e) y = Div(x, f)"
    )
    assert list_rows(load(write(body, sizes))) == list_rows(parse("3x8x8 | lrn 3"))


def test_instance_norm_is_recognised_from_means(write: Write) -> None:
    """Mean, difference, mean square and quotient are one layer; scale and shift follow."""
    body = (
        "e = Constant<value = float {0.00001}>() m = ReduceMean<axes=[2,3]>(x) d = Sub(x, m) "
        "q = Mul(d, d) v = ReduceMean<axes=[2,3]>(q) a = Add(v, e) r = Sqrt(a) y = Div(d, r)"
    )
    assert list_rows(load(write(body))) == list_rows(parse("3x8x8 | instancenorm noaffine"))


def test_view_that_is_read_elsewhere_stays(write: Write) -> None:
    """Half of a pixel shuffle that something else reads is not part of one."""
    sizes: Weights = {"v": np.array([0, 3, 2, 2, 8, 8]), "u": np.array([0, 3, 16, 16])}
    body = "t = Reshape(x, v) p = Transpose<perm=[0,1,4,2,5,3]>(t) y = Reshape(p, u) z = Relu(t)"
    rows = read(write(body, sizes, x="float[N,12,8,8] x", y="float y, float z")).rows
    assert [row.node.layer.kind for row in rows] == ["reshape", "transpose", "reshape", "relu"]
