"""``impasto quiz``: exercises at the terminal or through a pipe, or as a sheet."""

import sys
from typing import TYPE_CHECKING

import click

from calculator.cli.options import lang_option

if TYPE_CHECKING:
    from calculator.teaching.quiz.exercises import Quiz

LONGEST_LINE = 1_000
MOST_ATTEMPTS = 3  # at one exercise, so that a stream of nonsense ends
STOP, TELL = "q", "?"
INTERRUPTED = 130  # exit status after Ctrl-C


@click.command()
@click.option(
    "--seed",
    type=click.IntRange(0, 999_999_999),
    help="Number of the quiz; the same makes the same. [default: any]",
)
@click.option(
    "--level",
    type=click.IntRange(1, 4),
    default=1,
    show_default=True,
    help="1 one layer; 2 stride, pooling, MACs; 3 dilation, groups, receptive fields; 4 networks.",
)
@click.option(
    "--count", type=click.IntRange(1, 40), default=5, show_default=True, help="Exercises."
)
@lang_option
@click.option("--show", is_flag=True, help="Print the exercises with their solutions; ask nothing.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="markdown: a sheet, solutions at the end. Both others ask nothing.",
)
def quiz(seed: int | None, *, level: int, count: int, language: str, show: bool, form: str) -> None:
    """Ask exercises whose wrong answers come from usual mistakes.

    Answer with the letter or with what stands behind it. Answers can be piped, one a line.

    \b
    impasto quiz --level 2
    impasto quiz --seed 7 --format markdown > sheet.md
    """  # noqa: D301 - click reads the control character
    from calculator.teaching.quiz import sheets  # noqa: PLC0415 - not for --help
    from calculator.teaching.quiz.levels import make_quiz  # noqa: PLC0415

    if seed is None:
        from secrets import randbelow  # noqa: PLC0415 - only without a seed

        seed = randbelow(1_000_000)
    made = make_quiz(seed, level=level, count=count, language=language)
    if form == "json":
        click.echo(sheets.render_json(made))
    elif form == "markdown":
        click.echo(sheets.render_markdown(made))
    elif show:
        click.echo(sheets.render_sheet(made))
    else:
        hold(made)


def hold(made: "Quiz") -> None:
    """Ask every exercise, judge the answers, and print the score."""
    from calculator.teaching.quiz import sheets  # noqa: PLC0415

    click.echo(sheets.render_head(made))
    answers: list[int | None] = []
    interrupted = False
    try:
        for number, exercise in enumerate(made.exercises, start=1):
            click.echo(f"\n{sheets.render_question(made, number)}\n")
            answered, chosen = ask(made, number)
            if not answered:
                break
            answers.append(chosen)
            click.echo(sheets.render_verdict(made, exercise, chosen))
    except KeyboardInterrupt:
        interrupted = True
    click.echo(f"\n{sheets.render_score(made, answers)}")
    if interrupted:
        sys.exit(INTERRUPTED)


def ask(made: "Quiz", number: int) -> tuple[bool, int | None]:
    """Read an answer.

    Args:
        made: the quiz.
        number: of the exercise, from 1.

    Returns:
        Whether to go on; and the choice, None where the solution shall be told.
    """
    from calculator.teaching.quiz import sheets  # noqa: PLC0415

    for _ in range(MOST_ATTEMPTS):
        click.echo(sheets.say("answer", made) + " ", nl=False)
        line = read_line()
        if not line:
            click.echo(sheets.say("ended", made))
            return False, None
        given = line.strip()
        if given.lower() == STOP:
            return False, None
        chosen = sheets.read_answer(given, made.exercises[number - 1])
        if chosen is not None or given == TELL:
            return True, chosen
        click.echo(sheets.say("unclear", made))
    return True, None


def read_line() -> str:
    """Read one answer, empty at the end of the input; what is piped is shown as if typed."""
    if sys.stdin is None:  # closed by whoever started the command
        return ""
    line = sys.stdin.buffer.readline(LONGEST_LINE).decode("utf-8", "replace")
    if line and not sys.stdin.isatty():
        click.echo("".join(c for c in line[:40].strip() if c.isprintable()))
    return line
