"""Orderings of phases, and tables for several normalisations, as exporters write them out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import parser
from onnx.reference import ReferenceEvaluator

from calculator import Network, Node, Report, load, summarize
from calculator.layers.convolutions import Conv
from calculator.network import INPUT

Write = Callable[..., Path]
HEAD = '<ir_version: 8, opset_import: ["" : 17]>'
CONV = "c = Conv(x, w) t = Transpose<perm=[0,2,3,1]>(c) "
BACK = " y = Transpose<perm=[0,3,1,2]>(r)"
HALVES = "u, l = Split<axis=3>(t) "
ORDERED = HALVES + "j = Concat<axis=2>(u, l) r = Reshape(j, s)"
NEGATIVE = "u, l = Split<axis=-1>(z) j = Concat<axis=-2>(u, l) r = Reshape(j, s)"
W = {"w": (8, 3, 1, 1), "s": np.array([0, -1, 0, 2])}


def read(path: Path) -> Report:
    """Return a file's table."""
    return summarize(load(path))


def list_kinds(report: Report) -> list[str]:
    """Return the kinds of the rows."""
    return [row.node.layer.kind for row in report.rows]


def write_thirds(axis: int) -> str:
    """Return the ordering of 3x3 blocks, joined along an axis."""
    return f"a, b, c = Split<axis=3>(t) j = Concat<axis={axis}>(a, b, c) r = Reshape(j, s)"


@pytest.mark.parametrize(
    ("factor", "ordering"), [(2, ORDERED), (3, write_thirds(2))], ids=["halves", "thirds"]
)
def test_ordering_that_is_recognised_is_what_depth_to_space_does(
    factor: int, ordering: str
) -> None:
    """The same values at the same places, in every picture of a batch."""
    channels = 2 * factor**2
    shape = f"float[2,{channels},4,5] x"
    ends = f"({shape}) => (float[2,2,{4 * factor},{5 * factor}] y)"
    wanted = f"y = DepthToSpace<blocksize={factor}>(x)"
    written = (
        f"s = Constant<value = int64[4] {{0, -1, 0, 2}}>() "
        f"t = Transpose<perm=[0,2,3,1]>(x) {ordering} {BACK}"
    )
    values = np.arange(2 * channels * 20, dtype=np.float32).reshape(2, channels, 4, 5)
    results: list[np.ndarray] = []
    for body in (wanted, written):
        model = parser.parse_model(f"{HEAD} net {ends} {{ {body} }}")
        results += ReferenceEvaluator(model).run(None, {"x": values})  # type: ignore[arg-type]
    one, other = results
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "ordering",
    [
        ORDERED,
        "z = QuantizeLinear(t, k, b) " + NEGATIVE,
    ],
    ids=["floats", "bytes"],
)
def test_ordering_on_interleaved_maps_is_one_pixel_shuffle(write: Write, ordering: str) -> None:
    """Split, join and view are one row, and the receptive field goes through."""
    steps = {"k": np.array(0.1, np.float32), "b": np.array(0, np.uint8)}
    report = read(write(CONV + ordering + BACK, {**W, **steps}))
    assert [kind for kind in list_kinds(report) if kind != "quantizelinear"] == [
        "conv",
        "pixelshuffle",
    ]
    shuffled = report.rows[-1]
    assert shuffled.derived.shape == (2, 16, 16)
    plain = read(write("c = Conv(x, w) y = DepthToSpace<blocksize=2>(c)", W)).rows[-1]
    assert shuffled.fields is not None
    assert [field.extent for field in shuffled.fields] == [1, 1]
    assert shuffled.fields == plain.fields


def test_ordering_of_larger_blocks_is_recognised(write: Write) -> None:
    """As many parts as a block has rows."""
    weights = {"w": (18, 3, 1, 1), "s": np.array([0, -1, 0, 2])}
    body = CONV.replace("c =", "f =").replace("(c)", "(f)") + write_thirds(2) + BACK
    report = read(write(body, weights))
    assert list_kinds(report) == ["conv", "pixelshuffle"]
    assert report.rows[-1].derived.shape == (2, 24, 24)


@pytest.mark.parametrize(
    "ordering",
    [
        HALVES + "j = Concat<axis=2>(l, u) r = Reshape(j, s)",
        HALVES + "j = Concat<axis=1>(u, l) r = Reshape(j, s2)",
        HALVES + "j = Concat<axis=3>(u, l) r = Reshape(j, s2)",
        HALVES + "j = Concat<axis=2>(u, u) r = Reshape(j, s)",
        HALVES + "j = Concat<axis=2>(u, l) k = Relu(j) r = Reshape(k, s)",
        "u, l = Split<axis=2>(t) j = Concat<axis=2>(u, l) r = Reshape(j, s2)",
        "u, l, m, n = Split<axis=3>(t) j = Concat<axis=2>(u, l, m, n) r = Reshape(j, s)",
        HALVES + "j = Concat<axis=2>(u, l) r = Reshape(j, s1)",
        HALVES + "j = Concat<axis=2>(u, l) k = Reshape(j, s) e = ReduceMax<keepdims=0>(u) "
        "r = Add(k, e)",
    ],
    ids=[
        "swapped",
        "height",
        "channels",
        "twice",
        "between",
        "cut-rows",
        "quarters",
        "sizes",
        "read",
    ],
)
def test_lookalikes_of_an_ordering_are_no_pixel_shuffle(write: Write, ordering: str) -> None:
    """Other parts, another order, other sizes, a step between, a further reader: the field ends."""
    sizes = {"s1": np.array([0, 8, 32, 2]), "s2": np.array([0, 16, 16, 2])}
    report = read(write(CONV + ordering + BACK, {**W, **sizes}))
    assert {"pixelshuffle", "depthtospace"}.isdisjoint(list_kinds(report))
    assert report.rows[-1].fields is None


