"""``impasto stylize``, ``styles``, ``classify`` and ``info``: options and nothing heavy.

ONNX Runtime, NumPy and Pillow are imported inside the callbacks, so that ``--help``
starts at once.
"""

import json
import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

FILE = click.Path(path_type=Path, allow_dash=True)


def check_number(_: click.Context, parameter: click.Parameter, value: float) -> float:
    """Refuse ``nan``, which lies in every range."""
    if math.isnan(value):
        message = "nan is not a number"
        raise click.BadParameter(message, param=parameter)
    return value


@contextmanager
def end_on_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the program at once while nothing can be left half done.

    Python's own way, an exception, breaks the import of a compiled library with a traceback.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=FILE, metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    metavar="OUT",
    help="Folder; or a file (- for standard output) for one picture.",
)
@click.option(
    "--style",
    metavar="NAME",
    help="Style, or a blend NAME:0.7,NAME:0.3. [default: the model's first]",
)
@click.option(
    "--model",
    type=FILE,
    metavar="FILE.onnx",
    help="Network to paint with. [default: the collection]",
)
@click.option(
    "--size", type=click.IntRange(1), metavar="PX", help="Reduce larger pictures to this long side."
)
@click.option(
    "--strength",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    callback=check_number,
    help="Mix of photo (0) and painting (1).",
)
@click.option(
    "--keep-color", is_flag=True, help="Keep the photo's colours, paint only light and shade."
)
@click.option(
    "--provider",
    type=click.Choice(["auto", "cpu", "cuda", "openvino"]),
    default="auto",
    show_default=True,
    help="Processor to run on.",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "int8", "fp16", "bf16"]),
    default="auto",
    show_default=True,
    help="What to compute in; auto takes the fastest that is there and fits the processor.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Pictures painted at once. [default: processors]",
)
@click.option(
    "--batch",
    type=click.IntRange(1),
    metavar="N",
    help="Pictures of one size per run. [default: 1, CUDA: 4]",
)
@click.option(
    "--format",
    type=click.Choice(["same", "png", "jpeg", "webp"]),
    default="same",
    show_default=True,
    help="Format of the paintings.",
)
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    default=90,
    show_default=True,
    help="Of JPEG and WebP.",
)
@click.option("--recursive", is_flag=True, help="Look into folders of folders; the tree is kept.")
@click.option("--overwrite", is_flag=True, help="Replace paintings that exist.")
@click.option(
    "--resume", is_flag=True, help="Skip what an earlier run has painted with these settings."
)
@click.option("--json", is_flag=True, help="One line of JSON per picture on standard output.")
@click.pass_context
def stylize(ctx: click.Context, /, **options: Any) -> None:  # noqa: ANN401 - click hands them over
    """Paint pictures: files, whole folders, or - for standard input.

    \b
    impasto stylize photos -o painted
    impasto stylize a.jpg b.png -o painted --style the_scream --strength 0.8
    impasto stylize photo.jpg -o painting.png
    """  # noqa: D301 - click reads the control character
    with end_on_interrupt():  # until run_stylize has something to bring to an end
        from runner.stylize.command import run_stylize  # noqa: PLC0415

        status = run_stylize(options)
    ctx.exit(status)


@click.command()
@click.option(
    "--model", type=FILE, metavar="FILE.onnx", help="Network to ask. [default: the collection]"
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON per style.")
@click.option("--sheet", type=FILE, metavar="PHOTO", help="Render every style on this photo.")
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Picture that --sheet writes.")
@click.option("--overwrite", is_flag=True, help="Replace that picture if it exists.")
def styles(
    model: Path | None, sheet: Path | None, output: Path | None, *, as_json: bool, overwrite: bool
) -> None:
    """List the styles of the collection, or render all of them on one photo."""
    if (sheet is None) != (output is None):
        message = "--sheet PHOTO and -o FILE go together"
        raise click.UsageError(message)
    with end_on_interrupt():
        from runner.stylize.painter import Painter  # noqa: PLC0415

        painter = Painter(model)
    if sheet is not None and output is not None:
        from runner.stylize.sheet import write_sheet  # noqa: PLC0415

        write_sheet(painter, sheet, output, overwrite=overwrite)
        click.echo(str(output))
        return
    from runner.info import describe_style, style_as_json  # noqa: PLC0415

    for style in painter.card.styles:
        click.echo(style_as_json(style) if as_json else describe_style(style))


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=FILE, metavar="INPUT...")
@click.option(
    "--model",
    type=FILE,
    default="lenet5",
    show_default=True,
    metavar="NAME|FILE.onnx",
    help="Classifier that ships here, or a file.",
)
@click.option(
    "--top",
    type=int,
    metavar="K",
    help="Classes to tell per picture. [default: 5, or all where there are fewer]",
)
@click.option(
    "--format",
    type=click.Choice(["table", "json", "csv"]),
    help="Of the results. [default: what the suffix of -o says, else table]",
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="FILE",
    help="File for the results. [default: standard output]",
)
@click.option(
    "--draft", is_flag=True, help="Decode far larger JPEG files in reduced size: fast, less exact."
)
@click.option(
    "--provider",
    type=click.Choice(["auto", "cpu", "cuda", "openvino"]),
    default="auto",
    show_default=True,
    help="Processor to run on.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Batches classified at once. [default: processors]",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 4096),
    metavar="N",
    help="Pictures per run. [default: by the size of the input, at most 64]",
)
@click.option("--recursive", is_flag=True, help="Look into folders of folders.")
@click.option("--overwrite", is_flag=True, help="Replace results that exist.")
@click.option("--resume", is_flag=True, help="Go on where an earlier run into this file stopped.")
@click.pass_context
def classify(ctx: click.Context, /, **options: Any) -> None:  # noqa: ANN401 - click hands them over
    """Name what is in pictures: files, whole folders, or - for standard input.

    \b
    impasto classify digit.png
    impasto classify digits --recursive --top 1 -o results.jsonl
    impasto classify photos --model vgg16.onnx
    """  # noqa: D301 - click reads the control character
    with end_on_interrupt():  # until run_classify has something to bring to an end
        from runner.classify.command import run_classify  # noqa: PLC0415

        status = run_classify(options)
    ctx.exit(status)


@click.command()
@click.argument("model", type=FILE, metavar="FILE.onnx")
@click.option("--json", "as_json", is_flag=True, help="All metadata as one JSON object.")
def info(model: Path, *, as_json: bool) -> None:
    """Tell what an ONNX file is: task, tensors, styles, training, parity, providers."""
    with end_on_interrupt():
        from runner.info import describe_file, read_values  # noqa: PLC0415
        from runner.report import make_printable  # noqa: PLC0415

    if as_json:
        click.echo(json.dumps(read_values(model), ensure_ascii=False))
        return
    for label, text in describe_file(model):
        click.echo(f"{label:<10} {make_printable(text)}")
