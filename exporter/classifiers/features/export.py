"""From VGG-16's convolutions to one ONNX file, written only if every layer agrees."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from exporter.classifiers.features.graphs import TASK, build_features
from exporter.classifiers.features.network import NAME, UNSTATED, FeatureNetwork, read_features
from exporter.classifiers.features.parity import (
    FeatureCase,
    describe_parity,
    require_features,
    walk_features,
)
from exporter.classifiers.graphs import IMAGE, ClassifierModel
from exporter.classifiers.parity import draw_pictures
from exporter.classifiers.sessions import open_session
from exporter.classifiers.settings import ExportSettings
from exporter.classifiers.storage import append_properties, write_model
from exporter.classifiers.taps import describe_taps
from exporter.errors import ExportError
from exporter.properties import SCHEMA, encode_entries, find_version
from exporter.publication import publish, refuse_existing
from models.classifiers.networks import config_as_dict
from models.classifiers.preprocessing import rule_as_dict


@dataclass(frozen=True)
class ExportedFeatures:
    """What was written and how good it is.

    Attributes:
        file: the ONNX file.
        layers: how many it gives out.
        cases: how closely they agree with PyTorch's.
    """

    file: Path
    layers: int
    cases: tuple[FeatureCase, ...]


def export_features(
    weights: Path, output: Path, settings: ExportSettings | None = None
) -> ExportedFeatures:
    """Export VGG-16's convolutions with every layer as an output.

    Args:
        weights: a ``vgg16-features`` file.
        output: the ONNX file to write.
        settings: of them licence and overwriting; the precision must be ``fp32``.

    Raises:
        WeightsError: the weights cannot be read.
        ParityError: a layer disagrees with PyTorch's; nothing is written.
        ExportError: ``output`` exists or cannot be written, or another precision is asked for.
    """
    settings = settings or ExportSettings()
    if settings.precision != "fp32":
        message = (
            f"{weights}: convolutions without classes give out their layers, which are shown in "
            f"fp32 only, not in {settings.precision}; leave out --precision"
        )
        raise ExportError(message)
    refuse_existing(output, overwrite=settings.overwrite)
    network = read_features(weights)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as scratch:
            return write_features(network, Path(scratch), output, settings)
    except OSError as error:
        message = f"{output}: cannot be written ({error.strerror or error})"
        raise ExportError(message) from error


def write_features(
    network: FeatureNetwork, scratch: Path, output: Path, settings: ExportSettings
) -> ExportedFeatures:
    """Write, verify and publish a feature network.

    Raises:
        ParityError: a layer disagrees with PyTorch's.
        OSError: the disk refuses.
    """
    model, file = build_features(network), scratch / output.name
    sign_features(model, network)
    write_model(model.skeleton, model.weights, file)
    cases = tuple(compare(file, network, model))
    require_features(cases, f"the export of {network.source}")
    entries = describe_features(network, model, licence=settings.licence)
    append_properties(file, encode_entries({**entries, "parity": describe_parity(cases)}))
    return ExportedFeatures(publish(file, output)[0], len(model.taps), cases)


def compare_features(file: Path, weights: Path) -> Iterator[FeatureCase]:
    """Yield how a file and PyTorch agree on random scenes, batch by batch.

    Args:
        file: of :func:`export_features`.
        weights: what it was made from.

    Raises:
        WeightsError: the weights cannot be read.
        ExportError: the file gives out other layers.
    """
    network = read_features(weights)
    yield from compare(file, network, build_features(network))


def compare(file: Path, network: FeatureNetwork, model: ClassifierModel) -> Iterator[FeatureCase]:
    """Yield how a file agrees with the network whose model it should be.

    Raises:
        ExportError: it has other inputs or outputs.
    """
    session = open_session(file)
    wanted = [value.name for value in model.skeleton.graph.output]
    found = [value.name for value in session.get_outputs()]
    names = [value.name for value in session.get_inputs()]
    if found != wanted or names != [IMAGE]:
        message = (
            f"{file}: its inputs are {names} and its outputs {found[:3]}, not {IMAGE} and the "
            f"layers from {wanted[0]} on; pass a file that 'impasto export {NAME} --weights' made "
            "of these weights"
        )
        raise ExportError(message)
    yield from walk_features(session, network, model.taps, draw_pictures(network.input))


def describe_features(
    network: FeatureNetwork, model: ClassifierModel, *, licence: str
) -> dict[str, Any]:
    """Return the metadata of a feature network, without the ``impasto.`` prefix."""
    config = config_as_dict(network.config)
    return {
        "schema": SCHEMA,
        "task": TASK,
        "network": {
            "name": NAME,
            "config": {key: config[key] for key in ("depth", "batch_norm")},
            "parameters": network.parameters,
        },
        "input": rule_as_dict(network.input),
        "precision": "fp32",
        "taps": describe_taps(model.taps, model.filters or {}),
        "training": {"source": network.source},
        "license": network.license if licence == UNSTATED else licence,
    }


def sign_features(model: ClassifierModel, network: FeatureNetwork) -> None:
    """Write producer, version, domain and a description into a model."""
    skeleton = model.skeleton
    skeleton.producer_name, skeleton.producer_version = "impasto", find_version()
    skeleton.domain = f"impasto.{TASK}"
    height, width = network.input.size
    skeleton.doc_string = (
        f"The convolutions of VGG-16: uint8 RGB pictures [N, {height}, {width}, 3] in, "
        f"{len(model.taps)} layers out."
    )
