"""What is drawn: patches to the pixel, filters in their colours, maps on one scale."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from runner.classify.rules import InputRule
from runner.errors import PictureError
from runner.look.canvas import (
    OUTSIDE,
    WIDTH,
    Heading,
    compose,
    cut_text,
    load_font,
    measure_tile,
    resize_tile,
    wrap,
)
from runner.look.filters import choose_grid, describe_change, draw_filters, paint_filters
from runner.look.layers import Box, Layer
from runner.look.maps import Exposure, choose_scales, draw_dense, draw_maps, draw_overview
from runner.look.network import Filters, LayeredNetwork, Values
from runner.look.patches import cut, describe_peak, draw_block, draw_patches
from runner.look.search import Excitement, Patch
from runner.look.tones import Scale

from .conftest import square

Open = Callable[[str], LayeredNetwork]
PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)


def fill(value: float) -> Values:
    """Return one filter of equal weights."""
    return np.full((1, 1, 2, 2), value, np.float32)


def test_crops_hold_the_input_s_bytes() -> None:
    """Inside the picture a crop is the picture."""
    np.testing.assert_array_equal(cut(PIXELS, Box(1, 2, 3, 5)), PIXELS[1:3, 2:5])
    grey = cut(PIXELS[:, :, :1], Box(0, 0, 4, 5))
    np.testing.assert_array_equal(grey, np.repeat(PIXELS[:, :, :1], 3, axis=2))


@pytest.mark.parametrize(
    "box",
    [Box(-2, -1, 2, 3), Box(3, 4, 6, 9), Box(-3, -3, 9, 9), Box(-5, 0, -1, 5), Box(9, 9, 12, 12)],
)
def test_crops_show_padding_where_the_picture_ends(box: Box) -> None:
    """Each pixel of a crop is the picture's, or neutral where there is no picture."""
    patch = cut(PIXELS, box)
    assert patch.shape == (box.bottom - box.top, box.right - box.left, 3)
    for row in range(patch.shape[0]):
        for column in range(patch.shape[1]):
            y, x = box.top + row, box.left + column
            wanted = PIXELS[y, x] if 0 <= y < 4 and 0 <= x < 5 else OUTSIDE
            assert tuple(patch[row, column]) == tuple(wanted)


@pytest.mark.parametrize(
    ("size", "drawn"),
    [((7, 7), (77, 77)), ((40, 40), (80, 80)), ((60, 60), (80, 80)), ((212, 106), (80, 40))],
)
def test_tiles_are_whole_multiples_where_these_fill_them(
    size: tuple[int, int], drawn: tuple[int, int]
) -> None:
    """Small crops have square pixels, larger ones fill the tile; the aspect stays."""
    assert measure_tile(size, 80) == drawn


def test_small_tiles_keep_their_pixels() -> None:
    """Enlarged by a whole number, each pixel is a square of one colour."""
    tile = np.asarray(resize_tile(PIXELS, 40))
    np.testing.assert_array_equal(tile, PIXELS.repeat(8, axis=0).repeat(8, axis=1))


def test_filters_share_one_scale() -> None:
    """The largest weight before or after is white (or black), 0 is grey, RGB stays in colour."""
    before = np.zeros((2, 3, 1, 1), np.float32)
    after = np.array([[4, 0, -4], [2, 2, 2]], np.float32).reshape(2, 3, 1, 1)
    filters = Filters(after, before)
    assert filters.limit == 4
    tiles = paint_filters(after, Scale(filters.limit, signed=True), 1)
    assert tiles[0].getpixel((1, 1)) == (255, 128, 0)
    assert tiles[1].getpixel((1, 1)) == (191, 191, 191)
    assert paint_filters(before, Scale(4, signed=True), 1)[0].getpixel((1, 1)) == (128,) * 3


def test_grey_filters_are_grey() -> None:
    """One channel is shown in three equal ones."""
    tile = paint_filters(np.ones((1, 1, 1, 1), np.float32), Scale(2, signed=True), 1)[0]
    assert tile.mode == "RGB"
    assert tile.getpixel((1, 1)) == (191, 191, 191)


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        (Filters(fill(1)), "not known to this file"),
        (Filters(fill(1), fill(1)), "this layer was frozen"),
        (Filters(fill(3), fill(0)), "all weights were 0"),
        (Filters(fill(-3), fill(2)), "by 2.5 times their size"),
    ],
)
def test_sheets_say_what_training_did(filters: Filters, words: str) -> None:
    """Unknown, frozen, begun at nothing, or moved by a multiple of what there was."""
    assert words in describe_change(filters)


@pytest.mark.parametrize(("count", "columns"), [(6, 3), (30, 6), (64, 8), (96, 12), (1, 1)])
def test_filters_fill_their_grid(count: int, columns: int) -> None:
    """The published networks leave no ragged last row."""
    assert choose_grid((count, 3, 5, 5), 752)[0] == columns


