"""``impasto why``."""

import click

from calculator.cli.options import batch_option, input_option


@click.command()
@click.argument("network", metavar="NET")
@click.argument("number", metavar="NUMBER")
@input_option
@batch_option
def why(network: str, number: str, *, input_text: str | None, batch: int) -> None:
    """Tell which way of counting makes a number that is seen elsewhere.

    \b
    impasto why vgg16 138.4M
    impasto why vgg16 30.97G
    """  # noqa: D301 - click reads the control character
    from calculator.answers import answer_why  # noqa: PLC0415 - not for --help

    click.echo(answer_why(network, number, input_text=input_text, batch=batch))
