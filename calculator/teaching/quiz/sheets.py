"""A quiz as text, Markdown and JSON, and what is said to an answer."""

from collections.abc import Iterable

from calculator.teaching.language import Language, Message, measure, wrap
from calculator.teaching.quiz.exercises import LABELS, Choice, Exercise, Quiz

WIDTH = 80
LONGEST_ANSWER = 60
# the keys of A, B, C, D while a Korean keyboard is switched to Hangul
HANGUL_KEYS = "ㅁㅠㅊㅇ"

SHEET = {
    "title": Message(
        "Quiz: level {level}, seed {seed}, length {count}",
        "퀴즈: 수준 {level}, 시드 {seed}, 문제 {count}개",
    ),
    "again": Message("The same again: {command}", "같은 퀴즈 다시 하기: {command}"),
    "shapes": Message(
        "Shapes are channels x height x width, without the batch.",
        "형태는 배치를 뺀 채널 x 높이 x 너비입니다.",
    ),
    "exercise": Message("Exercise {number} of {count}", "문제 {number}/{count}"),
    "answer": Message(
        "Answer (A-D or the value; ? shows it, q stops):",
        "답(A-D 또는 값. 풀이는 ?, 그만두기는 q):",
    ),
    "unclear": Message(
        "That is none of the four answers; give A, B, C or D.",
        "네 답 가운데 하나가 아닙니다. A, B, C, D 가운데에서 고르십시오.",
    ),
    "right": Message("Right:", "정답입니다:"),
    "wrong": Message("Wrong:", "오답입니다:"),
    "instead": Message("instead of", "바른 계산:"),
    "solution": Message("Solution: {label}", "정답: {label}"),
    "solutions": Message("Solutions", "풀이"),
    "check": Message("Check:", "확인:"),
    "score": Message("Score: {right} of {asked}", "점수: {asked}문제 가운데 {right}문제 정답"),
    "review": Message("To look at again:", "다시 볼 것:"),
    "ended": Message("The answers have ended.", "답이 더 없습니다."),
}


def say(key: str, quiz: Quiz, **values: object) -> str:
    """Return a sentence of the sheet in the quiz's language."""
    return SHEET[key].say(quiz.language, **values)


def render_command(quiz: Quiz) -> str:
    """Return the command that makes the quiz again."""
    language = f" --lang {quiz.language}" if quiz.language != "en" else ""
    count = len(quiz.exercises)
    return f"impasto quiz --level {quiz.level} --seed {quiz.seed} --count {count}{language}"


def render_check(exercise: Exercise) -> str:
    """Return the command that shows the numbers of an exercise."""
    network = exercise.network
    named = f'"{network}"' if " " in network else network
    batch = f" --batch {exercise.batch}" if exercise.batch > 1 else ""
    return f"impasto shapes {named}{batch} --explain"


def render_head(quiz: Quiz) -> str:
    """Return what stands above the exercises."""
    title = say("title", quiz, level=quiz.level, count=len(quiz.exercises), seed=quiz.seed)
    again = say("again", quiz, command=render_command(quiz))
    return f"{title}\n{again}\n{say('shapes', quiz)}"


def render_question(quiz: Quiz, number: int) -> str:
    """Return one exercise as text; ``number`` counts from 1."""
    exercise = quiz.exercises[number - 1]
    heading = say("exercise", quiz, number=number, count=len(quiz.exercises))
    choices = [
        f"  {label}) {choice.text}" for label, choice in zip(LABELS, exercise.choices, strict=True)
    ]
    return "\n".join([heading, wrap(exercise.question, WIDTH), "", *choices])


def render_choice(choice: Choice, right: Choice, *, language: Language) -> str:
    """Return why a wrong choice is wrong: the misconception, both workings, the remedy."""
    instead = SHEET["instead"].say(language)
    text = f"{choice.name}. {choice.working} ({instead} {right.working}). {choice.remedy}"
    if language == "en":
        text = f"{choice.name}: {choice.working} {instead} {right.working}. {choice.remedy}"
    return text


def render_verdict(quiz: Quiz, exercise: Exercise, chosen: int | None) -> str:
    """Return what is said to an answer, and the derivation.

    Args:
        quiz: for its language.
        exercise: what was asked.
        chosen: 0 to 3; None where no answer was given.
    """
    label = LABELS[exercise.answer]
    solution = f"{say('solution', quiz, label=label)}) {exercise.right.text}"
    if chosen is None:
        lines = [solution]
    elif chosen == exercise.answer:
        lines = [f"{say('right', quiz)} {exercise.right.text}"]
    else:
        why = render_choice(exercise.choices[chosen], exercise.right, language=quiz.language)
        lines = [wrap(f"{say('wrong', quiz)} {why}", WIDTH), solution]
    return "\n".join([*lines, *render_derivation(exercise)])


def render_derivation(exercise: Exercise) -> list[str]:
    """Return the derivation's lines, those that do not fit in steps below each other."""
    return [step for line in exercise.derivation for step in unfold(line)]


def unfold(line: str) -> Iterable[str]:
    """Yield a line as it is, or one line per equals sign where it is too long."""
    if measure(line) <= WIDTH - 2:
        yield f"  {line}"
        return
    quantity, *parts = line.split(" = ")
    for i, part in enumerate(parts):
        yield f"  {quantity if i == 0 else ' ' * len(quantity)} = {part}"


