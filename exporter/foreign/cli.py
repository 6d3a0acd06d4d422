"""``impasto annotate``; ONNX is imported inside the callback."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from exporter.foreign.wishes import Wishes
    from models.classifiers.preprocessing import InputRule

FILE = click.Path(path_type=Path, dir_okay=False)
EXTRA = "this needs the extra 'onnx': pip install '.[onnx]' in Impasto's folder"
LARGEST_SIDE = 4096


def read_numbers(_: click.Context, __: click.Parameter, text: str) -> tuple[float, ...]:
    """Return ``R,G,B`` or one number for all channels as numbers.

    Raises:
        click.BadParameter: it is neither.
    """
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 3) or not all(map(math.isfinite, numbers)):
        message = f"{text!r} is neither one number nor three, R,G,B."
        raise click.BadParameter(message)
    return numbers


def read_size(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, int] | None:
    """Return ``HxW`` as two sides.

    Raises:
        click.BadParameter: it is something else.
    """
    if text is None:
        return None
    sides = text.lower().split("x")
    if len(sides) != 2 or not all(side.isdecimal() and len(side) < 6 for side in sides):
        message = f"{text!r} is not HxW, such as 224x224."
        raise click.BadParameter(message)
    height, width = (int(side) for side in sides)
    if not (0 < height <= LARGEST_SIDE and 0 < width <= LARGEST_SIDE):
        message = f"{text!r}: sides are 1 to {LARGEST_SIDE} pixels."
        raise click.BadParameter(message)
    return height, width


def read_resize(_: click.Context, __: click.Parameter, text: str) -> tuple[str, int]:
    """Return a rule's name and, of ``crop:S``, the short side; else 0.

    Raises:
        click.BadParameter: it is none of the three rules.
    """
    name, _sep, side = text.partition(":")
    if name == "crop" and side.isdecimal() and 0 < int(side[:6]) <= LARGEST_SIDE:
        return name, int(side)
    if name in ("stretch", "fit") and not _sep:
        return name, 0
    message = f"{text!r} is none of stretch, fit and crop:S, such as crop:256."
    raise click.BadParameter(message)


@click.command()
@click.argument("file", type=FILE, metavar="FILE.onnx")
@click.option(
    "-o", "target", type=FILE, required=True, metavar="OUT.onnx", help="ONNX file to write."
)
@click.option(
    "--labels",
    type=FILE,
    required=True,
    metavar="FILE",
    help="A class name per line, in the order of the outputs; or .json.",
)
@click.option(
    "--mean",
    required=True,
    callback=read_numbers,
    metavar="R,G,B",
    help="Subtracted from pixels / SCALE; in this order also for --color bgr.",
)
@click.option(
    "--std",
    required=True,
    callback=read_numbers,
    metavar="R,G,B",
    help="What that is divided by; 1 for nothing.",
)
@click.option(
    "--scale",
    type=click.FloatRange(0, min_open=True),
    default=255.0,
    show_default=True,
    help="What pixels, 0 to 255, are divided by first.",
)
@click.option(
    "--size", callback=read_size, metavar="HxW", help="Of the pictures. [default: what FILE fixes]"
)
@click.option(
    "--resize",
    callback=read_resize,
    default="stretch",
    show_default=True,
    metavar="RULE",
    help="crop:256 (short side to 256, then the centre), stretch, or fit.",
)
@click.option(
    "--interpolation",
    type=click.Choice(["bilinear", "bicubic", "lanczos", "nearest"]),
    default="bilinear",
    show_default=True,
)
@click.option(
    "--color",
    type=click.Choice(["rgb", "bgr", "grey"]),
    default="rgb",
    show_default=True,
    help="Channels, in the order in which the network reads them.",
)
@click.option(
    "--invert",
    type=click.Choice(["never", "always", "auto"]),
    default="never",
    show_default=True,
    help="Take 255 - x; auto: of pictures with a light border.",
)
@click.option(
    "--background",
    type=click.IntRange(0, 255),
    default=0,
    show_default=True,
    help="Around a fitted picture and behind transparency.",
)
@click.option(
    "--layout",
    type=click.Choice(["auto", "nchw", "nhwc"]),
    default="auto",
    show_default=True,
    help="Where the network has its channels.",
)
@click.option(
    "--softmax",
    type=click.Choice(["auto", "yes", "no"]),
    default="auto",
    show_default=True,
    help="Make outputs probabilities; auto: if they are none yet.",
)
@click.option("--input", "entry", default="", metavar="NAME", help="Input that takes pictures.")
@click.option(
    "--output", "scores", default="", metavar="NAME", help="Output that has a number per class."
)
@click.option("--license", "licence", default="unstated", show_default=True, metavar="TEXT")
@click.option("--overwrite", is_flag=True, help="Replace OUT.onnx if it exists.")
def annotate(file: Path, target: Path, **options: Any) -> None:  # noqa: ANN401
    """Make any ONNX classifier a file that 'impasto classify' takes.

    Bytes of pictures go in and probabilities come out; scaling, mean, deviation, channel
    order, layout and softmax move inside. The network reads (pixels / SCALE - mean) / std.
    The file is written only if it says what FILE.onnx says when it is fed by hand.
    """
    require_onnx()
    from exporter.foreign.annotation import annotate_classifier  # noqa: PLC0415

    wishes = collect_wishes(file, options)
    trial = annotate_classifier(file, target, wishes, overwrite=options["overwrite"])
    click.echo(
        f"{target}: {target.stat().st_size:,} bytes, {len(wishes.labels):,} classes; probabilities "
        f"differ from those of {file.name} by {trial.max_difference:.1e} at most"
    )


def require_onnx() -> None:
    """Stop with the remedy where ONNX's own package is not installed."""
    try:
        import onnx  # noqa: F401, PLC0415 - whether it is there
    except ImportError as error:
        message = f"{EXTRA}; {error}"
        raise click.ClickException(message) from None


