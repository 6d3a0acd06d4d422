"""The scale from the photo to the optimum, and the cache that keeps it."""

import json
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import quality_optimum
import torch
from quality_grid import Pair, Shown
from quality_optimum import (
    Optimum,
    Ruler,
    fill_cache,
    find_missing,
    follow,
    make_ruler,
    reach_optimum,
)

from models.errors import WeightsError
from models.optimize import PictureObjective, Recipe
from models.style.objective import Weights

OPTIMUM = Optimum(
    {"total": 8.0, "content": 0.0, "style": 0.8}, {"total": 2.0, "content": 0.5, "style": 0.15}
)


def make_shown(name: str, seed: int, height: int = 32, width: int = 32) -> Shown:
    """Return a random picture."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Shown(name, pixels)


PAIR = Pair(make_shown("photo", 1), make_shown("mill", 2, 24, 40))


@pytest.fixture
def ruler(vgg_file: Path, tmp_path: Path) -> Ruler:
    """Return a ruler of two steps with an empty cache."""
    return make_ruler(vgg_file, 2, tmp_path / "cache")


def test_q_is_0_for_the_photo_and_1_for_the_optimum() -> None:
    """The scale's ends are exact, and it is linear between and beyond."""
    assert OPTIMUM.rate(8.0) == 0.0
    assert OPTIMUM.rate(2.0) == 1.0
    assert OPTIMUM.rate(5.0) == 0.5
    assert OPTIMUM.rate(14.0) == -1.0
    assert OPTIMUM.rate(0.5) == 1.25


def test_q_needs_a_scale() -> None:
    """Where optimisation lowered nothing there is no Q."""
    with pytest.raises(ValueError, match=r"optimisation from 8\.0 reached 8\.0"):
        replace(OPTIMUM, best=OPTIMUM.photo).rate(1.0)


def test_optimum_is_what_the_objective_measures(ruler: Ruler) -> None:
    """Both ends are costs of the usual recipe; the best is better than the photo."""
    optimum = reach_optimum(ruler, PAIR)
    photo, painting = PAIR.photo.to_tensor(), PAIR.painting.to_tensor()
    objective = PictureObjective(ruler.open(), Recipe(), content=photo, styles=[painting])
    with torch.no_grad():
        costs = objective.measure(photo).as_floats()
    assert optimum.photo == {name: costs[name] for name in ("total", "content", "style")}
    assert optimum.photo["content"] == 0.0
    assert optimum.best["total"] < optimum.photo["total"]
    weighted = optimum.best["content"] + 10.0 * optimum.best["style"]
    assert optimum.best["total"] == pytest.approx(weighted, rel=1e-5)


def test_bfloat16_leads_as_far_by_another_way(ruler: Ruler) -> None:
    """The costs stay float32 and nearly the same; the place in the cache is the same."""
    ruler = replace(ruler, steps=40)
    exact = reach_optimum(ruler, PAIR)
    quick = replace(ruler, bfloat16=True)
    assert ruler.read(PAIR) == exact
    assert quick.locate(PAIR) == ruler.locate(PAIR)
    assert json.loads(ruler.locate(PAIR).read_text())["bfloat16"] is False
    near = reach_optimum(quick, PAIR)
    assert json.loads(ruler.locate(PAIR).read_text())["bfloat16"] is True
    assert near.photo == exact.photo
    assert near.best != exact.best
    assert exact.rate(near.best["total"]) == pytest.approx(1.0, abs=0.05)


def test_kept_optimum_is_read_back(ruler: Ruler) -> None:
    """Numbers and picture come back as they were."""
    picture = make_shown("painted", 3).pixels
    ruler.write(PAIR, OPTIMUM, picture)
    assert ruler.read(PAIR) == OPTIMUM
    np.testing.assert_array_equal(ruler.read_picture(PAIR), picture)


