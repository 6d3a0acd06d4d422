"""Crops are exactly what units see: nothing outside matters, and nothing inside is left out."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from runner.images import Pixels
from runner.look.layers import Box, Layer
from runner.look.network import LayeredNetwork

from .conftest import LENET5, SIMPLECONVNET, STRIDED, VGG

Open = Callable[[str], LayeredNetwork]
CASES = [
    (name, step.name)
    for name, steps in (
        ("vgg", VGG), ("grey", VGG), ("strided", STRIDED), ("lenet5", LENET5),
        ("simpleconvnet", SIMPLECONVNET),
    )
    for step in steps
    if step.field
]  # fmt: skip


def draw(network: LayeredNetwork, seed: int = 0) -> Pixels:
    """Return a prepared picture of noise."""
    shape = (*network.rule.size, network.rule.channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def find_layer(network: LayeredNetwork, name: str) -> Layer:
    """Return a layer by its name."""
    return next(layer for layer in network.layers if layer.name == name)


def list_positions(layer: Layer) -> list[tuple[int, int]]:
    """Return the corners, the middle of an edge, and the middle of a feature map."""
    _, height, width = layer.shape
    rows, columns = (0, height // 2, height - 1), (0, width // 2, width - 1)
    return sorted({(row, column) for row in rows for column in columns})


def mark(box: Box, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pixels lie inside a box, ``[H, W, 1]``."""
    inside = np.zeros((*size, 1), bool)
    inside[max(box.top, 0) : max(box.bottom, 0), max(box.left, 0) : max(box.right, 0)] = True
    return inside


def ask(network: LayeredNetwork, layer: Layer, pixels: list[Pixels]) -> NDArray[np.float32]:
    """Return what a layer makes of pictures, ``[N, C, H, W]``."""
    return network.run([layer.name], np.stack(pixels))[0]


@pytest.mark.parametrize(("name", "layer_name"), CASES)
def test_nothing_outside_the_crop_matters(name: str, layer_name: str, open_network: Open) -> None:
    """Noise and both extremes in place of every other pixel leave all units as they were."""
    network = open_network(name)
    layer, picture = find_layer(network, layer_name), draw(network)
    replacements = [draw(network, 1), np.zeros_like(picture), np.full_like(picture, 255)]
    usual = ask(network, layer, [picture])[0]
    for row, column in list_positions(layer):
        place = row * layer.shape[2] + column
        inside = mark(layer.locate(place, network.rule.size), network.rule.size)
        changed = [np.where(inside, picture, other) for other in replacements]
        found = ask(network, layer, changed)[:, :, row, column]
        tolerance = 1e-5 * np.abs(usual).max()
        np.testing.assert_allclose(
            found, np.broadcast_to(usual[:, row, column], found.shape), rtol=0, atol=tolerance
        )


@pytest.mark.parametrize(("name", "layer_name"), CASES)
def test_the_outermost_pixels_of_the_crop_matter(
    name: str, layer_name: str, open_network: Open
) -> None:
    """Each edge of a crop is seen by some unit of the layer: a smaller box would not do."""
    network = open_network(name)
    layer = find_layer(network, layer_name)
    height, width = network.rule.size
    row, column = layer.shape[1] // 2, layer.shape[2] // 2
    box = layer.locate(row * layer.shape[2] + column, network.rule.size)
    edges = [
        box._replace(bottom=box.top + 1), box._replace(top=box.bottom - 1),
        box._replace(right=box.left + 1), box._replace(left=box.right - 1),
    ]  # fmt: skip
    seen = [edge for edge in edges if mark(edge, (height, width)).any()]
    assert seen
    pictures = [draw(network, seed) for seed in range(20)]
    usual = ask(network, layer, pictures)[:, :, row, column]
    for edge in seen:
        inside = mark(edge, (height, width))
        changed = [np.where(inside, 255 - picture, picture) for picture in pictures]
        found = ask(network, layer, changed)[:, :, row, column]
        assert np.abs(found - usual).max() > 1e-4 * np.abs(usual).max()


def test_a_box_that_is_one_pixel_off_is_found_out(open_network: Open) -> None:
    """The comparison above can fail: moved by a pixel, a crop misses what a unit sees."""
    network = open_network("vgg")
    layer, picture = find_layer(network, "conv2_2"), draw(network)
    box = layer.locate(6 * 12 + 6, network.rule.size)
    moved = Box(box.top + 1, box.left, box.bottom + 1, box.right)
    changed = np.where(mark(moved, network.rule.size), picture, draw(network, 1))
    usual, found = ask(network, layer, [picture, changed])[:, :, 6, 6]
    assert np.abs(found - usual).max() > 1e-5 * np.abs(usual).max()


def test_dense_layers_see_the_whole_picture(open_network: Open) -> None:
    """Their box is the network's input, and they have no position."""
    layer = find_layer(open_network("vgg"), "fc1")
    assert layer.locate(0, (24, 24)) == Box(0, 0, 24, 24)
    assert layer.find_position(0) is None
