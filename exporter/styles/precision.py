"""From a style network in float32 to the same in fewer bits, judged before it is written."""

from dataclasses import dataclass
from typing import Any

from onnx import ModelProto

from exporter.errors import ExportError
from exporter.styles.difference import Difference, measure_difference, require_difference
from exporter.styles.halves import halve_model
from exporter.styles.integers import quantize_model
from exporter.styles.photos import divide_photos, draw_sample, gather_photos, require_strangers
from exporter.styles.ranges import measure_ranges
from exporter.styles.settings import StyleSettings


@dataclass(frozen=True)
class Lowered:
    """A model of lower precision.

    Attributes:
        model: with the inputs and outputs that it had in float32.
        difference: to float32, within what is allowed.
        calibration: for the metadata; empty where nothing was calibrated.
    """

    model: ModelProto
    difference: Difference
    calibration: dict[str, Any]


def lower_model(
    reference: ModelProto, source: ModelProto, settings: StyleSettings, *, styles: int, subject: str
) -> Lowered:
    """Return a model of lower precision.

    Args:
        reference: the model in float32 that the result is compared with.
        source: the same that the result is made of: for ``int8`` its first convolution reads
            grey levels, for ``fp16`` [0, 1].
        settings: ``fp16``, or ``int8`` with pictures.
        styles: S.
        subject: what messages are about.

    Raises:
        ExportError: the photos do not serve.
        ParityError: paintings differ by more than is allowed.
    """
    calibration: dict[str, Any] = {}
    if settings.precision == "int8":
        if settings.pictures is None:
            message = f"{subject}: int8 needs photos to measure ranges on; pass a folder of them"
            raise ExportError(message)
        calibrated, judged = divide_photos(settings.pictures, styles)
        if settings.judges is not None:
            judged = gather_photos(settings.judges, styles)
            require_strangers(settings.judges, judged, calibrated)
        ranges = measure_ranges(source, calibrated, settings.calibration)
        model = quantize_model(source, ranges)
        calibration = {"method": settings.calibration, "pictures": len(calibrated.images)}
    else:
        judged = draw_sample(styles)
        model = halve_model(source)
    difference = measure_difference(
        reference, model, judged, precision=settings.precision, limit=settings.limit
    )
    require_difference(difference, subject)
    return Lowered(model, difference, calibration)
