"""Workers are shared: no model starves another, and no worker idles while work waits."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner.network import open_network
from runner.service.engine.batching import Batcher
from runner.service.engine.engine import Engine
from runner.service.engine.runs import Batch
from runner.service.engine.scheduling import Scheduler
from runner.service.engine.served import ServedModel
from runner.service.engine.tickets import Ticket
from runner.service.errors import Expired
from runner.service.settings import ServiceSettings

Serve = Callable[..., None]
Gate = Any  # of conftest.py
Names = list[str]


async def ask(engine: Engine, model: str) -> None:
    """Ask ``scale``, ``mean`` or ``table`` something."""
    inputs: dict[str, dict[str, Any]] = {
        "scale": {"x": np.ones((1, 1), np.float32)},
        "mean": {"image": np.ones((1, 2, 2, 3), np.uint8)},
        "table": {"place": np.zeros((1, 1), np.int64)},
    }
    await engine.infer(model, inputs[model])


def test_small_network_does_not_wait_for_a_large_one(serve: Serve, gate: Gate) -> None:
    """While one model has all workers and a long queue, another still gets its answers."""

    async def work(engine: Engine) -> None:
        gate.held = {"mean"}
        large = [asyncio.create_task(ask(engine, "mean")) for _ in range(30)]
        await asyncio.to_thread(gate.await_runs, 2)
        for _ in range(20):
            await ask(engine, "scale")
        assert not any(task.done() for task in large)
        gate.release()
        await asyncio.gather(*large)

    serve(work, workers=2, max_batch=1)


def test_workers_are_bounded(serve: Serve, gate: Gate) -> None:
    """A model has as many runs as there are workers and one; all together have twice as many."""

    async def work(engine: Engine) -> None:
        gate.held = {"scale", "mean", "table"}
        names = ["scale"] * 5 + ["mean"] * 5 + ["table"] * 5
        tasks = [asyncio.create_task(ask(engine, names[0]))]
        await asyncio.to_thread(gate.await_runs)
        tasks += [asyncio.create_task(ask(engine, name)) for name in names[1:]]
        await asyncio.to_thread(gate.await_runs, 2)
        await asyncio.sleep(0.1)
        assert len(gate.runs) == 3
        assert sum(model.pending for model in engine.statistics.read()) == 12
        assert max(Counter(name for name, _ in gate.runs).values()) <= 2
        gate.release()
        await asyncio.gather(*tasks)

    serve(work, workers=1, max_batch=1)


def test_one_more_run_begins_where_waiting_adds_nothing(serve: Serve, gate: Gate) -> None:
    """A full batch begins beside the workers' own runs; one that may still grow waits."""

    async def work(engine: Engine) -> None:
        gate.held = {"scale"}
        tasks = []
        for count, runs in ((1, 1), (3, 1), (1, 2), (8, 2)):  # the first may have come alone
            tasks += [asyncio.create_task(ask(engine, "scale")) for _ in range(count)]
            await asyncio.sleep(0.1)
            assert len(gate.runs) == runs
        gate.release()
        await asyncio.gather(*tasks)
        assert sum(rows for _, rows in gate.runs) == 13

    serve(work, workers=1, max_batch=4)


def test_all_workers_work_for_a_model_alone(serve: Serve, gate: Gate) -> None:
    """Where only one model is asked, it has every worker."""

    async def work(engine: Engine) -> None:
        gate.held = {"scale"}
        tasks = [asyncio.create_task(ask(engine, "scale")) for _ in range(9)]
        await asyncio.to_thread(gate.await_runs, 3)
        gate.release()
        await asyncio.gather(*tasks)

    serve(work, workers=3, max_batch=1)


