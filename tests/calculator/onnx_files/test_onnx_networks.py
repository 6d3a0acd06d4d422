"""ONNX files as whole networks: inputs, outputs, layouts, shared and quantised weights."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, parser

from calculator import CalculatorError, Network, Report, load, parse, summarize
from calculator.layers.operators import Operator

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


W: Weights = {"w": (4, 3, 3, 3), "b": (4,)}
NORM = {"s": (3,), "b": (3,), "m": (3,), "v": (3,)}


def test_channels_last_are_read_as_channels_first(write: Write) -> None:
    """A picture [N, H, W, C] that is transposed in front, and back behind, has no other table."""
    body = (
        "f = Cast<to=1>(x) s = Div(f, k) a = Transpose<perm=[0,3,1,2]>(s) c = Conv(a, w, b) "
        "t = Transpose<perm=[0,2,3,1]>(c) y = Relu(t)"
    )
    scale = np.array([255.0], np.float32)
    network = load(write(body, {**W, "k": scale}, x="uint8[N,8,9,3] x"))
    assert network.input == (3, 8, 9)
    assert [node.layer.kind for node in network.nodes] == ["scale", "conv", "relu"]
    assert list_rows(network)[1:] == list_rows(parse("3x8x9 | conv 4@3 | relu"))


def test_flatten_behind_a_transposition_is_one_layer(write: Write) -> None:
    """TensorFlow flattens with the channels last; the number of features is the same."""
    body = "t = Transpose<perm=[0,2,3,1]>(x) s = Constant<value = int64[2] {0,192}>() "
    network = load(write(f"{body} y = Reshape(t, s)"))
    assert list_rows(network) == list_rows(parse("3x8x8 | flatten"))


def test_transposition_that_is_needed_is_a_row(write: Write) -> None:
    """A product along another axis cannot do without it."""
    body = "a = Relu(x) t = Transpose<perm=[0,2,1]>(a) y = MatMul(t, w)"
    _, *rows = read(write(body, {"w": (3, 5)}, x="float[N,3,8] x")).rows
    assert [row.node.layer.kind for row in rows] == ["transpose", "matmul"]
    assert (rows[1].derived.shape, rows[1].params, rows[1].macs) == ((8, 5), 15, 8 * 3 * 5)


def test_quantised_weights_count_as_weights(write: Write) -> None:
    """Dequantised int8 weights are the convolution's; scales and zero points are nothing."""
    weights: Weights = {"q": np.ones((4, 3, 3, 3), np.int8), "s": (4,), "t": np.array(0.1, "f4")}
    weights = {**weights, "z": np.zeros((), np.uint8)}
    body = (
        "a = QuantizeLinear(x, t, z) c = DequantizeLinear(a, t, z) "
        "w = DequantizeLinear<axis=0>(q, s) y = Conv(c, w)"
    )
    rows = read(write(body, weights)).rows
    assert [row.node.layer.kind for row in rows] == ["quantizelinear", "dequantizelinear", "conv"]
    assert [row.params for row in rows] == [0, 0, 108]
    assert rows[2].fields is not None
    body = "a = QLinearConv(q, t, z, w, t, z, t, z, b) y = DequantizeLinear(a, t, z)"
    weights = {"w": np.ones((4, 3, 3, 3), np.uint8), "t": np.array(0.1, "f4")}
    weights = {**weights, "z": np.zeros((), np.uint8), "b": np.ones(4, np.int32)}
    (conv, _) = read(write(body, weights, x="uint8[N,3,8,8] q")).rows
    assert (conv.node.layer.kind, conv.params, conv.macs) == ("conv", 112, 36 * 108)


def test_integer_products_are_layers(write: Write) -> None:
    """ConvInteger and MatMulInteger have weights and products like their float forms."""
    weights: Weights = {"w": np.ones((4, 3, 3, 3), np.uint8), "m": np.ones((144, 5), np.uint8)}
    body = "a = ConvInteger(x, w) b = Cast<to=2>(a) c = Flatten(b) y = MatMulInteger(c, m)"
    network = load(write(body, weights, x="uint8[N,3,8,8] x", y="int32 y"))
    line = "3x8x8 | conv 4@3 nobias | flatten | fc 5 nobias"
    assert list_rows(network) == list_rows(parse(line))


def test_shared_weights_count_once(write: Write) -> None:
    """A weight that two layers read counts at the first, its bias that only one reads at that."""
    body = "a = Conv<pads=[1,1,1,1]>(x, w, b) y = Conv<pads=[1,1,1,1]>(a, w)"
    rows = read(write(body, {"w": (3, 3, 3, 3), "b": (3,)})).rows
    assert [row.params for row in rows] == [84, 0]
    assert rows[1].node.reused_params == 81
    assert [row.macs for row in rows] == [64 * 81, 64 * 81]
    same = "a = BatchNormalization(x, s, b, m, v) y = BatchNormalization(a, s, b, m, v)"
    assert [(r.params, r.buffers) for r in read(write(same, NORM)).rows] == [(6, 6), (0, 0)]


