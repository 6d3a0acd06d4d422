"""One exported ``stylize`` network: photographs in, paintings out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from runner.errors import ModelError, PictureError
from runner.images import Picture, Pixels
from runner.model import COLLECTION, ModelCard, require_task
from runner.network import Network, open_network
from runner.session import RUNTIME_ERRORS
from runner.stylize.blend import format_blend, parse_blend


@dataclass(frozen=True)
class Effect:
    """How a picture is painted.

    Attributes:
        weights: float32 ``[S]``, the share of each style, summing to 1.
        style: the same as text.
        strength: 0 leaves the photo, 1 is the painting; linear per pixel in between.
        keep_color: keep the photo's Cb and Cr and take only the painting's luma.
    """

    weights: NDArray[np.float32]
    style: str
    strength: float = 1.0
    keep_color: bool = False


class Painter:
    """An open ``stylize`` file.

    Args:
        model: ONNX file; the collection that ships with the package when None.
        provider: ``auto``, ``cpu``, ``cuda`` or ``openvino``.
        threads: of one run on the CPU; all processors when None.
        precision: ``auto``, ``fp32``, ``int8``, ``fp16`` or ``bf16``; see
            :func:`runner.precision.choose_precision`.
        runs: how many photos, or batches of them, will be painted at the same time.

    Raises:
        ModelError: the file is missing, damaged, made for something else, or not there in this
            precision.
        ProviderError: the provider cannot be used, or has not this precision.
    """

    def __init__(
        self,
        model: Path | None = None,
        provider: str = "auto",
        threads: int | None = None,
        *,
        precision: str = "auto",
        runs: int = 1,
    ) -> None:
        network = open_network(
            model or COLLECTION, provider, threads, precision=precision, runs=runs
        )
        require_task(network.card, "stylize")
        _check_tensors(network)
        self._session = network.session
        self.card: ModelCard = network.card
        self.names = tuple(style.name for style in self.card.styles)
        self.provider = network.provider
        self.precision = network.precision
        self.remark = network.remark

    def choose(
        self, style: str | None = None, *, strength: float = 1.0, keep_color: bool = False
    ) -> Effect:
        """Check and combine the options of one way to paint.

        Raises:
            StyleError: a style is unknown or a blend makes no sense.
            ValueError: ``strength`` lies outside 0 to 1.
        """
        if not 0.0 <= strength <= 1.0:
            message = f"strength {strength} must lie between 0 (the photo) and 1 (the painting)"
            raise ValueError(message)
        weights = parse_blend(style, self.names)
        return Effect(weights, format_blend(weights, self.names), strength, keep_color)

    def check(self, picture: Picture) -> None:
        """Refuse a picture that is too small for the network.

        Raises:
            PictureError: a side is shorter than the file's minimum.
        """
        height, width = picture.size
        if min(height, width) < self.card.minimum_side:
            message = (
                f"{width}x{height} px is smaller than the {self.card.minimum_side} px this network "
                "needs on each side; pass a larger picture (or a larger --size)"
            )
            raise PictureError(message)

    def paint(self, photos: Sequence[Pixels], effect: Effect) -> list[Pixels]:
        """Paint photos of one size in one run.

        Args:
            photos: uint8 ``[H, W, 3]`` each.
            effect: its weights are used; strength and colour are for :func:`finish`.

        Returns:
            uint8 ``[H, W, 3]`` each.

        Raises:
            PictureError: the runtime fails, mostly for want of memory.
        """
        feeds = {
            "image": photos[0][None] if len(photos) == 1 else np.stack(photos),
            "style_weights": np.repeat(effect.weights[None], len(photos), axis=0),
        }
        try:
            painted: NDArray[np.uint8] = self._session.run(["stylized"], feeds)[0]
        except RUNTIME_ERRORS as error:
            message = (
                f"ONNX Runtime cannot paint it ({str(error).splitlines()[0]}); try a smaller --size"
            )
            raise PictureError(message) from None
        return list(painted)


def _check_tensors(network: Network) -> None:
    """Stop where a file calls itself a ``stylize`` file and does not keep the contract."""
    session, card = network.session, network.card
    expected = {
        "image": ("tensor(uint8)", 3),
        "style_weights": ("tensor(float)", len(card.styles)),
        "stylized": ("tensor(uint8)", 3),
    }
    tensors = [*session.get_inputs(), *session.get_outputs()]
    found = {tensor.name: (tensor.type, [0, *tensor.shape][-1]) for tensor in tensors}
    if found != expected or not card.styles:
        listed = ", ".join(f"{name} {kind} [..., {last}]" for name, (kind, last) in found.items())
        message = (
            f"{card.path}: its tensors ({listed}) and its {len(card.styles)} styles do not fit a "
            "stylize network; export it again"
        )
        raise ModelError(message)


def finish(photo: Pixels, painted: Pixels, effect: Effect) -> Pixels:
    """Apply an effect's colour and strength to a painted photo, all uint8 ``[H, W, 3]``."""
    if effect.keep_color:
        painted = keep_chroma(photo, painted)
    if effect.strength == 1.0:
        return painted
    mixed = photo + np.float32(effect.strength) * (painted.astype(np.float32) - photo)
    result: Pixels = np.rint(mixed).astype(np.uint8)
    return result


def keep_chroma(photo: Pixels, painted: Pixels) -> Pixels:
    """Join the painting's luma with the photo's Cb and Cr (JFIF's YCbCr)."""
    luma = Image.fromarray(painted).convert("YCbCr").getchannel(0)
    _, blue, red = Image.fromarray(photo).convert("YCbCr").split()
    return np.asarray(Image.merge("YCbCr", (luma, blue, red)).convert("RGB"))
