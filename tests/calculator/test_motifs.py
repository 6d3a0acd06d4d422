"""Rewrites are recognised, and their share of the difference is exact."""

import pytest

from calculator import Comparison, Network, Node, compare, parse, summarize
from calculator.layers.dense import Dense
from calculator.layers.operators import Operator, Source
from calculator.layers.pointwise import InstanceNorm
from calculator.network import INPUT
from calculator.teaching.comparison import COUNTS, render_comparison

PLAIN = "8x6x6 | upsample 2 | conv 4@3x3 p1 | relu"
PHASES = "8x6x6 | conv 16@2x2 p1 | pixelshuffle 2 | crop 1 | relu"
PHASE_WORDS = "upsampling and convolution in one convolution of phases"
# a margin of 4 around what is seen, which both cut off: the one at the end, the other on the way
FRAMED = "8x14x14 | upsample 2 | conv 4@3x3 p1 | relu | upsample 2 | conv 2@3x3 p1 | crop 16"
SHAVED = (
    "8x14x14 | crop 2 | conv 16@2x2 | relu | pixelshuffle 2 | conv 8@2x2 | pixelshuffle 2 | crop 5"
)
# 10x10 positions behind the crop, 9x9 and 8x8 behind the convolutions: 32 pixels, of which 24 stay
BLOCKS = "8x14x14 | crop 2 | conv 16@2x2 | relu | conv 32@2x2 | pixelshuffle 4 | crop 4"
BLOCK_WORDS = "two upsamplings and convolutions as one block of phases"
TAIL_WORDS = "a tail without the margin that nobody sees"


def contrast(first: Network | str, second: Network | str) -> Comparison:
    """Compare two networks, and check that the sums are exact."""
    networks = [parse(one) if isinstance(one, str) else one for one in (first, second)]
    comparison = compare(*(summarize(network) for network in networks))
    for count in COUNTS:
        change = getattr(comparison.second, count) - getattr(comparison.first, count)
        assert sum(one.change(count) for one in comparison.differences) == change
    return comparison


@pytest.mark.parametrize(("first", "second", "sign"), [(PLAIN, PHASES, 1), (PHASES, PLAIN, -1)])
def test_phase_convolution_is_one_difference(first: str, second: str, sign: int) -> None:
    """Upsampling and convolution stand against what replaced them, in both directions."""
    (found,) = contrast(first, second).differences
    assert found.reasons == (PHASE_WORDS,)
    assert found.cause == PHASE_WORDS
    # 2*2*8*16 + 16 against 3*3*8*4 + 4; 7*7 positions of 4*8 taps for 16 against 12*12 of 72 for 4
    assert found.change("params") == sign * (528 - 292)
    assert found.change("macs") == sign * (7 * 7 * 32 * 16 - 12 * 12 * 72 * 4)


def test_reflected_upsampling_is_recognised() -> None:
    """A pad between upsampling and convolution, and one before the phases, belong to it."""
    first = "8x6x6 | upsample 2 | pad 1 reflect | conv 4@3x3"
    second = "8x6x6 | pad 1 edge | conv 16@2x2 | pixelshuffle 2 | crop 1"
    (found,) = contrast(first, second).differences
    assert found.name == "upsample1, pad1, conv1 -> pad1, conv1, pixelshuffle1, crop1"


@pytest.mark.parametrize(
    "other",
    [
        "8x6x6 | conv 16@3x3 p1 | pixelshuffle 2 | relu",
        "8x6x6 | conv 16@2x2 p0:1 | pixelshuffle 2 | relu",
        "8x6x6 | pad 1 edge | conv 16@2x2 p0:1 | pixelshuffle 2 | crop 1:3 | relu",
        "8x6x6 | conv 36@2x2 p1 | pixelshuffle 3 | crop 1 | relu",
        "8x6x6 | conv 16@2x2 p1 | maxpool 3x3 s1 p1 | pixelshuffle 2 | crop 1 | relu",
    ],
)
def test_lookalikes_are_not_called_a_rewrite(other: str) -> None:
    """Another kernel, another factor, or something in between is another network."""
    assert not any(one.cause for one in contrast(PLAIN, other).differences)


def test_forms_common_to_both_are_compared_layer_by_layer() -> None:
    """Where both upsample and convolve, nothing is folded."""
    (found,) = contrast(PLAIN, PLAIN.replace("p1", "p1 nobias")).differences
    assert (found.name, found.reasons) == ("conv1", ("bias True -> False",))


