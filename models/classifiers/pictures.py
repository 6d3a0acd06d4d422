"""Labelled pictures: from files or from memory, whole or in part."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.classifiers.colors import check_samples
from models.classifiers.preprocessing import InputRule, normalize
from models.errors import DataError
from models.style.photos import DECODING_ERRORS

MOST_HASHED = 50_000  # files whose contents are part of a data set's digest
CACHED_BYTES = 2**30  # of normalised pictures kept in memory, per data set


class Pictures(Protocol):
    """Pictures with one label each."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """``[N]``, positions in the list of class names."""

    def open(self, number: int) -> Image.Image:
        """Return one picture as it is stored.

        Raises:
            DataError: it cannot be decoded.
        """

    def identify(self) -> str:
        """Return a digest that changes when a picture or a label does."""


@dataclass(frozen=True)
class ArrayPictures:
    """Grey pictures in memory.

    Attributes:
        images: uint8 ``[N, H, W]``.
        labels: int64 ``[N]``.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def open(self, number: int) -> Image.Image:
        """Return one picture."""
        return Image.fromarray(self.images[number])

    def identify(self) -> str:
        """Return a digest of all values."""
        digest = hashlib.sha256(str(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(self.labels.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class FilePictures:
    """Pictures in files.

    Attributes:
        paths: one per picture.
        labels: int64 ``[N]``.
    """

    paths: tuple[Path, ...]
    labels: NDArray[np.int64]

    def open(self, number: int) -> Image.Image:
        """Decode one picture.

        Raises:
            DataError: it cannot be decoded.
        """
        return decode(self.paths[number])

    def identify(self) -> str:
        """Return a digest of labels, names and contents; of very many files, sizes only.

        Raises:
            DataError: a file can no longer be read.
        """
        digest = hashlib.sha256(self.labels.tobytes())
        by_content = len(self.paths) <= MOST_HASHED
        try:
            for path in self.paths:
                content = path.read_bytes() if by_content else str(path.stat().st_size).encode()
                digest.update(f"{path.parent.name}/{path.name}\n".encode())
                digest.update(hashlib.sha256(content).digest())
        except OSError as error:
            message = f"{path}: cannot be read ({error.strerror})"
            raise DataError(message) from None
        return digest.hexdigest()


@dataclass(frozen=True)
class Part:
    """Some of the pictures of a larger set, in a given order."""

    whole: Pictures
    numbers: NDArray[np.int64]

    @property
    def labels(self) -> NDArray[np.int64]:
        """``[N]`` of the chosen pictures."""
        return self.whole.labels[self.numbers]

    def open(self, number: int) -> Image.Image:
        """Return one of the chosen pictures."""
        return self.whole.open(int(self.numbers[number]))

    def identify(self) -> str:
        """Return a digest of the whole and of the choice."""
        return hashlib.sha256(self.whole.identify().encode() + self.numbers.tobytes()).hexdigest()


class NormalizedPictures:
    """Pictures upright and in a network's colours, kept in memory while there is room.

    Safe to read from several threads.
    """

    def __init__(self, pictures: Pictures, rule: InputRule) -> None:
        self.pictures = pictures
        self.labels = pictures.labels
        self.rule = rule
        self._kept: dict[int, Image.Image] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, number: int) -> Image.Image:
        """Return one normalised picture.

        Raises:
            DataError: it cannot be decoded.
        """
        picture = self._kept.get(number)
        if picture is None:
            picture = normalize(self.pictures.open(number), self.rule)
            if self._bytes < CACHED_BYTES:
                self._bytes += picture.width * picture.height * self.rule.channels
                self._kept[number] = picture
        return picture


def decode(path: Path) -> Image.Image:
    """Decode a picture file wholly; of an animation, the first frame.

    Raises:
        DataError: it is missing, damaged, no picture, or one whose samples cannot be brought to
            8 bits.
    """
    try:
        with Image.open(path) as picture:
            picture.load()
            check_samples(picture)
            return picture
    except DataError as error:
        message = f"{path}: {error.message}"
        raise DataError(message) from None
    except DECODING_ERRORS as error:
        message = f"{path}: not a readable picture ({type(error).__name__}: {error})"
        raise DataError(message) from None


def split_stratified(
    labels: NDArray[np.int64], share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split picture numbers into training and validation, each class alike.

    Of every class ``share`` of its pictures, rounded half up, go to validation, but at least
    one stays on each side.

    Args:
        labels: int64 ``[N]``.
        share: above 0, below 1.
        seed: of the choice.

    Returns:
        Ascending picture numbers for training and for validation.

    Raises:
        DataError: a class has a single picture.
    """
    generator = np.random.default_rng([seed, 3])
    validation: list[NDArray[np.int64]] = []
    for label in np.unique(labels):
        numbers = np.flatnonzero(labels == label)
        if len(numbers) < 2:
            message = (
                f"class number {label} has one picture, too few to train and to validate on; "
                "add pictures, or give folders train and val"
            )
            raise DataError(message)
        count = min(max(1, int(len(numbers) * share + 0.5)), len(numbers) - 1)
        validation.append(generator.permutation(numbers)[:count])
    chosen = np.sort(np.concatenate(validation))
    return np.setdiff1d(np.arange(len(labels)), chosen), chosen


def measure_colors(
    pictures: Iterable[NDArray[np.uint8]],
) -> tuple[tuple[float, ...], NDArray[np.float64]]:
    """Return mean ``[C]`` and covariance ``[C, C]`` of all pixels of uint8 ``[H, W, C]``."""
    total, products, count = np.zeros(0), np.zeros(0), 0
    for picture in pictures:
        pixels = picture.reshape(-1, picture.shape[2]).astype(np.float64)
        total = total + pixels.sum(0) if count else pixels.sum(0)
        products = products + pixels.T @ pixels if count else pixels.T @ pixels
        count += len(pixels)
    mean = total / count
    return tuple(mean.tolist()), products / count - np.outer(mean, mean)
