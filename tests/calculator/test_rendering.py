"""Reports as table, Markdown, CSV and JSON: the same numbers in four forms."""

import csv
import json
from io import StringIO

import pytest

from calculator import CalculatorError, Report, parse, summarize
from calculator.arithmetic.units import divide_rounded, render_bytes, render_count, render_share
from calculator.reading.networks import NETWORKS
from calculator.reports.columns import COLUMNS, choose_columns
from calculator.reports.rendering import (
    render_csv,
    render_json,
    render_markdown,
    render_table,
    to_values,
)

SMALL = "1x9x9 | conv 2@3 s2 p1:0 | batchnorm | upsample 2 | globalavgpool | flatten | fc 3"


def count(text: str, batch: int = 1) -> Report:
    """Return the report of a network."""
    return summarize(parse(text), batch=batch)


@pytest.mark.parametrize("name", NETWORKS)
def test_table_fits_eighty_characters(name: str) -> None:
    """No line of a named network's table is wider than a terminal."""
    assert max(map(len, render_table(count(name)).splitlines())) <= 80


def test_narrowed_table_says_what_it_left_out() -> None:
    """Columns that did not fit are named below the table."""
    text = render_table(count("vgg16"))
    assert "left out to fit 80 characters: kind\n" in text
    assert "left out" not in render_table(count("lenet5"))
    assert "kind" in render_table(count("vgg16"), choose_columns("all")).splitlines()[2]


def test_table_is_the_expected_one() -> None:
    """Every cell of a small network, worked out by hand."""
    lines = render_table(count(SMALL)).splitlines()
    assert lines[:11] == [
        "network: input 1x9x9, batch 1",
        "",
        "layer      kind           window       output  params  macs  macs%  field",
        "-------------------------------------------------------------------------",
        "conv1      conv           3x3 s2 p1:0  2x4x4       20   288  98.0%      3",
        "norm1      batchnorm      -            2x4x4        4     0   0.0%      3",
        "upsample1  upsample       -            2x8x8        0     0   0.0%      3",
        "pool1      globalavgpool  -            2x1x1        0     0   0.0%      -",
        "flatten1   flatten        -            2            0     0   0.0%      -",
        "fc1        fc             -            3            9     6   2.0%      -",
        "-------------------------------------------------------------------------",
    ]


def test_totals_and_their_convention_stand_below() -> None:
    """Memory follows from the counts as the convention says."""
    report = count(SMALL)
    live, kept = (81 + 32, 32 + 32, 32 + 128, 128 + 2, 2 + 2, 2 + 3), 32 + 32 + 128 + 2 + 2 + 3
    assert report.forward.result == 4 * (33 + 4 + max(live))
    assert report.training.result == 4 * (3 * 33 + 4 + 81 + 2 * kept)
    text = render_table(report)
    assert f"training memory {report.training.result:,} B" in text
    assert "MACs are multiply-adds of convolutions, dense layers and matrix products" in text


def test_branches_keep_what_they_need_alive() -> None:
    """A shortcut's value is counted until the sum has used it."""
    report = count("1x10 | relu | [ tanh | tanh || ] add | relu")
    assert [row.live_values for row in report.rows] == [20, 20, 30, 30, 20]


@pytest.mark.parametrize("name", NETWORKS)
def test_totals_are_the_sums_of_their_columns(name: str) -> None:
    """Every form shows layers that add up to its totals."""
    values = json.loads(render_json(count(name, batch=2)))
    for key in ("params", "buffers", "macs", "activations"):
        assert values["totals"][key] == sum(layer[key] for layer in values["layers"])
    rows = list(csv.DictReader(StringIO(render_csv(count(name, batch=2)))))
    assert [int(row["macs"]) for row in rows] == [layer["macs"] for layer in values["layers"]]


