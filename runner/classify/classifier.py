"""Classifying from Python: the class ``Classifier``."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from runner.classify.decoding import prepare_bytes, prepare_each
from runner.classify.network import Network, Probabilities
from runner.classify.pipeline import Layout, Pipeline, Stages
from runner.classify.predictions import Prediction, check_top, name_predictions, rank
from runner.classify.preprocessing import prepare
from runner.errors import PictureError
from runner.images import LOADING, Pixels, explain_damage
from runner.processors import count_processors

Source = Image.Image | str | Path | NDArray[np.uint8]
CHUNKS = 8  # that a batch is decoded in


class Classifier:
    """Name what is in pictures.

    ::

        from runner import Classifier

        classifier = Classifier("lenet5")
        for prediction in classifier.classify("digit.png", top=3):
            print(prediction.label, prediction.probability)

    Pictures become the network's input by the rule in its file: size, crop, colours and inversion
    are those of its training.

    Args:
        model: name of a classifier that ships with the package, or an ONNX file.
        provider: ``auto`` (CUDA where it works, else the CPU), ``cpu``, ``cuda`` or ``openvino``.
        batch: pictures per run of :meth:`classify_many`, at most; by default up to 64, fewer
            for large inputs.

    Raises:
        ModelError: the file is missing, damaged or made for something else.
        ProviderError: the provider cannot be used.
        ValueError: ``batch`` is less than 1.
    """

    def __init__(
        self, model: str | Path = "lenet5", provider: str = "auto", *, batch: int | None = None
    ) -> None:
        if batch is not None and batch < 1:
            message = f"batch {batch} must be at least 1"
            raise ValueError(message)
        self._network = Network(model, provider)
        self._batch = batch or self._network.batch

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the K classes."""
        return self._network.labels

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """``(H, W, C)`` of what :meth:`prepare` returns."""
        rule = self._network.rule
        return (*rule.size, rule.channels)

    def classify(self, image: Source, top: int | None = None) -> tuple[Prediction, ...]:
        """Return the most probable classes of one picture, the most probable first.

        Args:
            image: Pillow image, path of a picture file, or uint8 ``[H, W]`` (grey),
                ``[H, W, 3]`` (RGB) or ``[H, W, 4]`` (RGBA) of any size; of an animation the first
                frame.
            top: how many classes, 1 to K; by default 5, or all where there are fewer.

        Raises:
            PictureError: the picture cannot be read.
            ValueError: ``top`` lies outside 1 to K.
        """
        count = check_top(top, len(self.labels))
        (ranking,) = rank(self.probabilities(image)[None], count)
        return name_predictions(ranking, self.labels)

    def classify_many(
        self, images: Iterable[Source], top: int | None = None
    ) -> Iterator[tuple[Prediction, ...]]:
        """Classify many pictures in parallel, lazily, in the order of ``images``.

        They are decoded and run in batches, of which a few are in memory at once: from a source
        as slow as a camera pictures come back at once with ``Classifier(..., batch=1)`` only.
        Arguments are those of :meth:`classify`, and so are the results but for rounding.

        Raises:
            PictureError: when the iteration reaches a picture that cannot be read.
            ValueError: ``top`` lies outside 1 to K.
        """
        count = check_top(top, len(self.labels))
        return self._run(images, count)

    def probabilities(self, image: Source) -> Probabilities:
        """Return the probability of every class for one picture.

        Args:
            image: see :meth:`classify`.

        Returns:
            float32 ``[K]``, summing to 1.

        Raises:
            PictureError: the picture cannot be read.
        """
        found: Probabilities = self.predict(self.prepare(image)[None])[0]
        return found

    def prepare(self, image: Source) -> Pixels:
        """Return a picture as the network takes it.

        Args:
            image: see :meth:`classify`.

        Returns:
            uint8 ``[H, W, C]``; see :attr:`input_shape`.

        Raises:
            PictureError: the picture cannot be read.
        """
        rule = self._network.rule
        if isinstance(image, np.ndarray):
            image = from_pixels(image)
        if isinstance(image, Image.Image):
            with explain_damage():
                with LOADING:
                    loaded = image.copy()
                return prepare(loaded, rule)
        try:
            return prepare_bytes(Path(image).read_bytes(), rule)
        except OSError as error:
            message = f"{image}: cannot be read ({error.strerror})"
            raise PictureError(message) from None
        except PictureError as error:
            message = f"{image}: {error.message}"
            raise PictureError(message) from None

    def predict(self, pixels: Pixels) -> Probabilities:
        """Run the network on prepared pictures.

        Args:
            pixels: uint8 ``[N, H, W, C]``; see :meth:`prepare`.

        Returns:
            float32 ``[N, K]``; rows sum to 1.

        Raises:
            PictureError: the runtime fails.
            ValueError: type or shape differ.
        """
        if pixels.dtype != np.uint8 or pixels.shape[1:] != self.input_shape:
            height, width, channels = self.input_shape
            message = (
                f"pixels {pixels.dtype} {list(pixels.shape)} must be uint8 "
                f"[N, {height}, {width}, {channels}]; prepare() returns them"
            )
            raise ValueError(message)
        if not len(pixels):
            return np.empty((0, len(self.labels)), np.float32)
        return self._network.predict(pixels)

    def _run(self, images: Iterable[Source], top: int) -> Iterator[tuple[Prediction, ...]]:
        network, decoders = self._network, count_processors()
        stages = Stages[Source](
            decode=lambda sources: prepare_each(sources, self.prepare, network.rule),
            predict=lambda pixels: rank(network.predict(pixels), top),
        )
        # The session's own threads share each run: one run at a time, while others are decoded.
        layout = Layout(1, self._batch, decoders, max(1, self._batch // CHUNKS))
        with ThreadPoolExecutor(decoders, "decode") as executor:
            batches = Pipeline(stages, layout, executor).run(images)
            with closing(batches):  # ends the workers, also when nobody reads on
                for outcome in (outcome for batch in batches for outcome in batch):
                    if outcome.fault:
                        raise PictureError(outcome.fault)
                    yield name_predictions(outcome.ranking, self.labels)


def from_pixels(pixels: NDArray[np.uint8]) -> Image.Image:
    """Return an array as a Pillow image.

    Raises:
        PictureError: it is not uint8 ``[H, W]`` or ``[H, W, C]`` with 1, 3 or 4 channels.
    """
    grey = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    fits = grey.ndim == 2 or (grey.ndim == 3 and grey.shape[2] in (3, 4))
    if pixels.dtype != np.uint8 or not fits or not pixels.size:
        message = (
            f"array {pixels.dtype} {list(pixels.shape)} is no picture: it must be uint8 [H, W], "
            "[H, W, 3] or [H, W, 4]"
        )
        raise PictureError(message)
    return Image.fromarray(np.ascontiguousarray(grey))
