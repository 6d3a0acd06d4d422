"""The levels of the quiz, and how an exercise is made of a drawn problem.

1. Output size, channels and parameters of one convolution or dense layer.
2. Stride, padding, pooling with floor and ceil, multiply-adds, activations, the batch.
3. Dilation, groups, depthwise, 1x1 and transposed convolutions, ``same``, receptive
   fields, batch normalisation, from maps to a dense layer.
4. Whole networks, LeNet-5, AlexNet and VGG, memory for training, what was counted, and
   questions asked backwards.
"""

from collections.abc import Iterator

from calculator.errors import CalculatorError
from calculator.teaching.explanation import describe
from calculator.teaching.language import Language, to_language
from calculator.teaching.quiz import classics, layers
from calculator.teaching.quiz.exercises import Choice, Exercise, Quiz
from calculator.teaching.quiz.misconceptions import MISCONCEPTIONS
from calculator.teaching.quiz.problems import WRONG_CHOICES, Draw, Maker, Option, Problem
from calculator.teaching.quiz.questions import QUESTIONS

LARGEST_SEED = 999_999_999
MOST_EXERCISES = 40
MOST_DRAWS = 60  # of one kind, before the next kind has its turn

LEVELS: dict[int, tuple[Maker, ...]] = {
    1: tuple(template.make for template in layers.FIRST),
    2: tuple(template.make for template in layers.SECOND),
    3: tuple(template.make for template in layers.THIRD),
    4: (*(template.make for template in layers.FOURTH), *classics.CLASSICS),
}


def make_quiz(
    seed: int, *, level: int = 1, count: int = 5, language: Language | str = "en"
) -> Quiz:
    """Make exercises; the same settings always make the same ones.

    The language changes words only, and a longer quiz begins with the shorter one.

    Args:
        seed: 0 to 999,999,999.
        level: 1 to 4.
        count: exercises, 1 to 40.
        language: ``en`` or ``ko``.

    Raises:
        CalculatorError: a setting is out of its range.
    """
    check_range("seed", seed, least=0, most=LARGEST_SEED)
    check_range("level", level, least=min(LEVELS), most=max(LEVELS))
    check_range("count", count, least=1, most=MOST_EXERCISES)
    chosen = to_language(language)
    draw = Draw(10 * seed + level)
    problems = draw_problems(draw, LEVELS[level])
    exercises = tuple(phrase(next(problems), draw, language=chosen) for _ in range(count))
    return Quiz(seed, level, chosen, exercises)


def check_range(name: str, value: int, *, least: int, most: int) -> None:
    """Refuse a setting out of its range.

    Raises:
        CalculatorError: it is.
    """
    if not least <= value <= most:
        message = f"{name} {value} is out of range; give {least} to {most}"
        raise CalculatorError(message)


def draw_problems(draw: Draw, makers: tuple[Maker, ...]) -> Iterator[Problem]:
    """Yield problems without end, every kind before one comes again, none twice if possible."""
    seen: set[tuple[str, ...]] = set()
    while True:
        for maker in draw.shuffle(makers):
            problem = draw_problem(draw, maker, seen=seen)
            if problem is not None:
                seen.add(problem.identity)
                yield problem


def draw_problem(draw: Draw, maker: Maker, *, seen: set[tuple[str, ...]]) -> Problem | None:
    """Draw until a new problem has enough wrong answers; None where none comes."""
    for _ in range(MOST_DRAWS):
        problem = maker(draw)
        fresh = problem is not None and problem.identity not in seen
        if problem is not None and fresh and len(problem.list_distinct()) >= WRONG_CHOICES:
            return problem
    return None


def phrase(problem: Problem, draw: Draw, *, language: Language) -> Exercise:
    """Choose three wrong answers, place the right one among them, and say it all."""
    wrong = draw.shuffle(problem.list_distinct())[:WRONG_CHOICES]
    answer = draw.choose_below(WRONG_CHOICES + 1)
    options = [*wrong[:answer], problem.right, *wrong[answer:]]
    derivation = [
        line for derivation in problem.derivations for line in describe(derivation, language)
    ]
    return Exercise(
        kind=problem.kind,
        question=QUESTIONS[problem.kind].say(language, **problem.settings),
        choices=tuple(to_choice(option, language) for option in options),
        answer=answer,
        derivation=(*derivation, *(note.say(language) for note in problem.notes)),
        network=problem.network,
        batch=problem.batch,
    )


def to_choice(option: Option, language: Language) -> Choice:
    """Return an answer in words."""
    text = option.text.say(language)
    if option.misconception is None:
        return Choice(text, option.value, option.working)
    misconception = MISCONCEPTIONS[option.misconception]
    return Choice(
        text,
        option.value,
        option.working,
        misconception.key,
        misconception.name.say(language),
        misconception.remedy.say(language),
    )
