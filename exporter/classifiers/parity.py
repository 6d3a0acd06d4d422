"""Whether PyTorch and ONNX Runtime see the same in a picture, alone and in a batch.

Both go the whole way from bytes to probabilities on the same random scenes. Eight-bit
files are judged by their predictions on real pictures (:mod:`exporter.classifiers.quantization`).
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from exporter.classifiers.graphs import IMAGE, PROBABILITIES
from exporter.classifiers.sessions import name_runtime
from exporter.errors import ExportError, ParityError
from exporter.scenes import draw_scenes
from models.classifiers.checkpoint import ClassifierCheckpoint
from models.classifiers.classifier import Classifier
from models.classifiers.lenet5 import RadialBasis
from models.classifiers.networks import PixelScaling
from models.classifiers.preprocessing import InputRule

Pixels = NDArray[np.uint8]
Probabilities = NDArray[np.float32]

BATCHES = (1, 2, 7, 32)
TOLERANCES: Mapping[str, float] = {"fp32": 1e-5, "fp16": 1e-2}  # of a probability
TIE = 1e-6  # classes this close are as likely as each other; either may be named first


@dataclass(frozen=True)
class Case:
    """Pictures in a batch of one size, classified by both.

    Attributes:
        batch: N.
        max_difference: largest difference of a probability between PyTorch and ONNX Runtime.
        same_class: share of pictures for which both name the same class, 0 to 1.
        batch_difference: largest difference of a probability between a picture in this batch
            and alone, both by ONNX Runtime.
        batch_changes: pictures that are called something else in this batch than alone.
        tolerance: largest difference of a probability that is allowed.
    """

    batch: int
    max_difference: float
    same_class: float
    batch_difference: float
    batch_changes: int
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the differences are allowed and no prediction depends on the batch."""
        differences = (self.max_difference, self.batch_difference)
        return all(d <= self.tolerance for d in differences) and self.batch_changes == 0


