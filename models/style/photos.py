"""Photographs and paintings as training data: which, in which order, cut how.

The order and every crop are functions of the seed and the sample's number alone, so a
run that is resumed at step k sees exactly what the unbroken run would have seen.
"""

import json
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image, ImageOps
from torch import Tensor

from models.errors import DataError, list_nearest

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
LARGEST_ENLARGEMENT = 2.5  # of a crop's side: the scale at which the photo's short side may stand
# What Pillow's decoders and its EXIF reader are known to raise on damaged files.
DECODING_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    Image.DecompressionBombError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class Painting:
    """A painting to learn: its picture and what is known of it."""

    path: Path
    about: dict[str, str | int]

    @property
    def name(self) -> str:
        """The style's name, as users will type it."""
        return str(self.about["name"])


def list_photos(folder: Path, hold_out: int = 0) -> list[Path]:
    """List the pictures of ``folder`` by name, without the last ``hold_out``.

    Raises:
        DataError: there is no such folder or no picture in it, or nothing is left to train on.
    """
    paths = _list_pictures(folder)
    kept = paths[: max(0, len(paths) - hold_out)]
    files = f"{', '.join(SUFFIXES)} files"
    if not paths:
        message = f"{folder}: holds no pictures; give {files}"
        raise DataError(message)
    if not kept:
        message = (
            f"{folder}: {len(paths)} pictures with {hold_out} held out leave none to train on; "
            f"give more {files} or hold out fewer"
        )
        raise DataError(message)
    return kept


def list_paintings(source: Path, about: Path | None, names: tuple[str, ...]) -> list[Painting]:
    """List paintings of a folder (or one painting's file), in the order of ``names`` if given.

    Args:
        source: folder of pictures, or one picture.
        about: YAML file, style name -> ``title``, ``artist``, ``year``, ``licence``.
        names: which to take; all when empty.

    Raises:
        DataError: a painting or the YAML is missing or unreadable, or two share a name.
    """
    by_name = _name_pictures([source] if source.is_file() else _list_pictures(source))
    facts = _read_about(about)
    if not by_name:
        message = f"{source}: holds no painting; give {', '.join(SUFFIXES)} files"
        raise DataError(message)
    for name in names:
        if name not in by_name:
            known = list_nearest(name, by_name)
            message = f"{source}: no painting called {name!r}; there are {known}"
            raise DataError(message)
    return [Painting(by_name[name], _describe(name, facts)) for name in names or by_name]


def read_painting(path: Path, size: int) -> Tensor:
    """Read a painting with its short side at ``size``.

    Returns:
        float32 ``[1, 3, H, W]``, RGB in [0, 1].

    Raises:
        DataError: the file is no picture.
    """
    picture = read_picture(path)
    scale = size / min(picture.size)
    sides = tuple(max(size, round(side * scale)) for side in picture.size)
    pixels = np.asarray(picture.resize(sides, Image.Resampling.LANCZOS))  # type: ignore[arg-type]
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255.0


class PhotoBatches:
    """Batches of random crops, decoded ahead by one thread.

    Args:
        paths: photos.
        batch: N.
        crop: side of the square crops in pixels.
        seed: with the sample's number it decides everything random.
        report: called once per unreadable photo with a sentence.

    Raises:
        DataError: while iterating, when no photo can be read.
    """

    def __init__(
        self,
        paths: list[Path],
        *,
        batch: int,
        crop: int,
        seed: int,
        report: Callable[[str], None],
    ) -> None:
        self.paths = paths
        self.batch = batch
        self.crop = crop
        self.seed = seed
        self.report = report
        self._broken: set[Path] = set()

    def iterate(self, start: int, stop: int, *, ahead: int = 4) -> Iterator[Tensor]:
        """Yield the batches of steps ``start`` to ``stop - 1``, uint8 ``[N, 3, crop, crop]``."""
        with ThreadPoolExecutor(1, "photos") as pool:
            waiting: deque[Future[Tensor]] = deque()
            for step in range(start, stop):
                waiting.append(pool.submit(self.read_batch, step))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def read_batch(self, step: int) -> Tensor:
        """Return the batch of one step, uint8 ``[N, 3, crop, crop]``."""
        samples = range(step * self.batch, (step + 1) * self.batch)
        return torch.stack([self._read_sample(sample) for sample in samples])

    def _read_sample(self, sample: int) -> Tensor:
        epoch, place = divmod(sample, len(self.paths))
        order = np.random.default_rng([self.seed, 0, epoch]).permutation(len(self.paths))
        for offset in range(len(self.paths)):
            path = self.paths[order[(place + offset) % len(order)]]
            if path in self._broken:
                continue
            try:
                picture = read_picture(path)
            except DataError as error:
                self._broken.add(path)
                self.report(f"{error.message}; skipped")
                continue
            generator = np.random.default_rng([self.seed, 1, sample])
            return self._cut(picture, generator)
        message = f"none of {len(self.paths)} photos can be read"
        raise DataError(message)

    def _cut(self, picture: Image.Image, generator: np.random.Generator) -> Tensor:
        """Resize to a random scale (log-uniform), crop at a random place, flip every second one."""
        short = self.crop * LARGEST_ENLARGEMENT ** generator.random()
        scale = short / min(picture.size)
        width, height = (side * scale for side in picture.size)
        left = generator.random() * (width - self.crop) / scale
        top = generator.random() * (height - self.crop) / scale
        box = (left, top, left + self.crop / scale, top + self.crop / scale)
        box = (box[0], box[1], min(box[2], picture.width), min(box[3], picture.height))
        crop = picture.resize((self.crop, self.crop), Image.Resampling.BICUBIC, box)
        if generator.random() < 0.5:
            crop = ImageOps.mirror(crop)
        return torch.from_numpy(np.asarray(crop).copy()).permute(2, 0, 1)


def read_picture(path: Path) -> Image.Image:
    """Decode a picture, upright, in RGB.

    Raises:
        DataError: the file is missing or no picture.
    """
    try:
        with Image.open(path) as picture:
            return ImageOps.exif_transpose(picture).convert("RGB")
    except DECODING_ERRORS as error:
        message = f"{path}: not a readable picture ({type(error).__name__}: {error})"
        raise DataError(message) from None


def _list_pictures(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    except OSError as error:
        message = f"{folder}: cannot be listed as a folder of pictures ({error.strerror})"
        raise DataError(message) from None


def _name_pictures(paths: list[Path]) -> dict[str, Path]:
    by_name: dict[str, Path] = {}
    for path in paths:
        if path.stem in by_name:
            message = f"{path}: {by_name[path.stem].name} has the same name; rename one of them"
            raise DataError(message)
        by_name[path.stem] = path
    return by_name


def _describe(name: str, facts: dict[str, dict[str, str | int]]) -> dict[str, str | int]:
    # The file names the style, whatever the YAML calls it.
    others = {key: value for key, value in facts.get(name, {}).items() if key != "name"}
    return {"name": name, **others}


def _read_about(path: Path | None) -> dict[str, dict[str, str | int]]:
    if path is None:
        return {}
    try:
        facts = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        message = f"{path}: cannot be read as YAML ({error})"
        raise DataError(message) from None
    if not isinstance(facts, dict) or not all(isinstance(v, dict) for v in facts.values()):
        message = f"{path}: must map each painting's name to its title, artist, year and licence"
        raise DataError(message)
    # As JSON, which the checkpoint's header is: dates become text, numbers as names too.
    return json.loads(json.dumps(facts, default=str))  # type: ignore[no-any-return]
