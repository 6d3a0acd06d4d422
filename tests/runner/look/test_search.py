"""The nine best pictures per unit: analytic values, ties, silence, and a real network."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from runner.classify.decoding import decode_job
from runner.classify.jobs import make_job
from runner.errors import PictureError
from runner.images import Pixels
from runner.inputs import list_pictures
from runner.look.layers import Box, Layer
from runner.look.network import LayeredNetwork, Values
from runner.look.search import KEPT, Ranking, Seen, add_batch, rank_pictures
from runner.report import Report

from .conftest import square

LAYER = Layer("conv", "conv", (3, 2, 2), square(3, 2, -1))
DENSE = Layer("fc", "fc", (2,), None)
NAMES = [f"{number}.png" for number in range(40)]


def make_maps(*peaks: float) -> Values:
    """Return maps of pictures whose first unit reaches a peak at row 1, column 0."""
    maps = np.zeros((len(peaks), 3, 2, 2), np.float32)
    maps[:, 0, 1, 0] = peaks
    maps[:, 1] = -1
    maps[:, 2] = 7
    return maps


def rank(ranking: Ranking, maps: Values, step: int) -> None:
    """Add maps some at a time."""
    for first in range(0, len(maps), step):
        part = maps[first : first + step]
        ranking.add(part, np.arange(first, first + len(part)))


@pytest.mark.parametrize("step", [1, 3, 40])
def test_the_nine_largest_are_kept(step: int) -> None:
    """They come in falling order with file, position and box, however they are batched."""
    ranking = Ranking(LAYER)
    peaks = np.random.default_rng(0).permutation(40).astype(float)
    rank(ranking, make_maps(*peaks), step)
    found = ranking.describe(0, NAMES, (8, 8))
    assert [patch.activation for patch in found.patches] == [39, 38, 37, 36, 35, 34, 33, 32, 31]
    wanted = [f"{np.flatnonzero(peaks == value)[0]}.png" for value in range(39, 30, -1)]
    assert [patch.picture for patch in found.patches] == wanted
    assert {(patch.position, patch.box) for patch in found.patches} == {((1, 0), Box(1, -1, 4, 2))}
    assert (found.unit, found.lowest, found.highest, found.active) == (0, 0, 39, 39)


@pytest.mark.parametrize("step", [1, 7])
def test_of_equal_ones_the_first_are_kept(step: int) -> None:
    """Ties are decided by the order of the pictures, and within one by the order of rows."""
    ranking = Ranking(LAYER)
    maps = make_maps(*[5.0] * 20)
    maps[:, 0, 1, 1] = 5
    rank(ranking, maps, step)
    found = ranking.describe(0, NAMES, (8, 8))
    assert [patch.picture for patch in found.patches] == NAMES[:9]
    assert {patch.position for patch in found.patches} == {(1, 0)}


def test_silent_and_constant_units_have_no_patches() -> None:
    """A unit below 0 everywhere, or with one value everywhere, is not excited by anything."""
    ranking = Ranking(LAYER)
    rank(ranking, make_maps(1, 2, 0, 3), 4)
    assert ranking.describe(1, NAMES, (8, 8)).patches == ()
    assert ranking.describe(2, NAMES, (8, 8)).patches == ()
    assert ranking.describe(2, NAMES, (8, 8)).highest == 7
    silent_in_one = ranking.describe(0, NAMES, (8, 8))
    assert [patch.picture for patch in silent_in_one.patches] == ["3.png", "1.png", "0.png"]
    assert silent_in_one.active == 3


def test_strongest_units_are_chosen() -> None:
    """Those whose nine best pictures excite them most, in rising order; silent ones come last."""
    ranking = Ranking(Layer("fc", "fc", (4,), None))
    ranking.add(np.array([[-9, 5, 1, 0], [-9, 5, 30, 9], [-9, 5, 0, 9]], np.float32), np.arange(3))
    assert ranking.choose_units(1) == (2,)  # 31; the others 0, 15, 18
    assert ranking.choose_units(2) == (2, 3)
    assert ranking.choose_units(3) == (1, 2, 3)
    assert ranking.choose_units(9) == (0, 1, 2, 3)


def test_dense_units_are_excited_by_whole_pictures() -> None:
    """There is no position, and the box is the network's input."""
    ranking = Ranking(DENSE)
    ranking.add(np.array([[1, 5], [2, 4]], np.float32), np.array([3, 8]))
    (first, second) = ranking.describe(0, NAMES, (8, 6)).patches
    assert (first.picture, second.picture) == ("8.png", "3.png")
    assert (first.position, first.box) == (None, Box(0, 0, 8, 6))


