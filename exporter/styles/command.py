"""What ``impasto export`` and ``impasto verify`` do for style networks of lower precision."""

import json
from pathlib import Path
from typing import Any

import click
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from exporter.errors import ExportError
from exporter.export import Exported, build_model
from exporter.styles.difference import Difference, measure_difference, require_difference
from exporter.styles.photos import divide_photos, draw_sample
from exporter.styles.settings import StyleSettings
from models.style.style_net import StyleNet


def list_settings(options: dict[str, Any]) -> StyleSettings:
    """Return the settings that the command line's options make."""
    return StyleSettings(
        precision=options["precision"],
        pictures=options["calibrate"],
        judges=options["judge"],
        calibration=options["calibration"] or StyleSettings.calibration,
        max_difference=options["max_difference"],
    )


def describe_export(exported: Exported) -> str:
    """Return how good a written file is."""
    if exported.difference is not None:
        return describe_difference(exported.difference)
    parity = exported.parity
    return (
        f"differs from PyTorch by at most {parity.max_grey_levels} grey level, "
        f"{parity.exact_share:.3%} of bytes equal"
    )


def describe_difference(difference: Difference) -> str:
    """Return the figures between a precision and float32."""
    return (
        f"{difference.precision} differs from fp32 by {difference.mean_grey_levels:.2f} grey "
        f"levels on average and {difference.max_grey_levels} at most, on {difference.pictures} "
        "pictures in every style"
    )


def read_metadata(model: bytes) -> dict[str, Any]:
    """Return what a file says of its precision and parity; empty where it says nothing."""
    try:
        props = onnx.load_from_string(model).metadata_props
        entries = {entry.key.removeprefix("impasto."): json.loads(entry.value) for entry in props}
    except (DecodeError, ValueError):  # who reads the file as a model says why
        return {}
    return {key: entries[key] for key in ("precision", "parity") if key in entries}


def verify_precision(
    file: Path, model: bytes, net: StyleNet, *, precision: str, pictures: Path | None
) -> None:
    """Compare a file of lower precision with its checkpoint in float32 and print the figures.

    Args:
        file: what messages are about.
        model: its bytes.
        net: of the checkpoint.
        precision: that the file says it has.
        pictures: folder, a fifth of which judges; ``int8`` needs it.

    Raises:
        ExportError: there are no pictures, or they do not serve.
        ParityError: paintings differ by more than the file was allowed to.
    """
    if precision == "int8" and pictures is None:
        message = (
            f"{file}: is in int8, which random scenes say little about; pass --pictures FOLDER, "
            "the one that it was calibrated on"
        )
        raise ExportError(message)
    sample = divide_photos(pictures, net.styles)[1] if pictures else draw_sample(net.styles)
    tolerance = read_metadata(model).get("parity", {}).get("tolerance", {})
    difference = measure_difference(
        build_model(net),
        onnx.load_from_string(model),
        sample,
        precision=precision,
        limit=float(tolerance.get("mean_grey_levels", 0)),
    )
    click.echo(describe_difference(difference))
    require_difference(difference, str(file))
