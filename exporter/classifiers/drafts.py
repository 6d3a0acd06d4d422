"""PyTorch's part of an export: the files, still unverified, and what PyTorch says of pictures.

Everything of the network is gone from memory when this part ends, so that ONNX Runtime's
copies of the weights never stand beside PyTorch's.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from onnx import TensorProto

from exporter.classifiers.calibration import Selection, divide_pictures
from exporter.classifiers.graphs import ClassifierModel, build_classifier
from exporter.classifiers.metadata import describe_checkpoint, sign_model
from exporter.classifiers.normalization import expand_response_norms
from exporter.classifiers.parity import Pixels, Probabilities, classify_with_torch, draw_pictures
from exporter.classifiers.quantization import quantize_model
from exporter.classifiers.settings import ExportSettings
from exporter.classifiers.storage import write_model
from exporter.classifiers.taps import describe_taps
from models.classifiers.checkpoint import ClassifierCheckpoint, check_shapes, read_classifier
from models.classifiers.classifier import Classifier
from models.classifiers.networks import find_network
from models.errors import CheckpointError


@dataclass(frozen=True)
class Draft:
    """Files to verify, and what to verify them with.

    Attributes:
        file: the model in the form in which it will be given out.
        mapped: the same in ``fp32``, or as a CPU computes ``fp16``, its weights beside it, which
            need not be in memory.
        entries: metadata, all but what is still to be measured.
        images: uint8 ``[N, H, W, C]``, random scenes.
        reference: float32 ``[N, K]``, what PyTorch says of them.
        held_back: pictures to judge ``int8`` by; None in other precisions.
    """

    file: Path
    mapped: Path
    entries: dict[str, Any]
    images: Pixels
    reference: Probabilities
    held_back: Selection | None = None


def draft_classifier(source: Path, name: str, scratch: Path, settings: ExportSettings) -> Draft:
    """Write a classifier's model into a folder and ask PyTorch about some pictures.

    Args:
        source: the checkpoint.
        name: of the ONNX file.
        scratch: a folder for the files.
        settings: what the file shall be.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        ExportError: the network cannot be written as ONNX, or there are no pictures to
            calibrate on.
        OSError: the disk refuses.
    """
    checkpoint = read_classifier(source)
    net = assemble(checkpoint, source)
    plain = build_model(checkpoint, net, settings)
    sign_model(plain.skeleton, checkpoint)
    entries = describe_draft(checkpoint, net, plain, settings)
    final, held_back = plain, None
    if settings.pictures is not None:
        seen, held_back = divide_pictures(settings.pictures, checkpoint.input)
        final = quantize_model(plain, checkpoint.pixels, seen, settings.calibration)
        entries["calibration"] = {"method": settings.calibration, "pictures": len(seen)}
    elif settings.precision == "fp16":
        final = build_model(checkpoint, net, settings, half=True)
        sign_model(final.skeleton, checkpoint)
        plain = round_weights(plain, final)
    file, mapped = scratch / "written" / name, scratch / "mapped" / "model.onnx"
    for path in (file, mapped):
        path.parent.mkdir()
    if write_model(final.skeleton, final.weights, file, largest_bytes=settings.largest_bytes):
        mapped = file if final is plain else mapped
    if mapped != file:
        write_model(plain.skeleton, plain.weights, mapped, largest_bytes=0)
    images = draw_pictures(checkpoint.input)
    reference = classify_with_torch(net, checkpoint, images)
    return Draft(file, mapped, entries, images, reference, held_back)


def build_model(
    checkpoint: ClassifierCheckpoint,
    net: Classifier,
    settings: ExportSettings,
    *,
    half: bool = False,
) -> ClassifierModel:
    """Return the network as ONNX before it is quantised, in the form that the settings ask for.

    Integers take the normalisations' places later, when the ranges behind them are known.
    """
    integers = settings.precision == "int8"
    taps = settings.taps and not half
    model = build_classifier(checkpoint, net, half=half, fold=settings.fold or integers, taps=taps)
    return expand_response_norms(model) if settings.fold and not integers else model


def round_weights(plain: ClassifierModel, half: ClassifierModel) -> ClassifierModel:
    """Return a float32 model with the weights that float16 leaves of its own.

    So a CPU computes float16 files: their weights become float32 once, and all products and
    activations are float32. But ONNX Runtime does it when it opens a file, in memory.

    Args:
        plain: in float32.
        half: the same network with weights in float16.
    """
    halves = {weight.name for weight in half.weights if weight.element == TensorProto.FLOAT16}
    weights = [
        replace(weight, through=np.float16) if weight.name in halves else weight
        for weight in plain.weights
    ]
    return replace(plain, weights=tuple(weights))


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


def describe_draft(
    checkpoint: ClassifierCheckpoint,
    net: Classifier,
    model: ClassifierModel,
    settings: ExportSettings,
) -> dict[str, Any]:
    """Return the metadata of a draft, all but what is still to be measured."""
    parameters = sum(parameter.numel() for parameter in net.parameters())
    entries = describe_checkpoint(checkpoint, parameters=parameters, licence=settings.licence)
    if model.filters is not None:
        entries["taps"] = describe_taps(model.taps, model.filters)
    return {**entries, "precision": settings.precision}
