"""Eight-bit classifiers: QDQ after calibration on pictures, judged on others.

The work is ONNX Runtime's own (``onnxruntime.quantization``): weights signed and symmetric, one
scale per output channel; activations unsigned, one range per tensor, from histograms. Ranges
are chosen by entropy (Migacz 2017, "8-bit Inference with TensorRT": least divergence of the
distributions) or by percentile. Integers pay on processors with dot products for them (VNNI).
"""

import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, shape_inference
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QDQQuantizer,
    QuantType,
    TensorsData,
    create_calibrator,
)

from exporter.classifiers.calibration import Selection
from exporter.classifiers.graphs import IMAGE
from exporter.classifiers.parity import Pixels, Probabilities, count_changes, name_runtime
from exporter.classifiers.settings import Method
from exporter.errors import ParityError

Classify = Callable[[Pixels], Probabilities]
CALIBRATIONS = {"entropy": CalibrationMethod.Entropy, "percentile": CalibrationMethod.Percentile}
PERCENTILE = 99.99
# Rectifiers and pools between two products stay in integers, too.
OPERATORS = ["Conv", "Gemm", "Relu", "MaxPool", "Flatten"]
CHUNK = 4  # pictures whose activations are in memory at once
JUDGED_AT_ONCE = 8


@dataclass(frozen=True)
class Agreement:
    """How the eight-bit file does on pictures that calibration has not seen.

    Attributes:
        pictures: how many.
        same_class: share of them that both name alike, 0 to 1.
        mean_difference: of a probability, between both, on average over pictures and classes.
        max_difference: of any probability.
        batch_changes: pictures that the eight-bit file calls otherwise in a batch than alone.
        min_agreement: smallest share that is allowed.
    """

    pictures: int
    same_class: float
    mean_difference: float
    max_difference: float
    batch_changes: int
    min_agreement: float

    @property
    def agrees(self) -> bool:
        """Whether enough predictions are the same, and none depends on the batch."""
        return self.same_class >= self.min_agreement and self.batch_changes == 0

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values: the rule, the figures and the version."""
        return {
            "reference": "the same network in fp32, on pictures that calibration has not seen",
            "runtime": name_runtime(),
            "tolerance": {"agreement": self.min_agreement},
            **{key: value for key, value in asdict(self).items() if key != "min_agreement"},
        }


class PictureReader(CalibrationDataReader):  # type: ignore[misc]
    """Gives a calibrator some pictures, one by one.

    Args:
        images: uint8 ``[n, H, W, C]``.
    """

    def __init__(self, images: Pixels) -> None:
        self.images: Iterator[Pixels] = iter(images)

    def get_next(self) -> dict[str, Pixels] | None:
        """Return the next picture as the model's input, None at the end."""
        image = next(self.images, None)
        return None if image is None else {IMAGE: image[None]}


def quantize_model(source: Path, pictures: Selection, method: Method) -> ModelProto:
    """Return the eight-bit form of a file.

    Args:
        source: an fp32 file with its weights inside; its folder takes temporary files.
        pictures: to calibrate on.
        method: how ranges are chosen.

    Returns:
        The model, weights inside it, without metadata.
    """
    ranges = measure_ranges(source, pictures, method)
    original = onnx.load(source)
    quantizer = QDQQuantizer(
        shape_inference.infer_shapes(original),
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=ranges,
        nodes_to_quantize=[],
        nodes_to_exclude=[],
        op_types_to_quantize=OPERATORS,
        # a rounded logit would be a rounded probability
        extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm"]},
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    model: ModelProto = quantizer.model.model
    del model.metadata_props[:], model.graph.value_info[:]  # its own marks
    model.producer_name = original.producer_name
    return model


def measure_ranges(source: Path, pictures: Selection, method: Method) -> TensorsData:
    """Return the range of every activation.

    The calibrator keeps all activations of what it is given until it has counted them, so
    it is given a few pictures at a time.
    """
    options: dict[str, Any] = {"symmetric": False}
    if method == "percentile":
        options["percentile"] = PERCENTILE
    with redirect_stdout(io.StringIO()):  # it prints
        calibrator = create_calibrator(
            source,
            OPERATORS,
            augmented_model_path=str(source.with_name("calibration.onnx")),
            calibrate_method=CALIBRATIONS[method],
            extra_options=options,
        )
        for images in pictures.read_batches(CHUNK):
            calibrator.collect_data(PictureReader(images))
        return calibrator.compute_data()


def measure_agreement(
    reference: Classify, quantized: Classify, pictures: Selection, *, min_agreement: float
) -> Agreement:
    """Compare an eight-bit file with its original.

    Args:
        reference: maps uint8 ``[N, H, W, C]`` to the original's probabilities float32 ``[N, K]``.
        quantized: the same of the eight-bit file.
        pictures: that calibration has not seen.
        min_agreement: smallest share of equal predictions that is allowed, 0 to 1.

    Returns:
        The figures, whether or not they are good.
    """
    same, changes, differences = 0, 0, []
    for images in pictures.read_batches(JUDGED_AT_ONCE):
        expected, found = reference(images), quantized(images)
        alone = np.concatenate([quantized(image[None]) for image in images])
        same += int(np.sum(expected.argmax(1) == found.argmax(1)))
        changes += count_changes(found, alone)
        differences.append(np.abs(expected - found))
    every = np.concatenate(differences)
    return Agreement(
        pictures=len(pictures),
        same_class=same / len(pictures),
        mean_difference=float(every.mean()),
        max_difference=float(every.max()),
        batch_changes=changes,
        min_agreement=min_agreement,
    )


def require_agreement(agreement: Agreement, subject: str) -> None:
    """Stop where too many predictions differ.

    Raises:
        ParityError: with the figures, the rule and the remedy.
    """
    if not agreement.agrees:
        message = (
            f"{subject}: in int8 names {agreement.same_class:.2%} of {agreement.pictures} "
            f"held-back pictures as in fp32 (largest difference of a probability "
            f"{agreement.max_difference:.3f}; {agreement.batch_changes} depend on the batch), and "
            f"{agreement.min_agreement:.2%} are demanded; calibrate on more pictures, try the "
            "other --calibration, or lower --min-agreement"
        )
        raise ParityError(message)
