"""What a user may ask of a style network's export."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Precision = Literal["fp32", "fp16", "int8"]
Method = Literal["mse", "percentile"]
METHODS: tuple[Method, ...] = ("mse", "percentile")
# Mean difference to fp32 in grey levels. Sixteen bits stay below 0.1; in eight, texture moves
# by a few grey levels while strokes and palette stay.
MAX_DIFFERENCES = {"fp16": 1.0, "int8": 8.0}


@dataclass(frozen=True)
class StyleSettings:
    """How a style network is written.

    Attributes:
        precision: of the convolutions; everything else is float32.
        pictures: folder of photos to calibrate on and to judge by; ``int8`` needs it.
        judges: folder of photos to judge ``int8`` by instead of those held back.
        calibration: how ranges are chosen for ``int8``.
        max_difference: largest mean difference to ``fp32`` in grey levels; None: the usual one.
    """

    precision: Precision = "fp32"
    pictures: Path | None = None
    judges: Path | None = None
    calibration: Method = "mse"
    max_difference: float | None = None

    @property
    def limit(self) -> float:
        """The largest mean difference that is allowed, in grey levels."""
        if self.max_difference is not None:
            return self.max_difference
        return MAX_DIFFERENCES.get(self.precision, 0.0)


FP32 = StyleSettings()
