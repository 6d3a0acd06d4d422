"""The quiz: wrong answers from misconceptions, and the same exercises for a seed."""

import math
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calculator import CalculatorError
from calculator.teaching.language import LANGUAGES
from calculator.teaching.quiz import classics
from calculator.teaching.quiz.levels import LEVELS, MOST_EXERCISES, make_quiz
from calculator.teaching.quiz.misconceptions import MISCONCEPTIONS
from calculator.teaching.quiz.mistakes import MISTAKES, list_field_mistakes
from calculator.teaching.quiz.problems import Draw

SEEDS = st.integers(0, 999_999_999)
LEVEL = st.sampled_from(sorted(LEVELS))
GOLDEN = [
    ("depthwise_params", "16x14x14 | dwconv 3x3", "160", 2),
    ("same_size", "3x36x36 | conv 8@7x7 s3 same", "12x12", 0),
    ("same_padding", "3x34x34 | conv 8@5x5 s2 same", "3", 2),
    ("transposed_size", "16x14x14 | tconv 8@5x5 s2 p0", "31x31", 2),
]


@settings(max_examples=60, deadline=None)
@given(SEEDS, LEVEL, st.sampled_from(LANGUAGES))
def test_choices_are_one_right_and_three_wrong(seed: int, level: int, language: str) -> None:
    """All four differ and are positive; each wrong one has its own words and computation."""
    for exercise in make_quiz(seed, level=level, count=14, language=language).exercises:
        assert len({choice.text for choice in exercise.choices}) == 4
        values = [choice.value for choice in exercise.choices]
        assert None in values or len(set(values)) == 4
        assert all(value is None or value > 0 for value in values)
        assert exercise.right.misconception is None
        assert exercise.derivation
        wrong = [choice for choice in exercise.choices if choice is not exercise.right]
        for choice in wrong:
            assert choice.misconception in MISCONCEPTIONS
            assert choice.name
            assert choice.remedy
            assert choice.value is None or choice.working.endswith(f"{choice.value:,}")


@settings(max_examples=40, deadline=None)
@given(SEEDS, LEVEL)
def test_workings_evaluate_to_their_results(seed: int, level: int) -> None:
    """The printed computation of every choice has the printed result."""
    for exercise in make_quiz(seed, level=level, count=14).exercises:
        for choice in exercise.choices:
            left, sign, result = choice.working.partition(" = ")
            if sign:
                names = {"floor": math.floor, "ceil": math.ceil, "min": min, "max": max}
                text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", left)
                assert eval(text, {"__builtins__": {}}, names) == int(result.replace(",", ""))  # noqa: S307 - our own arithmetic


def list_numbers(text: str) -> list[str]:
    """Return the numbers of a question that stand in both languages, such as sizes."""
    return sorted(re.findall(r"\d+x\d+[x\d]*", text))


@given(SEEDS, LEVEL)
@settings(max_examples=20, deadline=None)
def test_same_settings_make_the_same_quiz(seed: int, level: int) -> None:
    """A longer quiz begins with the shorter, and the language changes words only."""
    long = make_quiz(seed, level=level, count=9)
    assert make_quiz(seed, level=level, count=4).exercises == long.exercises[:4]
    korean = make_quiz(seed, level=level, count=9, language="ko")
    for one, other in zip(long.exercises, korean.exercises, strict=True):
        assert (one.kind, one.network, one.batch, one.answer) == (
            other.kind,
            other.network,
            other.batch,
            other.answer,
        )
        assert [c.misconception for c in one.choices] == [c.misconception for c in other.choices]
        assert list_numbers(one.question) == list_numbers(other.question)


def test_seed_makes_these_exercises_on_every_python() -> None:
    """The draws are pinned: a sheet that was printed once can be printed again."""
    made = make_quiz(7, level=3, count=4).exercises
    assert [(one.kind, one.network, one.right.text, one.answer) for one in made] == GOLDEN


def test_draws_are_uniform() -> None:
    """The right answer stands in every place equally often."""
    places = Counter(
        exercise.answer
        for level in LEVELS
        for seed in range(100)
        for exercise in make_quiz(seed, level=level, count=5).exercises
    )
    assert all(450 < places[place] < 550 for place in range(4)), places


def test_shuffle_keeps_every_item() -> None:
    """A shuffled list has the same items, and in every order over the seeds."""
    orders = {tuple(Draw(seed).shuffle("abc")) for seed in range(60)}
    assert len(orders) == 6


@pytest.mark.parametrize("level", sorted(LEVELS))
def test_longest_quiz_asks_nothing_twice(level: int) -> None:
    """Every kind of a level is asked before one comes again, and no question twice."""
    exercises = make_quiz(1, level=level, count=MOST_EXERCISES).exercises
    assert len({one.question for one in exercises}) == MOST_EXERCISES
    kinds = len(LEVELS[level])
    assert len({one.kind for one in exercises[:kinds]}) == kinds


def test_every_misconception_is_used() -> None:
    """None is named in vain, and every formula has its name."""
    used = {key for wrong in MISTAKES.values() for key in wrong} | set(list_field_mistakes(3))
    chosen = {*classics.CONFUSED.values(), "work-for-weights", "weights-for-work"}
    assert used | chosen | {"last-layer", "largest-output"} == set(MISCONCEPTIONS)
    assert len(MISCONCEPTIONS) >= 15


def test_forgotten_input_channels_are_told() -> None:
    """The misconception is computed from the exercise's own values."""
    values = {"k": 5, "C_in": 3, "C_out": 96}
    wrong = MISTAKES["conv_params"]["forgot-input-channels"]
    assert wrong.render(values) == "(5*5 + 1)*96"
    assert wrong.evaluate(values) == 2_496


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed -1 is out of range; give 0 to 999999999"),
        ({"seed": 10**9}, "seed 1000000000 is out of range"),
        ({"level": 0}, "level 0 is out of range; give 1 to 4"),
        ({"level": 5}, "level 5 is out of range"),
        ({"count": 0}, "count 0 is out of range; give 1 to 40"),
        ({"count": 10**9}, "count 1000000000 is out of range"),
        ({"language": "de"}, "language 'de' is not known"),
    ],
)
def test_settings_out_of_range_are_refused(arguments: dict[str, int], message: str) -> None:
    """What a stranger asks for is bounded."""
    with pytest.raises(CalculatorError, match=message):
        make_quiz(**{"seed": 1, **arguments})  # type: ignore[arg-type]
