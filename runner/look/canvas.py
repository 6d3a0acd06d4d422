"""The paper that all sheets share: margins, headings, legends, tiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from runner.images import Pixels
from runner.look.tones import Scale, format_value
from runner.report import make_printable

INK, FAINT, PAPER = (34, 34, 34), (118, 114, 106), (250, 249, 246)
LINE = (186, 181, 170)  # around tiles, which may be as white as the paper
OUTSIDE = (214, 209, 198)  # where a unit sees padding: no photo's colour, and not the paper's
MARGIN = 24
WIDTH = 1600  # of the widest sheet, in pixels
INNER = WIDTH - 2 * MARGIN
TITLE, TEXT, SMALL = 28, 17, 14  # sizes of type
LEADING = 1.35
LEGEND = (300, 16)  # width and height of the bar
CRISP = 0.85  # of a tile must be filled by whole multiples of pixels, else they are interpolated

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Heading:
    """What stands above a sheet.

    Attributes:
        title: one line.
        lines: sentences below it, which are wrapped.
        scale: of the legend at the right; None without one.
        legend: words below the legend.
    """

    title: str
    lines: tuple[str, ...]
    scale: Scale | None = None
    legend: str = ""


@cache
def load_font(size: int) -> Font:
    """Return Pillow's own font."""
    return ImageFont.load_default(size=size)


def compose(heading: Heading, body: Image.Image) -> Image.Image:
    """Return a sheet: the heading above the body, margins around both.

    Args:
        heading: of the sheet.
        body: at most :data:`INNER` wide.
    """
    width = max(body.width, 900)
    room = width - (LEGEND[0] + 3 * MARGIN if heading.scale else 0)
    lines = [part for line in heading.lines for part in wrap(line, room, load_font(TEXT))]
    step = round(TEXT * LEADING)
    height = max(round(TITLE * 1.5) + step * len(lines), 84 if heading.scale else 0)
    size = (width + 2 * MARGIN, height + body.height + 3 * MARGIN)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    title = cut_text(heading.title, room, load_font(TITLE))
    draw.text((MARGIN, MARGIN - 4), title, INK, load_font(TITLE))
    for number, line in enumerate(lines):
        place = (MARGIN, MARGIN + round(TITLE * 1.5) + number * step)
        draw.text(place, line, FAINT, load_font(TEXT))
    if heading.scale:
        legend = draw_legend(heading.scale, heading.legend)
        sheet.paste(legend, (size[0] - MARGIN - legend.width, MARGIN))
    sheet.paste(body, (MARGIN, height + 2 * MARGIN))
    return sheet


def draw_legend(scale: Scale, words: str) -> Image.Image:
    """Return a bar of all greys with the values they stand for, and a line below."""
    width, height = LEGEND
    side = MARGIN  # room for the outer numbers, which are centred below the bar's ends
    image = Image.new("RGB", (width + 2 * side, height + 56), PAPER)
    draw = ImageDraw.Draw(image)
    ramp = np.linspace(0, 255, width).round().astype(np.uint8)
    image.paste(Image.fromarray(np.tile(ramp, (height, 1))), (side, 0))
    draw.rectangle((side - 1, -1, side + width, height), outline=FAINT)
    font = load_font(SMALL)
    for value in scale.list_ticks():
        across = side + float(scale.tone(np.array(value))) * (width - 1)
        draw.line((across, height, across, height + 5), fill=FAINT)
        draw.text((across, height + 7), format_value(value), INK, font, anchor="ma")
    text = cut_text(words, width + 2 * side, font)
    draw.text((side + width / 2, height + 28), text, FAINT, font, anchor="ma")
    return image


def wrap(text: str, width: float, font: Font) -> list[str]:
    """Return the lines of a text that is broken at blanks."""
    lines: list[str] = []
    for word in make_printable(text).split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [cut_text(line, width, font) for line in lines]


def cut_text(text: str, width: float, font: Font) -> str:
    """Return a text on one line, its end left out where it is wider than ``width``."""
    text = make_printable(text)[:1000]
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text.rstrip()}..."


def measure_tile(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Return ``(height, width)`` at which a small picture is drawn in a square tile.

    Whole multiples, so that each pixel is a square, if these nearly fill the tile;
    else just as large as the tile.

    Args:
        size: ``(height, width)`` of the small picture.
        side: of the tile.
    """
    longer = max(size)
    factor = side // longer
    if factor * longer >= CRISP * side:
        return size[0] * factor, size[1] * factor
    height, width = (max(1, round(length * side / longer)) for length in size)
    return height, width


def resize_tile(pixels: Pixels, side: int) -> Image.Image:
    """Return a small picture at the size of :func:`measure_tile`.

    Args:
        pixels: uint8 ``[H, W]`` or ``[H, W, 3]``.
        side: of the tile.
    """
    size = (pixels.shape[0], pixels.shape[1])
    height, width = measure_tile(size, side)
    whole = height % size[0] == 0 and width % size[1] == 0
    way = Image.Resampling.NEAREST if whole else Image.Resampling.LANCZOS
    return Image.fromarray(pixels).resize((width, height), way)


def frame(tile: Image.Image, side: int = 0) -> Image.Image:
    """Return a tile with a line around it, a pixel wide.

    Args:
        tile: of any size.
        side: of the square in whose middle it then lies; as small as possible without.
    """
    width, height = tile.width + 2, tile.height + 2
    framed = Image.new("RGB", (width, height), LINE)
    framed.paste(tile, (1, 1))
    if not side:
        return framed
    square = Image.new("RGB", (side + 2, side + 2), PAPER)
    square.paste(framed, ((side + 2 - width) // 2, (side + 2 - height) // 2))
    return square


def place_grid(
    tiles: Sequence[Image.Image],
    columns: int,
    gap: int,
    *,
    ground: tuple[int, int, int] = PAPER,
) -> Image.Image:
    """Lay tiles of one size out row by row, ``ground`` between them."""
    width, height = tiles[0].size
    rows = -(-len(tiles) // columns)
    columns = min(columns, len(tiles))
    size = (columns * (width + gap) - gap, rows * (height + gap) - gap)
    image = Image.new("RGB", size, ground)
    for number, tile in enumerate(tiles):
        place = (number % columns * (width + gap), number // columns * (height + gap))
        image.paste(tile, place)
    return image


def caption(tile: Image.Image, left: str, right: str = "") -> Image.Image:
    """Return a tile with a line of small type below it."""
    font = load_font(SMALL)
    image = Image.new("RGB", (tile.width, tile.height + round(SMALL * 1.6)), PAPER)
    image.paste(tile, (0, 0))
    draw, below = ImageDraw.Draw(image), tile.height + 3
    room = tile.width - (font.getlength(right) + 8 if right else 0)
    draw.text((0, below), cut_text(left, max(room, 0), font), INK, font)
    draw.text((tile.width, below), right, FAINT, font, anchor="ra")
    return image
