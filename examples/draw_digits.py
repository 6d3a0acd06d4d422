"""Write digits as a hand might, no two alike: a small data set to try the classifiers with.

    python examples/draw_digits.py digits --count 40
    impasto classify digits/7
    impasto train lenet5 --data digits -o runs/drawn --epochs 10

The folder gets one folder per digit, as ``impasto train`` takes them.
"""

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

# Where the pen goes: strokes of points (x, y) in a box of 1 x 1, y downwards.
STROKES: dict[int, tuple[tuple[tuple[float, float], ...], ...]] = {
    0: (((0.5, 0), (0.15, 0.2), (0.1, 0.65), (0.45, 1), (0.85, 0.7), (0.85, 0.25), (0.5, 0)),),
    1: (((0.5, 0), (0.5, 0.3), (0.5, 0.6), (0.5, 1)),),
    2: (((0.1, 0.2), (0.45, 0), (0.85, 0.25), (0.55, 0.65), (0.1, 1)), ((0.1, 1), (0.95, 0.97))),
    3: (
        ((0.15, 0.1), (0.55, 0), (0.8, 0.22), (0.4, 0.47)),
        ((0.4, 0.47), (0.85, 0.65), (0.65, 0.97), (0.1, 0.9)),
    ),
    4: (((0.3, 0), (0.1, 0.3), (0.1, 0.55), (0.9, 0.5)), ((0.75, 0.05), (0.72, 0.5), (0.7, 1))),
    5: (
        ((0.85, 0.02), (0.25, 0.03)),
        ((0.25, 0.03), (0.2, 0.42), (0.65, 0.42), (0.8, 0.75), (0.45, 1), (0.1, 0.9)),
    ),
    6: (((0.65, 0), (0.25, 0.35), (0.15, 0.8), (0.5, 1), (0.8, 0.75), (0.5, 0.55), (0.18, 0.75)),),
    7: (((0.08, 0.05), (0.5, 0.06), (0.9, 0.03)), ((0.9, 0.03), (0.6, 0.45), (0.4, 1))),
    8: (
        (
            (0.8, 0.15),
            (0.45, 0),
            (0.2, 0.2),
            (0.5, 0.45),
            (0.8, 0.75),
            (0.5, 1),
            (0.2, 0.8),
            (0.45, 0.5),
            (0.8, 0.15),
        ),
    ),
    9: (((0.8, 0.15), (0.4, 0.02), (0.15, 0.3), (0.45, 0.5), (0.8, 0.2), (0.75, 0.6), (0.65, 1)),),
}
SIDE = 84  # pixels; three times MNIST's, so that networks see smooth edges
BOX = 58  # pixels of the digit's taller side
PAPER, INK = 240, 25
STEPS = 12  # straight pieces between two points


def smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lay a Catmull-Rom spline through points.

    Args:
        points: float64 ``[P, 2]``, at least two.

    Returns:
        float64 ``[(P - 1) * STEPS, 2]``.
    """
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, STEPS)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        cubic = (3 * (b - c) + d - a) * t**3 + (2 * a - 5 * b + 4 * c - d) * t**2
        pieces.append(b + (cubic + (c - a) * t) / 2)
    return np.vstack(pieces)


def draw_digit(digit: int, generator: np.random.Generator) -> Image.Image:
    """Write one digit in dark ink; its points, pen, size, slant and angle are drawn by lot.

    Args:
        digit: 0 to 9.
        generator: where the lots come from; equal states draw equal pictures.
    """
    slant, angle = generator.uniform(-0.05, 0.35), np.radians(generator.uniform(-8, 8))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    lean = np.array([[1, -slant], [0, 1]])
    size = BOX * generator.uniform(0.85, 1, 2) * (0.72, 1)
    center = SIDE / 2 + generator.uniform(-2, 2, 2)
    pen = generator.uniform(5.5, 8.5)
    picture = Image.new("L", (SIDE, SIDE), PAPER)
    canvas = ImageDraw.Draw(picture)
    for stroke in STROKES[digit]:
        points = np.array(stroke) + generator.normal(0, 0.025, (len(stroke), 2)) - 0.5
        for x, y in smooth(points) * size @ (turn @ lean).T + center:
            canvas.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=INK)
    return picture


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--count", default=20, show_default=True, help="Pictures per digit.")
@click.option("--seed", default=0, show_default=True)
def main(folder: Path, count: int, seed: int) -> None:
    """Write FOLDER with ten folders of pictures."""
    if folder.exists() and any(folder.iterdir()):
        message = f"{folder} is not empty; choose another folder"
        raise click.ClickException(message)
    generator = np.random.default_rng(seed)
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            picture = draw_digit(digit, generator)
            picture.save(folder / str(digit) / f"{digit}-{number:03d}.png")
    click.echo(f"{folder}: 10 classes of {count}")


if __name__ == "__main__":
    main()
