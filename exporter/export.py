"""From a checkpoint to one complete ONNX file, written only if it paints what PyTorch paints.

Steps: trace the trunk, rewrite its upsamplings, put pixels around it, compare with
PyTorch, write the metadata, and only then the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnx import ModelProto

from exporter.annotate import annotate
from exporter.blocks import spread_blocks
from exporter.columns import fold_columns
from exporter.errors import ExportError
from exporter.pixels import fold_scale, wrap_pixels
from exporter.rewrite import rewrite_upsampling
from exporter.styles.difference import Difference
from exporter.styles.precision import lower_model
from exporter.styles.settings import FP32, StyleSettings
from exporter.tables import merge_tables
from exporter.tail import shave_tail
from exporter.trunk import INPUTS, trace_trunk
from exporter.verify import SIZES, Parity, Size, measure_parity, require_parity
from models.files import write_atomically
from models.style.checkpoint import read_checkpoint
from models.style.style_net import StyleNet

UNSTATED = "unstated"


@dataclass(frozen=True)
class Exported:
    """What was measured before a file was written.

    Attributes:
        parity: between PyTorch and the network in float32.
        difference: between float32 and lower precision, where that was asked for.
    """

    parity: Parity
    difference: Difference | None


def export_checkpoint(
    checkpoint_path: Path,
    output: Path,
    *,
    overwrite: bool = False,
    licence: str = UNSTATED,
    sizes: Sequence[Size] = SIZES,
    settings: StyleSettings = FP32,
) -> Exported:
    """Export a checkpoint, check the result against PyTorch and write it whole or not at all.

    Args:
        checkpoint_path: a ``.safetensors`` file that ``impasto train style`` wrote.
        output: the ONNX file to write.
        overwrite: whether an existing ``output`` may be replaced.
        licence: of the weights, for the metadata.
        sizes: ``(N, H, W)`` of the pictures to compare on.
        settings: the precision, and how it is reached.

    Returns:
        How closely PyTorch and float32 agree, and float32 and lower precision where it was
        asked for; the same figures stand in the file.

    Raises:
        CheckpointError: the checkpoint cannot be read, or the output cannot be written.
        ParityError: the two disagree; nothing is written.
        ExportError: ``output`` exists, or the network cannot be written as ONNX.
    """
    if output.exists() and not overwrite:
        message = f"{output}: exists already; pass --overwrite to replace it, or another name"
        raise ExportError(message)
    checkpoint = read_checkpoint(checkpoint_path)
    net = checkpoint.build()
    model = build_model(net)
    parity = measure_parity(net, model.SerializeToString(), sizes=sizes)
    require_parity(parity, f"the export of {checkpoint_path}")
    entries: dict[str, Any] = {"precision": settings.precision, "parity": parity.as_dict()}
    difference = None
    if settings.precision != "fp32":
        source = build_source(net, settings)
        lowered = lower_model(
            model, source, settings, styles=net.styles, subject=str(checkpoint_path)
        )
        model, difference = lowered.model, lowered.difference
        entries["parity"] = {**difference.as_dict(), "fp32": _summarize(parity)}
        if lowered.calibration:
            entries["calibration"] = lowered.calibration
    annotate(model, checkpoint, entries=entries | {"license": licence})
    write_atomically(output, model.SerializeToString())
    return Exported(parity, difference)


def _summarize(parity: Parity) -> dict[str, Any]:
    """Return what a file of lower precision says of the fp32 that it was made from."""
    kept = ("reference", "max_grey_levels", "exact_share", "batch_grey_levels")
    figures = parity.as_dict()
    return {key: figures[key] for key in kept}


def build_source(net: StyleNet, settings: StyleSettings) -> ModelProto:
    """Return the form in float32 that a lower precision is made of.

    Raises:
        ExportError: torch's exporter cannot write this network.
    """
    whole = settings.precision == "int8"
    return build_model(net, fold=whole, widen=whole)


def build_model(net: StyleNet, *, fold: bool = True, widen: bool = False) -> ModelProto:
    """Return a network as a ``stylize`` model without metadata, from pixels to pixels.

    Args:
        net: in evaluation mode, on the CPU.
        fold: whether the first convolution's weights take in the division by 255.
        widen: whether the first and the last convolution get the shapes that integer kernels
            fill; floats gain nothing from it.

    Raises:
        ExportError: torch's exporter cannot write this network.
    """
    trunk = trace_trunk(net)
    rewrite_upsampling(trunk)
    merge_tables(trunk, INPUTS[1])
    layout = shave_tail(trunk, net.config.margin, join=widen)
    model = wrap_pixels(trunk, layout, styles=net.styles, config=net.config)
    spread_blocks(model)
    if fold:
        fold_scale(model)
    if widen:
        fold_columns(model)
    return model
