"""The engine answers every request rightly, or says why not."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner.errors import ModelError
from runner.service.engine.engine import Engine, Inference
from runner.service.errors import BadRequest, Failed, NotFound, Unready
from runner.service.settings import ServiceSettings

Serve = Callable[..., None]
Gate = Any  # of conftest.py
ROWS = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


class InvalidArgument(Exception):  # noqa: N818 - named as ONNX Runtime's
    """What ONNX Runtime raises for a bad input; the log does not keep it."""


async def ask(engine: Engine, value: float, **options: Any) -> Inference:  # noqa: ANN401
    """Ask ``scale`` for twice a value."""
    return await engine.infer("scale", {"x": np.full((1, 1), value, np.float32)}, **options)


async def look_up(engine: Engine, place: int) -> float:
    """Ask ``table`` for the square of 0, 1, 2 or 3."""
    found = await engine.infer("table", {"place": np.array([[place]])})
    return float(found.outputs["value"][0, 0])


def test_answer_names_model_and_version(serve: Serve) -> None:
    """An answer holds all outputs in the file's order, and says who computed them."""

    async def work(engine: Engine) -> None:
        found = await engine.infer("scale", {"x": ROWS})
        assert (found.model, found.version) == ("scale", "1")
        assert list(found.outputs) == ["y", "total"]
        np.testing.assert_array_equal(found.outputs["y"], 2 * ROWS)
        np.testing.assert_array_equal(found.outputs["total"], [12, 30])

    serve(work)


def test_outputs_come_in_the_wanted_order(serve: Serve) -> None:
    """Only the outputs that are asked for are computed, in the order of asking."""

    async def work(engine: Engine) -> None:
        found = await engine.infer("scale", {"x": ROWS}, outputs=["total"])
        assert list(found.outputs) == ["total"]
        both = await engine.infer("scale", {"x": ROWS}, outputs=["total", "y"])
        assert list(both.outputs) == ["total", "y"]

    serve(work)


def test_thousands_of_mixed_requests_get_the_answers_of_each_alone(serve: Serve) -> None:
    """Of 5,000 requests at once, of two models and many shapes, each gets its own answer."""
    random = np.random.default_rng(0)

    def build(number: int) -> tuple[str, dict[str, np.ndarray[Any, Any]]]:
        rows = int(random.integers(1, 5))
        if number % 2:
            shape = (rows, int(random.integers(1, 6)))
            return "scale", {"x": random.integers(-999, 999, shape).astype(np.float32)}
        sides = random.integers(1, 4, 2)
        return "mean", {"image": random.integers(0, 256, (rows, *sides, 3), dtype=np.uint8)}

    async def work(engine: Engine) -> None:
        requests = [build(number) for number in range(5000)]
        found = await asyncio.gather(*(engine.infer(*request) for request in requests))
        for (name, inputs), answer in zip(requests, found, strict=True):
            alone = engine.repository.find(name).run(inputs, list(answer.outputs))
            for output, array in answer.outputs.items():
                np.testing.assert_array_equal(array, alone[output])
        statistics = engine.statistics.read()
        answered = {model.name: model.success.count for model in statistics}
        assert answered == {"foreign": 0, "mean": 2500, "scale": 2500, "table": 0}
        assert sum(model.execution_count for model in statistics) < 2500, "requests are joined"
        rows = sum(len(next(iter(inputs.values()))) for _, inputs in requests)
        assert sum(model.inference_count for model in statistics) == rows

    serve(work, max_queue=5000)


