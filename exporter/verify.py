"""Whether PyTorch and ONNX Runtime paint the same pictures, byte for byte.

Both run the whole way from bytes to bytes on the same random scenes. They may differ
by one grey level where a value lies next to a rounding boundary, and by no more.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from exporter.errors import ExportError, ParityError
from exporter.pixels import IMAGE, STYLE_WEIGHTS, STYLIZED
from exporter.scenes import draw_scenes, draw_style_weights
from models.style.style_net import StyleNet

Pixels = NDArray[np.uint8]
Size = tuple[int, int, int]  # (N, H, W)

MAX_GREY_LEVELS = 1
MIN_EXACT_SHARE = 0.999
BATCHES = (1, 2, 5)
SIDES = ((32, 32), (33, 47), (256, 256), (511, 770))  # smallest, odd, usual, no multiple of 4
SIZES: tuple[Size, ...] = tuple((n, *sides) for sides, n in product(SIDES, BATCHES))
MIN_BYTES = 20_000  # of a case: in one 32x32 picture four bytes would decide about 99.9%
PROVIDER = "CPUExecutionProvider"


@dataclass(frozen=True)
class Case:
    """Pictures of one size in batches of one size, painted by both.

    Attributes:
        batch: N.
        height: H, pixels.
        width: W, pixels.
        max_grey_levels: largest difference of a byte between PyTorch and ONNX Runtime.
        exact_share: share of equal bytes, 0 to 1.
        batch_grey_levels: largest difference between a picture painted in this batch and
            alone, both by ONNX Runtime.
    """

    batch: int
    height: int
    width: int
    max_grey_levels: int
    exact_share: float
    batch_grey_levels: int

    @property
    def agrees(self) -> bool:
        """Whether the differences are within what rounding explains."""
        return (
            self.max_grey_levels <= MAX_GREY_LEVELS
            and self.exact_share >= MIN_EXACT_SHARE
            and self.batch_grey_levels <= MAX_GREY_LEVELS
        )


@dataclass(frozen=True)
class Parity:
    """How closely PyTorch and ONNX Runtime agree over all cases."""

    cases: tuple[Case, ...]

    @property
    def max_grey_levels(self) -> int:
        """The largest difference of any byte."""
        return max(case.max_grey_levels for case in self.cases)

    @property
    def exact_share(self) -> float:
        """The smallest share of equal bytes of any case."""
        return min(case.exact_share for case in self.cases)

    @property
    def batch_grey_levels(self) -> int:
        """The largest difference that the company in a batch makes to a picture."""
        return max(case.batch_grey_levels for case in self.cases)

    @property
    def agrees(self) -> bool:
        """Whether every case agrees."""
        return all(case.agrees for case in self.cases)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values: the rule, the worst figures, the versions and every case."""
        return {
            "reference": f"torch {torch.__version__} fp32 CPU",
            "runtime": f"onnxruntime {ort.__version__} {PROVIDER}",
            "tolerance": {"grey_levels": MAX_GREY_LEVELS, "exact_share": MIN_EXACT_SHARE},
            "max_grey_levels": self.max_grey_levels,
            "exact_share": self.exact_share,
            "batch_grey_levels": self.batch_grey_levels,
            "cases": [asdict(case) for case in self.cases],
        }


def measure_parity(net: StyleNet, model: bytes, *, sizes: Sequence[Size] = SIZES) -> Parity:
    """Paint random scenes with both and compare.

    Args:
        net: in evaluation mode, on the CPU.
        model: the ONNX file's bytes.
        sizes: ``(N, H, W)`` of each case, at least one.

    Returns:
        The figures, whether or not they are good.

    Raises:
        ExportError: the bytes are not a ``stylize`` model for this many styles.
    """
    return Parity(tuple(walk_cases(net, open_session(model, styles=net.styles), sizes)))


def require_parity(parity: Parity, subject: str) -> None:
    """Stop where a case disagrees.

    Args:
        parity: the figures.
        subject: what the message is about.

    Raises:
        ParityError: with the worst figures, the rule and the remedy.
    """
    if not parity.agrees:
        message = (
            f"{subject}: differs from PyTorch by up to {parity.max_grey_levels} grey levels, "
            f"{parity.exact_share:.3%} of bytes exact, and by {parity.batch_grey_levels} between "
            f"batches; at most {MAX_GREY_LEVELS} and at least {MIN_EXACT_SHARE:.1%} are allowed: "
            "export with the versions of torch and onnxruntime that Impasto is tested with"
        )
        raise ParityError(message)