@pytest.mark.parametrize("count", [1, 6, 64, 96, 1500])
@pytest.mark.parametrize("known", [True, False])
def test_filter_sheets_fit_a_slide(count: int, known: bool) -> None:  # noqa: FBT001
    """However many filters there are, the sheet is no wider than others."""
    weights = np.random.default_rng(0).normal(size=(count, 3, 3, 3)).astype(np.float32)
    sheet = draw_filters("net", Filters(weights, weights.copy() if known else None))
    assert sheet.width <= WIDTH


def make_excitement(*values: float, picture: str = "a.png") -> Excitement:
    """Return what excited a unit with as many patches as values."""
    patches = tuple(Patch(picture, value, (0, 0), Box(-1, -1, 2, 2)) for value in values)
    return Excitement(7, 0, max(values, default=0), len(values), patches)


def test_few_patches_leave_places_empty() -> None:
    """A unit that two pictures excite shows two patches, not nine."""
    red = Image.new("RGB", (10, 10), (200, 0, 0))
    block = draw_block(make_excitement(2, 1), {(7, 0): red, (7, 1): red}, (10, 10))
    colors = block.getcolors() or []
    assert {color: count for count, color in colors}[(200, 0, 0)] == 200


def test_silent_units_say_so() -> None:
    """No arbitrary patches are drawn; the words differ from those of a constant unit."""
    silent = draw_block(make_excitement(), {}, (40, 40))
    constant = draw_block(Excitement(7, 5, 5, 3, ()), {}, (40, 40))
    assert silent.size == constant.size
    assert silent.tobytes() != constant.tobytes()
    assert describe_peak(make_excitement()) == "0"
    assert describe_peak(make_excitement(2, 1)) == "1 to 2"


def test_patches_that_vanish_are_told(tmp_path: Path) -> None:
    """A file that is gone when its patch is cut is named."""
    layer = Layer("conv", "conv", (8, 4, 4), square(3, 1, -1))
    gone = make_excitement(1, picture=str(tmp_path / "gone.png"))
    with pytest.raises(PictureError, match=r"gone\.png: no such file; it could be read a moment"):
        draw_patches("net", layer, [gone], InputRule((4, 4)), 1)


def expose(network: LayeredNetwork, *, shared: bool) -> Exposure:
    """Return what a network makes of noise."""
    shape = (*network.rule.size, network.rule.channels)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    names = [layer.name for layer in network.layers]
    found = network.run(names, pixels[None])
    values = {name: array[0] for name, array in zip(names, found, strict=True)}
    scales = choose_scales(values, shared=shared)
    return Exposure("noise.png", pixels, values, "taken for noise", scales, shared=shared)


@pytest.mark.parametrize("name", ["vgg", "grey", "strided", "lenet5"])
@pytest.mark.parametrize("shared", [True, False])
def test_map_sheets_fit_a_slide(
    name: str,
    shared: bool,  # noqa: FBT001
    open_network: Open,
) -> None:
    """The sheet of all layers and those of each are no wider than others."""
    network = open_network(name)
    exposure = expose(network, shared=shared)
    units = {layer.name: range(min(4, layer.units)) for layer in network.layers}
    assert draw_overview("net", network.layers, units, exposure).width <= WIDTH
    for layer in network.layers:
        assert draw_maps("net", layer, units[layer.name], exposure).width <= WIDTH


def test_shared_scales_are_one(open_network: Open) -> None:
    """A value has the same grey in every layer, unless each was to have its own scale."""
    network = open_network("vgg")
    together = expose(network, shared=True)
    assert len(set(together.scales.values())) == 1
    peak = max(float(values.max()) for values in together.values.values())
    assert together.scales["fc1"].limit == peak
    apart = expose(network, shared=False)
    for name, scale in apart.scales.items():
        assert scale.limit == float(apart.values[name].max())


@pytest.mark.parametrize(("count", "height"), [(10, 26), (84, 20), (4096, 9 * 27 + 2)])
def test_dense_layers_are_cells(count: int, height: int) -> None:
    """Every value has a cell of its own grey, in as many rows as it takes."""
    values = np.linspace(0, 1, count, dtype=np.float32)
    strip = np.asarray(draw_dense(values, Scale(1), 1400))
    assert strip.shape[0] == height
    assert strip.shape[1] <= 1400
    greys = {int(grey) for grey in Scale(1).paint(values)}
    assert greys <= {int(grey) for grey in strip[1:-1, 1:-1, 0].ravel()}


def test_headings_are_wrapped_and_cut() -> None:
    """Long names of networks, layers and files neither widen a sheet nor reach a terminal raw."""
    body = Image.new("RGB", (400, 100))
    sheet = compose(Heading("n" * 5000, ("word " * 200, "x" * 5000), Scale(1), "y" * 500), body)
    assert sheet.width < WIDTH
    font = load_font(17)
    assert all(font.getlength(line) <= 300 for line in wrap("ab " * 100 + "c" * 900, 300, font))
    assert cut_text("short", 300, font) == "short"
    assert "\x1b" not in cut_text("\x1b[31m", 300, font)
