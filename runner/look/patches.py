"""Sheets of the patches that excite units most, cut exactly to what the units see."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from runner.classify.decoding import decode_job
from runner.classify.jobs import make_job
from runner.classify.rules import InputRule
from runner.errors import PictureError
from runner.images import Pixels
from runner.look.canvas import (
    FAINT,
    INNER,
    LINE,
    OUTSIDE,
    PAPER,
    TEXT,
    Heading,
    caption,
    compose,
    frame,
    load_font,
    measure_tile,
    place_grid,
    resize_tile,
)
from runner.look.layers import Box, Layer
from runner.look.search import KEPT, Excitement
from runner.look.tones import format_value

COLUMNS, GAP = 6, 20
PATCH_GAP = 2
PATCH_SIDE = ((INNER - (COLUMNS - 1) * GAP) // COLUMNS - 2 * PATCH_GAP - 2) // 3

Tiles = dict[tuple[int, int], Image.Image]  # by unit and rank


def cut(pixels: Pixels, box: Box) -> Pixels:
    """Cut out what a unit sees; where it sees padding there is :data:`OUTSIDE`.

    Args:
        pixels: a prepared picture, uint8 ``[H, W, C]``.
        box: rows and columns of it.

    Returns:
        uint8 ``[bottom - top, right - left, 3]``.
    """
    height, width = pixels.shape[:2]
    patch = np.empty((box.bottom - box.top, box.right - box.left, 3), np.uint8)
    patch[:] = OUTSIDE
    rows = slice(max(box.top, 0), max(min(box.bottom, height), 0))
    columns = slice(max(box.left, 0), max(min(box.right, width), 0))
    inside = pixels[rows, columns]
    top, left = rows.start - box.top, columns.start - box.left
    patch[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return patch


def cut_patches(units: Sequence[Excitement], rule: InputRule) -> Tiles:
    """Return every patch at the size at which it is drawn; each picture is read once more.

    Raises:
        PictureError: a picture that could be read cannot be read any more.
    """
    wanted: dict[str, list[tuple[int, int, Box]]] = {}
    for found in units:
        for rank, patch in enumerate(found.patches):
            wanted.setdefault(patch.picture, []).append((found.unit, rank, patch.box))
    tiles: Tiles = {}
    for picture, places in wanted.items():
        try:
            pixels = decode_job(make_job(picture), rule)
        except PictureError as error:
            message = f"{picture}: {error.message}; it could be read a moment ago"
            raise PictureError(message) from None
        for unit, rank, box in places:
            tiles[unit, rank] = resize_tile(cut(pixels, box), PATCH_SIDE)
    return tiles


def draw_patches(
    name: str, layer: Layer, units: Sequence[Excitement], rule: InputRule, pictures: int
) -> Image.Image:
    """Return the sheet of one layer.

    Args:
        name: of the network.
        layer: whose units are shown.
        units: what excited them.
        rule: of the network's input.
        pictures: how many were looked at.

    Raises:
        PictureError: a picture cannot be read any more.
    """
    tiles = cut_patches(units, rule)
    extent = layer.field.extent if layer.field else rule.size
    size = measure_tile(extent, PATCH_SIDE)
    blocks = [
        caption(draw_block(found, tiles, size), f"unit {found.unit}", describe_peak(found))
        for found in units
    ]
    padded = any(reaches_out(patch.box, rule) for found in units for patch in found.patches)
    heading = describe_sheet(name, layer, pictures, padded=padded)
    return compose(heading, place_grid(blocks, COLUMNS, GAP))


def reaches_out(box: Box, rule: InputRule) -> bool:
    """Tell whether a unit sees padding."""
    return min(box.top, box.left) < 0 or box.bottom > rule.size[0] or box.right > rule.size[1]


def draw_block(found: Excitement, tiles: Tiles, size: tuple[int, int]) -> Image.Image:
    """Return the nine patches of a unit, or what is to be said where there are none."""
    empty = Image.new("RGB", (size[1], size[0]), PAPER)
    patches = [tiles.get((found.unit, rank), empty) for rank in range(KEPT)]
    block = place_grid(patches, 3, PATCH_GAP, ground=LINE if found.patches else PAPER)
    if not found.patches:
        draw = ImageDraw.Draw(block)
        words = "never active" if found.highest <= 0 else "never changes"
        middle = (block.width / 2, block.height / 2)
        draw.text(middle, words, FAINT, load_font(TEXT), anchor="mm")
    return frame(block)


def describe_peak(found: Excitement) -> str:
    """Return the range of the activations of the patches, or of the unit without any."""
    if not found.patches:
        return format_value(found.highest)
    first, last = found.patches[0].activation, found.patches[-1].activation
    return " to ".join(dict.fromkeys((format_value(last), format_value(first))))


def describe_sheet(name: str, layer: Layer, pictures: int, *, padded: bool) -> Heading:
    """Return the heading of a sheet of patches.

    Args:
        name: of the network.
        layer: whose units are shown.
        pictures: how many were looked at.
        padded: whether a patch reaches beyond its picture.
    """
    folder = "one picture" if pictures == 1 else f"{pictures:,} pictures"
    first = (
        f"Where {folder} excited each unit most: its nine best patches, at most one per picture. "
        "Below: the unit's number and how strongly it answered."
    )
    lines = [first]
    if layer.field is None:
        lines.append("A dense layer sees the whole picture.")
    else:
        height, width = layer.field.extent
        lines.append(f"A patch is exactly what the unit sees: {height}x{width} pixels.")
        lines[-1] += " Beige lies beyond the picture, where the network pads." if padded else ""
    return Heading(f"{name}  {layer.name}", tuple(lines))
