"""A ``features`` model: bytes in, what every layer returns out."""

from exporter.classifiers.features.network import FeatureNetwork
from exporter.classifiers.geometry import Geometry
from exporter.classifiers.graphs import (
    ClassifierModel,
    assemble_model,
    describe_image,
    enter,
    write_layers,
)
from exporter.classifiers.storage import check_skeleton
from exporter.classifiers.taps import describe_shown, name_taps, show_filters
from exporter.classifiers.writing import Writing

TASK = "features"


def build_features(network: FeatureNetwork) -> ClassifierModel:
    """Write a feature network as ONNX, opset 17, checked.

    Returns:
        The model, whose outputs are its layers and the first filters; its weights share the
        network's memory.

    Raises:
        ExportError: the graph is not valid.
    """
    rule = network.input
    writing = Writing("network/in", Geometry((rule.channels, *rule.size)))
    entry = enter(writing, network.pixels)
    write_layers(writing, network.layers.named_children())
    shown = name_taps(writing, last=True)
    filters = show_filters(writing, {}, network.layers)
    skeleton = assemble_model(
        TASK,
        [*entry, *writing.nodes],
        describe_image(rule),
        describe_shown(writing, shown, filters),
    )
    weights = tuple(writing.weights.values())
    check_skeleton(skeleton, weights)
    return ClassifierModel(skeleton, weights, shown, filters)
