"""Which photos and paintings `quality.py` measures on, and their pixels exactly as used."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from models.errors import list_nearest
from models.style.photos import list_paintings, list_photos, read_painting, read_picture

Pixels = NDArray[np.uint8]
SHORTEST_SIDE = 256  # of a photo that counts, in pixels of its file
LARGE_PHOTOS, LARGE_PAINTINGS = 2, 3  # of the second, larger grid


@dataclass(frozen=True)
class Shown:
    """A picture as it is used.

    Attributes:
        name: of its file, without the suffix.
        pixels: uint8 ``[H, W, 3]``, RGB.
    """

    name: str
    pixels: Pixels

    @property
    def digest(self) -> str:
        """SHA-256 of shape and pixels, hexadecimal."""
        shape = "x".join(map(str, self.pixels.shape)).encode()
        return hashlib.sha256(shape + b":" + self.pixels.tobytes()).hexdigest()

    def to_tensor(self) -> Tensor:
        """Return float32 ``[1, 3, H, W]`` in [0, 1]."""
        return as_tensor(self.pixels)


@dataclass(frozen=True)
class Pair:
    """A photo and the painting in whose style it is to be painted."""

    photo: Shown
    painting: Shown

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"{self.painting.name} {self.photo.name} {self.photo.pixels.shape[0]} px"


@dataclass(frozen=True)
class Grid:
    """Every photo with every painting.

    Attributes:
        size: side of the square photos in pixels.
        photos: all of that size.
        paintings: of any shape.
    """

    size: int
    photos: tuple[Shown, ...]
    paintings: tuple[Shown, ...]

    def list_pairs(self) -> list[Pair]:
        """Return all pairs, painting by painting."""
        return [Pair(photo, painting) for painting in self.paintings for photo in self.photos]

    def restrict(self, names: set[str]) -> "Grid":
        """Return the grid of those of its paintings that are named."""
        kept = tuple(painting for painting in self.paintings if painting.name in names)
        return Grid(self.size, self.photos, kept)


def as_tensor(pixels: Pixels) -> Tensor:
    """Turn uint8 ``[H, W, 3]`` into float32 ``[1, 3, H, W]`` in [0, 1]."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255.0


def as_pixels(image: Tensor) -> Pixels:
    """Round float ``[1, 3, H, W]`` in [0, 1] to uint8 ``[H, W, 3]``, as exported files do."""
    rounded = (image[0].clamp(0.0, 1.0) * 255.0).round().byte()
    pixels: Pixels = rounded.permute(1, 2, 0).contiguous().numpy()
    return pixels


def choose_photos(folder: Path, hold_out: int, count: int) -> list[Path]:
    """Return the first ``count`` held-out photos that are large enough, by name.

    Args:
        folder: of photos; the last ``hold_out`` by name are those that training with the same
            option never sees.
        hold_out: how many.
        count: how many of them to take.

    Raises:
        DataError: the folder holds no pictures, or one of them cannot be read.
        SystemExit: too few are large enough.
    """
    chosen: list[Path] = []
    for path in list_photos(folder)[-hold_out:]:
        if min(read_picture(path).size) >= SHORTEST_SIDE:
            chosen.append(path)
        if len(chosen) == count:
            return chosen
    message = (
        f"{folder}: {len(chosen)} of the last {hold_out} photos have a short side of at least "
        f"{SHORTEST_SIDE} px, {count} are needed; give larger photos or a smaller --count"
    )
    raise SystemExit(message)


def cut_photo(picture: Image.Image, size: int) -> Pixels:
    """Resize (Lanczos) so that the short side is ``size``, then cut the square in the middle."""
    scale = size / min(picture.size)
    width, height = (max(size, round(side * scale)) for side in picture.size)
    left, top = (width - size) // 2, (height - size) // 2
    resized = picture.resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(resized.crop((left, top, left + size, top + size)))


def read_paintings(folder: Path, size: int, names: Sequence[str]) -> tuple[Shown, ...]:
    """Read paintings with their short side at ``size``.

    Raises:
        DataError: there is no such painting, or one cannot be read.
    """
    return tuple(
        Shown(painting.name, as_pixels(read_painting(painting.path, size)))
        for painting in list_paintings(folder, None, tuple(names))
    )


def make_grid(paths: Sequence[Path], size: int, paintings: Sequence[Shown]) -> Grid:
    """Cut the photos to squares of ``size`` px and put them beside the paintings.

    Raises:
        DataError: a photo cannot be read.
    """
    photos = tuple(Shown(path.stem, cut_photo(read_picture(path), size)) for path in paths)
    return Grid(size, photos, tuple(paintings))


def choose_large(paintings: Sequence[Shown], names: Sequence[str]) -> list[Shown]:
    """Return the named paintings, or the first few.

    Raises:
        SystemExit: a name is not among the paintings.
    """
    by_name = {painting.name: painting for painting in paintings}
    for name in names:
        if name not in by_name:
            message = (
                f"--large-styles: no painting {name!r}; there are {list_nearest(name, by_name)}"
            )
            raise SystemExit(message)
    return [by_name[name] for name in names] or list(paintings[:LARGE_PAINTINGS])
