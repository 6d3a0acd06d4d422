"""``impasto conv``: options, imports when called."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from calculator.errors import CalculatorError

if TYPE_CHECKING:
    from fractions import Fraction

    from calculator.teaching.convolution.matrices import Matrix

NEGATIVE = re.compile(r"-[0-9.\s][0-9\s.,;/+\-]*")  # of a matrix; -1.png is a file
POSITION = re.compile(r"\s*([0-9]{1,4})\s*,\s*([0-9]{1,4})\s*")
FOR_MATRICES = {"position": "--position", "form": "--format"}
FOR_PICTURES = {"output": "-o", "color": "--color and --grey", "show": "--show", "unit": "--scale"}


class MatrixCommand(click.Command):
    """A command whose argument may begin with a minus sign."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep ``-1 0; 2 3`` from being taken for an option: a blank in front does no harm."""
        return super().parse_args(ctx, [f" {a}" if NEGATIVE.fullmatch(a) else a for a in args])


def show_kernels(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001
    """Print the named kernels and stop."""
    if value and not ctx.resilient_parsing:
        from calculator.teaching.convolution.kernels import render_kernels  # noqa: PLC0415 - not for --help

        click.echo(render_kernels())
        ctx.exit()


@click.command(cls=MatrixCommand)
@click.argument("source", metavar="INPUT")
@click.option("--kernel", required=True, metavar="NAME|MATRIX", help="See --list.")
@click.option("--padding", default="valid", show_default=True, metavar="valid|same|N")
@click.option("--stride", type=int, default=1, show_default=True, help="Step of the kernel.")
@click.option("--dilation", type=int, default=1, show_default=True, help="Distance of taps.")
@click.option("--flip", is_flag=True, help="Rotate the kernel by 180 degrees: the convolution.")
@click.option("--position", metavar="ROW,COLUMN", help="Products of one output. For a matrix.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), help="For a matrix. [default: text]"
)
@click.option("-o", "--output", metavar="FILE", help="Where to write a picture.")
@click.option("--color/--grey", default=None, help="[default: grey if the weights sum to 0]")
@click.option(
    "--show",
    type=click.Choice(["absolute", "signed", "clip"]),
    help="Black is 0; grey is 0; as it is. [default: absolute if the weights sum to 0, else clip]",
)
@click.option("--scale", "unit", metavar="UNITS", help="Units per grey level. [default: chosen]")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_kernels,
    help="Print the named kernels.",
)
def conv(
    source: str,
    *,
    kernel: str,
    padding: str,
    flip: bool,
    **chosen: Any,  # noqa: ANN401 - click hands the other options over
) -> None:
    """Slide a kernel over a small matrix or a picture.

    INPUT is a matrix, a .txt or .csv file of one, - for standard input, or a picture.
    As in every framework the kernel is not rotated (cross-correlation).

    \b
    impasto conv "3 0 1 2; 1 5 8 9; 2 7 2 5; 0 1 3 1" --kernel vertical
    impasto conv "1 2 3; 4 5 6; 7 8 9" --kernel "1 0; 0 -1" --padding same --flip
    impasto conv photo.jpg --kernel sobel -o edges.png
    impasto conv --list
    """  # noqa: D301 - click reads the control character
    sliding = {
        "padding": read_padding(padding),
        "stride": chosen.pop("stride"),
        "dilation": chosen.pop("dilation"),
        "flip": flip,
    }
    matrix = read_source(source)
    if matrix is None:
        refuse_options(chosen, FOR_MATRICES, what="a picture")
        click.echo(answer_picture(Path(source), kernel, sliding=sliding, chosen=chosen))
    else:
        refuse_options(chosen, FOR_PICTURES, what="a matrix")
        click.echo(answer_matrix(matrix, kernel, sliding=sliding, chosen=chosen))


def read_source(source: str) -> "Matrix | None":
    """Read the matrix that a user names; None for what can only be a picture.

    Raises:
        CalculatorError: the text or file is no matrix.
    """
    from calculator.teaching.convolution import matrices  # noqa: PLC0415 - not for --help

    if source == "-":
        data = sys.stdin.buffer.read(matrices.LONGEST_FILE)
        return matrices.parse_data(data, name="standard input")
    if matrices.LETTERS.fullmatch(source):
        return matrices.parse_matrix(source)
    path = Path(source)
    return matrices.read_matrix_file(path) if path.suffix.lower() in matrices.FILES else None


