"""``impasto solve``."""

import click


@click.command()
@click.argument("question", metavar="QUESTION")
def solve(question: str) -> None:
    """Find the settings that lead from one size to another.

    Exits with status 1 where there are none, and says why.

    \b
    impasto solve "227 -> 55, k=11"
    impasto solve "3x27x27 | conv 256@5x5 p=? -> 27x27"
    """  # noqa: D301 - click reads the control character
    from calculator.teaching.solving import render_answer  # noqa: PLC0415 - not for --help
    from calculator.teaching.solving import solve as find  # noqa: PLC0415

    answer = find(question)
    if not answer.solutions:
        raise click.ClickException(answer.reason)
    click.echo(render_answer(answer))