def open_session(
    model: bytes, *, styles: int, watched: Collection[str] = ()
) -> ort.InferenceSession:
    """Open a file's bytes on the CPU and check its inputs and outputs.

    Args:
        model: the bytes.
        styles: S.
        watched: further outputs that the model has.

    Raises:
        ExportError: the bytes are not a ``stylize`` model for this many styles.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 3  # what is an error comes back as an exception
    try:
        session = ort.InferenceSession(model, options, providers=[PROVIDER])
    except Exception as error:  # its exceptions share no narrower public class
        message = f"ONNX Runtime {ort.__version__} cannot open the model: {error}"
        raise ExportError(message) from error
    found = {value.name: value.shape for value in [*session.get_inputs(), *session.get_outputs()]}
    if set(found) != {IMAGE, STYLE_WEIGHTS, STYLIZED, *watched} or found[STYLE_WEIGHTS][1:] != [
        styles
    ]:
        message = (
            f"the model's inputs and outputs are {found}, not {IMAGE}, {STYLE_WEIGHTS} "
            f"[N, {styles}] and {STYLIZED}; compare a file with the checkpoint it was made from"
        )
        raise ExportError(message)
    return session


def walk_cases(
    net: StyleNet, session: ort.InferenceSession, sizes: Sequence[Size] = SIZES
) -> Iterator[Case]:
    """Yield the cases one by one, as each is measured."""
    for size in sizes:
        batch, height, width = size
        rounds = max(1, MIN_BYTES // (batch * height * width * 3))
        figures = [_compare_batch(net, session, size, seed=seed) for seed in range(rounds)]
        yield Case(
            batch=batch,
            height=height,
            width=width,
            max_grey_levels=max(levels for levels, _, _ in figures),
            exact_share=sum(share for _, share, _ in figures) / rounds,
            batch_grey_levels=max(levels for _, _, levels in figures),
        )


def _compare_batch(
    net: StyleNet, session: ort.InferenceSession, size: Size, *, seed: int
) -> tuple[int, float, int]:
    """Return one batch's largest difference, share of equal bytes, difference to alone."""
    batch, height, width = size
    images = draw_scenes(batch, height, width, seed=seed)
    weights = draw_style_weights(batch, net.styles, seed=seed)
    painted = _run(session, images, weights)
    differences = _subtract(paint_with_torch(net, images, weights), painted)
    alone = _run(session, images[-1:], weights[-1:])
    company = _subtract(painted[-1:], alone)
    return int(differences.max()), float(np.mean(differences == 0)), int(company.max())


def paint_with_torch(net: StyleNet, images: Pixels, style_weights: NDArray[np.float32]) -> Pixels:
    """Paint bytes to bytes with PyTorch: the reference, one picture at a time.

    Args:
        net: in evaluation mode, on the CPU.
        images: uint8 ``[N, H, W, 3]``, RGB.
        style_weights: float32 ``[N, S]``, rows sum to 1.

    Returns:
        uint8 ``[N, H, W, 3]``; halves are rounded to even.
    """
    painted = []
    with torch.inference_mode():
        for image, row in zip(images, style_weights, strict=True):
            photo = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
            planes = torch.round(net(photo, torch.from_numpy(row)[None]) * 255)
            painted.append(planes[0].to(torch.uint8).permute(1, 2, 0).numpy())
    return np.stack(painted)


def _run(
    session: ort.InferenceSession, images: Pixels, style_weights: NDArray[np.float32]
) -> Pixels:
    result: Pixels = session.run([STYLIZED], {IMAGE: images, STYLE_WEIGHTS: style_weights})[0]
    return result


def _subtract(left: Pixels, right: Pixels) -> NDArray[np.int16]:
    if left.shape != right.shape:
        message = f"the model paints {right.shape} where PyTorch paints {left.shape}; export again"
        raise ParityError(message)
    difference: NDArray[np.int16] = np.abs(left.astype(np.int16) - right)
    return difference
