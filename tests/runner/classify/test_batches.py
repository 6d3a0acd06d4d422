"""Many pictures at once: order, bounds, batches, and how it ends."""

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.classify.decoding import Prepared, prepare_each
from runner.classify.outcomes import Outcome
from runner.classify.pipeline import Layout, Pipeline, Stages
from runner.classify.predictions import Ranking
from runner.classify.rules import InputRule
from runner.images import Pixels

Guard = Callable[[Callable[[], None]], None]
RULE = InputRule((2, 1), "grey")


class Desk:
    """Fake stages: a source is a number, which its pixels hold and its ranking returns.

    Args:
        unreadable: sources that cannot be decoded.
        unclassifiable: sources that make a run fail.
    """

    def __init__(self, unreadable: Iterable[int] = (), unclassifiable: Iterable[int] = ()) -> None:
        self.unreadable = {*unreadable}
        self.unclassifiable = {*unclassifiable}
        self.runs: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def decode(self, sources: Sequence[int]) -> Prepared:
        """Make the pixels of some sources."""
        return prepare_each(sources, self.draw, RULE)

    def draw(self, source: int) -> Pixels:
        """Make the pixels of one source."""
        if source in self.unreadable:
            message = f"unreadable {source}"
            raise ValueError(message)
        return np.array([[[source >> 8]], [[source & 255]]], np.uint8)

    def predict(self, pixels: Pixels) -> list[Ranking]:
        """Return each source as the index of its only class."""
        assert self.gate.wait(60)
        self.runs.append(len(pixels))
        numbers = [int(picture[0, 0, 0]) << 8 | int(picture[1, 0, 0]) for picture in pixels]
        if self.unclassifiable & {*numbers}:
            message = "unclassifiable"
            raise ValueError(message)
        return [((number, 1.0),) for number in numbers]

    def open(self, layout: Layout, decoders: ThreadPoolExecutor) -> Pipeline[int]:
        """Return a pipeline of these stages."""
        return Pipeline(Stages(self.decode, self.predict), layout, decoders)

    def run(self, sources: Iterator[int] | Sequence[int], layout: Layout) -> list[Outcome[int]]:
        """Run all sources."""
        with ThreadPoolExecutor(layout.decoders) as decoders:
            return [o for batch in self.open(layout, decoders).run(sources) for o in batch]


@settings(max_examples=150, deadline=None)
@given(
    count=st.integers(0, 90),
    batch=st.integers(1, 20),
    share=st.integers(1, 20),
    threads=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    unreadable=st.sets(st.integers(0, 90), max_size=30),
    unclassifiable=st.sets(st.integers(0, 90), max_size=3),
)
def test_run_gives_every_source_its_own_result_in_order(
    *,
    count: int,
    batch: int,
    share: int,
    threads: tuple[int, int],
    unreadable: set[int],
    unclassifiable: set[int],
    guard: Guard,
) -> None:
    """Whatever fails, each source has its own ranking or its own fault, and none is missing."""
    desk = Desk(unreadable, unclassifiable)
    layout = Layout(threads[0], batch, threads[1], max(1, min(batch, share)))

    def work() -> None:
        outcomes = desk.run(range(count), layout)
        assert [outcome.source for outcome in outcomes] == list(range(count))
        for outcome in outcomes:
            if outcome.source in unreadable:
                assert outcome.fault == f"unexpected ValueError: unreadable {outcome.source}"
            elif outcome.source in unclassifiable:
                assert outcome.fault == "unexpected ValueError: unclassifiable"
            else:
                assert outcome == Outcome(outcome.source, ((outcome.source, 1.0),))

    guard(work)
    assert max(desk.runs, default=0) <= batch


def test_run_fills_batches() -> None:
    """Without failures every run but the last is full."""
    desk = Desk()
    desk.run(range(100), Layout(2, 16, 2, 4))
    assert sorted(desk.runs) == [4, 16, 16, 16, 16, 16, 16]


def test_run_of_unreadable_pictures_runs_nothing() -> None:
    """A batch without one picture is not run."""
    desk = Desk(range(20))
    assert all(outcome.fault for outcome in desk.run(range(20), Layout(1, 4, 1, 2)))
    assert desk.runs == []


def test_run_holds_a_fixed_number_behind_a_slow_run() -> None:
    """While the first batch takes for ever, a bounded number of sources is taken."""
    desk, layout = Desk(), Layout(2, 8, 2, 4)
    taken = 0

    def come() -> Iterator[int]:
        nonlocal taken
        for number in range(5000):
            taken += 1
            yield number

    desk.gate.clear()
    threading.Timer(0.3, desk.gate.set).start()
    with ThreadPoolExecutor(2) as decoders:
        batches = desk.open(layout, decoders).run(come())
        assert len(next(batches)) == 8
        bound = layout.chunks * layout.chunk + (layout.batches + 1) * layout.batch
        assert taken <= bound + layout.batch
        assert sum(map(len, batches)) == 5000 - 8


def test_run_ends_its_threads_when_it_is_closed() -> None:
    """A consumer that leaves endless sources leaves no worker behind."""
    with ThreadPoolExecutor(1) as decoders:
        batches = Desk().open(Layout(2, 4, 1, 2), decoders).run(itertools.cycle(range(9)))
        assert len(next(batches)) == 4
        batches.close()
        assert not [t for t in threading.enumerate() if t.name.startswith("classify")]


def test_run_passes_errors_of_the_sources_on() -> None:
    """An error of the iterable itself reaches the consumer, and nothing hangs."""

    def come() -> Iterator[int]:
        yield 0
        message = "no more"
        raise OSError(message)

    with pytest.raises(OSError, match=r"^no more$"):
        Desk().run(come(), Layout(1, 1, 1, 1))


@pytest.mark.parametrize("after", [0, 1, 2, 5])
def test_stop_ends_a_run_at_any_moment(after: int, guard: Guard) -> None:
    """Stopped after any number of batches, it ends soon, and every result is whole."""
    found: list[Outcome[int]] = []

    def work() -> None:
        with ThreadPoolExecutor(2) as decoders:
            pipeline = Desk().open(Layout(2, 4, 2, 2), decoders)
            if after == 0:
                pipeline.stop()
            for number, batch in enumerate(pipeline.run(iter(range(10_000))), 1):
                found.extend(batch)
                if number == after:
                    pipeline.stop()
            assert pipeline.stopped

    guard(work)
    assert 4 * after <= len(found) <= 4 * (after + 8)
    assert [outcome.source for outcome in found] == list(range(len(found)))
    assert all(outcome.ranking for outcome in found)
