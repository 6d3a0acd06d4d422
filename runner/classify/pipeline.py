"""Many pictures at once: decoders prepare some at a time, workers classify batches of them.

All inputs of a network have one size, so that any pictures make a batch; results come in
the order of the pictures. What is in flight is bounded, so memory does not grow with the
number of pictures.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np

from runner.classify.decoding import Prepared
from runner.classify.outcomes import Outcome, conclude
from runner.classify.predictions import Ranking
from runner.images import Pixels

Source = TypeVar("Source")


@dataclass(frozen=True)
class Stages(Generic[Source]):
    """What is done with pictures.

    Attributes:
        decode: some sources -> their pixels and faults.
        predict: uint8 ``[N, H, W, C]`` -> a ranking per picture.
    """

    decode: Callable[[Sequence[Source]], Prepared]
    predict: Callable[[Pixels], list[Ranking]]


@dataclass(frozen=True)
class Layout:
    """How work is cut.

    Attributes:
        workers: batches classified at the same time.
        batch: pictures of one run, at most.
        decoders: threads or processes that decode.
        chunk: pictures that one of them takes at a time.
    """

    workers: int
    batch: int
    decoders: int
    chunk: int

    @property
    def chunks(self) -> int:
        """Chunks in flight: every decoder has one and one waits; enough for a batch besides."""
        return 2 * self.decoders + -(-self.batch // self.chunk)

    @property
    def batches(self) -> int:
        """Batches in flight: every worker has one, and one waits."""
        return 2 * self.workers


@dataclass
class Gathering(Generic[Source]):
    """A batch in the making: pictures in order, with pixels or a fault."""

    sources: list[Source] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    pixels: list[Pixels] = field(default_factory=list)
    count: int = 0

    def add(self, sources: Sequence[Source], prepared: Prepared) -> None:
        """Add some decoded pictures."""
        self.sources += sources
        self.faults += prepared.faults
        self.pixels.append(prepared.pixels)
        self.count += len(prepared.pixels)


class Pipeline(Generic[Source]):
    """Run sources through the two stages, once.

    Args:
        stages: the work.
        layout: how it is cut.
        decoders: runs the first stage; the caller shuts it down.
    """

    def __init__(self, stages: Stages[Source], layout: Layout, decoders: Executor) -> None:
        self._stages = stages
        self._layout = layout
        self._decoders = decoders
        self._decoding: deque[tuple[Sequence[Source], Future[Prepared]]] = deque()
        self._gathering = Gathering[Source]()
        self._predicting: deque[Future[list[Outcome[Source]]]] = deque()
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopped

    def stop(self) -> None:
        """Take no more pictures and drop those not yet being classified; safe in a handler."""
        self._stopped = True

    def run(self, sources: Iterable[Source]) -> Generator[list[Outcome[Source]], None, None]:
        """Yield an outcome per source, in order, batch by batch.

        Closing the generator drops what is in flight and ends the workers.
        """
        with ThreadPoolExecutor(self._layout.workers, "classify") as self._workers:
            try:
                yield from self._drive(iter(sources))
            finally:
                for _, chunk in self._decoding:
                    chunk.cancel()
                for batch in self._predicting:
                    batch.cancel()

    def _drive(self, feed: Iterator[Source]) -> Iterator[list[Outcome[Source]]]:
        more = True
        while not self._stopped:
            more = more and self._take(feed)
            self._gather(last=not more)
            while self._predicting and self._predicting[0].done():
                yield self._predicting.popleft().result()
            if not (more or self._decoding or self._predicting):
                return
            self._wait()
        for future in self._predicting:
            if not future.cancel():  # it is at work, and soon done
                yield future.result()

    def _take(self, feed: Iterator[Source]) -> bool:
        """Start on further pictures while there is room; False when there are no more."""
        layout = self._layout
        while len(self._decoding) < layout.chunks:
            sources = tuple(islice(feed, layout.chunk))
            if not sources:
                return False
            self._decoding.append((sources, self._decoders.submit(self._stages.decode, sources)))
            if self._stopped or (self._predicting and self._predicting[0].done()):
                break  # what is finished goes first: the next picture may be long in coming
        return True

    @property
    def _full(self) -> bool:
        return len(self._predicting) >= self._layout.batches

    def _gather(self, *, last: bool) -> None:
        """Move decoded pictures into batches, and full batches to the workers."""
        layout = self._layout
        while self._decoding and self._decoding[0][1].done() and not self._full:
            sources, future = self._decoding.popleft()
            self._gathering.add(sources, future.result())
            if self._gathering.count + layout.chunk > layout.batch:
                self._release()
        if last and not self._decoding and self._gathering.sources:
            self._release()

    def _release(self) -> None:
        gathering, self._gathering = self._gathering, Gathering[Source]()
        self._predicting.append(self._workers.submit(self._predict, gathering))

    def _wait(self) -> None:
        """Wait until the first picture in line is decoded, or the first batch is classified."""
        heads: set[Future[Any]] = set()
        if self._decoding and not self._full:
            heads.add(self._decoding[0][1])
        if self._predicting:
            heads.add(self._predicting[0])
        if heads:
            wait(heads, return_when=FIRST_COMPLETED)

    def _predict(self, gathering: Gathering[Source]) -> list[Outcome[Source]]:
        pixels = (
            gathering.pixels[0] if len(gathering.pixels) == 1 else np.concatenate(gathering.pixels)
        )
        return conclude(gathering.sources, Prepared(pixels, gathering.faults), self._stages.predict)
