"""Recurrent layers and sums of products: axes, layouts, multiply-adds of one sample."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from calculator import CalculatorError, Report, load, summarize

Write = Callable[..., Path]

# kind, number of gates
GATES = [("LSTM", 4), ("GRU", 3), ("RNN", 1)]


def read(path: Path) -> Report:
    """Return a file's table."""
    return summarize(load(path))


def list_shapes(report: Report) -> list[tuple[str, tuple[int, ...]]]:
    """Return kind and output of every row."""
    return [(row.node.layer.kind, row.derived.shape) for row in report.rows]


@pytest.mark.parametrize(("kind", "gates"), GATES)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize(("layout", "sizes"), [(0, "10,4,8"), (1, "4,10,8"), (0, "10,N,8")])
def test_recurrent_layer_counts_one_sequence(
    write: Write, kind: str, gates: int, directions: int, layout: int, sizes: str
) -> None:
    """Whichever axis is the batch, a sample is ten steps with all weights of both products."""
    direction = "bidirectional" if directions == 2 else "forward"
    settings = f'hidden_size=16,layout={layout},direction="{direction}"'
    weights = {"w": (directions, gates * 16, 8), "r": (directions, gates * 16, 16)}
    body = f"y = {kind}<{settings}>(x, w, r)"
    network = load(write(body, weights, x=f"float[{sizes}] x"))
    (row,) = summarize(network).rows
    assert network.input == (10, 8)
    assert row.derived.shape == (10, directions, 16)
    assert row.macs == 10 * directions * gates * 16 * (8 + 16)
    assert row.params == directions * gates * 16 * (8 + 16)


def test_open_sequence_is_asked_for_and_the_batch_is_not(write: Write) -> None:
    """Axis 1 of layout 0 is the batch; the example has one number per other axis."""
    weights = {"w": (1, 64, 8), "r": (1, 64, 16)}
    path = write("y = LSTM<hidden_size=16>(x, w, r)", weights, x="float[seq,batch,8] x")
    with pytest.raises(CalculatorError, match=r"open \(seq of .*--input 256x8"):
        load(path)
    (row,) = summarize(load(path, input_shape=(7, 8))).rows
    assert (row.derived.shape, row.macs) == ((7, 1, 16), 7 * 64 * 24)


def test_batch_stays_out_of_the_shapes_behind_a_sequence(write: Write) -> None:
    """Views, products and states behind a layer of layout 0 are those of one sample."""
    body = "a, h, c = LSTM<hidden_size=16>(x, w, r) b = Squeeze(a, d) y = MatMul(b, m)"
    weights = {"w": (1, 64, 8), "r": (1, 64, 16), "m": (16, 5), "d": np.array([1])}
    report = read(write(body, weights, x="float[10,4,8] x", y="float y, float h"))
    assert list_shapes(report) == [
        ("lstm", (10, 1, 16)),
        ("lstm", (1, 16)),
        ("squeeze", (10, 16)),
        ("matmul", (10, 5)),
    ]
    assert report.rows[-1].macs == 10 * 16 * 5
    assert report.params == 64 * 24 + 80


def test_batch_first_needs_no_rows_around_the_layer(write: Write) -> None:
    """The transposition that exporters put before a layer is only another order of axes."""
    body = "t = Transpose<perm=[1,0,2]>(x) a = GRU<hidden_size=16>(t, w, r) y = Squeeze(a, d)"
    weights = {"w": (1, 48, 8), "r": (1, 48, 16), "d": np.array([1])}
    report = read(write(body, weights, x="float[4,10,8] x"))
    assert list_shapes(report) == [("gru", (10, 1, 16)), ("squeeze", (10, 16))]
    assert report.macs == 10 * 48 * 24


def test_products_with_made_weights_count(write: Write) -> None:
    """A recurrent layer whose weights are an input of the network multiplies as much."""
    x = "float[10,4,8] x, float[1,64,8] w, float[1,64,16] r"
    rows = read(write("y = LSTM<hidden_size=16>(x, w, r)", x=x)).rows
    assert (rows[-1].node.layer.kind, rows[-1].macs, rows[-1].params) == ("lstm", 10 * 64 * 24, 0)


def test_batch_in_another_axis_than_the_layer_takes_is_refused(write: Write) -> None:
    """A tensor that reaches the layer with its batch in front has no right count."""
    body = "a = MatMul(x, m) y = LSTM<hidden_size=16>(a, w, r)"
    weights = {"m": (8, 8), "w": (1, 64, 8), "r": (1, 64, 16)}
    message = r"y \(LSTM\): takes axis 1 of its input \[10, 4, 8\] as the batch, .* is 10; export"
    with pytest.raises(CalculatorError, match=message):
        load(write(body, weights, x="float[10,4,8] x"))


@pytest.mark.parametrize(
    ("equation", "x", "weight", "macs"),
    [
        ("bchw,oc->bohw", "4,3,6,7", (5, 3), 3 * 6 * 7 * 5),
        ("b c h w, o c -> b o h w", "1,3,6,7", (5, 3), 3 * 6 * 7 * 5),
        ("...c,co->...o", "4,6,7,3", (3, 5), 6 * 7 * 3 * 5),
        ("...c,...co->...o", "4,6,7,3", (1, 6, 1, 3, 5), 6 * 7 * 3 * 5),
        ("bnd,kd->bnk", "2,6,7", (5, 1), 6 * 7 * 5),
        ("bij,jk", "2,6,7", (7, 5), 6 * 7 * 5),
        ("bnd,bmd->bnm", "2,6,7", (1, 9, 7), 6 * 9 * 7),
    ],
)
def test_einsum_of_two_counts_its_products(
    write: Write, equation: str, x: str, weight: tuple[int, ...], macs: int
) -> None:
    """One product for every value of all letters but the batch; the weight is stored."""
    body = f'y = Einsum<equation="{equation}">(x, w)'
    (row,) = read(write(body, {"w": weight}, x=f"float[{x}] x")).rows
    assert (row.macs, row.params) == (macs, int(np.prod(weight)))


def test_einsum_of_activations_counts_its_products(write: Write) -> None:
    """The scores of attention, by heads, hold nothing and multiply."""
    body = 'a = Relu(x) y = Einsum<equation="bhid,bhjd->bhij">(a, x)'
    row = read(write(body, x="float[2,3,5,7] x")).rows[-1]
    assert (row.derived.shape, row.macs, row.params) == ((3, 5, 5), 3 * 5 * 5 * 7, 0)


def test_einsum_of_one_has_no_products(write: Write) -> None:
    """A trace or a sum multiplies nothing."""
    (row,) = read(write('y = Einsum<equation="bij->bi">(x)', x="float[2,5,7] x")).rows
    assert (row.derived.shape, row.macs) == ((5,), 0)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            'y = Einsum<equation="bi,ij,jk->bk">(x, v, w)',
            r"y \(Einsum\): products of an Einsum of 3 operands .* are not counted; write",
        ),
        ('y = Einsum<equation="bi,ij,jk->bk">(x, v)', r"y \(Einsum\): "),
        ('y = Einsum<equation="bij,jk->bk">(x, v)', r"y \(Einsum\): "),
        ('y = Einsum<equation="bi,ij->bj">(x, w)', r"y \(Einsum\): .*'i'.* 7 and 6"),
    ],
)
def test_einsum_that_cannot_be_counted_is_refused(write: Write, body: str, message: str) -> None:
    """Three operands, and equations of other operands, are one clear error."""
    with pytest.raises(CalculatorError, match=message):
        load(write(body, {"v": (7, 6), "w": (6, 5)}, x="float[2,7] x"))
