"""Pictures that eight-bit ranges are measured on, and others that judge the result."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exporter.errors import ExportError
from models.classifiers.idx import read_pair
from models.classifiers.pictures import decode
from models.classifiers.preprocessing import InputRule, prepare
from models.classifiers.sources import find_idx, list_files
from models.errors import DataError

Pixels = NDArray[np.uint8]
HELD_BACK = 5  # of five pictures one is held back
MOST_CALIBRATED = 300  # ranges settle early, and entropy's histograms take their time
MOST_HELD_BACK = 1000
FEWEST = 20


@dataclass(frozen=True)
class PicturePool:
    """Pictures of one folder, by number.

    Attributes:
        files: picture files; empty where they are in memory.
        images: uint8 ``[N, H, W]`` of an IDX file; None where they are files.
    """

    files: tuple[Path, ...] = ()
    images: Pixels | None = None

    def __len__(self) -> int:
        return len(self.files) if self.images is None else len(self.images)

    def open(self, number: int) -> Image.Image:
        """Return one picture.

        Raises:
            DataError: it cannot be decoded.
        """
        if self.images is None:
            return decode(self.files[number])
        return Image.fromarray(self.images[number])


@dataclass(frozen=True)
class Selection:
    """Some pictures of a pool, prepared when they are read.

    Attributes:
        pool: where they are.
        numbers: which.
        rule: how a picture becomes pixels.
    """

    pool: PicturePool
    numbers: tuple[int, ...]
    rule: InputRule

    def __len__(self) -> int:
        return len(self.numbers)

    def read_batches(self, size: int) -> Iterator[Pixels]:
        """Yield uint8 ``[n, H, W, C]``, ``size`` at a time and what is left at the end.

        Raises:
            ExportError: a picture cannot be decoded.
        """
        for first in range(0, len(self.numbers), size):
            yield self.read(self.numbers[first : first + size])

    def read(self, numbers: Sequence[int]) -> Pixels:
        """Return pictures as uint8 ``[n, H, W, C]``."""
        try:
            return np.stack([prepare(self.pool.open(number), self.rule) for number in numbers])
        except DataError as error:
            message = f"{error.message}; mend or remove it"
            raise ExportError(message) from None


def divide_pictures(folder: Path, rule: InputRule) -> tuple[Selection, Selection]:
    """Return the pictures to calibrate on and those that are held back, chosen evenly.

    Args:
        folder: pictures at any depth, or MNIST's IDX files.
        rule: how a picture becomes pixels.

    Returns:
        At most 300 and at most 1,000 pictures; none is in both.

    Raises:
        ExportError: there is no such folder, or it holds fewer than twenty pictures.
    """
    pool = find_pictures(folder)
    if len(pool) < FEWEST:
        message = (
            f"{folder}: holds {len(pool)} pictures, too few to calibrate on; give a folder of at "
            f"least {FEWEST} that are like those to classify"
        )
        raise ExportError(message)
    # shuffled by a fixed seed: files of one class follow each other
    order = np.random.default_rng(0).permutation(len(pool)).tolist()
    held = len(order) // HELD_BACK
    return (
        Selection(pool, tuple(order[held:][:MOST_CALIBRATED]), rule),
        Selection(pool, tuple(order[:held][:MOST_HELD_BACK]), rule),
    )


def find_pictures(folder: Path) -> PicturePool:
    """Return the pictures of a folder.

    Raises:
        ExportError: there is no such folder, or its IDX files are damaged.
    """
    if not folder.is_dir():
        message = f"{folder}: no such folder; give a folder of pictures like those to classify"
        raise ExportError(message)
    images, labels = (find_idx(folder, f"train-{part}") for part in ("images", "labels"))
    if images is None or labels is None:
        return PicturePool(files=tuple(list_files(folder)))
    try:
        return PicturePool(images=read_pair(images, labels)[0])
    except DataError as error:
        raise ExportError(error.message) from None
