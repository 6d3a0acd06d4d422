"""Photos that ranges are measured on, and others that judge the result."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exporter.errors import ExportError
from exporter.scenes import draw_scenes, draw_style_weights
from models.errors import DataError
from models.style.photos import list_photos, read_picture

Pixels = NDArray[np.uint8]
SIDE = 256  # pixels
HELD_BACK = 5  # of five photos one is held back
FEWEST = 10
MOST_CALIBRATED, MOST_JUDGED = 12, 8  # each is painted in every style
BLENDS = 3


@dataclass(frozen=True)
class Sample:
    """Photos in every style and in a few blends.

    Attributes:
        images: uint8 ``[N, 256, 256, 3]``, RGB.
        style_weights: float32 ``[R, S]``: S single styles, then blends.
    """

    images: Pixels
    style_weights: NDArray[np.float32]


def divide_photos(folder: Path, styles: int) -> tuple[Sample, Sample]:
    """Return what to calibrate on and what to judge by; no photo is in both.

    Args:
        folder: photos, not in folders of their own.
        styles: S.

    Returns:
        At most twelve and at most eight photos, chosen evenly.

    Raises:
        ExportError: there are fewer than ten, or one cannot be decoded.
    """
    paths = list_all(folder)
    if len(paths) < FEWEST:
        message = (
            f"{folder}: holds {len(paths)} photos, too few to calibrate on; give a folder of at "
            f"least {FEWEST} that are like those to paint"
        )
        raise ExportError(message)
    paths = shuffle(paths)
    held = max(1, len(paths) // HELD_BACK)
    rows = draw_rows(styles)
    calibrated, judged = paths[held:][:MOST_CALIBRATED], paths[:held][:MOST_JUDGED]
    return Sample(read_photos(calibrated), rows), Sample(read_photos(judged), rows)


def gather_photos(folder: Path, styles: int) -> Sample:
    """Return photos to judge by that serve nothing else.

    Args:
        folder: photos, not in folders of their own.
        styles: S.

    Returns:
        At most eight, chosen by chance, always the same.

    Raises:
        ExportError: there is none, or one cannot be decoded.
    """
    return Sample(read_photos(shuffle(list_all(folder))[:MOST_JUDGED]), draw_rows(styles))


def require_strangers(folder: Path, judged: Sample, calibrated: Sample) -> None:
    """Stop where a photo would judge ranges that were measured on it.

    Args:
        folder: that the judges are from.
        judged: photos.
        calibrated: photos.

    Raises:
        ExportError: one is in both.
    """
    seen = {image.tobytes() for image in calibrated.images}
    both = sum(image.tobytes() in seen for image in judged.images)
    if both:
        message = (
            f"{folder}: {both} of its photos are those that ranges are measured on; give others, "
            "or leave --judge out"
        )
        raise ExportError(message)


def list_all(folder: Path) -> list[Path]:
    """Return the photos of a folder by name.

    Raises:
        ExportError: it cannot be listed, or holds none.
    """
    try:
        return list_photos(folder)
    except DataError as error:
        raise ExportError(error.message) from None


def shuffle(paths: list[Path]) -> list[Path]:
    """Return paths in a fixed order of chance: neighbours may show the same scene."""
    return [paths[number] for number in np.random.default_rng(0).permutation(len(paths))]


def draw_sample(styles: int) -> Sample:
    """Return random scenes instead of photos, where nothing is calibrated."""
    return Sample(draw_scenes(4, SIDE, SIDE, seed=0), draw_rows(styles))


def draw_rows(styles: int) -> NDArray[np.float32]:
    """Return every single style and a few blends, float32 ``[S + 3, S]``."""
    blends = draw_style_weights(2 * BLENDS, styles, seed=0)[1::2]
    return np.concatenate([np.eye(styles, dtype=np.float32), blends])


def read_photos(paths: list[Path]) -> Pixels:
    """Return the middles of photos, short sides brought to 256 px: uint8 ``[N, 256, 256, 3]``.

    Raises:
        ExportError: one of them cannot be decoded.
    """
    try:
        return np.stack([cut_middle(read_picture(path)) for path in paths])
    except DataError as error:
        message = f"{error.message}; mend or remove it"
        raise ExportError(message) from None


def cut_middle(picture: Image.Image) -> Pixels:
    """Return the largest square in the middle of a picture, resized to 256x256 pixels."""
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box))
