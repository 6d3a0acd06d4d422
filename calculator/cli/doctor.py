"""``impasto doctor``: options, imports when called."""

import sys

import click

from calculator.cli.options import input_option

CHUNK = 65_536  # characters


@click.command()
@click.argument("text", metavar="NET|MESSAGE")
@click.option("--network", metavar="NET", help="The network that the message is about.")
@input_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the answer.",
)
def doctor(text: str, *, network: str | None, input_text: str | None, form: str) -> None:
    """Tell why a network does not fit, or what an error message means, and what mends it.

    Every fix that is shown for a network was tried. Exits with status 0 also where something
    is wrong, and with 1 where no cause was found. A dash reads the message, or a whole
    traceback, from standard input.

    \b
    impasto doctor "1x28x28 | conv 6@5x5 | flatten | fc 10 in=400"
    impasto doctor "mat1 and mat2 shapes cannot be multiplied (1x256 and 400x120)"
    python train.py 2>&1 | impasto doctor - --network lenet5
    """  # noqa: D301 - click reads the control character
    from calculator.reading.sources import parse_shape  # noqa: PLC0415 - not for --help
    from calculator.teaching.doctor.diagnosis import diagnose  # noqa: PLC0415
    from calculator.teaching.doctor.rendering import render_diagnosis, render_json  # noqa: PLC0415

    if text == "-":
        text = read_end()
    shape = None if input_text is None else parse_shape(input_text)
    diagnosis = diagnose(text, network=network, input_shape=shape)
    click.echo(render_json(diagnosis) if form == "json" else render_diagnosis(diagnosis))
    if not diagnosis.fits and not diagnosis.causes:
        raise click.exceptions.Exit(1)


def read_end() -> str:
    """Return the end of standard input, where the error of a traceback stands.

    Raises:
        CalculatorError: standard input is closed, empty, or cannot be read.
    """
    from calculator.errors import CalculatorError  # noqa: PLC0415 - as above
    from calculator.teaching.doctor.complaints import LONGEST_MESSAGE  # noqa: PLC0415

    remedy = "give the error itself, or pipe it: python train.py 2>&1 | impasto doctor -"
    if sys.stdin is None:
        message = f"standard input is closed, and - reads the error from there; {remedy}"
        raise CalculatorError(message)
    end = ""
    try:
        with click.open_file("-", errors="replace") as stream:
            while chunk := stream.read(CHUNK):
                end = (end + chunk)[-LONGEST_MESSAGE:]
    except (OSError, ValueError) as error:  # a folder, or a stream closed by the program
        message = f"standard input cannot be read ({error}); {remedy}"
        raise CalculatorError(message) from error
    if not end.strip():
        message = f"standard input was empty, and - reads the error from there; {remedy}"
        raise CalculatorError(message)
    return end
