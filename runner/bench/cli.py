"""``impasto bench``: options and nothing heavy.

ONNX Runtime and NumPy are imported inside the callback, so that ``--help`` starts at once.
"""

from collections.abc import Callable
from typing import Any

import click

from runner.cli import FILE, check_number, end_on_interrupt

LARGEST_SIDE = 16384
MOST_ENTRIES = 16
DEFAULT_SIZES = "256,512,1024,2048"
Callback = Callable[[click.Context, click.Parameter, str | None], tuple[str, ...]]


def split_words(choices: tuple[str, ...]) -> Callback:
    """Return a callback that reads a list with commas, each entry one of ``choices``."""

    def split(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
        words = tuple(dict.fromkeys(word.strip() for word in (value or "").split(",")))
        wrong = next((word for word in words if word not in choices), None)
        if value is not None and wrong is not None:
            message = f"{wrong[:20]!r} is not one of {', '.join(choices)}"
            raise click.BadParameter(message, param=parameter)
        return words if value is not None else ()

    return split


def split_sides(
    _: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, ...] | None:
    """Return the sides of a list with commas, each once; None where nothing was given.

    Raises:
        click.BadParameter: one is no number of pixels, or there are too many.
    """
    if value is None:
        return None
    words = [word.strip() for word in value.split(",")]
    wrong = next((word for word in words if not is_side(word)), None)
    if wrong is not None or len(words) > MOST_ENTRIES:
        what = f"{wrong[:20]!r} is no side" if wrong is not None else f"{len(words)} are too many"
        message = f"{what}; give up to {MOST_ENTRIES} of 1 to {LARGEST_SIDE} pixels, as 512,1024"
        raise click.BadParameter(message, param=parameter)
    return tuple(dict.fromkeys(int(word) for word in words))


def is_side(word: str) -> bool:
    """Tell whether a word is a number of pixels within reason."""
    return word.isascii() and word.isdigit() and len(word) < 9 and 1 <= int(word) <= LARGEST_SIDE


@click.command()
@click.option(
    "--model",
    type=FILE,
    metavar="NAME|FILE.onnx",
    help="Network to run: a style file, or a classifier. [default: the collection]",
)
@click.option(
    "--sizes",
    callback=split_sides,
    metavar="PX,PX",
    help=f"Sides of square pictures; a classifier has its own. [default: {DEFAULT_SIZES}]",
)
@click.option(
    "--precision",
    callback=split_words(("auto", "fp32", "int8", "fp16", "bf16")),
    metavar="NAME,NAME",
    help="Of auto, fp32, int8, fp16, bf16. [default: all that are there]",
)
@click.option(
    "--provider",
    callback=split_words(("auto", "cpu", "cuda", "openvino")),
    metavar="NAME,NAME",
    help="Of auto, cpu, cuda, openvino. [default: all that are there]",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Of one run on the CPU. [default: processors]",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 1024),
    default=1,
    show_default=True,
    metavar="N",
    help="Pictures per run.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.001, 3600),
    default=3.0,
    show_default=True,
    callback=check_number,
    metavar="S",
    help="To spend on each combination, besides starting.",
)
@click.option("--json", is_flag=True, help="Everything as one JSON object.")
@click.pass_context
def bench(ctx: click.Context, /, **options: Any) -> None:  # noqa: ANN401 - click hands them over
    """Measure how fast networks run on this machine.

    The network alone is timed, on ready pixels: impasto stylize also reads and writes files.
    Each combination of size, provider and precision runs in a process of its own, all of them
    in three turns, because machines change their speed within minutes.

    \b
    impasto bench
    impasto bench --sizes 512,1024 --precision fp32,int8 --threads 1
    impasto bench --model lenet5 --batch 64 --json
    """  # noqa: D301 - click reads the control character
    with end_on_interrupt():  # until run_bench has something to bring to an end
        from runner.bench.command import run_bench  # noqa: PLC0415

        status = run_bench(options)
    ctx.exit(status)
