"""``impasto look`` on exported networks: what a file says its units see is what they see."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporter.classifiers.export import export_classifier
from exporter.classifiers.settings import ExportSettings
from runner.images import Pixels
from runner.look.layers import Box
from runner.look.network import LayeredNetwork

from .conftest import Draw, draw_bytes

Saved = Callable[[str], Path]
# network -> one layer near its beginning and the deepest one with maps
LAYERS = {
    "lenet5-1998": ("s2", "c3"),
    "simpleconvnet": ("conv1", "pool1"),
    "vgg11-bn": ("conv2_1", "conv5_2"),
}


def keep(pixels: Pixels, box: Box, others: Pixels) -> Pixels:
    """Return ``others`` with the pixels of a box from ``pixels``."""
    rows = slice(max(box.top, 0), max(box.bottom, 0))
    columns = slice(max(box.left, 0), max(box.right, 0))
    kept = others.copy()
    kept[rows, columns] = pixels[rows, columns]
    return kept


def invert(pixels: Pixels, box: Box) -> Pixels:
    """Return a picture whose pixels in a box are inverted."""
    return keep(255 - pixels, box, pixels)


@pytest.mark.parametrize("name", LAYERS)
def test_crops_are_what_exported_units_see(
    name: str, saved: Saved, draw: Draw, tmp_path: Path
) -> None:
    """Outside a crop anything may stand, to 1e-5 of the layer's peak; inside it may not."""
    path = tmp_path / "taps.onnx"
    export_classifier(saved(name), path, ExportSettings(taps=True))
    network = LayeredNetwork(path, "cpu")
    picture = draw_bytes(draw(name), 1)[0]
    noise = np.random.default_rng(2).integers(0, 256, picture.shape, dtype=np.uint8)
    known = {layer.name: layer for layer in network.layers}
    for layer in (known[wanted] for wanted in LAYERS[name]):
        _, height, width = layer.shape
        for row, column in ((0, width - 1), (height // 2, width // 3)):
            box = layer.locate(row * width + column, network.rule.size)
            others = [np.zeros_like(picture), np.full_like(picture, 255), noise]
            changed = [keep(picture, box, other) for other in others]
            pictures = [picture, *changed, invert(picture, box)]
            maps = network.run([layer.name], np.stack(pictures))[0]
            found = maps[:, :, row, column]
            peak = np.abs(maps[0]).max()
            wanted_values = np.broadcast_to(found[0], found[1:4].shape)
            np.testing.assert_allclose(found[1:4], wanted_values, rtol=0, atol=1e-5 * peak)
            assert np.abs(found[4] - found[0]).max() > 1e-3 * peak


def test_filters_of_an_exported_network(saved: Saved, draw: Draw, tmp_path: Path) -> None:
    """They are the checkpoint's, before and after training, and how far they moved is told."""
    checkpoint, path = draw("lenet5"), tmp_path / "taps.onnx"
    export_classifier(saved("lenet5"), path, ExportSettings(taps=True))
    filters = LayeredNetwork(path, "cpu").read_filters()
    assert filters is not None
    after = checkpoint.net["features.conv1.weight"].numpy()
    np.testing.assert_array_equal(filters.after, after)
    assert filters.limit == np.abs(after).max()  # after is 1.5 times before
    assert filters.change == pytest.approx(0.5, rel=1e-6)
