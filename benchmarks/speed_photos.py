"""Photographs of 1 to 4 megapixels, composed from the pictures of a folder."""

from pathlib import Path

import numpy as np
from PIL import Image

SHAPES = ((4, 3), (3, 2), (16, 9), (1, 1), (3, 4), (2, 3))
MEGAPIXELS = (1.0, 4.0)
QUALITY = 92
SEED = 20


def compose_photos(source: Path, target: Path, count: int) -> str:
    """Write ``count`` JPEG files: random crops of the pictures there, enlarged to the size.

    Enlarged crops hold less detail than photographs of that size: they decode a little
    faster, which favours no side.

    Returns:
        What they are, in words.

    Raises:
        SystemExit: there are no pictures.
    """
    from runner.folders import plan_jobs
    from runner.images import decode

    jobs = plan_jobs([source], target).jobs
    pictures = [Image.fromarray(decode(job.source.read_bytes(), 1600).frames[0]) for job in jobs]
    if not pictures:
        message = f"{source}: no pictures to compose photos from"
        raise SystemExit(message)
    target.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(SEED)
    for number in range(count):
        photo = compose_photo(pictures[number % len(pictures)], generator)
        photo.save(target / f"{number:04d}.jpg", quality=QUALITY)
    return (
        f"{count} JPEG files of {MEGAPIXELS[0]:g} to {MEGAPIXELS[1]:g} megapixels in "
        f"{len(SHAPES)} shapes, composed of crops of the {len(pictures)} pictures in {source}"
    )


def compose_photo(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Return a random crop of a random shape, resized to a random number of megapixels."""
    wide, high = SHAPES[generator.integers(len(SHAPES))]
    side = min(picture.width / wide, picture.height / high) * generator.uniform(0.7, 1.0)
    left = generator.uniform(0, picture.width - wide * side)
    top = generator.uniform(0, picture.height - high * side)
    scale = (generator.uniform(*MEGAPIXELS) * 1e6 / (wide * high)) ** 0.5
    size = (round(wide * scale), round(high * scale))
    box = (left, top, left + wide * side, top + high * side)
    return picture.resize(size, Image.Resampling.LANCZOS, box)
