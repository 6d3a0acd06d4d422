"""The command ``quiz``: answers, sheets, JSON."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from calculator.cli.quiz import quiz
from calculator.reading.grammar import read_network
from calculator.reading.networks import NETWORKS
from calculator.teaching.language import LANGUAGES
from calculator.teaching.quiz.exercises import Exercise, Quiz
from calculator.teaching.quiz.levels import make_quiz
from calculator.teaching.quiz.sheets import read_answer, render_markdown, render_sheet


def make_one() -> tuple[Quiz, Exercise]:
    """Return a quiz and its first exercise."""
    made = make_quiz(7, level=3, count=4)
    return made, made.exercises[1]


def test_answers_are_read() -> None:
    """A letter, the Korean keys in its place, the text, and the number mean a choice."""
    _, exercise = make_one()
    texts = [choice.text for choice in exercise.choices]
    for place, text in enumerate(texts):
        letter = "ABCD"[place]
        for given_text in (letter, letter.lower(), f" {letter})", "ㅁㅠㅊㅇ"[place], text):
            assert read_answer(given_text, exercise) == place, given_text
        assert read_answer(str(exercise.choices[place].value), exercise) == place
    for nonsense in ("", " ", "E", "AB", "-1", "0", "\0", "9" * 10_000, "٣"):
        assert read_answer(nonsense, exercise) is None


def run(*arguments: str, given_text: str | bytes = "") -> Result:
    """Run the command with answers."""
    return CliRunner().invoke(quiz, arguments, input=given_text)


def test_command_asks_and_judges() -> None:
    """A right answer is praised, a wrong one is named, the derivation and the score follow."""
    made, _ = make_one()
    first, second = made.exercises[:2]
    wrong = (second.answer + 1) % 4
    result = run(
        "--seed",
        "7",
        "--level",
        "3",
        "--count",
        "2",
        given_text=f"{first.right.text}\n{'ABCD'[wrong]}\n",
    )
    text = " ".join(result.output.split())
    assert result.exit_code == 0
    assert f"Right: {first.right.text} " in text
    assert f"Wrong: {second.choices[wrong].name}: {second.choices[wrong].working}" in text
    assert f"instead of {second.right.working}." in text
    assert " ".join(second.derivation[0].split()) in text
    assert "Score: 1 of 2 To look at again:" in text


def test_command_ends_politely_with_its_input() -> None:
    """The end of the input ends the quiz with the score so far."""
    result = run("--seed", "7", "--count", "3", given_text="A")
    assert result.exit_code == 0
    assert "The answers have ended." in result.output
    assert re.search(r"Score: [01] of 1\n", result.output)


@pytest.mark.parametrize("given_text", ["x\n" * 1_000, "A" * 100_000, b"\xff\xfe\n" * 9])
def test_command_survives_nonsense(given_text: str | bytes) -> None:
    """Three attempts at each exercise, then its solution; no stream keeps it for ever."""
    result = run("--seed", "7", "--count", "3", given_text=given_text)
    assert result.exit_code == 0
    assert result.output.count("That is none of the four answers") == 9
    assert "Score: 0 of 3" in result.output


def test_command_stops_and_tells() -> None:
    """A q stops, a ? shows the solution."""
    result = run("--seed", "7", given_text="?\nq\n")
    assert result.output.count("Solution: ") == 1
    assert "Score: 0 of 1" in result.output


def test_quiz_without_seed_can_be_repeated() -> None:
    """The seed that was drawn stands in the command that makes the same quiz."""
    result = run("--level", "2", "--lang", "ko", "--show")
    match = re.search(r"impasto quiz (.*)\n", result.output)
    assert match is not None
    assert run(*match[1].split(), "--show").output == result.output


def test_sheet_shows_what_the_calculator_says() -> None:
    """Each solution has a command whose network the calculator reads."""
    made = make_quiz(5, level=4, count=9)
    text = render_sheet(made)
    for exercise in made.exercises:
        assert exercise.derivation[-1].rpartition(" = ")[2] in text
        named = exercise.network in NETWORKS
        assert named or read_network(exercise.network, name="network")
    assert run("--seed", "5", "--level", "4", "--count", "9", "--show").output == text + "\n"


def test_markdown_keeps_the_solutions_for_the_end() -> None:
    """No question stands behind the heading of the solutions, no answer before it."""
    made = make_quiz(5, level=2, count=6)
    questions, _, solutions = render_markdown(made).partition("\n## Solutions\n")
    assert all(one.question.split(".")[0] in questions for one in made.exercises)
    assert "params =" not in questions
    assert solutions.count("```text") == 6
    assert (
        render_markdown(made) + "\n"
        == run("--seed", "5", "--level", "2", "--count", "6", "--format", "markdown").output
    )


def test_json_holds_everything() -> None:
    """The values are those of the quiz, in both languages."""
    for language in LANGUAGES:
        options = ["--seed", "5", "--count", "2", "--lang", language, "--format", "json"]
        values = json.loads(run(*options).output)
        made = make_quiz(5, count=2, language=language)
        assert (values["seed"], values["level"], values["language"]) == (5, 1, language)
        for exercise, shown in zip(made.exercises, values["exercises"], strict=True):
            assert shown["question"] == exercise.question
            assert shown["answer"] == "ABCD"[exercise.answer]
            assert shown["derivation"] == list(exercise.derivation)
            for choice, one in zip(exercise.choices, shown["choices"], strict=True):
                assert (one["text"], one["value"]) == (choice.text, choice.value)
                misconception = one["misconception"] or {"id": None}
                assert misconception["id"] == choice.misconception


@pytest.mark.parametrize(
    "arguments", [["--level", "5"], ["--count", "41"], ["--seed", "-1"], ["--lang", "de"], ["x"]]
)
def test_wrong_usage_is_status_two(arguments: list[str]) -> None:
    """One clear error and no traceback."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.output


PROBE = """
import json, sys
from click.testing import CliRunner
from calculator.cli.quiz import quiz
result = CliRunner().invoke(quiz, sys.argv[1:])
print(json.dumps([result.exit_code, sorted(sys.modules)]))
"""


def list_modules(*arguments: str) -> set[str]:
    """Return what a fresh interpreter has imported after the command."""
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )
    status, modules = json.loads(done.stdout)
    assert status == 0
    return set(modules)


def test_command_imports_nothing_heavy() -> None:
    """The quiz needs click and the standard library, its help only the options."""
    heavy = {"torch", "onnx", "numpy", "yaml", "PIL", "onnxruntime", "rich", "models", "runner"}
    assert not list_modules("--show") & heavy
    modules = {name for name in list_modules("--help") if name.startswith("calculator")}
    commands = {"calculator.cli", "calculator.cli.options", "calculator.cli.quiz"}
    assert modules == {"calculator", *commands}


def test_interrupt_shows_the_score(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the quiz as elsewhere, and what was answered is not lost."""

    def interrupt() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("calculator.cli.quiz.read_line", interrupt)
    result = CliRunner().invoke(quiz, ["--seed", "1"])
    assert result.exit_code == 130
    assert "Score: 0 of 0" in result.output
