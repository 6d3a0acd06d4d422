"""Two networks side by side: differences that sum to the difference of the totals."""

from itertools import product

import pytest
from click.testing import CliRunner

from calculator import Comparison, compare, parse, summarize
from calculator.cli.compare import compare as command
from calculator.teaching.comparison import COUNTS, render_comparison

NAMES = ("lenet5", "lenet5-course", "alexnet", "alexnet-grouped", "vgg16", "vgg19-bn", "resnet18")


def contrast(first: str, second: str) -> Comparison:
    """Compare two networks."""
    return compare(summarize(parse(first)), summarize(parse(second)))


def test_grouping_saves_alexnet_its_known_parameters() -> None:
    """The three grouped convolutions account for all of the difference."""
    comparison = contrast("alexnet", "alexnet-grouped")
    changes = {one.name: one.change("params") for one in comparison.differences}
    assert changes == {"conv2": -307_200, "conv4": -663_552, "conv5": -442_368}
    assert [one.reasons for one in comparison.differences] == [("groups 1 -> 2",)] * 3
    assert sum(changes.values()) == -1_413_120


@pytest.mark.parametrize(("first", "second"), list(product(NAMES, NAMES)))
def test_differences_sum_to_the_difference_of_totals(first: str, second: str) -> None:
    """Whatever is compared, nothing is lost and nothing counted twice."""
    comparison = contrast(first, second)
    for count in COUNTS:
        change = getattr(comparison.second, count) - getattr(comparison.first, count)
        assert sum(one.change(count) for one in comparison.differences) == change


def test_network_equals_itself() -> None:
    """Nothing differs, every layer is alike."""
    comparison = contrast("resnet50", "resnet50")
    assert comparison.differences == ()
    assert comparison.alike == len(comparison.first.rows)


def test_deeper_network_has_more_convolutions() -> None:
    """VGG-19 is VGG-16 with three convolutions more, each with its activation."""
    comparison = contrast("vgg16", "vgg19")
    assert {one.reasons for one in comparison.differences} == {
        ("conv only in the second",),
        ("relu only in the second",),
    }
    assert len(comparison.differences) == 6


def test_changed_input_is_a_reason() -> None:
    """A layer whose settings are alike may still be given something else."""
    comparison = contrast("1x9x9 | conv 2@3 | relu", "1x9x9 | conv 4@3 p1:0 | relu")
    assert [one.reasons for one in comparison.differences] == [
        ("filters 2 -> 4", "padding 0 -> 1:0"),
        ("input 2x7x7 -> 4x8x8",),
    ]


def test_text_shows_the_sum() -> None:
    """The totals are written as a sum that can be checked."""
    lines = render_comparison(contrast("alexnet", "alexnet-grouped")).splitlines()
    assert lines[-3] == "params: 62,378,344 - 307,200 - 663,552 - 442,368 = 60,965,224"
    assert lines[-2] == "buffers: 0 = 0"
    assert "alike: 21 layers" in lines


def test_command_compares() -> None:
    """The input and the batch hold for both networks."""
    result = CliRunner().invoke(command, ["vgg11", "vgg13", "--input", "3x64x64", "--batch", "2"])
    assert result.exit_code == 0
    assert result.output.splitlines()[:2] == [
        "vgg11: input 3x64x64, batch 2",
        "vgg13: input 3x64x64, batch 2",
    ]
    assert CliRunner().invoke(command, ["vgg11", "vgg12"]).exit_code == 2
