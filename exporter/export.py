"""From a checkpoint to one complete ONNX file, written only if it paints what PyTorch paints.

Steps: trace the trunk, rewrite its upsamplings, put pixels around it, compare with
PyTorch, write the metadata, and only then the file.
"""

from collections.abc import Sequence
from pathlib import Path

from onnx import ModelProto

from exporter.annotate import annotate
from exporter.errors import ExportError
from exporter.pixels import wrap_pixels
from exporter.rewrite import rewrite_upsampling
from exporter.trunk import trace_trunk
from exporter.verify import SIZES, Parity, Size, measure_parity, require_parity
from models.files import write_atomically
from models.style.checkpoint import read_checkpoint
from models.style.style_net import StyleNet

UNSTATED = "unstated"


def export_checkpoint(
    checkpoint_path: Path,
    output: Path,
    *,
    overwrite: bool = False,
    licence: str = UNSTATED,
    sizes: Sequence[Size] = SIZES,
) -> Parity:
    """Export a checkpoint, check the result against PyTorch and write it whole or not at all.

    Args:
        checkpoint_path: a ``.safetensors`` file that ``impasto train style`` wrote.
        output: the ONNX file to write.
        overwrite: whether an existing ``output`` may be replaced.
        licence: of the weights, for the metadata.
        sizes: ``(N, H, W)`` of the pictures to compare on.

    Returns:
        How closely the two agree; the same figures stand in the file.

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
    annotate(model, checkpoint, parity=parity.as_dict(), licence=licence)
    write_atomically(output, model.SerializeToString())
    return parity


def build_model(net: StyleNet) -> ModelProto:
    """Return a network as a ``stylize`` model without metadata, from pixels to pixels.

    Args:
        net: in evaluation mode, on the CPU.

    Raises:
        ExportError: torch's exporter cannot write this network.
    """
    trunk = trace_trunk(net)
    rewrite_upsampling(trunk)
    config = net.config
    return wrap_pixels(trunk, styles=net.styles, margin=config.margin, stride=config.stride)