@dataclass(frozen=True)
class ClassifierParity:
    """How closely PyTorch and ONNX Runtime agree over all batches."""

    cases: tuple[Case, ...]

    @property
    def max_difference(self) -> float:
        """The largest difference of any probability."""
        return max(case.max_difference for case in self.cases)

    @property
    def same_class(self) -> float:
        """The smallest share of equal predictions of any batch."""
        return min(case.same_class for case in self.cases)

    @property
    def agrees(self) -> bool:
        """Whether every case agrees."""
        return all(case.agrees for case in self.cases)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values: the rule, the worst figures, the versions and every case."""
        return {
            "reference": f"torch {torch.__version__} CPU",
            "runtime": name_runtime(),
            "tolerance": {"probability": self.cases[0].tolerance},
            "max_difference": self.max_difference,
            "same_class": self.same_class,
            "batch_difference": max(case.batch_difference for case in self.cases),
            "cases": [asdict(case) for case in self.cases],
        }


def require_parity(parity: ClassifierParity, subject: str) -> None:
    """Stop where a case disagrees.

    Raises:
        ParityError: with the worst figures, the rule and the remedy.
    """
    for case in parity.cases:
        if not case.agrees:
            message = (
                f"{subject}: in a batch of {case.batch} differs from PyTorch by up to "
                f"{case.max_difference:.2g} in a probability and from itself alone by up to "
                f"{case.batch_difference:.2g} ({case.batch_changes} pictures called otherwise); "
                f"at most {case.tolerance:.0e} is allowed: export with the versions of torch and "
                "onnxruntime that Impasto is tested with"
            )
            raise ParityError(message)


def draw_pictures(rule: InputRule, count: int = max(BATCHES)) -> Pixels:
    """Draw random scenes as a network takes pictures: uint8 ``[N, H, W, C]``."""
    return draw_scenes(count, *rule.size, seed=0)[..., : rule.channels]


def classify_with_torch(
    net: Classifier, checkpoint: ClassifierCheckpoint, images: Pixels
) -> Probabilities:
    """Classify bytes with PyTorch: the reference, one picture at a time.

    Networks that decide by distances are asked in float64: near 200 the rounding of PyTorch's
    own float32 sums reaches half of what is allowed.

    Args:
        net: in evaluation mode, on the CPU.
        checkpoint: says how pixels are scaled.
        images: uint8 ``[N, H, W, C]``.

    Returns:
        float32 ``[N, K]``, rows sum to 1.
    """
    has_distances = any(isinstance(module, RadialBasis) for module in net.modules())
    asked, dtype = (deepcopy(net).double(), torch.double) if has_distances else (net, torch.float)
    with torch.inference_mode():
        rows = [
            asked(scaled.to(dtype)).softmax(1).float()[0].numpy()
            for scaled in scale_pixels(images, checkpoint.pixels)
        ]
    return np.stack(rows)


def scale_pixels(images: Pixels, pixels: PixelScaling) -> Iterator[torch.Tensor]:
    """Yield pictures as a network takes them, float32 ``[1, C, H, W]``.

    Args:
        images: uint8 ``[N, H, W, C]``.
        pixels: how bytes become the network's numbers.
    """
    scale, shift = (torch.tensor(v)[:, None, None] for v in (pixels.scale, pixels.shift))
    for image in images:
        planes = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float()
        yield (planes * scale + shift)[None]


def classify(session: ort.InferenceSession, images: Pixels) -> Probabilities:
    """Return the probabilities float32 ``[N, K]`` of one batch.

    Raises:
        ExportError: the model takes pictures of another size.
    """
    expected = session.get_inputs()[0].shape[1:]
    if list(images.shape[1:]) != expected:
        message = (
            f"the model takes pictures of {expected} and the network of "
            f"{list(images.shape[1:])}; compare a file with the checkpoint it was made from"
        )
        raise ExportError(message)
    rows: Probabilities = session.run([PROBABILITIES], {IMAGE: images})[0]
    return rows


def walk_cases(
    session: ort.InferenceSession,
    images: Pixels,
    reference: Probabilities,
    *,
    tolerance: float,
    batches: Sequence[int] = BATCHES,
) -> Iterator[Case]:
    """Yield the cases one by one, the largest batch first.

    In that order the memory for its activations is free again before the last layers' weights
    have been read.

    Args:
        session: of the file.
        images: uint8 ``[N, H, W, C]``, as many as the largest batch.
        reference: float32 ``[N, K]``, what PyTorch says of them.
        tolerance: largest difference of a probability that is allowed.
        batches: sizes.

    Raises:
        ExportError: the model has other classes than the reference.
    """
    together = {n: classify(session, images[:n]) for n in sorted(batches, reverse=True)}
    alone = np.concatenate([classify(session, image[None]) for image in images[: max(batches)]])
    if alone.shape[1:] != reference.shape[1:]:
        message = (
            f"the model knows {alone.shape[1]} classes and the network {reference.shape[1]}; "
            "compare a file with the checkpoint it was made from"
        )
        raise ExportError(message)
    for batch in batches:
        yield Case(
            batch=batch,
            max_difference=subtract(together[batch], reference[:batch]),
            same_class=share_same(together[batch], reference[:batch]),
            batch_difference=subtract(together[batch], alone[:batch]),
            batch_changes=count_changes(together[batch], alone[:batch]),
            tolerance=tolerance,
        )


def subtract(left: Probabilities, right: Probabilities) -> float:
    """Return the largest difference; infinite where a value is not a number."""
    difference = float(np.abs(left - right).max())
    return difference if np.isfinite(difference) else float("inf")


def share_same(left: Probabilities, right: Probabilities) -> float:
    """Return the share of rows whose largest value is at the same place."""
    return float(np.mean(left.argmax(1) == right.argmax(1)))


def count_changes(left: Probabilities, right: Probabilities) -> int:
    """Count rows that name different classes, ties excepted."""
    rows = np.arange(len(left))
    margin = left[rows, left.argmax(1)] - left[rows, right.argmax(1)]
    return int(np.sum(margin > TIE))