def test_patches_keep_their_activation_alone(
    open_network: Callable[[str], LayeredNetwork], scenes: Path
) -> None:
    """A found patch among grey has the activation that it had in its picture, to 1e-5."""
    network = open_network("vgg")
    layer = network.layers[4]
    sources = list_pictures(scenes, recursive=False)
    jobs = [make_job(source) for source in sources]
    ranking = rank_pictures(network, jobs, [layer], Report(len(jobs), "seen"))[layer.name]
    checked = 0
    for unit in range(layer.units):
        for patch in ranking.describe(unit, sources, network.rule.size).patches:
            pixels = decode_job(make_job(patch.picture), network.rule)
            alone = np.full_like(pixels, 128)
            box, position = patch.box, patch.position or (0, 0)
            rows = slice(max(box.top, 0), max(box.bottom, 0))
            columns = slice(max(box.left, 0), max(box.right, 0))
            alone[rows, columns] = pixels[rows, columns]
            found = network.run([layer.name], alone[None])[0][0, unit][position]
            assert abs(found - patch.activation) <= 1e-5 * ranking.highest.max()
            checked += 1
    assert checked >= KEPT


def test_broken_pictures_cost_no_other(
    open_network: Callable[[str], LayeredNetwork], scenes: Path
) -> None:
    """They are counted as failed, and the numbers of the others stay right."""
    (scenes / "00.png").write_text("no picture")
    (scenes / "05.png").write_bytes(b"")
    network = open_network("vgg")
    sources = list_pictures(scenes, recursive=False)
    report = Report[Seen](len(sources), "seen")
    jobs = [make_job(source) for source in sources]
    ranking = rank_pictures(network, jobs, network.layers[:1], report)["conv1_1"]
    assert report.counts == {"ok": 10, "failed": 2, "skipped": 0}
    seen = {number for row in ranking.pictures for number in row if number >= 0}
    assert seen <= set(range(12)) - {0, 5}
    best = ranking.describe(0, sources, (24, 24)).patches[0]
    pixels = decode_job(make_job(best.picture), network.rule)
    maps = network.run(["conv1_1"], pixels[None])[0][0, 0]
    np.testing.assert_allclose(maps.max(), best.activation, rtol=1e-5)


def spoil(network: LayeredNetwork, level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a network return infinity for pictures whose first byte is ``level``."""
    run = network.run

    def spoiled(names: Sequence[str], pixels: Pixels) -> list[Values]:
        bad = (pixels[:, 0, 0, 0] == level)[:, None, None, None]
        return [np.where(bad, np.float32(np.inf), values) for values in run(names, pixels)]

    monkeypatch.setattr(network, "run", spoiled)


def test_a_batch_is_ranked_whole_or_not_at_all(
    open_network: Callable[[str], LayeredNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one picture of it fails, the ranking is as before, so that it can be tried again."""
    network = open_network("vgg")
    spoil(network, 3, monkeypatch)
    pixels = np.full((2, 24, 24, 3), 90, np.uint8)
    pixels[1, 0, 0] = 3
    rankings = {layer.name: Ranking(layer) for layer in network.layers[:2]}
    with pytest.raises(PictureError, match="layer conv1_1 returns values that are no numbers"):
        add_batch(network, rankings, pixels, np.arange(2))
    assert all(np.isinf(ranking.highest).all() for ranking in rankings.values())


def test_values_that_are_no_numbers_fail_their_picture(
    open_network: Callable[[str], LayeredNetwork], scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other pictures of the batch are ranked, each once."""
    network = open_network("vgg")
    sources = list_pictures(scenes, recursive=False)
    jobs = [make_job(source) for source in sources]
    spoil(network, int(decode_job(jobs[4], network.rule)[0, 0, 0]), monkeypatch)
    report = Report[Seen](len(jobs), "seen")
    ranking = rank_pictures(network, jobs, network.layers[:1], report)["conv1_1"]
    failed = report.counts["failed"]
    assert 1 <= failed < len(jobs)
    assert ranking.active.max() == len(jobs) - failed
    assert 4 not in ranking.pictures
