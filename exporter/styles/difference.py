"""How far a file of lower precision paints from the same network in float32, in grey levels."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
from onnx import ModelProto

from exporter.errors import ParityError
from exporter.pixels import IMAGE, STYLE_WEIGHTS, STYLIZED
from exporter.styles.photos import Pixels, Sample
from exporter.verify import MAX_GREY_LEVELS, PROVIDER, open_session


@dataclass(frozen=True)
class Difference:
    """Paintings by both, byte by byte.

    Attributes:
        precision: of the file that was compared with float32.
        pictures: photos, each painted in every style and in blends.
        mean_grey_levels: mean absolute difference of a byte.
        max_grey_levels: largest difference of any byte.
        exact_share: share of equal bytes, 0 to 1.
        style_grey_levels: the mean per style, in the order of ``style_weights``.
        batch_grey_levels: largest difference that the company in a batch makes to a picture.
        limit: largest mean that is allowed.
    """

    precision: str
    pictures: int
    mean_grey_levels: float
    max_grey_levels: int
    exact_share: float
    style_grey_levels: tuple[float, ...]
    batch_grey_levels: int
    limit: float

    @property
    def agrees(self) -> bool:
        """Whether the mean is within the limit and no painting depends on its batch."""
        return self.mean_grey_levels <= self.limit and self.batch_grey_levels <= MAX_GREY_LEVELS

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values; :mod:`exporter.styles.quality` fills in ``quality``."""
        figures = asdict(self)
        figures["tolerance"] = {"mean_grey_levels": figures.pop("limit")}
        figures["style_grey_levels"] = [round(v, 3) for v in self.style_grey_levels]
        return {
            "reference": "the same network in fp32",
            "runtime": f"onnxruntime {ort.__version__} {PROVIDER}",
            **figures,
            "quality": None,
        }


def measure_difference(
    reference: ModelProto, lowered: ModelProto, sample: Sample, *, precision: str, limit: float
) -> Difference:
    """Paint photos with both and compare.

    Args:
        reference: in float32.
        lowered: in lower precision.
        sample: that calibration has not seen.
        precision: of ``lowered``, in words.
        limit: largest mean difference that is allowed, grey levels.

    Returns:
        The figures, whether or not they are good.
    """
    styles = sample.style_weights.shape[1]
    models = [open_session(m.SerializeToString(), styles=styles) for m in (reference, lowered)]
    counts, means = np.zeros(256, np.int64), []
    for row in sample.style_weights:
        style = np.zeros(256, np.int64)
        for image in sample.images:
            left, right = (paint(model, image[None], row[None]) for model in models)
            style += np.bincount(np.abs(left.astype(np.int16) - right).ravel(), minlength=256)
        means.append(float(np.average(np.arange(256), weights=style)))
        counts += style
    some, rows = sample.images[:2], sample.style_weights[: len(sample.images[:2])]
    alone = [paint(models[1], i[None], r[None]) for i, r in zip(some, rows, strict=False)]
    together = paint(models[1], some[: len(rows)], rows)
    return Difference(
        precision=precision,
        pictures=len(sample.images),
        mean_grey_levels=float(np.average(np.arange(256), weights=counts)),
        max_grey_levels=int(np.flatnonzero(counts)[-1]),
        exact_share=float(counts[0] / counts.sum()),
        style_grey_levels=tuple(means[:styles]),
        batch_grey_levels=int(np.abs(together.astype(np.int16) - np.concatenate(alone)).max()),
        limit=limit,
    )


def paint(session: ort.InferenceSession, images: Pixels, rows: np.ndarray[Any, Any]) -> Pixels:
    """Paint bytes to bytes."""
    painted: Pixels = session.run([STYLIZED], {IMAGE: images, STYLE_WEIGHTS: rows})[0]
    return painted


def require_difference(difference: Difference, subject: str) -> None:
    """Stop where paintings differ too much.

    Raises:
        ParityError: with the figures, the rule and the remedy.
    """
    if not difference.agrees:
        message = (
            f"{subject}: in {difference.precision} differs from fp32 by "
            f"{difference.mean_grey_levels:.2f} grey levels on average (at most "
            f"{difference.max_grey_levels}; {difference.batch_grey_levels} between batches), and "
            f"{difference.limit:g} are allowed; calibrate on more photos, try another "
            "--calibration, or raise --max-difference"
        )
        raise ParityError(message)