PIXELS = "t = Transpose<perm=[0,2,3,1]>(x) r = Reshape(t, s)"
STEM = " p = Transpose<perm=[0,3,1,2]>(r) y = Conv<strides=[4,1], pads=[2,0,2,0]>(p, w)"


def test_columns_as_channels_are_seen_through(write: Write) -> None:
    """A convolution on them sees what one sees that steps over as many columns."""
    weights = {"w": (5, 12, 8, 2), "s": np.array([0, 0, -1, 12])}
    report = read(write(PIXELS + STEM, weights))
    assert list_kinds(report) == ["reshape", "conv"]
    assert report.rows[0].derived.shape == (12, 8, 2)
    plain = Conv(5, (8, 8), (4, 4), ((2, 2), (0, 0)), bias=False)
    found = summarize(Network("plain", (3, 8, 8), (Node("conv", plain, (INPUT,)),))).rows[0]
    stem = report.rows[-1]
    seen, wanted = (
        [(field.extent, field.jump, field.start) for field in row.fields or ()]
        for row in (stem, found)
    )
    assert seen == wanted
    assert (stem.params, stem.macs, stem.derived.shape) == (
        found.params,
        found.macs,
        found.derived.shape,
    )


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        (PIXELS + BACK, [0, 4, -1, 6]),
        (PIXELS + BACK, [0, 16, 4, 3]),
        ("r = Reshape(x, s) y = Relu(r)", [0, 0, -1, 32]),
    ],
    ids=["rows too", "rows", "channels first"],
)
def test_other_views_of_a_picture_end_the_field(write: Write, body: str, shape: list[int]) -> None:
    """Nobody follows positions through a view that mixes them otherwise."""
    report = read(write(body, {"s": np.array(shape)}))
    assert report.rows[-1].fields is None


TABLE = "m = MatMul(k, w) a, b = Split<axis=1>(m) v = Reshape(a, f) u = Reshape(b, f) "
NORM = "y = InstanceNormalization(x, v, u)"
INPUTS = "float[N,3,8,8] x, float[N,5] k"
TABLES = {"w": (5, 6), "f": np.array([-1])}


def test_parts_of_a_table_are_no_layers(write: Write) -> None:
    """One product for scale and shift, which the normalisation reads, counted once."""
    report = read(write(TABLE + NORM, TABLES, x=INPUTS))
    assert list_kinds(report) == ["input", "fc", "instancenorm"]
    _, table, norm = report.rows
    assert (table.params, table.macs, norm.params) == (30, 30, 0)
    assert norm.inputs == ((3, 8, 8), (6,))
    assert norm.fields is not None


@pytest.mark.parametrize(
    ("more", "outputs"),
    [
        ("e = Relu(v) n = InstanceNormalization(x, e, u) y = Relu(n)", "float y"),
        (NORM, "float y, float b"),
        (NORM.replace("y", "n") + " r = Unsqueeze(a, g) y = Add(n, r)", "float y"),
    ],
    ids=["computed with", "returned", "read"],
)
def test_parts_with_other_readers_are_layers(write: Write, more: str, outputs: str) -> None:
    """What something else reads, or the network returns, is a row of its own."""
    weights = {**TABLES, "g": np.array([2, 3])}
    report = read(write(TABLE + more, weights, x=INPUTS, y=outputs))
    assert list_kinds(report).count("split") == 2


def test_split_of_a_picture_is_a_layer(write: Write) -> None:
    """Channels that are taken apart move; only features without sizes are views."""
    body = (
        "a, b = Split<axis=1>(p) v = Reshape(a, f) u = Reshape(b, f) "
        "y = InstanceNormalization(x, v, u)"
    )
    path = write(body, TABLES, x="float[N,3,8,8] x, float[N,6,1,1] p")
    assert "split" in list_kinds(read(path))


def test_one_table_in_the_place_of_several_counts_alike(write: Write) -> None:
    """Tables side by side hold and multiply as much as tables one by one."""
    apart = "a = MatMul(k, w) b = MatMul(k, q) v = Reshape(a, f) u = Reshape(b, f) " + NORM
    halves = {"w": (5, 3), "q": np.arange(15, dtype=np.float32).reshape(5, 3)}
    one = read(write(TABLE + NORM, TABLES, x=INPUTS))
    two = read(write(apart, {**halves, "f": TABLES["f"]}, x=INPUTS))
    assert (one.params, one.macs) == (two.params, two.macs)


def test_written_models_are_valid(write: Write) -> None:
    """What these tests write is what a runtime would take."""
    for path in (write(CONV + ORDERED + BACK, W), write(TABLE + NORM, TABLES, x=INPUTS)):
        onnx.checker.check_model(onnx.load(path))
