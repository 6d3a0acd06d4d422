"""The contact sheet of `quality.py`: for the eye, which has the last word."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from quality_grid import Grid, Pair, Pixels
from quality_optimum import Ruler
from quality_scores import Painted

from models.files import write_atomically

GAP, CAPTION, FONT = 8, 24, 15
INK, PAPER = (34, 34, 34), (250, 249, 246)
FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
Tile = tuple[str, Pixels | None]


@dataclass
class Sheet:
    """One row per painting, each with another photo, as far as they go round.

    Attributes:
        grid: of the paintings and photos.
        networks: names, in the order of their columns.
        tiles: what the networks painted, by network and painting.
    """

    grid: Grid
    networks: Sequence[str]
    tiles: dict[tuple[str, str], Tile] = field(default_factory=dict)

    def list_rows(self) -> list[Pair]:
        """Return the pair of each row."""
        photos = self.grid.photos
        return [
            Pair(photos[number % len(photos)], painting)
            for number, painting in enumerate(self.grid.paintings)
        ]

    def take(self, painted: Painted) -> None:
        """Keep a picture if it is in a row."""
        score, pixels = painted
        rows = {pair.painting.name: pair.photo.name for pair in self.list_rows()}
        if rows.get(score.painting) == score.photo:
            caption = f"{score.network}  Q {score.q:.3f}"
            self.tiles[score.network, score.painting] = (caption, pixels)

    def render(self, ruler: Ruler) -> Image.Image:
        """Lay the rows out: photo, painting, optimised picture, then the networks."""
        rows = []
        for pair in self.list_rows():
            painting = pair.painting.name
            first: list[Tile] = [
                (pair.photo.name, pair.photo.pixels),
                (painting, pair.painting.pixels),
                (f"L*, {ruler.steps} steps  Q 1", ruler.read_picture(pair)),
            ]
            unknown: Tile = ("", None)
            rows.append(first + [self.tiles.get((n, painting), unknown) for n in self.networks])
        return arrange(rows, self.grid.size)


def arrange(rows: Sequence[Sequence[Tile]], side: int) -> Image.Image:
    """Lay captioned square tiles out; what is of another shape is fitted in."""
    step = (side + GAP, side + GAP + CAPTION)
    size = (len(rows[0]) * step[0] + GAP, len(rows) * step[1] + GAP)
    sheet = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=FONT)
    for down, row in enumerate(rows):
        for across, (caption, pixels) in enumerate(row):
            left, top = GAP + across * step[0], GAP + down * step[1]
            if pixels is not None:
                tile = Image.fromarray(pixels)
                tile.thumbnail((side, side), Image.Resampling.LANCZOS)
                place = (left + (side - tile.width) // 2, top + (side - tile.height) // 2)
                sheet.paste(tile, place)
            draw.text((left + 1, top + side + 3), fit(caption, side, font), INK, font)
    return sheet


def fit(caption: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Cut the front of a caption that is wider than its tile: its end has the score."""
    while len(caption) > 3 and font.getlength(caption) > width:
        caption = "…" + caption[2:]
    return caption


def require_format(path: Path) -> None:
    """Stop before anything is measured for a sheet that cannot be written.

    Raises:
        SystemExit: the suffix names neither JPEG nor PNG.
    """
    if path.suffix.lower() not in FORMATS:
        message = f"--sheet {path}: use one of {', '.join(FORMATS)}"
        raise SystemExit(message)


def write_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a sheet whole or not at all.

    Raises:
        CheckpointError: the folder or the disk refuses.
    """
    buffer = io.BytesIO()
    sheet.save(buffer, FORMATS[path.suffix.lower()], quality=92, subsampling=0)
    write_atomically(path, buffer.getvalue())
