"""The file that ships: what is in it, and how it differs from the network it was made from."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest

from calculator import Comparison, Report, compare, load, parse, summarize
from calculator.summary import Row
from calculator.teaching.comparison import COUNTS
from calculator.teaching.doctor.diagnosis import diagnose

STYLES = Path(__file__).parents[3] / "runner" / "collection" / "styles.onnx"
INPUT = (3, 256, 256)
PHASES = "upsampling and convolution in one convolution of phases"
TABLES = "scale and shift from a table of styles"
TAIL = "a tail without the margin that nobody sees"


@pytest.fixture(scope="module")
def styles() -> int:
    """Return for how many styles the file's table has rows."""
    (table,) = (one for one in onnx.load(STYLES).graph.initializer if one.name == "styles/tables")
    return int(table.dims[0])


@pytest.fixture(scope="module")
def shipped() -> Report:
    """Return the table of the shipped file."""
    return summarize(load(STYLES, input_shape=INPUT))


@pytest.fixture(scope="module")
def named() -> Report:
    """Return the table of the network as it is trained, for one style."""
    return summarize(parse("style-fast", input_shape=INPUT))


@pytest.fixture(scope="module")
def comparison(named: Report, shipped: Report) -> Comparison:
    """Compare the network as it is trained with the file."""
    return compare(named, shipped)


def pick(report: Report, *kinds: str) -> list[Row]:
    """Return the rows of some kinds."""
    return [row for row in report.rows if row.node.layer.kind in kinds]


def count_phases(row: Row, sides: tuple[int, ...]) -> int:
    """Return the multiply-adds of a convolution of phases, in the place of one, at some sides."""
    taps = 4 * row.inputs[0][0] * 4 * row.derived.shape[0]
    return taps * int(np.prod(sides))


def test_file_is_counted_as_it_is(shipped: Report, named: Report, styles: int) -> None:
    """The trunk's convolutions, four times as many channels for phases, one table for all norms."""
    plain, convs = pick(named, "conv"), pick(shipped, "conv")
    channels = [row.derived.shape[0] for row in plain]
    ends = len(pick(named, "upsample"))
    made = [*channels[:-ends], *(4 * number for number in channels[-ends:])]
    assert [row.derived.shape[0] for row in convs] == made
    affine = sum(row.params for row in pick(named, "instancenorm"))
    (table,) = pick(shipped, "fc")
    assert (table.params, table.macs) == (styles * affine, styles * affine)
    assert sum(row.params for row in pick(shipped, "instancenorm")) == 0
    assert shipped.params == sum(row.params for row in convs) + table.params


def test_file_counts_what_it_stores(shipped: Report) -> None:
    """Every stored float but the step between grey levels is a parameter, and counted once."""
    floats = (t for t in onnx.load(STYLES).graph.initializer if t.data_type == 1)
    sizes = [int(np.prod(tensor.dims)) for tensor in floats]
    assert shipped.params == sum(size for size in sizes if size > 1)


def test_file_has_the_layers_of_the_network_it_was_made_from() -> None:
    """Blocks are alike one by one, also at odd sizes, and pixels are put in order by one step."""
    shape = (3, 61, 98)
    report, plain = (
        summarize(load(STYLES, input_shape=shape)),
        summarize(parse("style-fast", input_shape=shape)),
    )
    blocks = [row for row in report.rows if re.fullmatch(r"blocks\.\d\.conv\d", row.node.name)]
    inner = pick(plain, "conv")[1 : 1 + len(blocks)]
    assert len(blocks) == 2 * len(pick(plain, "add"))
    for ours, theirs in zip(blocks, inner, strict=True):
        assert ours.derived.shape == theirs.derived.shape
        assert (ours.params, ours.macs) == (theirs.params, theirs.macs)
    kinds = [row.node.layer.kind for row in report.rows]
    assert {"transpose", "reshape", "cast", "split", "concat"}.isdisjoint(kinds)
    assert kinds.count("pixelshuffle") == len(pick(plain, "upsample"))
    assert kinds.count("instancenorm") == len(pick(plain, "instancenorm"))
    assert [kinds[0], *kinds[-3:]] == ["pad", "quantizelinear", "pixelshuffle", "crop"]
    assert report.rows[-1].derived.shape == shape


def test_receptive_field_goes_through_the_file(shipped: Report) -> None:
    """Only the table of weights sees nothing of the picture."""
    assert {row.node.layer.kind for row in shipped.rows if row.fields is None} == {"input", "fc"}


def test_painted_pixels_see_what_they_see_in_the_network(shipped: Report, named: Report) -> None:
    """First and last position, pixel by pixel: what was rewritten moves nothing."""
    ours, theirs = shipped.rows[-1].fields, named.rows[-1].fields
    assert ours is not None
    assert theirs is not None
    for one, other in zip(ours, theirs, strict=True):
        for pixel in range(2 * one.period * other.period):
            assert one.first_of(pixel) == other.first_of(pixel)
            assert one.last_of(pixel) == other.last_of(pixel)


@pytest.mark.parametrize("count", COUNTS)
def test_differences_sum_exactly(comparison: Comparison, count: str) -> None:
    """Every layer of both stands in exactly one line."""
    change = getattr(comparison.second, count) - getattr(comparison.first, count)
    assert sum(one.change(count) for one in comparison.differences) == change


def test_every_layer_stands_in_one_line(comparison: Comparison) -> None:
    """Those that are alike are counted, all others named once."""
    for side, report in (("first", comparison.first), ("second", comparison.second)):
        listed = [row.node.name for one in comparison.differences for row in getattr(one, side)]
        assert len(set(listed)) == len(listed) == len(report.rows) - comparison.alike


def test_rewrites_account_for_everything(comparison: Comparison) -> None:
    """All that changes a count is one of the rewrites, each as often as it was done."""
    changing = [one for one in comparison.differences if any(one.change(c) for c in COUNTS)]
    causes = [one.causes for one in changing]
    norms = len(pick(comparison.first, "instancenorm"))
    assert causes.count((TABLES,)) == norms + 1
    assert causes.count((PHASES, TAIL)) == 2
    assert len(causes) == norms + 3
    for count in COUNTS:
        shares = [one.change_by(c, count) for one in changing for c in (TABLES, PHASES, TAIL)]
        assert sum(shares) == sum(one.change(count) for one in changing)


def test_phases_need_four_of_nine_products_and_the_tail_fewer_positions(
    comparison: Comparison,
) -> None:
    """At the low resolution, padded by one; what is not padded but cut off is the tail's share."""
    found = [one for one in comparison.differences if one.cause == PHASES]
    for one in found:
        (before,) = (row for row in one.first if row.node.layer.kind == "conv")
        (after,) = (row for row in one.second if row.node.layer.kind == "conv")
        low = one.first[0].inputs[0][1:]
        padded = count_phases(before, tuple(side + 1 for side in low))
        assert after.macs == count_phases(before, after.derived.shape[1:])
        assert one.change_by(PHASES, "macs") == padded - before.macs
        assert one.change_by(TAIL, "macs") == after.macs - padded < 0


def test_doctor_finds_nothing_suspicious(shipped: Report) -> None:
    """A file with a second input is looked at like any other."""
    found = diagnose(str(STYLES), input_shape=INPUT)
    assert found.remarks == ()
    assert shipped.rows[-1].derived.shape == INPUT
