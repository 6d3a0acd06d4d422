"""What a quiz is made of: misconceptions, choices, exercises."""

from dataclasses import dataclass

from calculator.teaching.language import Language, Message

LABELS = "ABCD"


@dataclass(frozen=True)
class Misconception:
    """One way to go wrong.

    Args:
        key: stable name, such as ``forgot-bias``.
        name: what was done, as one clause.
        remedy: what is right, as one sentence.
    """

    key: str
    name: Message
    remedy: Message


def build(key: str, name: tuple[str, str], remedy: tuple[str, str]) -> Misconception:
    """Return a misconception from pairs of English and Korean."""
    return Misconception(key, Message(*name), Message(*remedy))


@dataclass(frozen=True)
class Choice:
    """One of the four answers of an exercise.

    Args:
        text: as it is shown, such as ``28x28`` or ``7,296``.
        value: the integer; None where a word is asked for.
        working: the computation, such as ``(5*5*3 + 1)*96 = 7,296``.
        misconception: key of what leads here; None for the right answer.
        name: of the misconception, in the quiz's language; empty for the right answer.
        remedy: what is right instead, likewise.
    """

    text: str
    value: int | None
    working: str
    misconception: str | None = None
    name: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Exercise:
    """A question with one right and three wrong answers.

    Args:
        kind: what is asked, a key of ``calculator.teaching.quiz.questions.QUESTIONS``.
        question: in the quiz's language.
        choices: four, all different.
        answer: position of the right one, 0 to 3.
        derivation: how it comes about, one line each, from the calculator.
        network: the name or line that the numbers come from.
        batch: N, at least 1.
    """

    kind: str
    question: str
    choices: tuple[Choice, ...]
    answer: int
    derivation: tuple[str, ...]
    network: str
    batch: int

    @property
    def right(self) -> Choice:
        """The right choice."""
        return self.choices[self.answer]


@dataclass(frozen=True)
class Quiz:
    """Exercises that can be made again from three settings.

    Args:
        seed: 0 to 999,999,999.
        level: 1 to 4.
        language: of every sentence.
        exercises: in the order in which they are asked.
    """

    seed: int
    level: int
    language: Language
    exercises: tuple[Exercise, ...]
