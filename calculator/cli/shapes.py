"""``impasto shapes``."""

from typing import Any

import click

from calculator.cli.options import input_option, lang_option

ALL_LAYERS = "*"  # no layer can have this name


@click.command()
@click.argument("network", metavar="NET")
@input_option
@click.option(
    "--batch",
    "batch_text",
    default="1",
    show_default=True,
    metavar="NUMBER|LETTER",
    help="Samples per run.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "markdown", "svg"]),
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
@lang_option
def shapes(network: str, **options: Any) -> None:  # noqa: ANN401 - click hands them over
    """Tell every shape, count and receptive field of a network.

    NET is a name (vgg16), a .yaml or .onnx file, module:attribute of a PyTorch module, or
    a line. Letters in --input and --batch stand for any size.

    \b
    impasto shapes vgg16
    impasto shapes alexnet --columns +jump,start
    impasto shapes alexnet --explain conv1
    impasto shapes vgg16 --input 3xHxW --batch N
    impasto shapes resnet18 --format svg > resnet18.svg
    impasto shapes "1x28x28 | conv 8@3x3 s2 same | relu | flatten | fc 10"
    """  # noqa: D301 - click reads the control character
    from calculator.answers import Question, answer_explain, answer_shapes  # noqa: PLC0415

    layer, language = options.pop("layer"), options.pop("language")
    asked = {name: options.pop(name) for name in ("input_text", "batch_text")}
    question = Question(network, **asked)
    if layer is None:
        if language != "en":
            message = f"--lang {language} goes with --explain; the table has no sentences"
            raise click.UsageError(message)
        click.echo(answer_shapes(question, **options))
        return
    if options != {"form": "table", "columns": None, "unit": None}:
        message = "--explain goes with --input, --batch and --lang only; leave the others out"
        raise click.UsageError(message)
    chosen = None if layer == ALL_LAYERS else layer
    click.echo(answer_explain(question, layer=chosen, language=language))
