"""What becomes of prepared pictures: a ranking each, or why there is none."""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from runner.classify.decoding import Prepared
from runner.classify.predictions import Ranking
from runner.errors import explain
from runner.images import Pixels

Source = TypeVar("Source")
Predict = Callable[[Pixels], list[Ranking]]


class Outcome(NamedTuple, Generic[Source]):
    """What became of one picture: its ranking, or why there is none; see :class:`Row`."""

    source: Source
    ranking: Ranking = ()
    fault: str = ""


def conclude(
    sources: Sequence[Source], prepared: Prepared, predict: Predict
) -> list[Outcome[Source]]:
    """Classify prepared pictures in one run; return an outcome per source, in order.

    Args:
        sources: the pictures.
        prepared: their pixels and faults.
        predict: uint8 ``[N, H, W, C]`` -> a ranking per picture.
    """
    rankings = iter(rank_each(prepared.pixels, predict))
    outcomes = []
    for source, fault in zip(sources, prepared.faults, strict=True):
        found = fault or next(rankings)
        if isinstance(found, str):
            outcomes.append(Outcome(source, (), found))
        else:
            outcomes.append(Outcome(source, found))
    return outcomes


def rank_each(pixels: Pixels, predict: Predict) -> Sequence[Ranking | str]:
    """Classify a batch; where that fails, each picture alone, so that it fails alone."""
    if not len(pixels):
        return []
    try:
        return predict(pixels)
    except Exception as error:  # noqa: BLE001 - whatever happens to one, the others go on
        if len(pixels) == 1:
            return [explain(error)]
    return [found for picture in pixels for found in rank_each(picture[None], predict)]