def render_score(quiz: Quiz, answers: list[int | None]) -> str:
    """Return the score and the misconceptions that were met, the most frequent first.

    Args:
        quiz: what was asked.
        answers: one choice per exercise so far, None where there was none.
    """
    asked = list(zip(quiz.exercises, answers, strict=False))
    right = sum(chosen == exercise.answer for exercise, chosen in asked)
    lines = [say("score", quiz, right=right, asked=len(asked))]
    met = [
        exercise.choices[chosen].name
        for exercise, chosen in asked
        if chosen is not None and chosen != exercise.answer
    ]
    if met:
        names = sorted(dict.fromkeys(met), key=lambda name: -met.count(name))
        lines += [say("review", quiz), *(f"  {name}" for name in names)]
    return "\n".join(lines)


def render_solution(quiz: Quiz, exercise: Exercise) -> str:
    """Return the right answer, its derivation, and what the wrong ones come from."""
    lines = [render_verdict(quiz, exercise, None)]
    for label, choice in zip(LABELS, exercise.choices, strict=True):
        if choice.misconception is not None:
            text = f"{choice.name}: {choice.working}"
            lines.append(wrap(text, WIDTH, first=f"  {label}) ", rest="     "))
    return "\n".join([*lines, f"  {say('check', quiz)} {render_check(exercise)}"])


def render_sheet(quiz: Quiz) -> str:
    """Return every exercise with its solution, as text."""
    blocks = [render_head(quiz)]
    for number, exercise in enumerate(quiz.exercises, start=1):
        blocks += [render_question(quiz, number), render_solution(quiz, exercise)]
    return "\n\n".join(blocks)


def render_markdown(quiz: Quiz) -> str:
    """Return the questions, then the solutions, in Markdown."""
    title, again, shapes = render_head(quiz).splitlines()
    lines = [f"# {title}", "", shapes, ""]
    for number, exercise in enumerate(quiz.exercises, start=1):
        choices = zip(LABELS, exercise.choices, strict=True)
        lines += [f"{number}. {escape(exercise.question)}", ""]
        lines += [f"   - {label}) {escape(choice.text)}" for label, choice in choices]
        lines.append("")
    lines += [f"## {say('solutions', quiz)}", ""]
    for number, exercise in enumerate(quiz.exercises, start=1):
        label = LABELS[exercise.answer]
        lines += [f"{number}. **{label}) {escape(exercise.right.text)}**", "", "   ```text"]
        lines += [f"   {line}" for line in exercise.derivation] + ["   ```", ""]
        for letter, choice in zip(LABELS, exercise.choices, strict=True):
            if choice.misconception is not None:
                lines.append(f"   - {letter}) {choice.name}: `{choice.working}`")
        lines.append("")
    command = again.replace(render_command(quiz), f"`{render_command(quiz)}`")
    return "\n".join([*lines, command])


def escape(text: str) -> str:
    """Return a text in which Markdown finds no emphasis and no table."""
    return "".join(f"\\{c}" if c in "\\*_|[]`<" else c for c in text)


def render_json(quiz: Quiz) -> str:
    """Return the quiz as JSON; :func:`to_values` documents its shape."""
    import json  # noqa: PLC0415 - only JSON needs it

    return json.dumps(to_values(quiz), ensure_ascii=False, indent=2)


def to_values(quiz: Quiz) -> dict[str, object]:
    """Return the quiz as plain values, in a shape that is kept stable.

    ``seed``, ``level``, ``language``, ``exercises``; see :func:`to_exercise_values`.
    """
    return {
        "seed": quiz.seed,
        "level": quiz.level,
        "language": quiz.language,
        "exercises": [to_exercise_values(exercise) for exercise in quiz.exercises],
    }


def to_exercise_values(exercise: Exercise) -> dict[str, object]:
    """Return one exercise as plain values.

    ``answer`` is the label of the right choice. A choice's ``value`` is null where a word is
    asked for; ``misconception`` is null for the right one, else its ``id``, ``name`` and
    ``remedy``.
    """
    return {
        "kind": exercise.kind,
        "question": exercise.question,
        "choices": [
            to_choice_values(label, choice)
            for label, choice in zip(LABELS, exercise.choices, strict=True)
        ],
        "answer": LABELS[exercise.answer],
        "derivation": list(exercise.derivation),
        "network": exercise.network,
        "batch": exercise.batch,
    }


def to_choice_values(label: str, choice: Choice) -> dict[str, object]:
    """Return one choice as plain values."""
    misconception = {"id": choice.misconception, "name": choice.name, "remedy": choice.remedy}
    return {
        "label": label,
        "text": choice.text,
        "value": choice.value,
        "working": choice.working,
        "misconception": misconception if choice.misconception else None,
    }


def read_answer(text: str, exercise: Exercise) -> int | None:
    """Return which choice an answer means: a letter, or the choice itself.

    Args:
        text: as it was typed; only the first 60 characters are looked at.
        exercise: what was asked.

    Returns:
        0 to 3; None where it means none of them.
    """
    given = text[:LONGEST_ANSWER].strip().rstrip(").").upper()
    for keys in (LABELS, HANGUL_KEYS):
        if len(given) == 1 and given in keys:
            return keys.index(given)
    plain = given.replace(",", "").replace(" ", "")
    for position, choice in enumerate(exercise.choices):
        shown = choice.text.upper().replace(",", "").replace(" ", "")
        if plain and plain in (shown, str(choice.value)):
            return position
    return None
