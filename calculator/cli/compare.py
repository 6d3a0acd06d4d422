"""``impasto compare``."""

import click

from calculator.cli.options import batch_option, input_option


@click.command()
@click.argument("first", metavar="NET")
@click.argument("second", metavar="NET")
@input_option
@batch_option
def compare(first: str, second: str, *, input_text: str | None, batch: int) -> None:
    """Attribute the difference between two networks to their layers.

    \b
    impasto compare alexnet alexnet-grouped
    impasto compare vgg16 vgg16-bn --input 3x64x64
    """  # noqa: D301 - click reads the control character
    from calculator.answers import answer_compare  # noqa: PLC0415 - not for --help

    click.echo(answer_compare(first, second, input_text=input_text, batch=batch))