def collect_wishes(file: Path, options: dict[str, Any]) -> "Wishes":
    """Return what the command line says of a file.

    Raises:
        click.UsageError: sides are neither given nor fixed, or the numbers do not fit together.
        ExportError: labels or the file cannot be read.
    """
    from exporter.foreign.annotation import read_size_of  # noqa: PLC0415
    from exporter.foreign.labels import read_labels  # noqa: PLC0415
    from exporter.foreign.wishes import Wishes  # noqa: PLC0415

    size = options["size"] or read_size_of(file, options["entry"])
    if size is None:
        message = f"{file} leaves the size of its pictures open; pass --size HxW"
        raise click.UsageError(message)
    check_numbers(options)
    return Wishes(
        labels=read_labels(options["labels"]),
        rule=make_rule(size, options),
        mean=options["mean"],
        std=options["std"],
        scale=options["scale"],
        color=options["color"],
        layout=options["layout"],
        softmax=options["softmax"],
        input=options["entry"],
        output=options["scores"],
        licence=options["licence"],
    )


def check_numbers(options: dict[str, Any]) -> None:
    """Refuse numbers that make no sense.

    Raises:
        click.UsageError: three of them for grey pictures, a deviation of 0, an infinite scale.
    """
    numbers = {"--mean": options["mean"], "--std": options["std"]}
    for name, values in numbers.items():
        if options["color"] == "grey" and len(values) > 1:
            message = f"{name} has {len(values)} numbers, and grey pictures one channel; give one"
            raise click.UsageError(message)
    if any(value <= 0 for value in options["std"]) or not math.isfinite(options["scale"]):
        message = "--std and --scale divide; give finite numbers above 0"
        raise click.UsageError(message)


def make_rule(size: tuple[int, int], options: dict[str, Any]) -> "InputRule":
    """Return how a picture becomes pixels.

    Raises:
        click.UsageError: the short side of a crop is below the size.
    """
    from models.classifiers.preprocessing import InputRule  # noqa: PLC0415
    from models.errors import ModelsError  # noqa: PLC0415

    name, short_side = options["resize"]
    resize: dict[str, Any] = {"rule": name}
    resize |= {"short_side": short_side} if name == "crop" else {}
    resize |= {"box": list(size)} if name == "fit" else {}
    try:
        return InputRule(
            size=size,
            color="grey" if options["color"] == "grey" else "RGB",
            resize=resize,
            interpolation=options["interpolation"],
            invert=options["invert"],
            background=options["background"],
        )
    except ModelsError as error:
        raise click.UsageError(error.message) from None
