"""Cut a folder of paintings into a data set: which painting is this a piece of?

Each painting becomes a class. Validation pieces come from a strip down its middle, training
pieces from what is left and right of it, with gaps between them, so that no pixel is in both:

    python examples/paintings_dataset.py PAINTINGS FOLDER --training 100 --validation 20
    impasto train vgg16 --data FOLDER -o RUN --from vgg16.safetensors --freeze features
"""

from pathlib import Path

import click
import numpy as np
from PIL import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
# Ends of the regions as shares of the width; what lies between belongs to nobody.
TRAINING_REGIONS = ((0.0, 0.35), (0.65, 1.0))
VALIDATION_REGIONS = ((0.36, 0.64),)
SMALLEST_SHARE, LARGEST_SHARE = 0.5, 1.0  # a piece's side, of its region
SIDE = 288  # pixels of a piece in the data set


def cut_pieces(
    painting: Image.Image, *, count: int, regions: tuple[tuple[float, float], ...], seed: int
) -> list[Image.Image]:
    """Cut square pieces at random places and sizes, from the regions in turn.

    Args:
        painting: in RGB.
        count: number of pieces.
        regions: left and right ends, as shares of the width.
        seed: of places and sizes.
    """
    generator = np.random.default_rng(seed)
    pieces = []
    for number in range(count):
        left, right = (round(s * painting.width) for s in regions[number % len(regions)])
        share = generator.uniform(SMALLEST_SHARE, LARGEST_SHARE)
        side = round(share * min(right - left, painting.height))
        x = int(generator.integers(left, right - side + 1))
        y = int(generator.integers(0, painting.height - side + 1))
        piece = painting.crop((x, y, x + side, y + side))
        pieces.append(piece.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    return pieces


def write_pieces(pieces: list[Image.Image], folder: Path) -> None:
    """Write pieces as numbered JPEG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, piece in enumerate(pieces):
        piece.save(folder / f"{number:04d}.jpg", quality=92)


@click.command()
@click.argument("paintings", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--training", default=100, show_default=True, help="Pieces per painting.")
@click.option("--validation", default=20, show_default=True, help="Pieces per painting.")
@click.option("--seed", default=0, show_default=True)
def main(paintings: Path, folder: Path, *, training: int, validation: int, seed: int) -> None:
    """Cut every painting in PAINTINGS into FOLDER/train and FOLDER/val."""
    files = sorted(path for path in paintings.iterdir() if path.suffix.lower() in SUFFIXES)
    for number, path in enumerate(files):
        with Image.open(path) as picture:
            painting = picture.convert("RGB")
        parts = {
            "train": (training, TRAINING_REGIONS),
            "val": (validation, VALIDATION_REGIONS),
        }
        for name, (count, regions) in parts.items():
            pieces = cut_pieces(painting, count=count, regions=regions, seed=seed * 1000 + number)
            write_pieces(pieces, folder / name / path.stem)
    click.echo(f"{folder}: {len(files)} paintings, {training} + {validation} pieces each")


if __name__ == "__main__":
    main()
