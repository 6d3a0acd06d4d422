"""PyTorch's part of an export: the files, still unverified, and what PyTorch says of pictures.

Everything of the network is gone from memory when this part ends, so that ONNX Runtime's
copies of the weights never stand beside PyTorch's.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from exporter.classifiers.graphs import ClassifierModel, build_classifier, describe_taps
from exporter.classifiers.metadata import describe_checkpoint, sign_model
from exporter.classifiers.parity import Pixels, Probabilities, classify_with_torch, draw_pictures
from exporter.classifiers.settings import ExportSettings
from exporter.classifiers.storage import write_model
from models.classifiers.checkpoint import ClassifierCheckpoint, check_shapes, read_classifier
from models.classifiers.classifier import Classifier
from models.classifiers.networks import find_network
from models.classifiers.preprocessing import InputRule
from models.errors import CheckpointError


@dataclass(frozen=True)
class Draft:
    """Files to verify, and what to verify them with.

    Attributes:
        file: the model in the form in which it will be given out.
        mapped: the same model with its weights beside it, which need not be in memory.
        entries: metadata, all but what is still to be measured.
        images: uint8 ``[N, H, W, C]``, random scenes.
        reference: float32 ``[N, K]``, what PyTorch says of them.
        rule: how a picture becomes pixels.
    """

    file: Path
    mapped: Path
    entries: dict[str, Any]
    images: Pixels
    reference: Probabilities
    rule: InputRule


def draft_classifier(source: Path, name: str, scratch: Path, settings: ExportSettings) -> Draft:
    """Write a classifier's model into a folder and ask PyTorch about some pictures.

    Args:
        source: the checkpoint.
        name: of the ONNX file.
        scratch: a folder for the files.
        settings: what the file shall be.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        ExportError: the network cannot be written as ONNX.
        OSError: the disk refuses.
    """
    checkpoint = read_classifier(source)
    net = assemble(checkpoint, source)
    model = build_classifier(
        checkpoint,
        net,
        half=settings.precision == "fp16",
        fold=settings.fold,
        taps=settings.taps,
    )
    sign_model(model.skeleton, checkpoint)
    file, mapped = write_files(model, name, scratch, settings.largest_bytes)
    parameters = sum(parameter.numel() for parameter in net.parameters())
    entries = describe_checkpoint(checkpoint, parameters=parameters, licence=settings.licence)
    if model.filters is not None:
        entries["taps"] = describe_taps(model)
    images = draw_pictures(checkpoint)
    return Draft(
        file=file,
        mapped=mapped,
        entries={**entries, "precision": settings.precision},
        images=images,
        reference=classify_with_torch(net, checkpoint, images),
        rule=checkpoint.input,
    )


def assemble(checkpoint: ClassifierCheckpoint, source: Path) -> Classifier:
    """Return the network around the checkpoint's own tensors, without a copy of them.

    Networks with constants that checkpoints do not hold are small, and built as ever.

    Raises:
        CheckpointError: names or shapes do not fit the configuration.
    """
    with torch.device("meta"):
        net = find_network(checkpoint.name).build(checkpoint.config)
    expected = net.state_dict()
    try:
        check_shapes(checkpoint.net, expected)
    except CheckpointError as error:
        message = f"{source}: {error.message}"
        raise CheckpointError(message) from None
    has_constants = any(name not in expected for name, _ in net.named_buffers())
    if has_constants or any(checkpoint.net[n].dtype != t.dtype for n, t in expected.items()):
        return checkpoint.build()
    net.load_state_dict(checkpoint.net, assign=True)
    return net.eval()


def write_files(
    model: ClassifierModel, name: str, scratch: Path, largest_bytes: int
) -> tuple[Path, Path]:
    """Write a model as it will be given out, and with its weights beside it.

    Returns:
        Both files; they are one where the weights must lie beside it anyway.

    Raises:
        OSError: the disk refuses.
    """
    file, mapped = scratch / "written" / name, scratch / "mapped" / "model.onnx"
    file.parent.mkdir()
    if write_model(model.skeleton, model.weights, file, largest_bytes=largest_bytes):
        return file, file
    mapped.parent.mkdir()
    write_model(model.skeleton, model.weights, mapped, largest_bytes=0)
    return file, mapped
