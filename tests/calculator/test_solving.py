"""Settings that lead from one size to another."""

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from calculator import CalculatorError, parse, solve, summarize
from calculator.cli.solve import solve as command


def list_settings(question: str) -> set[tuple[int, ...]]:
    """Return the numbers of every solution."""
    return {tuple(value for _, value in one.settings) for one in solve(question).solutions}


def find_by_trying(size: int, target: int, kernel: int) -> set[tuple[int, ...]]:
    """Return stride, padding, dilation by trying all within the documented bounds."""
    found: set[tuple[int, ...]] = set()
    most = (size - 1) // (kernel - 1) if kernel > 1 else 1
    for dilation in range(1, most + 1):
        reach = dilation * (kernel - 1) + 1
        for padding in range(reach // 2 + 1):
            room = size + 2 * padding - reach
            strides = range(1, max(size, room + 1) + 1)
            fits = (s for s in strides if room >= 0 and room // s + 1 == target)
            found |= {(stride, padding, dilation) for stride in fits}
    return found


@given(st.integers(1, 24), st.integers(1, 24), st.integers(1, 7))
def test_solutions_are_those_found_by_trying(size: int, target: int, kernel: int) -> None:
    """Nothing is missing and nothing is wrong, and where there is none a reason is given."""
    answer = solve(f"{size} -> {target}, k={kernel}")
    assert list_settings(answer.question) == find_by_trying(size, target, kernel)
    assert bool(answer.reason) != bool(answer.solutions)


def test_alexnets_first_layer_is_found() -> None:
    """Stride 4 without padding is the first of the exact solutions."""
    first, *_ = solve("227 -> 55, k=11").solutions
    assert first.render() == "s=4 p=0 d=1: floor((227 + 0 - 10 - 1)/4) + 1 = 55"
    assert first.dropped == 0


def test_given_settings_are_kept() -> None:
    """What is given narrows the search."""
    assert list_settings("227 -> 55, k=11, s=4, d=1") == {(4, 0, 1), (4, 1, 1)}
    assert list_settings("224->55,k=11,s=4,p=2,d=1") == {(4, 2, 1)}


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("227 -> 300, k=11", "no output of 300: 227 is the largest"),
        ("10 -> 7, k=3, s=2, d=1", "no output of 7: 5 is the largest"),
        ("5 -> 2, k=11", "no output at all: the kernel does not fit"),
        ("10 -> 7, k=3, d=1, p=0", "no output of 7: the nearest are 4 and 8"),
        ("10 -> 3, k=3, d=1, p=0, s=1", "no output of 3: the nearest are 8"),
    ],
)
def test_absence_has_a_reason(question: str, reason: str) -> None:
    """Where nothing leads there, the nearest outputs are named."""
    answer = solve(question)
    assert answer.solutions == ()
    assert answer.reason.startswith(reason)


def test_question_mark_in_a_network_is_solved() -> None:
    """AlexNet's second convolution keeps 27x27 with a padding of 2."""
    line = "3x227x227 | conv 96@11x11 s4 | pool 3x3 s2 | conv 256@5x5 p=?"
    (solution,) = solve(f"{line} -> 27x27").solutions
    assert solution.settings == (("p", 2),)
    assert summarize(parse(solution.shown)).rows[-1].derived.shape == (256, 27, 27)


def test_several_question_marks_are_solved() -> None:
    """The full output shape can be asked for, and marks of one name are numbered."""
    found = list_settings("3x32x32 | conv ?@3 s? p? -> 8x16x16")
    assert (8, 2, 1) in found
    assert all(filters == 8 for filters, _, _ in found)
    (names, *_) = (one.settings for one in solve("1x9 | pool ? | pool ? -> 1").solutions)
    assert [name for name, _ in names] == ["?1", "?2"]


def test_network_without_solution_shows_what_is_possible() -> None:
    """The outputs that some numbers make are listed."""
    answer = solve("3x27x27 | conv 8@5 p=? -> 26x26")
    assert answer.solutions == ()
    assert answer.reason.startswith("no number up to 128 makes 26x26: 0 gives 8x23x23, 1 gives")


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("227 to 55", "is no question; ask '227 -> 55, k=11'"),
        ("227 -> 55", "is no question"),
        ("227 -> 55, s=4", "the kernel is missing"),
        ("227 -> 55, k=0", "'k=0' must be"),
        ("227 -> 55, k=3, k=5", "each once"),
        ("227 -> 55, stride=3", "'stride=3' must be"),
        ("0 -> 55, k=3", "sizes start at 1"),
        ("999999 -> 55, k=2", "more than 5000 solutions to list; give s, p or d"),
        ("999999 -> 999998, k=3, s=9", "more than 50000 windows to try; give s, p or d"),
        ("3x9x9 | conv 4@? s? p? d? -> 3", "4 question marks are too many"),
        ("3x9x9 | pol ? -> 3", "did you mean 'pool'"),
        ("3x9x9 | pool ? -> x", "input 'x' must be"),
    ],
)
def test_wrong_question_is_refused(question: str, message: str) -> None:
    """Every mistake gets one message."""
    with pytest.raises(CalculatorError, match=message):
        solve(question)


def test_command_answers_or_says_why_not() -> None:
    """No solution is failed work, a wrong question wrong usage."""
    result = CliRunner().invoke(command, ["227 -> 55, k=11, s=4, d=1"])
    assert result.output.splitlines() == [
        "s=4 p=0 d=1: floor((227 + 0 - 10 - 1)/4) + 1 = 55",
        "s=4 p=1 d=1: floor((227 + 2 - 10 - 1)/4) + 1 = 55 (floor drops 2/4)",
    ]
    none = CliRunner().invoke(command, ["227 -> 300, k=11"])
    assert (none.exit_code, "227 is the largest" in none.output) == (1, True)
    assert CliRunner().invoke(command, ["what"]).exit_code == 2
