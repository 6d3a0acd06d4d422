"""The file that ships: what is in it, and how it differs from the network it was made from."""

from pathlib import Path

import pytest

from calculator import Comparison, Report, compare, load, parse, summarize
from calculator.teaching.comparison import COUNTS

STYLES = Path(__file__).parents[3] / "runner" / "collection" / "styles.onnx"
INPUT = (3, 256, 256)
PHASES = "upsampling and convolution in one convolution of phases"
TABLES = "scale and shift from a table of styles"


@pytest.fixture(scope="module")
def shipped() -> Report:
    """Return the table of the shipped file."""
    return summarize(load(STYLES, input_shape=INPUT))


@pytest.fixture(scope="module")
def comparison(shipped: Report) -> Comparison:
    """Compare the network as it is trained with the file."""
    return compare(summarize(parse("style-fast", input_shape=INPUT)), shipped)


def test_file_is_counted_as_it_is(shipped: Report) -> None:
    """Eleven convolutions of the trunk, two of phases, twelve pairs of tables for four styles."""
    convs = [row for row in shipped.rows if row.node.layer.kind == "conv"]
    assert [row.derived.shape[0] for row in convs] == [32] * 11 + [64, 12]
    tables = [row for row in shipped.rows if row.node.layer.kind == "fc"]
    assert [row.params for row in tables] == [4 * 32] * 22 + [4 * 16] * 2
    assert shipped.params == sum(row.params for row in convs) + 22 * 128 + 2 * 64
    assert shipped.rows[-1].derived.shape == INPUT


def test_receptive_field_goes_through_the_file(shipped: Report) -> None:
    """Tables of weights and the detour of a normalisation do not end it."""
    trunk = [row for row in shipped.rows if row.node.layer.kind in ("instancenorm", "relu", "add")]
    assert all(row.fields is not None for row in trunk)


@pytest.mark.parametrize("count", COUNTS)
def test_differences_sum_exactly(comparison: Comparison, count: str) -> None:
    """Every layer of both stands in exactly one line."""
    change = getattr(comparison.second, count) - getattr(comparison.first, count)
    assert sum(one.change(count) for one in comparison.differences) == change


def test_rewrites_account_for_everything(comparison: Comparison) -> None:
    """All that changes a count is one of the two rewrites, each as often as it was done."""
    causes = [one.cause for one in comparison.differences if any(one.change(c) for c in COUNTS)]
    assert sorted(set(causes)) == [TABLES, PHASES]
    assert (causes.count(TABLES), causes.count(PHASES)) == (12, 2)


def test_phases_need_four_of_nine_products(comparison: Comparison) -> None:
    """At the low resolution, over one position more along each axis."""
    first, second = (one for one in comparison.differences if one.cause == PHASES)
    assert first.change("macs") == 77 * 77 * 4 * 32 * 64 - 152 * 152 * 9 * 32 * 16
    assert second.change("macs") == 153 * 153 * 4 * 16 * 12 - 304 * 304 * 9 * 16 * 3
