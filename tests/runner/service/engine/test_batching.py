"""Which requests run together, and when."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from runner.network import open_network
from runner.service.engine.batching import Batcher
from runner.service.engine.engine import Engine
from runner.service.engine.served import ServedModel
from runner.service.engine.tickets import Ticket
from runner.service.settings import ServiceSettings

Serve = Callable[..., None]
Gate = Any  # of conftest.py
Fill = Callable[..., None]
ROW_NS = 1000.0


@pytest.fixture
def scale(models: Path) -> ServedModel:
    """Return ``scale``, whose runs are expected to take 1 us a byte."""
    model = ServedModel("scale", "1", open_network(models / "scale.onnx", "cpu", 1))
    model.ns_per_byte = ROW_NS
    return model


@pytest.fixture
def fill(scale: ServedModel) -> Callable[..., None]:
    """Return what fills a batcher and hands it to a function, on an event loop of its own."""

    def run(
        check: Callable[[Batcher, list[Ticket], float], None],
        shapes: list[tuple[int, int]],
        **settings: Any,  # noqa: ANN401 - any setting
    ) -> None:
        async def main() -> None:
            batcher = Batcher(scale, ServiceSettings(**settings))
            tickets = [build(batcher, shape) for shape in shapes]
            for ticket in tickets:
                batcher.push(ticket)
            check(batcher, tickets, asyncio.get_running_loop().time())

        asyncio.run(main())

    return run


def build(batcher: Batcher, shape: tuple[int, int]) -> Ticket:
    """Build a ticket of ones."""
    future = asyncio.get_running_loop().create_future()
    inputs = {"x": np.ones(shape, np.float32)}
    return Ticket(batcher, inputs, outputs=("y",), rows=shape[0], future=future)


def take_all(batcher: Batcher, tickets: list[Ticket], now: float) -> list[list[int]]:
    """Take batch after batch; return the places of their tickets."""
    batches = []
    while taken := batcher.take(now):
        batches.append([tickets.index(ticket) for ticket in taken])
    return batches


@pytest.mark.parametrize(
    ("shapes", "settings", "batches"),
    [
        ([(1, 1)] * 3, {}, [[0, 1, 2]]),
        ([(1, 1)] * 5, {"max_batch": 2}, [[0, 1], [2, 3], [4]]),
        ([(1, 1)] * 3, {"max_batch": 1}, [[0], [1], [2]]),
        ([(3, 1), (2, 1), (1, 1)], {"max_batch": 4}, [[0], [1, 2]]),
        ([(9, 1), (1, 1)], {"max_batch": 4}, [[0], [1]]),
        ([(1, 1), (1, 2), (1, 1), (1, 2)], {}, [[0, 2], [1, 3]]),
        ([(1, 1)] * 7, {"preferred_sizes": (2, 4)}, [[0, 1, 2, 3], [4, 5], [6]]),
        ([(1, 25)] * 3, {"max_run_ms": 0.25}, [[0, 1], [2]]),
        ([(1, 900)] * 2, {"max_run_ms": 0.25}, [[0], [1]]),
    ],
    ids=["all", "largest", "off", "rows", "large", "shapes", "preferred", "time", "slow"],
)
def test_requests_are_joined(
    fill: Fill, shapes: list[tuple[int, int]], settings: dict[str, Any], batches: list[list[int]]
) -> None:
    """Equal shapes run together, as many rows as the settings allow, in the order of arrival."""

    def check(batcher: Batcher, tickets: list[Ticket], now: float) -> None:
        assert take_all(batcher, tickets, now) == batches
        assert (batcher.waiting, batcher.waiting_bytes) == (0, 0)

    fill(check, shapes, **settings)


@pytest.mark.parametrize(
    ("shapes", "full"),
    [
        ([], False),
        ([(1, 1)], False),
        ([(1, 1)] * 2, True),
        ([(3, 1)], True),
        ([(1, 1), (1, 2), (1, 2)], False),
        ([(1, 2), (1, 1), (1, 2)], True),
    ],
    ids=["empty", "half", "full", "more", "another", "next"],
)
def test_the_next_run_is_full_or_may_grow(
    fill: Fill, shapes: list[tuple[int, int]], *, full: bool
) -> None:
    """It is the group that runs next that counts, not one behind it."""

    def check(batcher: Batcher, _: list[Ticket], now: float) -> None:
        assert batcher.is_full(now) is full

    fill(check, shapes, max_batch=2)


@pytest.mark.parametrize(
    ("side", "idle", "sizes"),
    [(1, 1, [6]), (1, 3, [6]), (200, 1, [6]), (200, 2, [3, 3]), (200, 9, [1, 1, 1, 1, 2])],
    ids=["alone", "short", "one", "two", "many"],
)
def test_idle_workers_share_a_long_run(fill: Fill, side: int, idle: int, sizes: list[int]) -> None:
    """Rows that would keep one worker long are shared among the idle ones; a short run is not."""

    def check(batcher: Batcher, _: list[Ticket], now: float) -> None:
        found: list[int] = []
        while taken := batcher.take(now, max(1, idle - len(found))):
            found.append(len(taken))
        assert found == sizes

    fill(check, [(1, side)] * 6)


def test_without_a_delay_nothing_waits(fill: Fill) -> None:
    """By default a request is due when it comes."""

    def check(batcher: Batcher, tickets: list[Ticket], now: float) -> None:
        assert batcher.find_due() <= now
        assert batcher.take(now) == tickets

    fill(check, [(1, 1)])


def test_window_opens_at_the_first_request(fill: Fill) -> None:
    """With a delay, the group is due so long after its first request, however many come later."""

    def check(batcher: Batcher, tickets: list[Ticket], now: float) -> None:
        assert batcher.find_due() == tickets[0].arrived_s + 5
        assert not batcher.take(now)
        assert batcher.take(tickets[0].arrived_s + 5) == tickets

    fill(check, [(1, 1)] * 3, max_delay_ms=5000)


@pytest.mark.parametrize(
    "settings",
    [{"max_batch": 3}, {"preferred_sizes": (3,)}, {"max_run_ms": 0.012}],
    ids=["largest", "preferred", "time"],
)
def test_full_group_does_not_wait(fill: Fill, settings: dict[str, Any]) -> None:
    """As many rows as a run shall have are due at once; the rest waits for its own window."""

    def check(batcher: Batcher, tickets: list[Ticket], now: float) -> None:
        assert take_all(batcher, tickets, now) == [[0, 1, 2]]
        assert batcher.waiting == 1

    fill(check, [(1, 1)] * 4, max_delay_ms=5000, **settings)


def test_estimate_follows_the_runs(fill: Fill) -> None:
    """Faster runs are believed soon, a single slow one is not."""

    def check(batcher: Batcher, *_: object) -> None:
        assert batcher.estimate(10) == 10 * ROW_NS
        batcher.learn(10, int(100 * ROW_NS))
        assert batcher.estimate(10) == pytest.approx(19 * ROW_NS)
        for _run in range(20):
            batcher.learn(10, int(10 * ROW_NS))
        assert batcher.estimate(10) == pytest.approx(10 * ROW_NS, rel=1e-3)

    fill(check, [(1, 1)])


@pytest.fixture(scope="module")
def unused(
    tmp_path_factory: pytest.TempPathFactory, write_scale: Callable[[Path], Path]
) -> ServedModel:
    """Return a ``scale`` for requests that never run."""
    path = write_scale(tmp_path_factory.mktemp("unused") / "scale.onnx")
    return ServedModel("scale", "1", open_network(path, "cpu", 1))


@limits(max_examples=60, deadline=None)
@given(
    shapes=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 3)), min_size=1, max_size=30),
    most=st.integers(1, 8),
    gone=st.sets(st.integers(0, 29)),
)
def test_no_request_is_lost_or_doubled(
    unused: ServedModel, shapes: list[tuple[int, int]], most: int, gone: set[int]
) -> None:
    """Whatever comes and goes, the rest is taken exactly once, in order, and the sums end at 0."""

    async def main() -> None:
        batcher = Batcher(unused, ServiceSettings(max_batch=most))
        tickets = [build(batcher, shape) for shape in shapes]
        for ticket in tickets:
            batcher.push(ticket)
        for place in gone & set(range(len(tickets))):
            batcher.discard(tickets[place])
        batches = take_all(batcher, tickets, asyncio.get_running_loop().time())
        assert sorted(itertools.chain(*batches)) == [
            place for place in range(len(shapes)) if place not in gone
        ]
        for batch in batches:
            assert batch == sorted(batch)
            assert len({shapes[place][1] for place in batch}) == 1
            assert len(batch) == 1 or sum(shapes[place][0] for place in batch) <= most
        assert (batcher.waiting, batcher.waiting_bytes, batcher.list_tickets()) == (0, 0, [])

    asyncio.run(main())


def test_delay_joins_what_an_idle_worker_could_have_begun(serve: Serve, gate: Gate) -> None:
    """With a delay, requests of several turns of the event loop share a run."""

    async def work(engine: Engine) -> None:
        tasks = []
        for _ in range(4):
            inputs = {"x": np.ones((1, 1), np.float32)}
            tasks.append(asyncio.create_task(engine.infer("scale", inputs)))
            await asyncio.sleep(0.001)
        await asyncio.gather(*tasks)
        assert gate.runs == [("scale", 4)]

    serve(work, max_delay_ms=3_600_000, max_batch=4)


def test_delay_ends_by_itself(serve: Serve, gate: Gate) -> None:
    """A lone request is run when its window is over."""

    async def work(engine: Engine) -> None:
        await engine.infer("scale", {"x": np.ones((1, 1), np.float32)})
        assert gate.runs == [("scale", 1)]

    serve(work, max_delay_ms=30)
