"""Whether PyTorch and ONNX Runtime return the same from every layer, alone and in a batch.

A picture's layers are 59 MB at 224x224 pixels. So the layers of one picture at a time come from
PyTorch, and in the largest batch only those of the last block are compared, which all the others
lead to: 1.3 MB each.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from exporter.classifiers.features.network import FeatureNetwork
from exporter.classifiers.graphs import IMAGE
from exporter.classifiers.parity import Pixels, scale_pixels
from exporter.classifiers.sessions import name_runtime
from exporter.classifiers.writing import Tap
from exporter.errors import ParityError

Values = NDArray[np.float32]

BATCHES = (1, 2, 7, 32)
LARGEST_WHOLE = 7  # pictures of which every layer is compared
LAST_BLOCK = 4  # layers: three convolutions and a pooling
TOLERANCE = 1e-5  # of what a layer's values span


@dataclass(frozen=True)
class FeatureCase:
    """Pictures in a batch of one size, seen by both.

    Attributes:
        batch: N.
        layers: how many were compared.
        max_difference: largest difference between PyTorch and ONNX Runtime, as a share of what
            the layer's values span over that picture.
        worst: the layer with that difference.
        batch_difference: largest difference between a picture in this batch and alone, both by
            ONNX Runtime, as a share of the same.
        tolerance: largest share that is allowed.
    """

    batch: int
    layers: int
    max_difference: float
    worst: str
    batch_difference: float
    tolerance: float = TOLERANCE

    @property
    def agrees(self) -> bool:
        """Whether both differences are allowed."""
        return max(self.max_difference, self.batch_difference) <= self.tolerance


def describe_parity(cases: Sequence[FeatureCase]) -> dict[str, Any]:
    """Return JSON values: the rule, the worst figures, the versions and every case."""
    return {
        "reference": f"torch {torch.__version__} CPU",
        "runtime": name_runtime(),
        "tolerance": {"share of a layer's span": cases[0].tolerance},
        "max_difference": max(case.max_difference for case in cases),
        "batch_difference": max(case.batch_difference for case in cases),
        "cases": [asdict(case) for case in cases],
    }


def require_features(cases: Sequence[FeatureCase], subject: str) -> None:
    """Stop where a case disagrees.

    Raises:
        ParityError: with the worst figures, the rule and the remedy.
    """
    for case in cases:
        if not case.agrees:
            message = (
                f"{subject}: in a batch of {case.batch} layer {case.worst} differs from PyTorch by "
                f"up to {case.max_difference:.2g} of what its values span, and a picture from "
                f"itself alone by up to {case.batch_difference:.2g}; at most {case.tolerance:.0e} "
                "is allowed: export with the versions of torch and onnxruntime that Impasto is "
                "tested with"
            )
            raise ParityError(message)


def walk_features(
    session: ort.InferenceSession,
    network: FeatureNetwork,
    taps: Sequence[Tap],
    images: Pixels,
    batches: Sequence[int] = BATCHES,
) -> Iterator[FeatureCase]:
    """Yield the cases one by one.

    Args:
        session: of the file.
        network: what it was made from.
        taps: the file's layers, in the order in which they run.
        images: uint8 ``[N, H, W, C]``, as many as the largest batch.
        batches: sizes.
    """
    for batch in batches:
        names = [tap.name for tap in taps]
        names = names if batch <= LARGEST_WHOLE else names[-LAST_BLOCK:]
        together = run_layers(session, images[:batch], names)
        shares = np.array(
            [
                compare_picture(session, network, images[number], number, together)
                for number in range(batch)
            ]
        ).max(0)
        worst = int(shares[0].argmax())
        yield FeatureCase(
            batch=batch,
            layers=len(names),
            max_difference=float(shares[0, worst]),
            worst=names[worst],
            batch_difference=float(shares[1].max()),
        )


def compare_picture(
    session: ort.InferenceSession,
    network: FeatureNetwork,
    image: NDArray[np.uint8],
    number: int,
    together: Mapping[str, Values],
) -> list[list[float]]:
    """Return per layer how far a picture in a batch is from PyTorch's, and from itself alone.

    Args:
        session: of the file.
        network: what it was made from.
        image: uint8 ``[H, W, C]``.
        number: of the picture in the batch.
        together: the batch's layers.

    Returns:
        Shares of what the layer's values span: against PyTorch, then against itself.
    """
    alone = run_layers(session, image[None], list(together))
    expected = run_torch(network, image, set(together))
    against_torch, against_itself = [], []
    for name, values in together.items():
        span = float(np.ptp(expected[name])) or 1.0
        against_torch.append(subtract(values[number], expected[name]) / span)
        against_itself.append(subtract(values[number], alone[name][0]) / span)
    return [against_torch, against_itself]


def run_layers(
    session: ort.InferenceSession, images: Pixels, names: Sequence[str]
) -> dict[str, Values]:
    """Return layers of a batch by name, float32 ``[N, C, H, W]``."""
    return dict(zip(names, session.run(list(names), {IMAGE: images}), strict=True))


def run_torch(
    network: FeatureNetwork, image: NDArray[np.uint8], wanted: set[str]
) -> dict[str, Values]:
    """Return layers of one picture behind their activations, float32 ``[C, H, W]``, by PyTorch."""
    found: dict[str, Values] = {}
    layer = ""
    with torch.inference_mode():
        values = next(scale_pixels(image[None], network.pixels))
        for name, module in network.layers.named_children():
            values = module(values)
            layer = layer if name.startswith("relu") else name
            if layer in wanted:
                found[layer] = values[0].numpy()
    return found


def subtract(left: Values, right: Values) -> float:
    """Return the largest difference; infinite where a value is not a number or shapes differ."""
    if left.shape != right.shape:
        return float("inf")
    difference = float(np.abs(left - right).max())
    return difference if np.isfinite(difference) else float("inf")