def test_weights_of_one_shape_are_not_shared(write: Write) -> None:
    """A stored shape that two weights are viewed in, or filled from, is neither's."""
    body = (
        "c = Reshape(a, s) d = Reshape(b, s) e = Conv<pads=[1,1,1,1]>(x, c) "
        "f = Conv<pads=[1,1,1,1]>(e, d) y = Conv<pads=[1,1,1,1]>(f, c)"
    )
    weights: Weights = {"a": (81,), "b": (81,), "s": np.array([3, 3, 3, 3])}
    assert [row.params for row in read(write(body, weights)).rows] == [81, 81, 0]


def test_constants_count_by_where_they_stand(write: Write) -> None:
    """Before the first layer with weights they prepare the picture, behind it they are trained."""
    vector = (1, 3, 1, 1)
    body = "a = Sub(x, m) c = Conv<pads=[1,1,1,1]>(a, w) y = Mul(c, g)"
    weights: Weights = {"m": vector, "w": (3, 3, 3, 3), "g": vector}
    rows = read(write(body, weights)).rows
    assert [row.node.layer.kind for row in rows] == ["shift", "conv", "scale"]
    assert [(row.params, row.buffers) for row in rows] == [(0, 3), (81, 0), (3, 0)]
    body = "a = Relu(x) k = Constant<value = float[2] {0.5, 2.0}>() n = Gather(k, i) y = Mul(a, n)"
    (_, scale) = read(write(body, {"i": np.array(1)})).rows
    assert (scale.params, scale.buffers) == (0, 0)


def test_further_input_is_a_row_and_its_products_count(write: Write) -> None:
    """A second input begins a row; what it makes is the scale of a normalisation."""
    body = (
        "c = Conv(x, w, b) s = MatMul(t, g) o = MatMul(t, h) r = Constant<value = int64[1] {-1}>() "
        "u = Reshape(s, r) v = Reshape(o, r) n = InstanceNormalization(c, u, v) y = Relu(n)"
    )
    weights: Weights = {**W, "g": (5, 4), "h": (5, 4)}
    network = load(write(body, weights, x="float[N,3,8,8] x, float[N,5] t"))
    report = summarize(network)
    kinds = [row.node.layer.kind for row in report.rows]
    assert kinds == ["conv", "input", "fc", "fc", "instancenorm", "relu"]
    assert network.nodes[1].name == "t"
    assert network.nodes[4].inputs == (0, 2, 3)
    assert report.params == 112 + 20 + 20


def test_weights_listed_as_inputs_are_weights(write: Write) -> None:
    """Files of early versions list their weights among the inputs."""
    path = write("y = Conv(x, w, b)", W, x="float[N,3,8,8] x, float[4,3,3,3] w, float[4] b")
    assert list_rows(load(path)) == list_rows(parse("3x8x8 | conv 4@3"))


def test_all_outputs_are_kept_and_dead_ends_are_not(write: Write) -> None:
    """Every operation that some output needs is a row; the last row is an output."""
    body = "a = Relu(x) y = Tanh(a) z = Sigmoid(a) d = Exp(a)"
    network = load(write(body, y="float y, float z"))
    assert [node.layer.kind for node in network.nodes] == ["relu", "tanh", "sigmoid"]


def test_operation_with_several_outputs_has_a_row_for_each(write: Write) -> None:
    """Both halves of a split are rows with shapes of their own."""
    body = (
        "s = Constant<value = int64[2] {1,2}>() a, b = Split<axis=1>(x, s) y = Concat<axis=1>(b, a)"
    )
    rows = read(write(body)).rows
    assert [(row.node.layer.kind, row.derived.shape) for row in rows] == [
        ("split", (1, 8, 8)),
        ("split", (2, 8, 8)),
        ("concat", (3, 8, 8)),
    ]


def test_branch_with_a_known_condition_is_written_out(write: Write) -> None:
    """PyTorch's older exporter asks for sizes that are known; only one branch is the network."""
    body = (
        "h = Shape(x) i = Constant<value = int64 {1}>() c = Gather(h, i) "
        "t = Constant<value = int64 {3}>() k = Equal(c, t) "
        "y = If(k) <then_branch = g1 () => (float a) { a = Relu(x) }, "
        "else_branch = g2 () => (float b) { b = Tanh(x) }>"
    )
    assert list_rows(load(write(body))) == list_rows(parse("3x8x8 | relu"))


