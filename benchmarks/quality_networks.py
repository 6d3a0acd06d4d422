"""Networks that `quality.py` scores: exported files as they are, and checkpoints in PyTorch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from quality_grid import Pixels, as_pixels, as_tensor

from models.style.checkpoint import read_checkpoint
from models.style.style_net import StyleNet
from runner.precision import SIBLINGS, find_fault, name_sibling, read_precision
from runner.properties import read_properties
from runner.stylize import Painter

SUFFIXES = (".onnx", ".safetensors")


class PaintPhoto(Protocol):
    """Paint uint8 ``[H, W, 3]`` in the named style."""

    def __call__(self, pixels: Pixels, style: str) -> Pixels:
        """Return uint8 ``[H, W, 3]`` of the same size."""


@dataclass(frozen=True)
class PaintingNetwork:
    """A network under measurement.

    Attributes:
        name: what the report calls it.
        file: where it lies.
        precision: in which it computes; ``fp32`` of a checkpoint.
        styles: names of the paintings that it knows.
        paint: how it paints.
    """

    name: str
    file: Path
    precision: str
    styles: tuple[str, ...]
    paint: PaintPhoto


def open_networks(files: Sequence[Path]) -> list[PaintingNetwork]:
    """Open exported files and checkpoints.

    Raises:
        ModelError: an ONNX file is missing, damaged or made for something else.
        CheckpointError: a checkpoint is.
        SystemExit: a file is given twice, or is neither.
    """
    return [open_network(name, file) for name, file in zip(name_files(files), files, strict=True)]


def open_network(name: str, file: Path) -> PaintingNetwork:
    """Open one file by its suffix.

    Raises:
        ModelError: an ONNX file is missing, damaged or made for something else.
        CheckpointError: a checkpoint is.
        SystemExit: it is neither.
    """
    if file.suffix not in SUFFIXES:
        message = f"{file}: neither an .onnx file nor a .safetensors checkpoint"
        raise SystemExit(message)
    if file.suffix == ".safetensors":
        checkpoint = read_checkpoint(file)
        styles = tuple(str(style["name"]) for style in checkpoint.styles)
        return PaintingNetwork(
            name, file, "fp32", styles, partial(paint_checkpoint, checkpoint.build(), styles)
        )
    # the file that was named, not a faster one that lies beside it
    precision = read_precision(read_properties(file))
    painter = Painter(file, "cpu", precision=precision)
    return PaintingNetwork(name, file, precision, painter.names, partial(paint_file, painter))


def paint_file(painter: Painter, pixels: Pixels, style: str) -> Pixels:
    """Paint with an exported file, uint8 ``[H, W, 3]`` in and out."""
    return np.asarray(painter.paint([pixels], painter.choose(style))[0])


@torch.no_grad()
def paint_checkpoint(net: StyleNet, styles: tuple[str, ...], pixels: Pixels, style: str) -> Pixels:
    """Paint with PyTorch in float32, rounded to 8 bits like the files."""
    weights = torch.eye(len(styles))[styles.index(style)][None]
    return as_pixels(net(as_tensor(pixels), weights))


def name_files(files: Sequence[Path]) -> list[str]:
    """Return the shortest ends of the paths that tell them apart, without suffix if possible.

    Raises:
        SystemExit: a file is given twice.
    """
    whole = [file.resolve() for file in files]
    for path in whole:
        if whole.count(path) > 1:
            message = f"{path} is given {whole.count(path)} times; give each network once"
            raise SystemExit(message)
    for depth in range(1, max((len(path.parts) for path in whole), default=0) + 1):
        for bare in (True, False):
            tails = [(path.with_suffix("") if bare else path).parts[-depth:] for path in whole]
            if len(set(tails)) == len(tails):
                return [str(Path(*tail)) for tail in tails]
    return [str(path) for path in whole]


def match_siblings(
    networks: Sequence[PaintingNetwork],
) -> list[tuple[PaintingNetwork, PaintingNetwork]]:
    """Return every file of lower precision with the fp32 file it belongs to, both given.

    Raises:
        SystemExit: there is none, or one that lies beside an fp32 file is another network.
    """
    exported = {
        network.file.resolve(): network for network in networks if network.file.suffix == ".onnx"
    }
    found = [
        (exported[name_sibling(path, precision)], whole)
        for path, whole in exported.items()
        for precision in SIBLINGS
        if whole.precision == "fp32" and name_sibling(path, precision) in exported
    ]
    if not found:
        message = (
            "--record: no FILE-int8.onnx or FILE-fp16.onnx is given together with its FILE.onnx"
        )
        raise SystemExit(message)
    for lower, whole in found:
        fault = find_fault(lower.file, lower.precision, read_properties(whole.file))
        if lower.precision == "fp32" or fault:
            message = (
                f"--record: {lower.file} does not belong to {whole.file}, {fault or 'it is fp32'}"
            )
            raise SystemExit(message)
    return found