def test_folded_batch_normalisation_is_recognised() -> None:
    """A convolution with bias stands for one without and the normalisation behind it."""
    (found,) = contrast(
        "3x8x8 | conv 4@3 nobias | batchnorm | relu", "3x8x8 | conv 4@3 | relu"
    ).differences
    assert found.cause == "batch normalisation folded into the convolution"
    assert [found.change(count) for count in COUNTS] == [4 - 2 * 4, -2 * 4, 0]


def test_absent_normalisation_is_no_folding() -> None:
    """A convolution that had its bias before gains none from a normalisation."""
    found = contrast("3x8x8 | conv 4@3 | batchnorm", "3x8x8 | conv 4@3").differences
    assert [one.reasons for one in found] == [("batchnorm only in the first",)]


@pytest.mark.parametrize(("first", "second", "sign"), [(FRAMED, SHAVED, 1), (SHAVED, FRAMED, -1)])
def test_tail_without_margin_is_named_with_what_it_saves(
    first: str, second: str, sign: int
) -> None:
    """Phases of a padded map are the rewrite's share, the positions that are missing the tail's."""
    found = [one for one in contrast(first, second).differences if one.cause]
    names = [["upsample1, conv1", "crop1, conv1, pixelshuffle1"]]
    names += [["upsample2, conv2", "conv2, pixelshuffle2"]]
    assert [one.name for one in found] == [" -> ".join(pair[::sign]) for pair in names]
    # 2*2*8*16 products at 9*9 positions where padding by 1 had 15*15; 2*2*4*8 at 17*17 and 29*29
    tails = [sign * (81 - 225) * 512, sign * (289 - 841) * 128]
    phases = [sign * (225 * 512 - 28 * 28 * 288), sign * (841 * 128 - 56 * 56 * 72)]
    assert [one.change_by(TAIL_WORDS, "macs") for one in found] == tails
    assert [one.change_by(PHASE_WORDS, "macs") for one in found] == phases
    assert [one.change("macs") for one in found] == [
        a + b for a, b in zip(tails, phases, strict=True)
    ]
    assert all(one.causes == (PHASE_WORDS, TAIL_WORDS) for one in found)
    text = render_comparison(contrast(first, second))
    assert f"{TAIL_WORDS} (2x): macs {sum(tails):+,}\n" in text


@pytest.mark.parametrize(("first", "second", "sign"), [(FRAMED, BLOCKS, 1), (BLOCKS, FRAMED, -1)])
def test_block_of_phases_stands_for_both_doublings(first: str, second: str, sign: int) -> None:
    """Two upsamplings and convolutions are one difference where their phases are one block."""
    (found,) = [one for one in contrast(first, second).differences if one.cause]
    assert found.cause == BLOCK_WORDS
    sides = ["upsample1, conv1, upsample2, conv2", "crop1, conv1, conv2, pixelshuffle1"]
    assert found.name == " -> ".join(sides[::sign])
    # 2*2*8*16 + 16 and 2*2*16*32 + 32 against 3*3*8*4 + 4 and 3*3*4*2 + 2
    assert found.change("params") == sign * (528 + 2080 - 292 - 74)


@pytest.mark.parametrize(
    "other",
    [
        BLOCKS.replace("32@2x2", "32@3x3 p1:0"),
        BLOCKS.replace("32@2x2 | pixelshuffle 4", "8@2x2 | pixelshuffle 2 | upsample 2"),
        BLOCKS.replace("crop 4", "crop 5"),
    ],
)
def test_lookalikes_of_a_block_are_not_called_one(other: str) -> None:
    """Another kernel, another factor, another size in the end."""
    assert not any(one.cause == BLOCK_WORDS for one in contrast(FRAMED, other).differences)


def test_other_kernels_are_not_what_a_block_stands_for() -> None:
    """Taps of a larger kernel do not fit into phases."""
    found = contrast(FRAMED.replace("conv 2@3x3 p1", "conv 2@5x5 p2"), BLOCKS).differences
    assert not any(one.cause == BLOCK_WORDS for one in found)


def test_block_of_phases_stands_for_both_orderings() -> None:
    """Against phases that are put in order twice, the block is one difference, too."""
    (found,) = contrast(SHAVED, BLOCKS).differences[:-1]
    assert found.cause == BLOCK_WORDS
    sides = "crop1, conv1, pixelshuffle1, conv2, pixelshuffle2 -> crop1, conv1, conv2"
    assert found.name == f"{sides}, pixelshuffle1"


def test_map_that_ends_smaller_is_no_shaved_tail() -> None:
    """Where the outputs differ, what is not computed is missed."""
    found = contrast(FRAMED, SHAVED.replace("crop 5", "crop 6")).differences
    assert not any(one.cause for one in found)


