"""A foreign classifier as a file that the runner takes, written only if it does as it did."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import ModelProto, checker
from onnx.checker import ValidationError

from exporter.errors import ExportError, ParityError
from exporter.foreign.batches import free_batch
from exporter.foreign.survey import find_form, find_input, find_opset, find_output, find_size
from exporter.foreign.trials import (
    Scores,
    Trial,
    apply_softmax,
    are_probabilities,
    are_shares,
    count_parameters,
    draw_pictures,
    score_by_hand,
    try_model,
)
from exporter.foreign.wishes import Wishes
from exporter.foreign.wrapping import Wiring, wrap
from exporter.properties import SCHEMA, encode_entries
from exporter.publication import LARGEST_FILE, name_data, publish, refuse_existing
from models.classifiers.preprocessing import rule_as_dict

QUANTIZED = {"QuantizeLinear", "QLinearConv", "QLinearMatMul", "DynamicQuantizeLinear"}


def annotate_classifier(
    source: Path, output: Path, wishes: Wishes, *, overwrite: bool = False
) -> Trial:
    """Wrap pictures and labels around a foreign network and write it whole or not at all.

    Args:
        source: an ONNX classifier of opset 7 or later, whoever exported it.
        output: the file to write.
        wishes: how its input and output are to be understood.
        overwrite: whether an existing ``output`` may be replaced.

    Returns:
        How closely the wrapped network follows the foreign one.

    Raises:
        ExportError: the file cannot be read, is no classifier, does not fit what is said of
            it, or the output exists or cannot be written.
        ParityError: wrapped, the network says something else.
    """
    refuse_existing(output, overwrite=overwrite)
    model = load_model(source)
    try:
        wrapped, trial = build(model, wishes)
        entries = describe(model, source, wishes, trial)
    except (ExportError, ParityError) as error:
        message = f"{source}: {error.message}"
        raise type(error)(message) from error
    for key, value in encode_entries(entries).items():
        wrapped.metadata_props.add(key=key, value=value)
    write(wrapped, output)
    return trial


def read_size_of(source: Path, name: str) -> tuple[int, int] | None:
    """Return the pictures' ``(H, W)`` where a file fixes them.

    Args:
        source: an ONNX classifier.
        name: of its input; empty where there is only one.

    Raises:
        ExportError: the file cannot be read, or has no such input.
    """
    model = load_model(source)
    try:
        return find_size(find_input(model, name))
    except ExportError as error:
        message = f"{source}: {error.message}"
        raise ExportError(message) from error


def build(model: ModelProto, wishes: Wishes) -> tuple[ModelProto, Trial]:
    """Return the wrapped network, tried.

    Raises:
        ExportError: the network is no classifier, or does not fit what is said of it.
        ParityError: wrapped, the network says something else.
    """
    find_opset(model)
    entry, scores = find_input(model, wishes.input), find_output(model, wishes.output)
    wiring = Wiring(
        entry, find_form(entry, wishes.rule.size, wishes.channels, wishes.layout), scores
    )
    images = draw_pictures(wishes)
    found = score_by_hand(model, wiring, wishes, images)
    softmax = choose_softmax(found, wishes)
    wrapped = wrap(free_batch(model, entry.dims[0]), wiring, wishes, softmax=softmax)
    check(wrapped)
    expected = apply_softmax(found) if softmax else found
    half = entry.element == onnx.TensorProto.FLOAT16
    return wrapped, try_model(wrapped, images, expected, half=half)


def choose_softmax(scores: Scores, wishes: Wishes) -> bool:
    """Return whether scores are still to be made probabilities.

    Raises:
        ExportError: they shall be taken as they are, and are no probabilities.
    """
    if wishes.softmax == "auto":
        return not are_probabilities(scores)
    if wishes.softmax == "no" and not are_shares(scores):
        message = (
            f"gives values from {scores.min():.3g} to {scores.max():.3g}, which are no "
            "probabilities; leave out --softmax no"
        )
        raise ExportError(message)
    return wishes.softmax == "yes"


def check(model: ModelProto) -> None:
    """Check a model against ONNX's rules.

    Raises:
        ExportError: it breaks one.
    """
    if model.ByteSize() > LARGEST_FILE:
        return  # the check wants it in one piece; ONNX Runtime has the last word
    try:
        checker.check_model(model)
    except ValidationError as error:
        message = f"is not valid ONNX once it is wrapped ({str(error).partition(chr(10))[0]:.200})"
        raise ExportError(message) from error


def describe(model: ModelProto, source: Path, wishes: Wishes, trial: Trial) -> dict[str, Any]:
    """Return the metadata, without the ``impasto.`` prefix."""
    kinds = {node.op_type for node in model.graph.node}
    half = find_input(model, wishes.input).element == onnx.TensorProto.FLOAT16
    return {
        "schema": SCHEMA,
        "task": "classify",
        "network": {"name": source.stem, "config": {}, "parameters": count_parameters(model)},
        "input": rule_as_dict(wishes.rule),
        "labels": wishes.labels,
        "training": {"source": f"annotated from {source.name}"},
        "license": wishes.licence,
        "precision": "int8" if kinds & QUANTIZED else "fp16" if half else "fp32",
        "parity": trial.as_dict(),
    }


def load_model(path: Path) -> ModelProto:
    """Read an ONNX file, weights that lie beside it too.

    Raises:
        ExportError: it cannot be read or is no ONNX file.
    """
    try:
        model = onnx.load(path)
    except FileNotFoundError:
        message = f"{path}: no such file, or weights that should lie beside it are missing"
        raise ExportError(message) from None
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror}); give an ONNX file"
        raise ExportError(message) from None
    except (DecodeError, ValidationError, ValueError) as error:
        message = f"{path}: not an ONNX file ({str(error).partition(chr(10))[0]:.200})"
        raise ExportError(message) from None
    if not model.graph.node:
        message = f"{path}: holds no network; is it an ONNX file?"
        raise ExportError(message)
    return model


def write(model: ModelProto, output: Path, *, largest_bytes: int = LARGEST_FILE) -> None:
    """Write a model whole or not at all.

    Args:
        model: with its weights inside.
        output: the file, replaced if it exists.
        largest_bytes: of the model; the weights of larger ones lie beside it.

    Raises:
        ExportError: the folder or the disk refuses.
    """
    beside = model.ByteSize() > largest_bytes
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as scratch:
            file = Path(scratch, output.name)
            onnx.save_model(
                model,
                file,
                save_as_external_data=beside,
                location=name_data(file).name if beside else None,
            )
            publish(file, output)
    except OSError as error:
        message = f"{output}: cannot be written ({error.strerror or error})"
        raise ExportError(message) from error