def test_json_has_its_stable_shape() -> None:
    """Keys, their order, and null where there is no window."""
    values = to_values(count(SMALL))
    assert list(values) == ["network", "input", "batch", "layers", "totals", "convention"]
    assert (values["network"], values["input"], values["batch"]) == ("network", [1, 9, 9], 1)
    layers = values["layers"]
    assert isinstance(layers, list)
    assert layers[0] == {
        "name": "conv1",
        "kind": "conv",
        "kernel": [3, 3],
        "stride": [2, 2],
        "padding": [[1, 0], [1, 0]],
        "dilation": [1, 1],
        "groups": 1,
        "output_shape": [2, 4, 4],
        "params": 20,
        "buffers": 0,
        "macs": 288,
        "activations": 32,
        "receptive_field": [3, 3],
        "jump": [2, 2],
        "start": [-1, -1],
    }
    whole = ("kernel", "stride", "padding", "dilation", "groups", "receptive_field", "jump")
    assert [layers[3][key] for key in whole] == [None] * len(whole)
    assert layers[5]["output_shape"] == [3]
    assert isinstance(values["totals"], dict)
    assert list(values["totals"]) == [
        "params",
        "trainable_params",
        "buffers",
        "macs",
        "activations",
        "forward_bytes",
        "training_bytes",
    ]


def test_jump_that_is_no_integer_is_an_exact_fraction() -> None:
    """Behind upsampling units lie closer than pixels; the fraction is text in JSON."""
    report = count("1x9 | upsample 2")
    assert json.loads(render_json(report))["layers"][0]["jump"] == ["1/2"]
    assert "1/2" in render_table(report, choose_columns("+jump"))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_spatial_lists_have_one_entry_per_axis(axes: int) -> None:
    """One, two and three dimensions."""
    layer = json.loads(render_json(count(f"1{'x9' * axes} | conv 2@3")))["layers"][0]
    for key in ("kernel", "stride", "padding", "dilation", "receptive_field", "jump", "start"):
        assert len(layer[key]) == axes


def test_pool_over_the_whole_input_has_no_window() -> None:
    """A window that is the whole input says what a global pool says, and ends the field."""
    windowed, pooled = count("2x7x7 | avgpool 7 | conv 3@1"), count("2x7x7 | globalavgpool")
    first, after = (row.fields for row in windowed.rows)
    assert first is None
    assert after is None
    assert windowed.rows[0].derived.window is pooled.rows[0].derived.window is None


def test_markdown_is_a_table() -> None:
    """Every line has as many cells as the heading."""
    lines = render_markdown(count(SMALL)).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in table} == {9}
    assert table[0] == "| layer | kind | window | output | params | macs | macs% | field |"
    assert table[1] == "| --- | --- | --- | --- | ---: | ---: | ---: | ---: |"


def test_csv_is_exact_and_empty_where_there_is_nothing() -> None:
    """Numbers without separators; a missing window is an empty cell."""
    first, *_, last = csv.DictReader(StringIO(render_csv(count("vgg16"))))
    assert first["activations"] == "3211264"
    assert first["kernel"] == "3x3"
    assert last["field"] == ""


def test_columns_are_chosen_by_name() -> None:
    """A list replaces the usual columns, a plus adds to them, all shows all."""
    assert [column.key for column in choose_columns("layer, macs")] == ["layer", "macs"]
    assert [column.key for column in choose_columns("+start")][-2:] == ["field", "start"]
    assert [column.key for column in choose_columns("+macs")][-1] == "macs"  # not twice: moved
    assert choose_columns("all") == tuple(COLUMNS.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("layer,parms", "no column 'parms'; choose from layer.*did you mean 'params'"),
        ("layer,layer", "'layer' is given twice"),
        ("", "no column ''"),
    ],
)
def test_wrong_columns_are_refused(text: str, message: str) -> None:
    """Unknown and doubled columns are named."""
    with pytest.raises(CalculatorError, match=message):
        choose_columns(text)


def test_units_round_exactly() -> None:
    """Halves go up, and no float is involved."""
    assert render_count(138_357_544, "M") == "138.36M"
    assert render_count(1_005, "K") == "1.01K"
    assert render_count(999, "auto") == "999"
    assert render_count(1_000_000, "auto") == "1.00M"
    assert render_bytes(1_536, "K") == "1.50 KiB"
    assert render_bytes(0, "G") == "0 B"
    assert render_share(1, 3) == "33.3%"
    assert render_share(0, 0) == "-"
    assert divide_rounded(10**40 + 5, 10, digits=0) == f"{10**39 + 1:,}"


def test_a_batch_below_one_is_refused() -> None:
    """There is no empty batch."""
    with pytest.raises(CalculatorError, match=r"batch 1\.5 must be an integer"):
        summarize(SMALL, batch=1.5)  # type: ignore[arg-type]
    with pytest.raises(CalculatorError, match="batch 0 must be an integer of at least 1"):
        count("lenet5", batch=0)
