"""``impasto shapes``, ``compare``, ``solve``, ``why``: options, imports when called."""

from collections.abc import Callable
from typing import Any

import click

ALL_LAYERS = "*"  # no layer can have this name

Decorator = Callable[[Callable[..., None]], Callable[..., None]]
input_option: Decorator = click.option(
    "--input", "input_text", metavar="CxHxW", help="Input without the batch. [default: NET's own]"
)
batch_option: Decorator = click.option(
    "--batch",
    type=click.IntRange(1, 1_000_000_000),
    default=1,
    show_default=True,
    help="Samples per run.",
)


@click.command()
@click.argument("network", metavar="NET")
@input_option
@batch_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "markdown"]),
    default="table",
    show_default=True,
    help="Form of the answer.",
)
@click.option(
    "--columns", metavar="LIST", help="layer,params,...; +jump,start adds; all. Not for json."
)
@click.option(
    "--unit",
    type=click.Choice(["1", "K", "M", "G", "auto"]),
    help="Of counts and bytes in table and markdown. [default: 1, exact]",
)
@click.option(
    "--explain",
    "layer",
    is_flag=False,
    flag_value=ALL_LAYERS,
    metavar="[LAYER]",
    help="Show each number's formula, of one layer or of all. After NET.",
)
def shapes(
    network: str,
    input_text: str | None,
    *,
    batch: int,
    layer: str | None,
    **shown: Any,  # noqa: ANN401 - click hands the table's options over
) -> None:
    """Tell every shape, count and receptive field of a network.

    NET is a name (vgg16), a .yaml file, or a line:

    \b
    impasto shapes vgg16
    impasto shapes alexnet --columns +jump,start
    impasto shapes alexnet --explain conv1
    impasto shapes "1x28x28 | conv 8@3x3 s2 same | relu | flatten | fc 10"
    """  # noqa: D301 - click reads the control character
    from calculator.answers import answer_explain, answer_shapes  # noqa: PLC0415 - not for --help

    if layer is None:
        click.echo(answer_shapes(network, input_text, batch=batch, **shown))
        return
    if shown != {"form": "table", "columns": None, "unit": None}:
        message = "--explain goes with --input and --batch only; leave the others out"
        raise click.UsageError(message)
    chosen = None if layer == ALL_LAYERS else layer
    click.echo(answer_explain(network, input_text, batch=batch, layer=chosen))


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
