"""``impasto export`` and ``impasto verify``: the commands between PyTorch and ONNX Runtime.

Both are imported inside the callbacks, so that ``--help`` starts at once and works where
they are not installed.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from models.cli import require_extra

if TYPE_CHECKING:
    from exporter.verify import Case

PACKAGES = ("torch", "safetensors", "onnx", "onnxscript")
FILE = click.Path(path_type=Path, dir_okay=False)
HEADER = f"{'N':>2}  {'size':>9}  {'max diff':>8}  {'exact':>8}  {'in batch':>8}  verdict"


@click.command()
@click.argument("checkpoint", type=FILE)
@click.option(
    "-o", "--output", type=FILE, required=True, metavar="FILE.onnx", help="ONNX file to write."
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
def export(checkpoint: Path, output: Path, licence: str, *, overwrite: bool) -> None:
    """Turn CHECKPOINT into one ONNX file that needs nothing beside it.

    The file takes and gives RGB bytes of any size from 32x32 on. It is written only if
    PyTorch and ONNX Runtime paint the same pictures: at most 1 grey level apart and
    99.9% of all bytes equal, for several sizes and batches.
    """
    require_extra(*PACKAGES)
    from exporter.export import export_checkpoint  # noqa: PLC0415

    parity = export_checkpoint(checkpoint, output, overwrite=overwrite, licence=licence)
    click.echo(
        f"{output}: {output.stat().st_size:,} bytes; differs from PyTorch by at most "
        f"{parity.max_grey_levels} grey level, {parity.exact_share:.3%} of bytes equal"
    )


@click.command()
@click.argument("file", type=FILE, metavar="FILE.onnx")
@click.argument("checkpoint", type=FILE)
def verify(file: Path, checkpoint: Path) -> None:
    """Compare FILE.onnx with the CHECKPOINT it was made from, case by case.

    Sizes are height x width. "max diff" and "exact" compare ONNX Runtime with PyTorch,
    "in batch" a picture painted in its batch with the same painted alone, in grey levels.
    The exit status is 1 when they disagree.
    """
    require_extra(*PACKAGES)
    from exporter.verify import Parity, open_session, require_parity, walk_cases  # noqa: PLC0415
    from models.style.checkpoint import read_checkpoint  # noqa: PLC0415

    net = read_checkpoint(checkpoint).build()
    session = open_session(_read(file), styles=net.styles)
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
