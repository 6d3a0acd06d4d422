"""The nine pictures of a folder that excite each unit most, and where in them."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runner.classify.decoding import Prepared, decode_jobs
from runner.classify.jobs import Job
from runner.classify.rules import InputRule
from runner.errors import PictureError
from runner.images import Pixels
from runner.look.layers import Box, Layer, Pair
from runner.look.network import LayeredNetwork, Values
from runner.report import Report

KEPT = 9
AHEAD = 2  # batches that are decoded while one is run


@dataclass(frozen=True)
class Seen:
    """One picture that was looked at; a row of the report."""

    input: str
    error: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """``ok`` or ``failed``."""
        return "failed" if self.error else "ok"


@dataclass(frozen=True)
class Patch:
    """Where a unit was excited.

    Attributes:
        picture: the file.
        activation: of the unit, above 0.
        position: row and column in the unit's feature map; None for a dense layer.
        box: what the unit sees there, in the network's input.
    """

    picture: str
    activation: float
    position: Pair | None
    box: Box


@dataclass(frozen=True)
class Excitement:
    """What excited one unit.

    Attributes:
        unit: number of the feature map, or of the value of a dense layer.
        lowest: activation in all pictures, at all positions.
        highest: the same at the other end.
        active: pictures in which the unit was above 0 somewhere.
        patches: at most nine, the most exciting first, one per picture; none for a unit that
            never was above 0 or always had one value.
    """

    unit: int
    lowest: float
    highest: float
    active: int
    patches: tuple[Patch, ...]


class Ranking:
    """The nine best pictures per unit of a layer, as they come by; of equal ones the first.

    Of a picture only the first of the best positions counts, so that nine pictures are shown
    and not nine neighbours.

    Args:
        layer: whose units are ranked.
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        units = layer.units
        self.activations = np.full((units, KEPT), -np.inf, np.float32)
        self.pictures = np.full((units, KEPT), -1, np.int64)
        self.places = np.zeros((units, KEPT), np.int64)
        self.lowest = np.full(units, np.inf, np.float32)
        self.highest = np.full(units, -np.inf, np.float32)
        self.active = np.zeros(units, np.int64)

    def add(self, values: Values, numbers: NDArray[np.int64]) -> None:
        """Take pictures into account.

        Args:
            values: what the layer returned, finite, ``[N, C, H, W]`` or ``[N, F]``.
            numbers: of the pictures, rising.
        """
        flat = values.reshape(len(values), self.layer.units, -1)
        places = flat.argmax(axis=2)
        best = np.take_along_axis(flat, places[:, :, None], axis=2)[:, :, 0]
        self.lowest = np.minimum(self.lowest, flat.min(axis=(0, 2)))
        self.highest = np.maximum(self.highest, best.max(axis=0))
        self.active += (best > 0).sum(axis=0)
        activations = np.concatenate([self.activations, best.T], axis=1)
        # stable: among equals those that came first stay
        order = np.argsort(-activations, axis=1, kind="stable")[:, :KEPT]
        repeated = np.broadcast_to(numbers, (self.layer.units, len(numbers)))
        columns = [(self.pictures, repeated), (self.places, places.T)]
        joined = [np.concatenate(pair, axis=1) for pair in columns]
        self.activations = np.take_along_axis(activations, order, axis=1)
        self.pictures, self.places = (np.take_along_axis(rows, order, axis=1) for rows in joined)

    def choose_units(self, count: int) -> tuple[int, ...]:
        """Return the ``count`` units that their nine best pictures excite most, rising.

        Activations below 0 count as 0; of equal units the first are taken.
        """
        totals = np.maximum(self.activations, 0).sum(axis=1, dtype=np.float64)
        strongest = np.argsort(-totals, kind="stable")[:count]
        return tuple(sorted(int(unit) for unit in strongest))

    def describe(self, unit: int, sources: Sequence[str], size: Pair) -> Excitement:
        """Return what excited one unit.

        Args:
            unit: of the layer.
            sources: the files, by number.
            size: of the network's input.
        """
        lowest, highest = float(self.lowest[unit]), float(self.highest[unit])
        rows = zip(self.activations[unit], self.pictures[unit], self.places[unit], strict=True)
        patches = tuple(
            Patch(
                picture=sources[picture],
                activation=float(activation),
                position=self.layer.find_position(int(place)),
                box=self.layer.locate(int(place), size),
            )
            for activation, picture, place in rows
            if activation > 0 and lowest < highest
        )
        return Excitement(unit, lowest, highest, int(self.active[unit]), patches)


def rank_pictures(
    network: LayeredNetwork, jobs: Sequence[Job], layers: Sequence[Layer], report: Report[Seen]
) -> dict[str, Ranking]:
    """Show a network every picture and rank them per unit; memory does not grow with the folder.

    Args:
        network: open.
        jobs: the pictures.
        layers: whose units are ranked.
        report: is told of every picture.

    Returns:
        Per layer's name its ranking, whose numbers count through ``jobs``.
    """
    rankings = {layer.name: Ranking(layer) for layer in layers}
    for first, prepared in read_batches(jobs, network.rule, network.batch):
        faults = list(prepared.faults)
        numbers = np.array([first + i for i, fault in enumerate(faults) if not fault], np.int64)
        if len(numbers):
            try:
                add_batch(network, rankings, prepared.pixels, numbers)
            except PictureError:
                # one picture of them may be at fault: each on its own
                for number, pixels in zip(numbers, prepared.pixels, strict=True):
                    faults[number - first] = try_one(network, rankings, pixels, number)
        for job, fault in zip(jobs[first : first + len(faults)], faults, strict=True):
            report.add(Seen(job.source, fault or None))
    return rankings


def try_one(
    network: LayeredNetwork, rankings: dict[str, Ranking], pixels: Pixels, number: np.int64
) -> str:
    """Take one picture into account; return why that failed, or an empty text."""
    try:
        add_batch(network, rankings, pixels[None], np.array([number]))
    except PictureError as error:
        return error.message
    return ""


def add_batch(
    network: LayeredNetwork,
    rankings: dict[str, Ranking],
    pixels: Pixels,
    numbers: NDArray[np.int64],
) -> None:
    """Run pictures and add them to every ranking, or to none.

    Raises:
        PictureError: the runtime fails, or a layer returns what is no number.
    """
    found = network.run(list(rankings), pixels)
    for name, values in zip(rankings, found, strict=True):
        check_finite(name, values)
    for ranking, values in zip(rankings.values(), found, strict=True):
        ranking.add(values, numbers)


def check_finite(name: str, values: Values) -> None:
    """Stop where a layer returned infinity or what is no number.

    Raises:
        PictureError: it did.
    """
    if not np.isfinite(values).all():
        message = f"layer {name} returns values that are no numbers for it; train it again"
        raise PictureError(message)


def read_batches(
    jobs: Sequence[Job], rule: InputRule, count: int
) -> Iterator[tuple[int, Prepared]]:
    """Yield the number of the first picture of a batch, and the batch, decoded ahead."""
    waiting: deque[tuple[int, Future[Prepared]]] = deque()
    with ThreadPoolExecutor(AHEAD, "decode") as pool:
        for first in range(0, len(jobs), count):
            part = jobs[first : first + count]
            waiting.append((first, pool.submit(decode_jobs, part, rule)))
            if len(waiting) > AHEAD:
                number, future = waiting.popleft()
                yield number, future.result()
        for number, future in waiting:
            yield number, future.result()