def test_bad_request_fails_alone(serve: Serve, gate: Gate) -> None:
    """When a joined run fails, each request gets a run of its own, and only the bad one fails."""

    async def work(engine: Engine) -> None:
        gate.held = {"table"}
        first = asyncio.create_task(look_up(engine, 3))
        await asyncio.to_thread(gate.await_runs)
        rest = [asyncio.create_task(look_up(engine, place)) for place in (1, 77, 2, 0)]
        await asyncio.sleep(0)
        gate.release()
        found = await asyncio.gather(first, *rest, return_exceptions=True)
        assert [found[0], found[1], *found[3:]] == [9, 1, 4, 0]
        assert isinstance(found[2], BadRequest)
        assert "cannot take" in found[2].message
        assert gate.runs == [("table", 1), ("table", 4), *[("table", 1)] * 4]
        (statistics,) = engine.statistics.read("table")
        assert (statistics.success.count, statistics.failures) == (4, {"OTHER": 1})

    serve(work, workers=1)


@pytest.mark.parametrize(
    "fault",
    [RuntimeError("a"), MemoryError(), SystemExit(3), KeyboardInterrupt(), StopIteration(),
     asyncio.CancelledError(), OSError("a"), GeneratorExit()],
    ids=repr,
)  # fmt: skip
def test_worker_survives_whatever_a_run_raises(
    serve: Serve, gate: Gate, fault: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a run raises, the callers are told without details, and the next request works."""

    async def work(engine: Engine) -> None:
        gate.fault = fault
        found = await asyncio.gather(*(ask(engine, 1) for _ in range(5)), return_exceptions=True)
        for error in found:
            assert isinstance(error, Failed)
            assert error.message.startswith("model 'scale' failed on this request")
        gate.fault = None
        assert (await ask(engine, 3)).outputs["y"] == 6
        (statistics,) = engine.statistics.read("scale")
        assert statistics.failures == {"BACKEND": 5}

    serve(work)
    assert "model scale failed" in caplog.text


def test_large_request_is_computed_in_parts(serve: Serve, gate: Gate) -> None:
    """A request of more rows than a batch may have is run in several, and answered as one."""

    async def work(engine: Engine) -> None:
        rows = np.arange(20, dtype=np.float32).reshape(10, 2)
        found = await engine.infer("scale", {"x": rows})
        np.testing.assert_array_equal(found.outputs["y"], 2 * rows)
        assert gate.runs == [("scale", 4), ("scale", 4), ("scale", 2)]
        (statistics,) = engine.statistics.read("scale")
        assert [(batch.batch_size, batch.compute_infer.count) for batch in statistics.batches] == [
            (2, 1), (4, 2),
        ]  # fmt: skip
        assert (statistics.inference_count, statistics.execution_count) == (10, 3)

    serve(work, max_batch=4)


def test_foreign_model_is_never_joined(serve: Serve) -> None:
    """Nobody knows what the first dimension of a foreign file means: each request runs alone."""

    async def work(engine: Engine) -> None:
        row = np.array([[1, 3]], np.float32)
        requests = (engine.infer("foreign", {"x": row}) for _ in range(20))
        for found in await asyncio.gather(*requests):
            np.testing.assert_array_equal(found.outputs["y"], [[0.25, 0.75]])

    serve(work)


def test_rows_of_a_joined_run_are_copies(serve: Serve, gate: Gate) -> None:
    """A caller that keeps its answer keeps nothing of its neighbours' in memory."""

    async def work(engine: Engine) -> None:
        found = await asyncio.gather(*(ask(engine, value) for value in range(8)))
        assert gate.runs == [("scale", 8)]
        assert all(answer.outputs["y"].base is None for answer in found)

    serve(work)


@pytest.mark.parametrize("outcome", ["answered", "failed", "expired", "cancelled"])
def test_request_leaves_nothing_behind(serve: Serve, gate: Gate, outcome: str) -> None:
    """The tensors of a request are let go when it is over, without a garbage collector's help."""

    async def ask_and_forget(engine: Engine) -> weakref.ref[Any]:
        array = np.ones((2, 2), np.float32)
        deadline_s = 0.05 if outcome == "expired" else None
        asked = engine.infer("scale", {"x": array}, deadline_s=deadline_s)
        task = asyncio.create_task(asked)
        if outcome == "cancelled":
            await asyncio.to_thread(gate.await_runs)
            task.cancel()
        await asyncio.wait([task])
        assert (task.cancelled() or task.exception() is not None) is (outcome != "answered")
        gate.fault = None
        return weakref.ref(array)

    async def work(engine: Engine) -> None:
        gate.held = {"scale"} if outcome in {"expired", "cancelled"} else set()
        gate.fault = InvalidArgument() if outcome == "failed" else None
        left = await ask_and_forget(engine)
        for _ in range(1000):
            await asyncio.sleep(0.01)  # until the workers wait again
            if left() is None:
                return
        pytest.fail("the tensor is still held")

    gc.disable()
    try:
        serve(work)
    finally:
        gc.enable()


def test_unknown_names_list_the_known_ones(serve: Serve) -> None:
    """Models, versions, inputs and outputs that do not exist are refused with those that do."""

    async def work(engine: Engine) -> None:
        with pytest.raises(NotFound, match="'scala' is unknown; the models here are: scale, "):
            await engine.infer("scala", {"x": ROWS})
        with pytest.raises(NotFound, match="no version '7'; the one served is 1"):
            await engine.infer("scale", {"x": ROWS}, version="7")
        with pytest.raises(BadRequest, match="'z' is unknown to model 'scale'; its inputs are: x"):
            await engine.infer("scale", {"z": ROWS})
        with pytest.raises(BadRequest, match=r"'totals' .* its outputs are: total, y"):
            await engine.infer("scale", {"x": ROWS}, outputs=["totals"])
        (statistics,) = engine.statistics.read("scale")
        assert statistics.failures == {"OTHER": 2}
        assert statistics.fail.count == 2

    serve(work)


def test_statistics_add_up(serve: Serve, gate: Gate) -> None:
    """Requests, rows and runs are counted, and the parts of the time are within the whole."""

    async def work(engine: Engine) -> None:
        await asyncio.gather(*(engine.infer("scale", {"x": ROWS}) for _ in range(3)))
        await engine.infer("scale", {"x": ROWS})
        assert gate.runs == [("scale", 6), ("scale", 2)]
        (found,) = engine.statistics.read("scale")
        assert (found.inference_count, found.execution_count) == (8, 2)
        parts = [found.queue, found.compute_input, found.compute_infer, found.compute_output]
        assert [part.count for part in (found.success, *parts)] == [4] * 5
        assert 0 < sum(part.ns for part in parts) <= found.success.ns
        assert [batch.batch_size for batch in found.batches] == [2, 6]
        assert found.last_inference_ms > 0
        assert (found.fail.count, found.pending) == (0, 0)

    serve(work)


def test_engine_that_has_not_started_refuses(models: Path) -> None:
    """Before the models are loaded there are no answers, and the caller may come again."""
    engine = Engine(ServiceSettings(models=models))
    assert not engine.ready
    with pytest.raises(Unready, match="starting; try again") as caught:
        engine.require_room("scale")
    assert caught.value.retry_after_s == 1


@pytest.mark.usefixtures("unshipped")
def test_engine_without_a_model_does_not_start(tmp_path: Path) -> None:
    """Where nothing can be served the start fails, and no thread is left."""
    (tmp_path / "broken.onnx").write_text("Dear diary,")

    async def main() -> None:
        async with Engine(ServiceSettings(models=tmp_path, workers=1)):
            pytest.fail("it starts")

    with pytest.raises(ModelError, match=r"no model can be served: broken\.onnx: not an ONNX file"):
        asyncio.run(main())


def test_blocking_call_runs_beside_the_event_loop(serve: Serve) -> None:
    """A call in a thread returns its result, raises what it raises, and knows its arguments."""

    async def work(engine: Engine) -> None:
        assert await engine.run_blocking(int, "ff", base=16) == 255
        with pytest.raises(ValueError, match="invalid literal"):
            await engine.run_blocking(int, "zz")

    serve(work)
