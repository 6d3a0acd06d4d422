"""Claims of course notes: one test for every line of the ledger, and one line for every test."""

import re
from pathlib import Path

import pytest

from calculator import Report, parse, summarize

LEDGER = Path(__file__).parents[2] / "docs" / "notes-ledger.md"
LINES = LEDGER.read_text(encoding="utf-8").splitlines()
ROWS = {row.split("`")[1]: row for row in LINES if row.startswith("| ") and "`" in row}


def count(text: str) -> Report:
    """Return the report of a network."""
    return summarize(parse(text))


def says(test: str, *numbers: int) -> None:
    """Check that the ledger's line holds these numbers."""
    for number in numbers:
        assert re.search(rf"(?<![\d,]){number:,}(?![\d,])", ROWS[test]), number


def test_ledger_and_tests_are_the_same() -> None:
    """No claim without a test, no test without a claim."""
    tests = {name.removeprefix("test_claim_") for name in globals() if "test_claim_" in name}
    assert tests == set(ROWS)
    assert len(ROWS) == sum(row.startswith("| ") for row in LINES) - 2


def test_claim_alexnet_parameters() -> None:
    """60 million are those of the grouped network."""
    says("alexnet_parameters", count("alexnet-grouped").params, count("alexnet").params)


def test_claim_lenet_dense_layers() -> None:
    """The layer of 120 units is missing in 400 to 84."""
    says("lenet_dense_layers", count("lenet5-notes").params, count("lenet5").params)
    dense = [row.derived.shape for row in count("lenet5").rows if row.node.layer.kind == "fc"]
    assert dense == [(120,), (84,), (10,)]


def test_claim_lenet_parameters() -> None:
    """60,000 are those of the paper."""
    says("lenet_parameters", count("lenet5-1998").params, count("lenet5").params)


def test_claim_vgg_parameters() -> None:
    """138 million."""
    says("vgg_parameters", count("vgg16").params)


def test_claim_vgg_balance() -> None:
    """Parameters are in dense layers, work in convolutions."""
    report = count("vgg16")
    dense = [row for row in report.rows if row.node.layer.kind == "fc"]
    says("vgg_balance", sum(row.params for row in dense), report.params)
    share = 1 - sum(row.macs for row in dense) / report.macs
    assert f"{100 * share:.1f}%" in ROWS["vgg_balance"]


def test_claim_activation_size() -> None:
    """It grows first and falls later."""
    first, *_, last = count("lenet5-course").rows
    says("activation_size", 3 * 32 * 32, first.activations.result)
    assert last.activations.result < 3 * 32 * 32 < first.activations.result


def test_claim_channels_double() -> None:
    """512 follows 512."""
    shapes = {row.node.name: row.derived.shape for row in count("vgg16").rows}
    assert [shapes[f"pool{i}"][0] for i in range(1, 6)] == [64, 128, 256, 512, 512]


@pytest.mark.parametrize(("stride", "shift", "moved"), [(1, 1, 1), (2, 2, 1), (2, 1, None)])
def test_claim_convolution_is_equivariant(stride: int, shift: int, moved: int | None) -> None:
    """A shifted input gives a shifted output, if the shift is a multiple of the stride."""
    signal, taps = [0] * 8 + [3, 1, 4, 1, 5] + [0] * 8, (2, -1, 7)

    def convolve(values: list[int]) -> list[int]:
        starts = range(0, len(values) - len(taps) + 1, stride)
        return [sum(t * values[i + j] for j, t in enumerate(taps)) for i in starts]

    plain, shifted = convolve(signal), convolve([0] * shift + signal[:-shift])
    matches = [n for n in range(4) if [0] * n + plain[: len(plain) - n] == shifted]
    assert matches == ([] if moved is None else [moved])


def test_claim_dense_equivalent() -> None:
    """A dense layer from 32x32 to 6x28x28 has four orders of magnitude more."""
    conv, dense = count("1x32x32 | conv 6@5x5"), count("1x32x32 | flatten | fc 4704")
    assert conv.activations == dense.rows[-1].activations.result
    says("dense_equivalent", conv.params, dense.params)


@pytest.mark.parametrize(("stride", "field"), [(1, 7), (2, 15)])
def test_claim_three_small_filters(stride: int, field: int) -> None:
    """The field is 7 at stride 1 only, and the weights are fewer than those of one filter."""
    report = count("5x64x64" + f" | conv 5@3 s{stride} nobias" * 3)
    assert [one.extent for one in report.rows[-1].fields or ()] == [field, field]
    assert f"{field}x{field}" in ROWS["three_small_filters"]
    assert report.params == 27 * 5**2
    assert count("5x64x64 | conv 5@7 nobias").params == 49 * 5**2


@pytest.mark.parametrize(
    ("kernel", "stride", "borders"), [(5, 1, (2, 2)), (4, 1, (1, 2)), (3, 2, (0, 1))]
)
def test_claim_same_padding(kernel: int, stride: int, borders: tuple[int, int]) -> None:
    """Even filters and strides need different padding on the two sides."""
    (row,) = count(f"1x32 | conv 1@{kernel} s{stride} same").rows
    assert row.derived.window is not None
    assert row.derived.window.padding == (borders,)
    assert row.derived.shape == (1, 32 // stride)


def test_claim_output_needs_floor() -> None:
    """What is dropped at 224 is a quarter of a step; 227 is exact."""
    (cropped,) = count("3x224 | conv 1@11 s4").rows
    (exact,) = count("3x227 | conv 1@11 s4").rows
    assert cropped.derived.sizes[0].list_rounding() == (("floor", 1, 4),)
    assert exact.derived.sizes[0].list_rounding() == ()
    says("output_needs_floor", cropped.derived.shape[1], exact.derived.shape[1])


def test_claim_pooling_parameters() -> None:
    """12 and 32 in 1998, none today."""
    rows = {row.node.name: row for row in count("lenet5-1998").rows}
    says("pooling_parameters", rows["s2"].params, rows["s4"].params)
    assert {row.params for row in count("lenet5").rows if "pool" in row.node.name} == {0}


def test_claim_bottleneck() -> None:
    """16 channels in between save a factor of almost ten (Szegedy et al. 2015)."""
    wide = count("192x28x28 | conv 32@5x5 same")
    narrow = count("192x28x28 | conv 16@1x1 | conv 32@5x5 same")
    says("bottleneck", wide.macs, narrow.macs)
    assert 9 < wide.macs / narrow.macs < 10
