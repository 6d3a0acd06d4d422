"""The sheet of the first layer's filters, before and after training on one scale."""

import math

import numpy as np
from PIL import Image, ImageDraw

from runner.look.canvas import (
    INK,
    INNER,
    PAPER,
    TEXT,
    Heading,
    compose,
    frame,
    load_font,
    place_grid,
    resize_tile,
)
from runner.look.network import Filters, Values
from runner.look.tones import Scale, format_value

PANEL_GAP = 48
FILTER_GAP = 4
LARGEST_FILTER = 120  # side in pixels
MOST_FILTERS = 1024
TITLES = ("before training", "after training")


def draw_filters(name: str, filters: Filters) -> Image.Image:
    """Return the sheet.

    Args:
        name: of the network.
        filters: of its first layer.
    """
    scale = Scale(filters.limit or 1.0, signed=True)
    panels = [(TITLES[1], filters.after)]
    if filters.before is not None:
        panels.insert(0, (TITLES[0], filters.before))
    width = (INNER - PANEL_GAP * (len(panels) - 1)) // len(panels)
    columns, side = choose_grid(filters.after.shape, width)
    drawn = [
        title_panel(title, place_grid(paint_filters(values, scale, side), columns, FILTER_GAP))
        for title, values in panels
    ]
    return compose(describe_filters(name, filters, scale), place_grid(drawn, 2, PANEL_GAP))


def choose_grid(shape: tuple[int, ...], width: int) -> tuple[int, int]:
    """Return the columns of a grid wider than high, with few empty places, and its tiles' side.

    Args:
        shape: of the filters, ``[K, C, height, width]``.
        width: of the whole grid in pixels.
    """
    count = min(shape[0], MOST_FILTERS)
    usual = math.ceil(math.sqrt(1.5 * count))
    about = range(math.ceil(math.sqrt(count)), math.ceil(math.sqrt(2.5 * count)) + 1)
    columns = min(about, key=lambda number: (-count % number, abs(number - usual)))
    side = min(LARGEST_FILTER, (width + FILTER_GAP) // columns - FILTER_GAP - 2)
    taps = max(shape[2:])
    return columns, max(side // taps * taps, 1) if side >= taps else side


def paint_filters(values: Values, scale: Scale, side: int) -> list[Image.Image]:
    """Return a tile per filter: those of RGB in colour, those of grey in grey; 0 is middle grey."""
    tones = scale.paint(values[:MOST_FILTERS].transpose(0, 2, 3, 1))
    if tones.shape[3] == 1:
        tones = np.repeat(tones, 3, axis=3)
    return [frame(resize_tile(tile, side)) for tile in tones]


def title_panel(title: str, grid: Image.Image) -> Image.Image:
    """Return a grid with its title above it."""
    font, height = load_font(TEXT), round(TEXT * 1.8)
    panel = Image.new("RGB", (grid.width, grid.height + height), PAPER)
    ImageDraw.Draw(panel).text((0, 0), title, INK, font)
    panel.paste(grid, (0, height))
    return panel


def describe_filters(name: str, filters: Filters, scale: Scale) -> Heading:
    """Return the heading of the sheet."""
    count, channels, height, width = filters.after.shape
    color = "a weight per colour" if channels == 3 else "a weight per pixel"
    what = f"{count} filters of {height}x{width}, {color}, row by row."
    if count > MOST_FILTERS:
        what = f"The first {MOST_FILTERS} of {what}"
    return Heading(
        f"{name}  first layer's filters",
        (what, describe_change(filters)),
        scale,
        "one scale for all filters; grey: 0",
    )


def describe_change(filters: Filters) -> str:
    """Return what training did to the filters, in words."""
    change = filters.change
    if filters.before is None:
        return "What they were before training is not known to this file."
    if change is None:
        return "Before training all weights were 0."
    if change == 0:
        return "Training left them as they were: this layer was frozen."
    moved = format_value(change)
    return f"Training moved the weights by {moved} times their size (root mean squares)."