def test_key_changes_with_every_ingredient(ruler: Ruler) -> None:
    """Photo, painting, size, steps, recipe and VGG each give another file."""
    pixel = PAIR.photo.pixels.copy()
    pixel[0, 0, 0] ^= 1
    turned = PAIR.painting.pixels.reshape(40, 24, 3)  # the same bytes in another shape
    others = [
        ruler.locate(replace(PAIR, photo=Shown("photo", pixel))),
        ruler.locate(replace(PAIR, painting=make_shown("mill", 4, 24, 40))),
        ruler.locate(replace(PAIR, painting=Shown("mill", turned))),
        ruler.locate(replace(PAIR, photo=make_shown("photo", 1, 33, 33))),
        replace(ruler, steps=3).locate(PAIR),
        replace(ruler, digest="0" * 64).locate(PAIR),
        replace(ruler, recipe=Recipe(weights=Weights(1.0, 5.0, 0.0))).locate(PAIR),
        replace(ruler, recipe=Recipe(content_layers=(("relu2_2", 1.0),))).locate(PAIR),
        replace(ruler, recipe=Recipe(style_layers=(("relu2_2", 1.0),))).locate(PAIR),
        replace(ruler, recipe=Recipe(normalization="gatys")).locate(PAIR),
    ]
    assert len({ruler.locate(PAIR), *others}) == 1 + len(others)


def test_key_does_not_change_with_names(ruler: Ruler) -> None:
    """The same pixels under another name are the same pair."""
    renamed = Pair(replace(PAIR.photo, name="other"), replace(PAIR.painting, name="wind"))
    assert ruler.locate(renamed) == ruler.locate(PAIR)


def test_kept_pairs_are_not_missing(ruler: Ruler) -> None:
    """What is kept is not computed again, and what occurs twice is computed once."""
    other = replace(PAIR, painting=make_shown("wind", 5))
    assert find_missing(ruler, [PAIR, other, PAIR]) == [PAIR, other]
    ruler.write(PAIR, OPTIMUM, PAIR.photo.pixels)
    assert find_missing(ruler, [PAIR, other]) == [other]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"photo": {"total": 1}}', '{"photo": 3}'])
def test_damaged_entries_are_missing(ruler: Ruler, text: str) -> None:
    """A file that does not hold both ends is computed again."""
    ruler.write(PAIR, OPTIMUM, PAIR.photo.pixels)
    ruler.locate(PAIR).write_text(text, encoding="utf-8")
    assert find_missing(ruler, [PAIR]) == [PAIR]


def test_entry_without_picture_is_missing(ruler: Ruler) -> None:
    """A number whose picture is gone is computed again."""
    ruler.write(PAIR, OPTIMUM, PAIR.photo.pixels)
    ruler.locate(PAIR).with_suffix(".png").unlink()
    assert find_missing(ruler, [PAIR]) == [PAIR]


def test_processes_fill_the_cache_once(
    ruler: Ruler, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes compute two pairs as one would, say so, and a second call starts none."""
    other = replace(PAIR, painting=make_shown("wind", 5))
    fill_cache(ruler, [PAIR, other], 2)
    said = capsys.readouterr().err
    assert "0 of 2 optima are kept" in said
    assert "2/2 " in said
    kept = ruler.read(PAIR)
    assert kept is not None
    assert kept.best == pytest.approx(reach_optimum(ruler, PAIR).best, rel=1e-4)
    monkeypatch.setattr(quality_optimum, "ProcessPoolExecutor", None)
    fill_cache(ruler, [PAIR, other], 2)
    assert capsys.readouterr().err == "2 of 2 optima are kept\n"


def test_progress_counts_pixels(capsys: pytest.CaptureFixture[str]) -> None:
    """After a quarter of the pixels, three times as long is left."""
    futures: dict[Future[Optimum], Pair] = {}
    for side in (32, 32, 32, 32):
        future: Future[Optimum] = Future()
        future.set_result(OPTIMUM)
        futures[future] = replace(PAIR, photo=make_shown(f"p{len(futures)}", 1, side, side))
    follow(futures, lambda: 120.0)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("; ")[1] for line in lines] == [
        "6 min left",
        "2 min left",
        "1 min left",
        "0 min left",
    ]
    assert lines[0].startswith("1/4 mill p")
    assert "32 px: L(x) 8.000, L* 2.000" in lines[0]


def test_interruption_says_what_is_kept(ruler: Ruler, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the processes and says how to go on."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(quality_optimum, "follow", interrupt)
    with pytest.raises(SystemExit, match=r"interrupted; what is finished is kept in .*cache"):
        fill_cache(ruler, [PAIR], 1)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    """A missing VGG file is named with its remedy before anything is hashed."""
    with pytest.raises(WeightsError, match="no such file; make it with 'impasto weights import'"):
        make_ruler(tmp_path / "none.safetensors", 2, tmp_path)