def compete(models: Path, costs_ns: dict[str, float], turns: int, joins: dict[str, int]) -> Names:
    """Let models compete for a worker without running them.

    Args:
        models: folder of theirs.
        costs_ns: what a run of each takes.
        turns: how often the worker is given away.
        joins: the turn from which on a model has requests; 0 where it is not named.

    Returns:
        who got the worker, turn by turn.
    """

    async def main() -> Names:
        settings = ServiceSettings(workers=1)
        scheduler = Scheduler(settings)
        batchers = {
            name: Batcher(
                ServedModel(name, "1", open_network(models / f"{name}.onnx", "cpu", 1)), settings
            )
            for name in costs_ns
        }
        chosen = []
        for turn in range(turns):
            for name, batcher in batchers.items():
                if turn == joins.get(name, 0):
                    scheduler.add(build(batcher))
            best = scheduler.choose(asyncio.get_running_loop().time())
            assert best is not None
            scheduler.charge(best, costs_ns[best.model.name])
            chosen.append(best.model.name)
        scheduler.close()
        return chosen

    return asyncio.run(main())


def build(batcher: Batcher) -> Ticket:
    """Build a ticket for ``scale`` or ``foreign``."""
    future = asyncio.get_running_loop().create_future()
    inputs = {"x": np.ones((1, 2), np.float32)}
    return Ticket(batcher, inputs, outputs=("y",), rows=1, future=future)


@pytest.fixture
def _asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep schedulers from running what they are given."""
    monkeypatch.setattr(Scheduler, "wake", lambda _: None)


@pytest.mark.usefixtures("_asleep")
def test_models_share_the_time_and_not_the_runs(models: Path) -> None:
    """Of two models that both have work, each gets half of the worker's time."""
    chosen = compete(models, {"scale": 1.0, "foreign": 9.0}, 100, {})
    assert chosen.count("scale") == pytest.approx(90, abs=9)
    assert all("foreign" in chosen[start : start + 20] for start in range(80))


@pytest.mark.usefixtures("_asleep")
def test_idle_model_saves_nothing_up(models: Path) -> None:
    """A model that comes late shares from then on, and does not catch up."""
    chosen = compete(models, {"scale": 5.0, "foreign": 5.0}, 40, {"foreign": 20})
    assert chosen[:20] == ["scale"] * 20
    assert all(len({*chosen[start : start + 2]}) == 2 for start in range(21, 39))


@pytest.mark.parametrize(("at_once_ms", "beside"), [(0, True), (10, False)])
def test_short_runs_need_no_worker(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, at_once_ms: float, *, beside: bool
) -> None:
    """A run that is expected to be short happens on the event loop, unless that is forbidden."""
    run, threads = Batch.execute, []

    def spy(batch: Batch) -> None:
        threads.append(threading.current_thread())
        run(batch)

    monkeypatch.setattr(Batch, "execute", spy)

    async def work(engine: Engine) -> None:
        await asyncio.gather(*(ask(engine, "scale") for _ in range(20)))
        assert {thread is not threading.main_thread() for thread in threads} == {beside}

    serve(work, at_once_ms=at_once_ms)


def test_foreign_models_run_beside_the_event_loop(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file that says nothing of itself nobody knows how long the next run takes."""
    run, threads = Batch.execute, []

    def spy(batch: Batch) -> None:
        threads.append(threading.current_thread())
        run(batch)

    monkeypatch.setattr(Batch, "execute", spy)

    async def work(engine: Engine) -> None:
        for _ in range(5):
            await engine.infer("foreign", {"x": np.ones((1, 2), np.float32)})
        assert threading.main_thread() not in threads

    serve(work, at_once_ms=10)


def test_late_requests_are_not_run(serve: Serve) -> None:
    """A deadline that has passed is told before anything is spent on the request."""

    async def work(engine: Engine) -> None:
        inputs = {"x": np.ones((1, 1), np.float32)}
        with pytest.raises(Expired, match="the request was still"):
            await engine.infer("scale", inputs, deadline_s=1e-6)
        (model,) = engine.statistics.read("scale")
        assert model.execution_count == 0
        assert model.failures == {"REJECTED": 1}

    serve(work, at_once_ms=10)
