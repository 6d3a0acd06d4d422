"""``impasto export``, ``verify`` and ``annotate``: the commands between PyTorch and ONNX Runtime.

Both are imported inside the callbacks, so that ``--help`` starts at once and works where
they are not installed.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exporter.foreign.cli import annotate
from models.classifiers.cli import COMMANDS as CLASSIFIERS
from models.cli import require_extra

if TYPE_CHECKING:
    from exporter.verify import Case

__all__ = ["annotate", "export", "verify"]

PACKAGES = ("torch", "safetensors", "onnx", "onnxscript")
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path)
HEADER = f"{'N':>2}  {'size':>9}  {'max diff':>8}  {'exact':>8}  {'in batch':>8}  verdict"
# option -> what it is while nobody has given it; the others are for every network
CLASSIFIER_OPTIONS = {
    "min_agreement": None,
    "fold": False,
    "taps": False,
}


@click.command()
@click.argument("checkpoint", type=FILE)
@click.option(
    "-o", "--output", type=FILE, required=True, metavar="FILE.onnx", help="ONNX file to write."
)
@click.option(
    "--weights",
    type=FILE,
    metavar="FILE",
    help="Weights where CHECKPOINT is a name such as vgg16; from 'impasto weights import'.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16", "int8"]),
    default="fp32",
    show_default=True,
    help="Of products; a style network's normalisation stays in fp32.",
)
@click.option(
    "--calibrate",
    type=FOLDER,
    metavar="FOLDER",
    help="Pictures for int8: four fifths to calibrate on, one fifth held back to judge by.",
)
@click.option(
    "--judge",
    type=FOLDER,
    metavar="FOLDER",
    help="Photos to judge a style network's int8 by, instead of that fifth.",
)
@click.option(
    "--calibration",
    type=click.Choice(["mse", "percentile"]),
    help="How int8 chooses ranges. [default: mse]",
)
@click.option(
    "--min-agreement",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Share of held-back pictures that int8 must name as fp32 does. [default: 0.99]",
)
@click.option(
    "--max-difference",
    type=click.FloatRange(0, 255),
    metavar="GREY",
    help="Mean difference of paintings to fp32, in grey levels. [default: int8 8, fp16 1]",
)
@click.option(
    "--fold",
    is_flag=True,
    help="For speed: batch normalisation goes into the convolutions, response normalisation apart.",
)
@click.option(
    "--taps", is_flag=True, help="Give out layers' outputs and the first filters, for 'look'."
)
@click.option("--overwrite", is_flag=True, help="Replace FILE.onnx if it exists.")
@click.option(
    "--license",
    "licence",
    default="unstated",
    show_default=True,
    metavar="TEXT",
    help="Licence of the weights, written into the file.",
)
def export(checkpoint: Path, output: Path, weights: Path | None, **options: Any) -> None:  # noqa: ANN401
    """Turn CHECKPOINT into one ONNX file that needs nothing beside it.

    Style networks take and give RGB bytes of any size from 32x32 on; the file is written
    only if PyTorch and ONNX Runtime paint the same pictures: at most 1 grey level apart and
    99.9% of all bytes equal, for several sizes and batches. Their int8 and fp16 are compared
    with fp32 instead, and may differ by --max-difference.

    Classifiers take bytes of their own size and give probabilities, equal to PyTorch's within
    1e-5 (fp16: 1e-2) for batches of 1, 2, 7 and 32; int8 must name the classes that fp32 names.
    Weights of 2 GiB and more lie beside the file, in FILE.onnx.data.

    The convolutions alone of VGG-16 ('weights import --as vgg16-features') become a file that
    gives out every layer, for 'look'.
    """
    check_options(checkpoint, weights, options)
    require_extra(*PACKAGES)
    from exporter.classifiers.command import (  # noqa: PLC0415
        check_name,
        is_classifier,
        is_features,
        run_export,
        run_features,
    )
    from exporter.export import export_checkpoint  # noqa: PLC0415

    if weights is not None:
        check_name(weights, checkpoint.name)
    source = weights or checkpoint
    if is_classifier(source) or is_features(source):
        refuse_style_options(options)
    if is_classifier(source):
        run_export(source, output, options)
        return
    if is_features(source):
        run_features(source, output, options)
        return
    check_style_options(options)
    from exporter.styles.command import describe_export, list_settings  # noqa: PLC0415

    exported = export_checkpoint(
        source,
        output,
        overwrite=options["overwrite"],
        licence=options["licence"],
        settings=list_settings(options),
    )
    click.echo(f"{output}: {output.stat().st_size:,} bytes; {describe_export(exported)}")


def check_options(checkpoint: Path, weights: Path | None, options: dict[str, Any]) -> None:
    """Refuse combinations that make no sense.

    Raises:
        click.UsageError: a name without weights, weights without a name, calibration without
            int8 or the reverse, layers' outputs in another precision than fp32.
    """
    is_name = str(checkpoint) in CLASSIFIERS
    precision = options["precision"]
    for_int8 = ("calibrate", "judge", "calibration", "min_agreement")
    given = [name for name in for_int8 if options[name] is not None]
    message = ""
    if weights is not None and not is_name:
        names = ", ".join(CLASSIFIERS)
        message = f"--weights goes with a network's name, not with {checkpoint}: {names}"
    elif weights is None and is_name and not checkpoint.exists():
        message = f"{checkpoint} is a network; pass its weights with --weights FILE"
    elif precision == "int8" and options["calibrate"] is None:
        message = "--precision int8 needs pictures to measure ranges on; pass --calibrate FOLDER"
    elif precision != "int8" and given:
        message = f"--{given[0].replace('_', '-')} is for --precision int8 only"
    elif precision == "fp32" and options["max_difference"] is not None:
        message = "--max-difference compares with fp32; pass --precision int8 or fp16"
    elif precision != "fp32" and options["taps"]:
        message = f"--taps shows layers in fp32 only; leave out --precision {precision}"
    if message:
        raise click.UsageError(message)


def check_style_options(options: dict[str, Any]) -> None:
    """Refuse what only classifiers have.

    Raises:
        click.UsageError: one of them was given.
    """
    given = [name for name, unset in CLASSIFIER_OPTIONS.items() if options[name] != unset]
    if given:
        message = f"--{given[0].replace('_', '-')} is for classifiers; a style network has none"
        raise click.UsageError(message)


def refuse_style_options(options: dict[str, Any]) -> None:
    """Refuse what only style networks have.

    Raises:
        click.UsageError: it was given.
    """
    message = ""
    if options["max_difference"] is not None:
        message = "--max-difference is for style networks; for a classifier pass --min-agreement"
    elif options["judge"] is not None:
        message = "--judge is for style networks; a classifier is judged by a fifth of --calibrate"
    if message:
        raise click.UsageError(message)


@click.command()
@click.argument("file", type=FILE, metavar="FILE.onnx")
@click.argument("checkpoint", type=FILE)
@click.option(
    "--pictures",
    type=FOLDER,
    metavar="FOLDER",
    help="Judge by a fifth of these, a classifier or a style network's int8; both int8 need it.",
)
def verify(file: Path, checkpoint: Path, pictures: Path | None) -> None:
    """Compare FILE.onnx with the CHECKPOINT it was made from, case by case.

    Sizes are height x width. "max diff" compares ONNX Runtime with PyTorch, "in batch" a
    picture in its batch with the same alone: in grey levels of paintings, or in
    probabilities, or in shares of what a layer's values span. "exact" is the share of equal
    bytes, "same class" that of equal predictions. The exit status is 1 when they disagree.
    """
    require_extra(*PACKAGES)
    from exporter.classifiers.command import (  # noqa: PLC0415
        is_classifier,
        is_features,
        run_features_verify,
        run_verify,
    )

    if is_classifier(checkpoint):
        run_verify(file, checkpoint, pictures)
        return
    if is_features(checkpoint):
        refuse_pictures(pictures)
        run_features_verify(file, checkpoint)
        return
    verify_style(file, checkpoint, pictures)


def refuse_pictures(pictures: Path | None) -> None:
    """Refuse pictures where random scenes are what files are compared on.

    Raises:
        click.UsageError: there are some.
    """
    if pictures is not None:
        message = "--pictures is for classifiers and int8; others are compared on random scenes"
        raise click.UsageError(message)


def verify_style(file: Path, checkpoint: Path, pictures: Path | None) -> None:
    """Compare a style network's file with its checkpoint and print a row per case.

    Raises:
        ParityError: they disagree.
    """
    from exporter.styles.command import read_metadata, verify_precision  # noqa: PLC0415
    from exporter.verify import Parity, open_session, require_parity, walk_cases  # noqa: PLC0415
    from models.style.checkpoint import read_checkpoint  # noqa: PLC0415

    net = read_checkpoint(checkpoint).build()
    model = _read(file)
    precision = read_metadata(model).get("precision", "fp32")
    if precision != "fp32":
        verify_precision(file, model, net, precision=precision, pictures=pictures)
        return
    refuse_pictures(pictures)
    session = open_session(model, styles=net.styles)
    click.echo(HEADER)
    cases = []
    for case in walk_cases(net, session):
        click.echo(format_case(case))
        cases.append(case)
    require_parity(Parity(tuple(cases)), str(file))


def format_case(case: "Case") -> str:
    """Return one row of the table that ``impasto verify`` prints."""
    size = f"{case.height}x{case.width}"
    verdict = "agrees" if case.agrees else "DISAGREES"
    return (
        f"{case.batch:>2}  {size:>9}  {case.max_grey_levels:>8}  {case.exact_share:>8.3%}  "
        f"{case.batch_grey_levels:>8}  {verdict}"
    )


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        message = f"{file}: cannot be read ({error.strerror}); pass a file of 'impasto export'"
        raise click.ClickException(message) from None