def read_padding(text: str) -> int | Literal["valid", "same"]:
    """Read ``valid``, ``same`` or a number of zeros.

    Raises:
        CalculatorError: the text is none of them.
    """
    if re.fullmatch(r"\s*[0-9]{1,4}\s*", text):
        return int(text)
    word = text.strip().lower()
    if word == "same":
        return "same"
    if word == "valid":
        return "valid"
    message = f"--padding {text[:40]!r} must be valid, same, or a number of zeros such as 1"
    raise CalculatorError(message)


def refuse_options(chosen: dict[str, Any], options: dict[str, str], *, what: str) -> None:
    """Refuse options that would do nothing.

    Raises:
        CalculatorError: one of them was given.
    """
    for name, option in options.items():
        if chosen[name] is not None:
            message = f"{option} does not go with {what}; leave it out"
            raise CalculatorError(message)


def answer_matrix(
    matrix: "Matrix", kernel: str, *, sliding: dict[str, Any], chosen: dict[str, Any]
) -> str:
    """Return the convolution of a matrix as text or JSON.

    Args:
        matrix: the input.
        kernel: name or numbers.
        sliding: padding, stride, dilation, flip.
        chosen: ``position`` and ``form`` as given, or None.

    Raises:
        CalculatorError: a setting is wrong, or the kernel does not fit.
    """
    from calculator.teaching.convolution import text  # noqa: PLC0415 - not for --help
    from calculator.teaching.convolution.convolving import convolve  # noqa: PLC0415
    from calculator.teaching.convolution.kernels import parse_kernel  # noqa: PLC0415

    convolved = convolve(matrix, parse_kernel(kernel), **sliding)
    position = None if chosen["position"] is None else read_position(chosen["position"])
    if chosen["form"] == "json":
        return text.render_convolved_json(convolved, position)
    return text.render_convolved(convolved, position)


def read_position(text: str) -> tuple[int, int]:
    """Read ``2,3``.

    Raises:
        CalculatorError: the text is no position.
    """
    match = POSITION.fullmatch(text)
    if match is None:
        message = f"--position {text[:40]!r} must be row,column of the output, such as 0,0"
        raise CalculatorError(message)
    return int(match[1]), int(match[2])


def answer_picture(
    source: Path, kernel: str, *, sliding: dict[str, Any], chosen: dict[str, Any]
) -> str:
    """Convolve a picture, write it, and return what was done.

    Args:
        source: the picture.
        kernel: name, pair of directions, or numbers.
        sliding: padding, stride, dilation, flip.
        chosen: ``output``, ``color``, ``show`` and ``unit`` as given, or None.

    Raises:
        CalculatorError: a file or a setting is wrong.
        click.ClickException: the output cannot be written.
    """
    from calculator.teaching.convolution.filtering import Sliding, Toning  # noqa: PLC0415 - not for matrices
    from calculator.teaching.convolution.kernels import parse_kernels  # noqa: PLC0415
    from calculator.teaching.convolution.picture_files import describe_missing, is_file  # noqa: PLC0415
    from calculator.teaching.convolution.pictures import convolve_picture  # noqa: PLC0415

    kernels = parse_kernels(kernel)
    unit = None if chosen["unit"] is None else read_unit(chosen["unit"])
    if chosen["output"] is None:
        message = "-o is missing: name the file that the filtered picture is written to"
        raise CalculatorError(message if is_file(source) else describe_missing(source))
    return convolve_picture(
        source,
        kernels,
        output=Path(chosen["output"]),
        sliding=Sliding(**sliding),
        color=chosen["color"],
        toning=Toning(chosen["show"], unit),
    )


def read_unit(text: str) -> "Fraction":
    """Read the units per grey level.

    Raises:
        CalculatorError: the text is no number above 0.
    """
    from fractions import Fraction  # noqa: PLC0415 - only for pictures

    from calculator.teaching.convolution.matrices import parse_value  # noqa: PLC0415

    value = parse_value(text.strip(), 0, what="--scale")
    if value <= 0:
        message = f"--scale {text} must be above 0; 4 makes one grey level of four units"
        raise CalculatorError(message)
    return Fraction(value)
