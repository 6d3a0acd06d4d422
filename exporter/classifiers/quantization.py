"""From a classifier in float32 to one in eight bits: ranges measured, then the graph rewritten.

ONNX Runtime's own tool (``onnxruntime.quantization``) was tried first. It keeps the model and
all activations of its pictures in memory, 5.7 times the weights of VGG-16, and its entropy
calibration with its own numbers of bins compares one candidate, the whole range. Here PyTorch's
network, in memory anyway, measures the ranges, and weights become integers on their way to the
disk.
"""

from collections.abc import Mapping
from itertools import chain

from onnx import ModelProto

from exporter.classifiers.calibration import Selection
from exporter.classifiers.graphs import ClassifierModel
from exporter.classifiers.integers import plan_ranges, quantize_chain
from exporter.classifiers.parity import scale_pixels
from exporter.classifiers.ranges import Range, count_values
from exporter.classifiers.settings import Method
from exporter.classifiers.storage import check_skeleton
from models.classifiers.networks import PixelScaling

BRIGHTEST = 255
AT_ONCE = 8  # pictures in memory


def quantize_model(
    model: ClassifierModel, pixels: PixelScaling, pictures: Selection, method: Method
) -> ClassifierModel:
    """Return the eight-bit form of a model, whose weights still share the network's memory.

    Args:
        model: in float32, without further outputs.
        pixels: how bytes become the network's numbers.
        pictures: to calibrate on.
        method: how ranges are chosen.

    Raises:
        ExportError: a picture cannot be decoded, or the network returns no finite values.
    """
    return replace_chain(model, measure_ranges(model, pixels, pictures, method))


def replace_chain(model: ClassifierModel, ranges: Mapping[str, Range]) -> ClassifierModel:
    """Return a model whose products compute in integers.

    Args:
        model: in float32.
        ranges: of the tensors that own one in :func:`exporter.classifiers.integers.plan_ranges`.
    """
    nodes, weights = quantize_chain(model.skeleton.graph.node, model.weights, ranges)
    skeleton = ModelProto()
    skeleton.CopyFrom(model.skeleton)
    del skeleton.graph.node[:]
    skeleton.graph.node.extend(nodes)
    check_skeleton(skeleton, weights)
    return ClassifierModel(skeleton, weights)


def measure_ranges(
    model: ClassifierModel, pixels: PixelScaling, pictures: Selection, method: Method
) -> dict[str, Range]:
    """Return the ranges that :func:`exporter.classifiers.integers.plan_ranges` asks for.

    That of the network's input is what bytes can become, whatever the pictures hold.
    """
    start = model.layers[0][0]
    wanted = set(plan_ranges(model.skeleton.graph.node).values())
    batches = (scale_pixels(images, pixels) for images in pictures.read_batches(AT_ONCE))
    found = count_values(model.layers, wanted - {start}, chain.from_iterable(batches))
    ends = [
        value
        for scale, shift in zip(pixels.scale, pixels.shift, strict=True)
        for value in (shift, BRIGHTEST * scale + shift)
    ]
    ranges = {name: histogram.choose(method) for name, histogram in found.items()}
    return {**ranges, start: Range(min(0.0, *ends), max(0.0, *ends))}