def make_styled(styles: int) -> Network:
    """Return a normalisation whose scale and shift come from tables of styles."""
    return Network(
        "styled",
        (4, 6, 6),
        (
            Node("weights", Source((styles,)), ()),
            Node("scale", Dense(4, bias=False), (0,)),
            Node("shift", Dense(4, bias=False), (0,)),
            Node("norm", InstanceNorm(affine=False), (INPUT,)),
        ),
    )


def test_table_of_styles_is_one_difference() -> None:
    """Scale and shift of five styles hold five times the parameters of one."""
    comparison = contrast("4x6x6 | instancenorm", make_styled(5))
    weights, norm = comparison.differences
    assert weights.reasons == ("input only in the second (a further input)",)
    assert norm.name == "norm1 -> scale, shift, norm"
    assert norm.cause == "scale and shift from a table of styles"
    assert norm.change("params") == 5 * 8 - 8
    assert norm.change("macs") == 5 * 8


def make_tabled(styles: int, *, between: bool = False) -> Network:
    """Return two normalisations that read one table; perhaps of what another layer returns."""
    table = 2 if between else 1
    hidden = (Node("hidden", Dense(3), (0,)),) * between
    norm = Operator("instancenorm", (4, 6, 6), pointwise=True)
    return Network(
        "tabled",
        (4, 6, 6),
        (
            Node("weights", Source((styles,)), ()),
            *hidden,
            Node("table", Dense(16, bias=False), (table - 1,)),
            Node("norm1", norm, (INPUT, table)),
            Node("norm2", norm, (table + 1, table)),
        ),
    )


def test_one_table_for_all_is_the_cause_of_the_normalisations_differences() -> None:
    """The table stands in a line of its own, each normalisation loses its parameters."""
    comparison = contrast("4x6x6 | instancenorm | instancenorm", make_tabled(5))
    _, table, *norms = comparison.differences
    words = "scale and shift from a table of styles"
    assert [one.cause for one in (table, *norms)] == [words] * 3
    assert (table.change("params"), table.change("macs")) == (5 * 16, 5 * 16)
    assert [one.change("params") for one in norms] == [-8, -8]
    assert f"{words} (3x): params +64, macs +80" in render_comparison(comparison)


def test_computed_scales_are_no_table_of_styles() -> None:
    """Behind another layer, what the normalisations read is no table."""
    comparison = contrast("4x6x6 | instancenorm | instancenorm", make_tabled(5, between=True))
    assert {one.cause for one in comparison.differences} == {"", "a further input"}


def test_quantisation_is_a_purpose_with_a_sum() -> None:
    """Operations that only carry 8-bit values are told apart and counted together."""
    plain = parse("3x8x8 | conv 4@3 | relu")
    quantized = Network(
        "int8",
        plain.input,
        (
            plain.nodes[0],
            Node("q", Operator("quantizelinear", (4, 6, 6), buffers=2, pointwise=True), (0,)),
            Node("d", Operator("dequantizelinear", (4, 6, 6), buffers=2, pointwise=True), (1,)),
            Node("relu", plain.nodes[1].layer, (2,)),
        ),
    )
    text = render_comparison(contrast(plain, quantized))
    assert "q: quantizelinear only in the second (8-bit values)" in text
    assert "8-bit values (2x): buffers +4" in text


def test_settings_written_differently_are_alike() -> None:
    """``same`` and its numbers, one kernel side for all axes, are the same layer."""
    first = "3x8x8 | pad 1 | conv 4@3 same | maxpool 2 | adaptiveavgpool 2"
    second = "3x8x8 | pad 1x1 | conv 4@3x3 p1 | maxpool 2x2 s2 | adaptiveavgpool 2x2"
    assert contrast(first, second).differences == ()


def test_text_of_a_comparison_fits_the_terminal() -> None:
    """Long names and long sums are broken between words."""
    text = render_comparison(contrast("style-paper", "3x256x256 | conv 4@3"))
    assert max(map(len, text.splitlines())) <= 80


def test_activation_may_stand_before_the_shuffle() -> None:
    """An exporter computes what works on single values where there are fewer steps."""
    first = "8x6x6 | upsample 2 | conv 4@3x3 p1 | sigmoid"
    second = "8x6x6 | conv 16@2x2 p1 | sigmoid | pixelshuffle 2 | crop 1"
    phases, sigmoid = contrast(first, second).differences
    assert phases.name == "upsample1, conv1 -> conv1, pixelshuffle1, crop1"
    assert sigmoid.reasons == ("input 4x12x12 -> 16x7x7",)
