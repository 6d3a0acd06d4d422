"""The range of every tensor that becomes integers, measured on photos in all styles."""

import torch
from onnx import ModelProto, TensorProto, helper

from exporter.classifiers.ranges import Histogram, Range
from exporter.pixels import IMAGE, STYLE_WEIGHTS
from exporter.styles.integers import plan_ranges
from exporter.styles.lowering import copy_model
from exporter.styles.photos import Sample
from exporter.styles.settings import Method
from exporter.verify import open_session


def measure_ranges(model: ModelProto, sample: Sample, method: Method) -> dict[str, Range]:
    """Return the ranges that :func:`exporter.styles.integers.plan_ranges` asks for.

    One range serves all styles, because one file does.

    Args:
        model: a ``stylize`` model in float32.
        sample: to measure on, photo by photo and style by style.
        method: how ranges are chosen.

    Raises:
        ExportError: a value is not finite.
    """
    names = plan_ranges(model)
    watched = copy_model(model)
    watched.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names
    )
    styles = sample.style_weights.shape[1]
    session = open_session(watched.SerializeToString(), styles=styles, watched=names)
    found = {name: Histogram() for name in names}
    for image in sample.images:
        for row in sample.style_weights:
            values = session.run(names, {IMAGE: image[None], STYLE_WEIGHTS: row[None]})
            for name, value in zip(names, values, strict=True):
                found[name].add(torch.from_numpy(value))
    return {name: histogram.choose(method) for name, histogram in found.items()}
