"""Scores of networks on a grid of photos and paintings, and their means."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import fmean, geometric_mean
from typing import Any

import torch
from quality_grid import Grid, Pair, Pixels, Shown, as_tensor
from quality_networks import PaintingNetwork
from quality_optimum import Optimum, Ruler
from quality_signals import measure_blotches, measure_flicker, measure_lattice

from models.optimize import PictureObjective

PHOTO, OPTIMUM = "the photo itself", "L*"  # both ends of the scale, as rows of the report


@dataclass(frozen=True)
class Signals:
    """What stands beside Q; see :mod:`quality_signals`.

    Attributes:
        lattice_2_db: energy at a period of 2 px above its surroundings, less the photo's own.
        lattice_4_db: the same at 4 px.
        blotches: share of saturated blotches, 0 to 1.
        by_shift: change of the output when the photo moves by 1 px, against the photo's.
        by_noise: change of the output under noise of 2 grey levels, against the photo's.
    """

    lattice_2_db: float
    lattice_4_db: float
    blotches: float
    by_shift: float
    by_noise: float


@dataclass(frozen=True)
class Score:
    """One painted photo, measured.

    Attributes:
        network: which painted it.
        painting: in whose style.
        photo: which photo.
        size: its side in pixels.
        q: 0 as the photo itself, 1 as the optimisation's picture.
        ratio: L / L*, 1 as the optimisation's picture.
        total: content + 10 style.
        content: relative, unweighted.
        style: relative, unweighted, mean over layers.
        signals: None where they were not measured.
    """

    network: str
    painting: str
    photo: str
    size: int
    q: float
    ratio: float
    total: float
    content: float
    style: float
    signals: Signals | None = None


Painted = tuple[Score, Pixels]


def score_grid(
    grid: Grid, networks: Sequence[PaintingNetwork], ruler: Ruler, *, signals: bool
) -> Iterator[Painted]:
    """Paint and measure every pair of the grid with every network that knows the painting.

    Args:
        grid: whose optima are all kept.
        networks: to measure.
        ruler: measures costs.
        signals: measure what stands beside Q too.

    Yields:
        A score and the painted picture, uint8 ``[H, W, 3]``; painting by painting.
    """
    for painting in grid.paintings:
        knowing = [network for network in networks if painting.name in network.styles]
        photos = torch.cat([photo.to_tensor() for photo in grid.photos])
        objective = PictureObjective(
            ruler.open(), ruler.recipe, content=photos, styles=[painting.to_tensor()]
        )
        for number, photo in enumerate(grid.photos):
            pair = Pair(photo, painting)
            optimum = find_optimum(ruler, pair)
            for network in knowing:
                painted = network.paint(photo.pixels, painting.name)
                with torch.no_grad():
                    costs = objective.measure(as_tensor(painted), photo=number).as_floats()
                beside = measure_signals(network, pair, painted) if signals else None
                yield make_score(network.name, pair, optimum, costs, beside), painted


def score_ends(grid: Grid, ruler: Ruler) -> list[Score]:
    """Return the scores of the photos themselves, which are 0, and of the optima, which are 1."""
    scores = []
    for pair in grid.list_pairs():
        optimum = find_optimum(ruler, pair)
        scores += [
            make_score(PHOTO, pair, optimum, optimum.photo),
            make_score(OPTIMUM, pair, optimum, optimum.best),
        ]
    return scores


def find_optimum(ruler: Ruler, pair: Pair) -> Optimum:
    """Return what is kept of a pair.

    Raises:
        SystemExit: nothing is, any more.
    """
    optimum = ruler.read(pair)
    if optimum is None:
        message = f"{ruler.locate(pair)} has vanished; run it again"
        raise SystemExit(message)
    return optimum


def make_score(
    network: str,
    pair: Pair,
    optimum: Optimum,
    costs: Mapping[str, float],
    signals: Signals | None = None,
) -> Score:
    """Put a score together.

    Raises:
        SystemExit: the optimisation did not lower the photo's cost, so that there is no Q.
    """
    try:
        q = optimum.rate(costs["total"])
    except ValueError as error:
        message = f"{pair.label}: no scale for Q, {error}; leave out this photo or painting"
        raise SystemExit(message) from None
    return Score(
        network=network,
        painting=pair.painting.name,
        photo=pair.photo.name,
        size=pair.photo.pixels.shape[0],
        q=q,
        ratio=costs["total"] / optimum.best["total"],
        total=costs["total"],
        content=costs["content"],
        style=costs["style"],
        signals=signals,
    )


def measure_signals(network: PaintingNetwork, pair: Pair, painted: Pixels) -> Signals:
    """Measure what stands beside Q; this paints the photo twice more."""
    photo = pair.photo.pixels
    paint = partial(network.paint, style=pair.painting.name)
    by_shift, by_noise = measure_flicker(paint, photo, painted)
    return Signals(
        lattice_2_db=measure_lattice(painted, 2) - measure_lattice(photo, 2),
        lattice_4_db=measure_lattice(painted, 4) - measure_lattice(photo, 4),
        blotches=measure_blotches(painted),
        by_shift=by_shift,
        by_noise=by_noise,
    )


def summarize(scores: Sequence[Score]) -> dict[str, Any]:
    """Return mean and worst Q, the mean (geometric) L / L* and costs of one network's scores."""
    worst = min(scores, key=lambda score: score.q)
    return {
        "network": scores[0].network,
        "pairs": len(scores),
        "q_mean": fmean(score.q for score in scores),
        "q_worst": worst.q,
        "ratio": geometric_mean(score.ratio for score in scores),
        "worst": {"painting": worst.painting, "photo": worst.photo},
        **{name: fmean(getattr(s, name) for s in scores) for name in ("content", "style", "total")},
    }


def summarize_signals(scores: Sequence[Score], paintings: Sequence[Shown]) -> dict[str, Any]:
    """Return the means of what stands beside Q, and the blotches of the paintings themselves."""
    measured = [asdict(score.signals) for score in scores if score.signals]
    own = {painting.name: measure_blotches(painting.pixels) for painting in paintings}
    return {
        "network": scores[0].network,
        **{name: fmean(signals[name] for signals in measured) for name in measured[0]},
        "blotches_of_paintings": fmean(own[score.painting] for score in scores),
    }


def group(scores: Sequence[Score]) -> dict[str, list[Score]]:
    """Return the scores of every network, in the order of their first appearance."""
    found: dict[str, list[Score]] = {}
    for score in scores:
        found.setdefault(score.network, []).append(score)
    return found


def find_common(networks: Sequence[PaintingNetwork], names: Sequence[str]) -> list[str]:
    """Return the paintings that all networks know, in the order of ``names``."""
    return [name for name in names if all(name in network.styles for network in networks)]
