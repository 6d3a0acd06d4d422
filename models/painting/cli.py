"""``impasto paint``: options and nothing heavy; PyTorch waits until the command is run."""

import sys
from collections.abc import Callable
from typing import Any

import click

from models.cli import FILE, FiniteRange, require_extra
from models.painting.arguments import plan_stages, read_layers, read_painting
from models.painting.signals import note_signals

JOHNSON_STYLE = "relu1_2,relu2_2,relu3_3,relu4_3"


def read_with(reader: Callable[[str], Any]) -> Callable[..., Any]:
    """Return a click callback that reads an option's text, or each of an argument's."""

    def read(_: click.Context, __: click.Parameter, value: str | tuple[str, ...]) -> Any:  # noqa: ANN401 - whatever the reader returns
        return reader(value) if isinstance(value, str) else tuple(map(reader, value))

    return read


@click.command()
@click.argument("content", type=FILE)
@click.argument(
    "styles", nargs=-1, required=True, callback=read_with(read_painting), metavar="STYLE..."
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    metavar="OUT",
    help="The picture: .png, .jpg or .webp.",
)
@click.option(
    "--vgg",
    type=FILE,
    required=True,
    metavar="FILE",
    help="VGG-16 features, from 'impasto weights import'.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUT, or begin an unfinished one again.")
@click.option("--resume", is_flag=True, help="Go on with what Ctrl-C or a crash left beside OUT.")
@click.option(
    "--init",
    type=click.Choice(["photo", "noise"]),
    default="photo",
    show_default=True,
    help="What the picture is at the start.",
)
@click.option(
    "--sizes",
    default="256,512",
    show_default=True,
    metavar="PX,...",
    help="Long sides, coarse to fine; the last is OUT's.",
)
@click.option(
    "--steps",
    metavar="N,...",
    help="Steps at each size, or one number for all.  [default: 150, then 75 each]",
)
@click.option(
    "--content-weight",
    type=FiniteRange(0),
    metavar="ALPHA",
    help="Weight of the content cost.  [default: see below]",
)
@click.option(
    "--style-weight",
    type=FiniteRange(0),
    metavar="BETA",
    help="Weight of the style cost.  [default: see below]",
)
@click.option(
    "--variation-weight",
    type=FiniteRange(0),
    default=0.0,
    show_default=True,
    metavar="GAMMA",
    help="Weight of total variation: smoother surfaces.",
)
@click.option(
    "--content-layers",
    default="relu3_3",
    show_default=True,
    callback=read_with(read_layers),
    metavar="LAYER=SHARE,...",
)
@click.option(
    "--style-layers",
    default=JOHNSON_STYLE,
    show_default=True,
    callback=read_with(read_layers),
    metavar="LAYER=SHARE,...",
)
@click.option(
    "--normalization",
    type=click.Choice(["relative", "notes", "gatys"]),
    default="relative",
    show_default=True,
    help="What a layer's cost is divided by; see below.",
)
@click.option("--pooling", type=click.Choice(["max", "avg"]), default="max", show_default=True)
@click.option(
    "--optimizer", type=click.Choice(["lbfgs", "adam"]), default="lbfgs", show_default=True
)
@click.option(
    "--learning-rate",
    type=FiniteRange(0, min_open=True),
    help="[default: 1 for lbfgs, 0.02 for adam]",
)
@click.option(
    "--style-scale",
    type=FiniteRange(0.1, 4.0),
    default=1.0,
    show_default=True,
    help="Long side of the paintings to the picture's: more, broader strokes.",
)
@click.option("--keep-color", is_flag=True, help="Keep the photo's colours, paint only its light.")
@click.option(
    "--frames", type=FILE, metavar="FILE", help="Write the steps as an animation: .webp or .gif."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="Of the noise.",
)
def paint(**options: Any) -> None:  # noqa: ANN401 - click's values
    r"""Paint the photo CONTENT like the painting STYLE, by optimising its pixels.

    The method of Gatys, Ecker and Bethge (2015): slow, for one picture, but with any painting.
    Several STYLEs are blended; FILE:0.7 gives one a share. Ctrl-C keeps the best picture so far.

    \b
    A layer's cost is divided by
      relative  its target's own energy       ALPHA 1, BETA 10 by default
      notes     4 H W C, style (2 H W C)^2    1 and 0.0005, as courses teach
      gatys     2, style 4 C^2 (H W)^2        1 and 1000, as in the paper
    """
    options["stages"] = plan_stages(options["sizes"], options["steps"])
    with note_signals() as received:
        require_extra("torch", "safetensors")
        from models.painting.command import run_painting  # noqa: PLC0415

        status = run_painting(options, received)
    sys.exit(status)
