"""Branches that do not meet: rounding, margins, and several changes together."""

import pytest

from calculator import CalculatorError, parse, summarize
from calculator.teaching.doctor.diagnosis import Diagnosis, diagnose

NESTED = (
    "3x57x57 | [ pool 2 | conv 8@3 p1 | [ pool 2 | conv 16@3 p1 | upsample 2 || ] concat "
    "| upsample 2 || ] concat"
)


def list_lines(diagnosis: Diagnosis) -> list[str]:
    """Return the lines of all fixes, each of which fits."""
    for cause in diagnosis.causes:
        assert summarize(parse(cause.line)).rows[-1].derived.shape == cause.output
    return [cause.line for cause in diagnosis.causes]


def test_uneven_size_is_changed_to_the_next_even_ones() -> None:
    """Below and above; cropping and padding follow; no tiny input is offered."""
    line = "3x57x57 | [ conv 8@3 s2 p1 | tconv 8@2 s2 || conv 8@1 ] concat"
    diagnosis = diagnose(line)
    assert list_lines(diagnosis) == [
        line.replace("57x57", "56x56"),
        line.replace("s2 ||", "s2 | crop 0:1 ||"),
        line.replace("8@1 ]", "8@1 | pad 0:1 ]"),
    ]
    assert diagnosis.causes[0].fix == "give 3x56x56, or 3x58x58"


def test_nested_halves_need_a_multiple_of_four() -> None:
    """Above: 58 would fail in the inner branches. 56 is one below."""
    assert diagnose(NESTED).causes[0].fix == "give 3x56x56, or 3x60x60"
    list_lines(diagnose(NESTED))
    with pytest.raises(CalculatorError, match="29x29"):
        parse(NESTED.replace("57x57", "58x58"))


def test_one_odd_axis_is_cropped_alone() -> None:
    """The other stays."""
    line = "3x57x56 | [ pool 2 | upsample 2 || ] concat"
    fixes = list_lines(diagnose(line))
    assert "3x57x56 | [ pool 2 | upsample 2 || crop 0:1x0 ] concat" in fixes
    assert "3x56x56 | [ pool 2 | upsample 2 || ] concat" in fixes


def test_stride_is_not_cropped_away() -> None:
    """Half of a map is more than a margin."""
    line = "8x8x8 | [ conv 8@3 s2 p1 || ] add"
    assert not any("crop" in fix or "pad " in fix for fix in list_lines(diagnose(line)))


def test_padding_and_projection_are_combined() -> None:
    """A shortcut around an unpadded convolution with a stride needs both."""
    fixes = list_lines(diagnose("3x32x32 | [ conv 8@3 s2 || ] add"))
    assert fixes[0] == "3x32x32 | [ conv 8@3 s2 p1 || conv 8@1x1 s2 ] add"


def test_branches_of_two_kernels_are_padded() -> None:
    """To the size of one, or each by half of its kernel."""
    fixes = list_lines(diagnose("3x32x32 | [ conv 8@3 || conv 4@5 ] concat"))
    assert fixes[:2] == [
        "3x32x32 | [ conv 8@3 || conv 4@5 p1 ] concat",
        "3x32x32 | [ conv 8@3 p1 || conv 4@5 p2 ] concat",
    ]


def test_small_kernel_is_not_padded_beyond_its_half() -> None:
    """A 1x1 convolution is no place for a border of zeros."""
    fixes = list_lines(diagnose("8x8x8 | [ crop 1 | conv 8@1 || ] add"))
    assert fixes
    assert not any("8@1 p" in fix for fix in fixes)


@pytest.mark.parametrize(
    "line",
    [
        "1x8x8 | [ conv 4@3 | flatten || flatten ] add",
        "1x8x8 | [ conv 4@3 | flatten | fc 4 || fc 4 ] concat",
        "8 | [ fc 8 || fc 9 ] add",
    ],
)
def test_flat_branches_are_answered(line: str) -> None:
    """They have no sizes to pad."""
    diagnosis = diagnose(line)
    assert not diagnosis.fits
    list_lines(diagnosis)
