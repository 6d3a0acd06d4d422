"""Batches of pictures, as functions of seed and step alone.

A run that is resumed at step k sees exactly what the unbroken run would have seen,
augmentation included, however many threads read ahead.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.classifiers.augmentation import Augment
from models.classifiers.networks import PixelScaling
from models.classifiers.pictures import NormalizedPictures
from models.classifiers.preprocessing import Pixels, as_pixels, resize

MOST_THREADS = 8
Read = Callable[[int], "Batch"]


@dataclass(frozen=True)
class Batch:
    """Inputs with their labels.

    Attributes:
        inputs: uint8 ``[N, H, W, C]``, or cached features float32 ``[N, F]``.
        labels: int64 ``[N]``.
    """

    inputs: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        return Batch(self.inputs.to(device), self.labels.to(device))

    def split(self, pieces: int) -> list["Batch"]:
        """Return at most ``pieces`` parts of about equal size."""
        pieces = min(pieces, len(self.labels))
        pairs = zip(self.inputs.chunk(pieces), self.labels.chunk(pieces), strict=True)
        return [Batch(inputs, labels) for inputs, labels in pairs]


class Samples:
    """Pictures that become network inputs.

    Args:
        pictures: normalised pictures.
        augment: random change, or None.
        seed: with the sample's number it decides everything random.
    """

    def __init__(self, pictures: NormalizedPictures, augment: Augment | None, seed: int) -> None:
        self.pictures = pictures
        self.augment = augment
        self.seed = seed

    def __len__(self) -> int:
        return len(self.pictures)

    def take(self, numbers: NDArray[np.int64], first: int) -> Batch:
        """Return the pictures of these numbers; ``first`` is the number of their first showing."""
        pixels = [self.draw(int(n), first + i) for i, n in enumerate(numbers)]
        labels = torch.from_numpy(self.pictures.labels[numbers])
        return Batch(torch.from_numpy(np.stack(pixels)), labels)

    def draw(self, number: int, showing: int) -> Pixels:
        """Return one picture as it looks at its ``showing``, uint8 ``[H, W, C]``."""
        picture = self.pictures.read(number)
        if self.augment is None:
            return as_pixels(resize(picture, self.pictures.rule))
        return self.augment(picture, np.random.default_rng([self.seed, 1, showing]))


class FeatureSamples:
    """Features that were computed once, in place of pictures.

    Args:
        features: float32 ``[N, F]``.
        labels: int64 ``[N]``.
    """

    def __init__(self, features: Tensor, labels: NDArray[np.int64]) -> None:
        self.features = features
        self.labels = torch.from_numpy(labels)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, numbers: NDArray[np.int64], first: int) -> Batch:  # noqa: ARG002 - as Samples
        """Return the features of these pictures."""
        chosen = torch.from_numpy(numbers)
        return Batch(self.features[chosen], self.labels[chosen])


AnySamples = Samples | FeatureSamples


class Batches:
    """The steps of training: every epoch shows every sample once, in an order of its own.

    Args:
        samples: what is shown.
        batch: samples per step; the last step of an epoch may have fewer.
        seed: of the orders.
    """

    def __init__(self, samples: AnySamples, *, batch: int, seed: int) -> None:
        self.samples = samples
        self.batch = batch
        self.seed = seed
        self.steps_per_epoch = -(-len(samples) // batch)

    def read(self, step: int) -> Batch:
        """Return the batch of one step, counted from 0."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = shuffle(len(self.samples), self.seed, epoch)
        first = place * self.batch
        return self.samples.take(
            order[first : first + self.batch], epoch * len(self.samples) + first
        )

    def iterate(self, start: int, stop: int) -> Iterator[Batch]:
        """Yield the batches of steps ``start`` to ``stop - 1``, read ahead by threads."""
        yield from read_ahead(self.read, range(start, stop))


@lru_cache(maxsize=2)
def shuffle(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of an epoch's samples, int64 ``[count]``."""
    return np.random.default_rng([seed, 0, epoch]).permutation(count)


def iterate_once(samples: AnySamples, batch: int) -> Iterator[Batch]:
    """Yield every sample once in its own order, for evaluation."""
    numbers = np.arange(len(samples))

    def read(first: int) -> Batch:
        return samples.take(numbers[first : first + batch], first)

    yield from read_ahead(read, range(0, len(samples), batch))


def read_ahead(read: Read, numbers: range) -> Iterator[Batch]:
    """Yield ``read(number)`` in order, a few of them ahead."""
    threads = min(MOST_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, "pictures") as pool:
        waiting: deque[Future[Batch]] = deque()
        try:
            for number in numbers:
                waiting.append(pool.submit(read, number))
                if len(waiting) > threads + 2:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def scale_pixels(inputs: Tensor, scaling: PixelScaling) -> Tensor:
    """Return uint8 ``[N, H, W, C]`` as float32 ``[N, C, H, W]``, scaled and shifted per channel."""
    scale = torch.tensor(scaling.scale, device=inputs.device)
    shift = torch.tensor(scaling.shift, device=inputs.device)
    return (inputs.float() * scale + shift).permute(0, 3, 1, 2).contiguous()
