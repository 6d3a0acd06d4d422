"""What a user may ask of a classifier's export."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from exporter.publication import LARGEST_FILE

Precision = Literal["fp32", "fp16", "int8"]
Method = Literal["mse", "percentile"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8")
METHODS: tuple[Method, ...] = ("mse", "percentile")


@dataclass(frozen=True)
class ExportSettings:
    """How a classifier is written.

    Attributes:
        precision: of weights and products.
        pictures: folder to calibrate ``int8`` on and to judge it by.
        calibration: how ranges are chosen for ``int8``.
        min_agreement: share of held-back pictures that ``int8`` must name as ``fp32`` does.
        fold: for speed, batch normalisation goes into the convolution in front of it, and response
            normalisation is taken apart; in ``int8`` always.
        taps: layers' outputs and the first layer's filters are outputs, too; ``fp32`` only.
        licence: of the weights, for the metadata.
        overwrite: whether an existing file may be replaced.
        largest_bytes: of weights inside the file; more lie beside it.
    """

    precision: Precision = "fp32"
    pictures: Path | None = None
    calibration: Method = "mse"
    min_agreement: float = 0.99
    fold: bool = False
    taps: bool = False
    licence: str = "unstated"
    overwrite: bool = False
    largest_bytes: int = LARGEST_FILE
