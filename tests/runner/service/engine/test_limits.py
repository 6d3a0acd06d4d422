"""What the engine refuses and gives up: full queues, deadlines, callers that went away."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from runner.service.engine.engine import Engine, Inference
from runner.service.errors import Expired, Overloaded, Unready

Serve = Callable[..., None]
Gate = Any  # of conftest.py
Asked = asyncio.Task[Inference]


def ask(engine: Engine, value: float, **options: Any) -> Asked:  # noqa: ANN401
    """Begin to ask ``scale`` for twice a value."""
    inputs = {"x": np.full((1, 1), value, np.float32)}
    return asyncio.create_task(engine.infer("scale", inputs, **options))


async def occupy(engine: Engine, gate: Gate) -> Asked:
    """Ask something that is held at the gate, with the only worker."""
    gate.held = {"scale"}
    task = ask(engine, 0)
    await asyncio.to_thread(gate.await_runs)
    return task


def count_pending(engine: Engine, name: str = "scale") -> int:
    """Return the requests of a model that wait."""
    return engine.statistics.read(name)[0].pending


def test_full_queue_refuses_and_answers_what_it_holds(serve: Serve, gate: Gate) -> None:
    """More requests than the queue holds are refused at once; those within are answered."""

    async def work(engine: Engine) -> None:
        first = await occupy(engine, gate)
        waiting = [ask(engine, value) for value in range(3)]
        await asyncio.sleep(0)
        assert count_pending(engine) == 3
        refused = await asyncio.gather(*(ask(engine, 9) for _ in range(50)), return_exceptions=True)
        assert all(isinstance(error, Overloaded) for error in refused)
        with pytest.raises(Overloaded, match="3 requests wait, as many as its queue") as caught:
            engine.require_room("scale")
        assert caught.value.retry_after_s is not None
        assert 1 <= caught.value.retry_after_s <= 60
        assert engine.require_room("mean").name == "mean", "other models have queues of their own"
        gate.release()
        found = await asyncio.gather(first, *waiting)
        assert [float(answer.outputs["y"][0, 0]) for answer in found] == [0, 0, 2, 4]
        assert engine.statistics.read("scale")[0].failures == {"REJECTED": 51}

    serve(work, workers=1, max_queue=3)


def test_bytes_that_wait_are_bounded(serve: Serve, gate: Gate) -> None:
    """Large requests fill the server before the queue is full; a single one always fits."""

    async def work(engine: Engine) -> None:
        first = await occupy(engine, gate)
        large = {"x": np.ones((1, 100), np.float32)}
        second = asyncio.create_task(engine.infer("scale", large))
        await asyncio.sleep(0)
        with pytest.raises(
            Overloaded, match="bytes more than the 400 that wait pass 300, all that"
        ):
            await ask(engine, 1)
        gate.release()
        await asyncio.gather(first, second)

    serve(work, workers=1, max_waiting_bytes=300)


def test_deadline_ends_waiting_without_work(serve: Serve, gate: Gate) -> None:
    """A request whose time is over while it waits is answered then, and never run."""

    async def work(engine: Engine) -> None:
        first = await occupy(engine, gate)
        with pytest.raises(Expired, match=r"still waiting when its 0\.02 s were over"):
            await ask(engine, 1, deadline_s=0.02)
        assert count_pending(engine) == 0
        gate.release()
        await first
        await ask(engine, 2)
        assert gate.runs == [("scale", 1), ("scale", 1)]
        assert engine.statistics.read("scale")[0].failures == {"REJECTED": 1}

    serve(work, workers=1)


def test_deadline_ends_a_run(serve: Serve, gate: Gate) -> None:
    """A run that nobody waits for any more is ended, and its worker is free."""

    async def work(engine: Engine) -> None:
        gate.held = {"scale"}
        with pytest.raises(Expired, match=r"still running when its 0\.05 s were over"):
            await ask(engine, 1, deadline_s=0.05)
        gate.held = set()
        assert (await ask(engine, 4)).outputs["y"] == 8

    serve(work, workers=1)


@pytest.mark.parametrize("deadline_s", [0.0, -1.0, float("nan")])
def test_deadline_in_the_past_costs_nothing(serve: Serve, gate: Gate, deadline_s: float) -> None:
    """A request that allows no time is refused before a worker sees it."""

    async def work(engine: Engine) -> None:
        with pytest.raises(Expired, match="allow more time"):
            await ask(engine, 1, deadline_s=deadline_s)
        assert gate.runs == []

    serve(work)


def test_settings_bound_every_deadline(serve: Serve, gate: Gate) -> None:
    """No request may take longer than the settings say, whatever it asks for."""

    async def work(engine: Engine) -> None:
        gate.held = {"scale"}
        found = await asyncio.gather(
            ask(engine, 1), ask(engine, 1, deadline_s=1e9), return_exceptions=True
        )
        assert all(isinstance(error, Expired) for error in found)

    serve(work, request_seconds=0.05)


def test_caller_that_went_away_leaves_the_queue(serve: Serve, gate: Gate) -> None:
    """A cancelled request makes room at once and is never run; its neighbours are answered."""

    async def work(engine: Engine) -> None:
        first = await occupy(engine, gate)
        waiting = [ask(engine, value) for value in range(4)]
        await asyncio.sleep(0)
        waiting[1].cancel()
        waiting[2].cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert count_pending(engine) == 2
        gate.release()
        found = await asyncio.gather(first, *waiting, return_exceptions=True)
        assert [isinstance(answer, Inference) for answer in found] == [
            True,
            True,
            False,
            False,
            True,
        ]
        assert gate.runs == [("scale", 1), ("scale", 2)]
        assert engine.statistics.read("scale")[0].failures == {"CANCELED": 2}

    serve(work, workers=1)


def test_caller_that_went_away_ends_its_run(serve: Serve, gate: Gate) -> None:
    """When the last caller of a run has gone the run is ended; before that it goes on."""

    async def work(engine: Engine) -> None:
        gate.held = {"scale"}
        both = ask(engine, 1), ask(engine, 2)
        await asyncio.to_thread(gate.await_runs)
        both[0].cancel()
        await asyncio.sleep(0.05)
        assert not both[1].done()
        both[1].cancel()
        gate.held = set()
        assert (await ask(engine, 4)).outputs["y"] == 8
        assert gate.runs == [("scale", 2), ("scale", 1)]

    serve(work, workers=1)


def test_drain_lets_nothing_in_and_answers_what_is_in(serve: Serve, gate: Gate) -> None:
    """While draining new requests are refused, and those let in before all get their answers."""

    async def work(engine: Engine) -> None:
        first = await occupy(engine, gate)
        second = ask(engine, 2)
        await asyncio.sleep(0)
        let_in = engine.require_room("scale")
        engine.begin_drain()
        assert not engine.ready
        with pytest.raises(Unready, match="shutting down"):
            await ask(engine, 3)
        third = asyncio.create_task(engine.infer(let_in, {"x": np.ones((1, 1), np.float32)}))
        drained = asyncio.create_task(engine.drain(60))
        await asyncio.sleep(0.1)
        assert not drained.done()
        gate.release()
        assert await drained
        found = await asyncio.gather(first, second, third)
        assert [float(answer.outputs["y"][0, 0]) for answer in found] == [0, 4, 2]
        with pytest.raises(Unready, match="has stopped"):
            await engine.infer(let_in, {"x": np.ones((1, 1), np.float32)})

    serve(work, workers=1)


def test_drain_ends_in_time(serve: Serve, gate: Gate) -> None:
    """What is not done when the time is over is refused, running and waiting alike."""

    async def work(engine: Engine) -> None:
        tasks = [await occupy(engine, gate), ask(engine, 1)]
        await asyncio.sleep(0)
        assert not await engine.drain(0.05)
        for task in tasks:
            with pytest.raises(Unready, match="shutting down"):
                await task

    serve(work, workers=1)


def test_drain_waits_for_calls_beside_the_event_loop(serve: Serve) -> None:
    """A picture that is being decoded is work in flight."""
    opened = threading.Event()

    async def work(engine: Engine) -> None:
        let_in = engine.require_room("scale")

        async def handle() -> Inference:
            await engine.run_blocking(opened.wait, 60)
            return await engine.infer(let_in, {"x": np.ones((1, 1), np.float32)})

        handled = asyncio.create_task(handle())
        drained = asyncio.create_task(engine.drain(60))
        await asyncio.sleep(0.1)
        assert not drained.done()
        opened.set()
        assert await drained
        assert (await handled).outputs["y"] == 2

    serve(work)


def test_calls_beside_the_event_loop_are_bounded(serve: Serve) -> None:
    """More calls than connections are refused; a cancelled one that waits is never made."""
    opened = threading.Event()
    made: list[int] = []

    async def work(engine: Engine) -> None:
        held = [asyncio.create_task(engine.run_blocking(opened.wait, 60)) for _ in range(2)]
        waiting = asyncio.create_task(engine.run_blocking(made.append, 1))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="3 pictures and bodies are being read") as caught:
            await engine.run_blocking(made.append, 2)
        assert caught.value.retry_after_s == 1
        waiting.cancel()
        opened.set()
        await asyncio.gather(*held)
        await engine.run_blocking(made.append, 3)
        assert made == [3]

    serve(work, max_connections=3)


def test_requests_that_wait_at_the_end_are_refused(serve: Serve, gate: Gate) -> None:
    """Nobody waits for ever for an engine that has been stopped."""
    left: list[Asked] = []

    async def work(engine: Engine) -> None:
        left.append(await occupy(engine, gate))
        left.append(ask(engine, 1))
        await asyncio.sleep(0)
        await engine.stop()
        for task in left:
            with pytest.raises(Unready, match="has stopped"):
                await task

    serve(work, workers=1)
