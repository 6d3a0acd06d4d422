"""Photographs and paintings as training data: which, in which order, cut how.

The order and every crop are functions of the seed and the sample's number alone, so a
run that is resumed at step k sees exactly what the unbroken run would have seen.
"""

import json
import warnings
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

from models.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
LARGEST_ENLARGEMENT = 2.5  # of a crop's side: the scale at which the photo's short side may stand


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
        DataError: there is no such folder, or nothing is left to train on.
    """
    if not folder.is_dir():
        message = f"{folder}: no such folder of photos"
        raise DataError(message)
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    kept = paths[: len(paths) - hold_out] if hold_out else paths
    if not kept:
        message = f"{folder}: {len(paths)} pictures, {hold_out} held out, leave none to train on"
        raise DataError(message)
    return kept


def list_paintings(source: Path, about: Path | None, names: tuple[str, ...]) -> list[Painting]:
    """List paintings of a folder (or one painting's file), in the order of ``names`` if given.

    Args:
        source: folder of pictures, or one picture.
        about: YAML file, style name -> ``title``, ``artist``, ``year``, ``licence``.
        names: which to take; all when empty.

    Raises:
        DataError: a painting or the YAML is missing or unreadable.
    """
    files = [source] if source.is_file() else list_photos(source)
    by_name = {path.stem: path for path in files}
    facts = _read_about(about)
    for name in names:
        if name not in by_name:
            message = f"{source}: no painting called {name!r}; there are {', '.join(by_name)}"
            raise DataError(message)
    chosen = names or tuple(by_name)
    return [Painting(by_name[name], {"name": name} | facts.get(name, {})) for name in chosen]


def read_painting(path: Path, size: int) -> Tensor:
    """Read a painting with its short side at ``size``.

    Returns:
        float32 ``[1, 3, H, W]``, RGB in [0, 1].

    Raises:
        DataError: the file is no picture.
    """
    picture = _open(path)
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
                picture = _open(path)
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


def _open(path: Path) -> Image.Image:
    """Decode a picture, upright, in RGB."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # Pillow warns of odd metadata that does not matter here
            with Image.open(path) as picture:
                return ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        message = f"{path}: not a readable picture ({type(error).__name__}: {error})"
        raise DataError(message) from None


def _read_about(path: Path | None) -> dict[str, dict[str, str | int]]:
    if path is None:
        return {}
    try:
        facts = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        message = f"{path}: cannot be read as YAML ({error})"
        raise DataError(message) from None
    if not isinstance(facts, dict) or not all(isinstance(v, dict) for v in facts.values()):
        message = f"{path}: must map each painting's name to its title, artist, year and licence"
        raise DataError(message)
    return json.loads(json.dumps(facts))  # type: ignore[no-any-return]
