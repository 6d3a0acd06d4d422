"""``impasto look``: options and nothing heavy.

ONNX Runtime, NumPy and Pillow are imported inside the callback, so that ``--help`` starts at
once.
"""

from pathlib import Path
from typing import Any

import click

from runner.cli import FILE, end_on_interrupt

MOST_UNITS = 64


def split_names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Return the names of a list with commas."""
    return tuple(name.strip() for name in (value or "").split(",") if name.strip())


def split_numbers(
    _: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, ...]:
    """Return the numbers of a list with commas, each once.

    Raises:
        click.BadParameter: one is no number, or there are too many.
    """
    words = [word.strip() for word in (value or "").split(",") if word.strip()]
    wrong = next((word for word in words if not (word.isascii() and word.isdigit())), "")
    if wrong or len(words) > MOST_UNITS or any(len(word) > 9 for word in words):
        what = f"{wrong[:20]!r} is no unit" if wrong else f"{value[:20] if value else ''!r}"
        message = f"{what}; give at most {MOST_UNITS} numbers such as 3,17"
        raise click.BadParameter(message, param=parameter)
    return tuple(dict.fromkeys(int(word) for word in words))


@click.command()
@click.argument("model", type=FILE, metavar="MODEL")
@click.option(
    "-o", "--output", type=FILE, required=True, metavar="FOLDER", help="Folder for the sheets."
)
@click.option("--picture", type=FILE, metavar="FILE", help="Show the feature maps of this picture.")
@click.option(
    "--pictures",
    type=FILE,
    metavar="FOLDER",
    help="Show the nine patches among these pictures that excite each unit most.",
)
@click.option("--recursive", is_flag=True, help="Look into folders of that folder.")
@click.option(
    "--layers",
    callback=split_names,
    metavar="NAMES",
    help="Layers with sheets of their own, as conv1,conv2, or all. "
    "[default: the last convolution of each block]",
)
@click.option(
    "--units",
    type=click.IntRange(1, MOST_UNITS),
    metavar="N",
    help="Units per layer: the N that the pictures excite most; without --pictures N at even "
    "distances. [default: 18]",
)
@click.option("--unit", callback=split_numbers, metavar="NUMBERS", help="These units, as 3,17.")
@click.option(
    "--scale",
    type=click.Choice(["shared", "layer"]),
    default="shared",
    show_default=True,
    help="One contrast scale for all feature maps, or one for each layer.",
)
@click.option(
    "--provider",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Processor to run on.",
)
@click.option("--overwrite", is_flag=True, help="Replace sheets that exist.")
@click.option("--json", is_flag=True, help="The sheets' data as one JSON object.")
@click.pass_context
def look(ctx: click.Context, /, model: Path, **options: Any) -> None:  # noqa: ANN401
    """Show what a network learned: filters, feature maps, exciting patches.

    MODEL is an ONNX file that gives out its layers:

    \b
    impasto export CHECKPOINT -o model.onnx --taps
    impasto look model.onnx -o sheets
    impasto look model.onnx -o sheets --picture cat.jpg --pictures photos
    impasto look model.onnx -o sheets --pictures photos --layers conv3_3
    """  # noqa: D301 - click reads the control character
    with end_on_interrupt():  # every file is written under another name first
        from runner.look.command import run_look  # noqa: PLC0415

        status = run_look(model, options)
    ctx.exit(status)