def test_fixed_batch_is_divided_out(write: Write) -> None:
    """A file for a batch of 4 has the table of one sample, matrix products included."""
    body = "s = Constant<value = int64[2] {4,192}>() a = Reshape(x, s) y = Gemm(a, w)"
    network = load(write(body, {"w": (192, 5)}, x="float[4,3,8,8] x"))
    assert list_rows(network) == list_rows(parse("3x8x8 | flatten | fc 5 nobias"))
    body = "t = Transpose<perm=[0,2,1]>(x) y = MatMul(x, t)"
    (_, product) = read(write(body, x="float[4,3,8] x")).rows
    assert (product.derived.shape, product.macs) == ((3, 3), 3 * 3 * 8)


def test_view_of_the_whole_batch_is_no_layer(write: Write) -> None:
    """Instance normalisation of a view [1, N*C, H, W] is one layer, also for a fixed batch."""
    body = "a = Reshape(x, v) n = InstanceNormalization(a, s, b) y = Reshape(n, u)"
    weights: Weights = {"v": np.array([1, -1, 8, 8]), "u": np.array([-1, 3, 8, 8])}
    weights = {**weights, "s": np.ones(6, np.float32), "b": np.zeros(6, np.float32)}
    network = load(write(body, weights, x="float[2,3,8,8] x"))
    assert list_rows(network) == list_rows(parse("3x8x8 | instancenorm noaffine"))


def test_given_input_replaces_what_is_open(write: Write) -> None:
    """Sizes that the file leaves open come from the caller, of whatever number of axes."""
    path = write("y = Conv(x, w, b)", W, x="float[N,3,H,V] x")
    assert load(path, input_shape=(3, 9, 7)).input == (3, 9, 7)
    assert list_rows(load(path, input_shape=(3, 9, 7))) == list_rows(parse("3x9x7 | conv 4@3"))


def test_file_says_sizes_of_unknown_operators(write: Write) -> None:
    """An operator of another domain has the sizes that the file gives its output."""
    path = write("y = other.Magic(x, w)", {"w": (7,)}, y="float[N,5,2] y", x="float[N,3,8,8] x")
    (row,) = read(path).rows
    assert isinstance(row.node.layer, Operator)
    assert (row.node.layer.kind, row.derived.shape, row.params) == ("magic", (5, 2), 7)


def test_recurrent_layer_counts_its_products(write: Write) -> None:
    """Every step multiplies the weights of the input and of the state."""
    weights: Weights = {"w": (1, 16, 5), "r": (1, 16, 4)}
    body = "a, y = LSTM<hidden_size=4>(x, w, r)"
    (row,) = read(write(body, weights, x="float[7,1,5] x")).rows
    assert (row.params, row.macs) == (16 * 9, 7 * 16 * 9)


def test_functions_are_written_out(tmp_path: Path) -> None:
    """A layer that the file defines as a function is the operations inside."""
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17, "f" : 1]> '
        "net (float[1,3,8,8] x) => (float y) { y = f.twice(x) } "
        '<domain: "f", opset_import: ["" : 17]> twice (a) => (c) { b = Relu(a) c = Tanh(b) }'
    )
    onnx.save(model, tmp_path / "f.onnx")
    assert list_rows(load(tmp_path / "f.onnx")) == list_rows(parse("3x8x8 | relu | tanh"))


def test_large_weights_are_counted_and_not_read(tmp_path: Path) -> None:
    """A weight in a file beside the model counts by its sizes, however large it claims to be."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[50_000, 10_000])
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="weights.bin")
    with (tmp_path / "weights.bin").open("wb") as file:
        file.truncate(4 * 50_000 * 10_000)
    head = '<ir_version: 8, opset_import: ["" : 17]>'
    model = parser.parse_model(f"{head} net (float[1,50000] x) => (float y) {{ y = MatMul(x, w) }}")
    model.graph.initializer.append(weight)
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    assert summarize(load(tmp_path / "net.onnx")).params == 500_000_000


def test_convolution_with_made_weights_has_products_and_no_parameters(write: Write) -> None:
    """Weights that another layer returns are not stored here; their products count."""
    body = "f = Flatten(t) g = MatMul(f, m) r = Reshape(g, s) y = Conv(x, r)"
    weights: Weights = {"m": (2, 108), "s": np.array([4, 3, 3, 3])}
    path = write(body, weights, x="float[1,3,8,8] x, float[1,2] t")
    rows = read(path).rows
    assert [row.node.layer.kind for row in rows] == ["input", "fc", "reshape", "conv"]
    assert [row.params for row in rows] == [0, 216, 0, 0]
    assert (rows[-1].derived.shape, rows[-1].macs) == ((4, 6, 6), 36 * 108)


def test_sizes_that_the_file_says_hold_for_its_own_input_only(write: Write) -> None:
    """Where the caller gives another input, an unknown operator's sizes are not known."""
    path = write("y = other.Magic(x)", y="float[N,5,8] y", x="float[N,3,8,8] x")
    assert read(path).rows[0].derived.shape == (5, 8)
    with pytest.raises(CalculatorError, match=r"y \(other.Magic\): the sizes of its output"):
        load(path, input_shape=(3, 9, 9))
