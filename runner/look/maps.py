"""Sheets of feature maps: what each layer returns for one picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from runner.images import Pixels
from runner.look.canvas import (
    FAINT,
    INK,
    INNER,
    PAPER,
    SMALL,
    TEXT,
    Heading,
    caption,
    compose,
    cut_text,
    frame,
    load_font,
    place_grid,
    resize_tile,
)
from runner.look.layers import Layer
from runner.look.network import Values
from runner.look.patches import COLUMNS, GAP
from runner.look.tones import Scale, choose_scale, format_value

LABEL = 176  # width of the column that names the layers
STRIP_GAP = 4
LARGE_SIDE = (INNER - (COLUMNS - 1) * GAP) // COLUMNS - 2
CELL = 9  # height in pixels of a value of a dense layer


@dataclass(frozen=True)
class Exposure:
    """What every layer returned for one picture.

    Attributes:
        picture: what it is called.
        pixels: as the network took it, uint8 ``[H, W, C]``.
        values: per layer's name float32 ``[C, H, W]`` or ``[F]``.
        verdict: what the classifier takes it for; empty without classes.
        scales: per layer's name how its values are shown; the same one, or one for each.
        shared: whether it is the same one.
    """

    picture: str
    pixels: Pixels
    values: Mapping[str, Values]
    verdict: str
    scales: Mapping[str, Scale]
    shared: bool


def choose_scales(values: Mapping[str, Values], *, shared: bool) -> dict[str, Scale]:
    """Return a scale per layer: one that all share, or each its own, which is linear."""
    if shared:
        return dict.fromkeys(values, choose_scale(values.values()))
    return {name: choose_scale([array]) for name, array in values.items()}


def draw_overview(
    name: str, layers: Sequence[Layer], units: Mapping[str, Sequence[int]], exposure: Exposure
) -> Image.Image:
    """Return the sheet of all layers, a row for each.

    Args:
        name: of the network.
        layers: in the order in which they run.
        units: which to show, by layer's name; of dense layers all are shown.
        exposure: to one picture.
    """
    across = INNER - LABEL
    most = max([len(units[layer.name]) for layer in layers if layer.field] or [1])
    side = min((across + STRIP_GAP) // most - STRIP_GAP - 2, 120)
    rows = [draw_input(exposure, side)]
    for layer in layers:
        values, scale = exposure.values[layer.name], exposure.scales[layer.name]
        if layer.field is None:
            row = draw_dense(values, scale, across)
        else:
            maps = values[list(units[layer.name])]
            tiles = [frame(paint_map(each, scale, side), side) for each in maps]
            row = place_grid(tiles, most, STRIP_GAP)
        rows.append(label_row(layer.name, describe_values(layer, values), row))
    return compose(describe_overview(name, exposure), stack(rows))


def draw_maps(name: str, layer: Layer, units: Sequence[int], exposure: Exposure) -> Image.Image:
    """Return the sheet of one layer, its units in the places of the sheet of patches."""
    values, scale = exposure.values[layer.name], exposure.scales[layer.name]
    heading = describe_maps(name, layer, exposure)
    if layer.field is None:
        return compose(heading, draw_dense(values, scale, INNER, 4 * CELL))
    tiles = [
        caption(
            frame(paint_map(values[unit], scale, LARGE_SIDE)),
            f"unit {unit}",
            describe_range(values[unit]),
        )
        for unit in units
    ]
    return compose(heading, place_grid(tiles, COLUMNS, GAP))


def paint_map(values: Values, scale: Scale, side: int) -> Image.Image:
    """Return one feature map ``[H, W]`` as a grey tile."""
    return resize_tile(scale.paint(values), side).convert("RGB")


def draw_dense(values: Values, scale: Scale, width: int, height: int = CELL) -> Image.Image:
    """Return the values of a dense layer as cells, from left to right, in as many rows as needed.

    Args:
        values: float32 ``[F]``.
        scale: of the greys.
        width: of the whole in pixels.
        height: of a cell in pixels.
    """
    rows = -(-len(values) // max(width // height, 1))
    columns = -(-len(values) // rows)
    cells = np.full(rows * columns, -1, np.int16)
    cells[: len(values)] = scale.paint(values)
    cell = max((width - 2) // columns, 1)
    if rows == 1:
        height = max(height, min(cell, 24), 2 * CELL)
    grid = cells.reshape(rows, columns).repeat(height, axis=0).repeat(cell, axis=1)
    picture = np.where(grid[:, :, None] < 0, np.array(PAPER), grid[:, :, None])
    return frame(Image.fromarray(picture.astype(np.uint8)))


def draw_input(exposure: Exposure, side: int) -> Image.Image:
    """Return the first row: the picture as the network takes it, and what it is taken for."""
    pixels = exposure.pixels
    tile = resize_tile(np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels, 2 * side)
    row = Image.new("RGB", (INNER - LABEL, tile.height), PAPER)
    row.paste(tile, (1, 0))
    font, left = load_font(TEXT), tile.width + 16
    room = row.width - left
    draw = ImageDraw.Draw(row)
    middle = tile.height / 2
    draw.text((left, middle - 6), cut_text(exposure.picture, room, font), INK, font, anchor="ld")
    draw.text((left, middle + 6), cut_text(exposure.verdict, room, font), FAINT, font, anchor="la")
    height, width, channels = pixels.shape
    return label_row("input", f"{height}x{width}x{channels}", row)


def label_row(name: str, about: str, row: Image.Image) -> Image.Image:
    """Return a row with its name and a line about it at the left."""
    height = max(row.height, 2 * TEXT + 4)
    image = Image.new("RGB", (LABEL + row.width, height), PAPER)
    draw = ImageDraw.Draw(image)
    text, small = load_font(TEXT), load_font(SMALL)
    draw.text((0, height / 2), cut_text(name, LABEL - 12, text), INK, text, anchor="ld")
    draw.text((0, height / 2 + 2), cut_text(about, LABEL - 12, small), FAINT, small, anchor="la")
    image.paste(row, (LABEL, (height - row.height) // 2))
    return image


def stack(rows: Sequence[Image.Image]) -> Image.Image:
    """Return rows one below the other."""
    gap = 2 * STRIP_GAP
    size = (max(row.width for row in rows), sum(row.height + gap for row in rows) - gap)
    image, top = Image.new("RGB", size, PAPER), 0
    for row in rows:
        image.paste(row, (0, top))
        top += row.height + gap
    return image


def describe_values(layer: Layer, values: Values) -> str:
    """Return shape and peak of a layer in a few signs."""
    shape = "x".join(map(str, layer.shape))
    return f"{shape}, to {format_value(float(np.abs(values).max()))}"


def describe_range(values: Values) -> str:
    """Return the lowest and highest of some values."""
    ends = (float(values.min()), float(values.max()))
    return " to ".join(dict.fromkeys(map(format_value, ends)))


def describe_overview(name: str, exposure: Exposure) -> Heading:
    """Return the heading of the sheet of all layers."""
    what = (
        "What each layer returns for one picture, from the first to the last: some of its feature "
        "maps, or every value of a dense layer as a cell."
    )
    scale = next(iter(exposure.scales.values()))
    if exposure.shared:
        return Heading(f"{name}  feature maps", (what,), scale, f"one {scale.steps} scale for all")
    own = "Each layer has a scale of its own, up to the value that stands below its name."
    return Heading(f"{name}  feature maps", (what, own))


def describe_maps(name: str, layer: Layer, exposure: Exposure) -> Heading:
    """Return the heading of the sheet of one layer."""
    shape = "x".join(map(str, layer.shape))
    kind = "Values" if layer.field is None else "Feature maps"
    lines = [f"{kind} of {exposure.picture}: layer {layer.name} returns {shape}."]
    if layer.field:
        lines.append("Below: the unit's number, its lowest and highest value.")
    scale = exposure.scales[layer.name]
    whose = "all layers' scale" if exposure.shared else "this layer's own scale"
    return Heading(f"{name}  {layer.name}", tuple(lines), scale, f"{whose}, {scale.steps}")
