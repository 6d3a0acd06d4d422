"""Files that change while requests come: switched without a failure, or refused."""

import asyncio
import gc
import logging
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner.service.engine.engine import Engine, Inference
from runner.service.errors import BadRequest, NotFound, Unready

Serve = Callable[..., None]
Replace = Callable[[float], None]
Gate = Any  # of conftest.py
LOOKS = 1000


async def ask(engine: Engine) -> Inference:
    """Ask ``scale`` for a multiple of 1: the answer is its factor."""
    return await engine.infer("scale", {"x": np.ones((1, 1), np.float32)})


async def await_version(engine: Engine, version: str) -> None:
    """Wait until the watcher has switched."""
    for _ in range(LOOKS):
        if engine.repository.find("scale").version == version:
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"version {version} does not come")


def test_file_is_replaced_under_traffic(serve: Serve, replace_scale: Replace) -> None:
    """Callers that never pause see the old version, then the new one, and no failure."""

    async def work(engine: Engine) -> None:
        changed = asyncio.Event()

        async def call() -> list[tuple[str, float]]:
            found = []
            while not changed.is_set():
                answer = await ask(engine)
                found.append((answer.version, float(answer.outputs["y"][0, 0])))
            answer = await ask(engine)
            return [*found, (answer.version, float(answer.outputs["y"][0, 0]))]

        callers = [asyncio.create_task(call()) for _ in range(8)]
        for factor, version in ((3, "2"), (5, "3")):
            replace_scale(factor)
            await await_version(engine, version)
        changed.set()
        for found in await asyncio.gather(*callers):
            assert set(found) <= {("1", 2.0), ("2", 3.0), ("3", 5.0)}
            assert found == sorted(found)
            assert found[-1] == ("3", 5.0)

    serve(work, watch_seconds=0.02)


def test_requests_that_wait_are_answered_by_the_version_they_came_for(
    serve: Serve, gate: Gate, replace_scale: Replace
) -> None:
    """What was checked against the old file runs on the old file, and that is let go then."""

    async def work(engine: Engine) -> None:
        gate.held = {"scale"}
        old = weakref.ref(engine.repository.find("scale"))
        first = asyncio.create_task(ask(engine))
        await asyncio.to_thread(gate.await_runs)
        second = asyncio.create_task(ask(engine))
        await asyncio.sleep(0)
        replace_scale(3)
        await engine.load("scale")
        third = asyncio.create_task(ask(engine))
        await asyncio.sleep(0)
        gate.release()
        found = await asyncio.gather(first, second, third)
        assert [answer.version for answer in found] == ["1", "1", "2"]
        assert [float(answer.outputs["y"][0, 0]) for answer in found] == [2, 2, 3]
        with pytest.raises(NotFound, match="has no version '1'; the one served is 2"):
            engine.repository.find("scale", "1")
        for _ in range(LOOKS):
            await asyncio.sleep(0.01)  # until the worker waits again
            gc.collect()
            if old() is None:
                return
        pytest.fail("the old version is still held")

    serve(work, workers=1)


def test_broken_file_is_refused_and_the_old_one_stays(
    serve: Serve, models: Path, replace_scale: Replace, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged file changes nothing but the index and the log, until a good one comes."""
    caplog.set_level(logging.INFO, "impasto.service")

    async def work(engine: Engine) -> None:
        (models / "scale.onnx").write_text("Dear diary,")
        with pytest.raises(BadRequest, match=r"'scale' cannot be loaded: scale\.onnx: not an ONNX"):
            await engine.load("scale")
        assert (await ask(engine)).version == "1"
        entry = next(entry for entry in engine.repository.index() if entry.name == "scale")
        assert (entry.version, entry.state) == ("1", "READY")
        assert "version 1 stays" in entry.reason
        assert str(models) not in entry.reason, "clients learn no paths"
        replace_scale(3)
        await engine.load("scale")
        assert (await ask(engine)).outputs["y"] == 3
        assert all(entry.reason == "" for entry in engine.repository.index())

    serve(work)
    errors = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert errors[0].startswith("model scale: scale.onnx: not an ONNX file")


def test_model_that_fails_on_its_first_input_is_refused(
    serve: Serve, models: Path, write_table: Callable[[Path, int], Path]
) -> None:
    """A file that opens and cannot run does not take the place of one that can."""

    async def work(engine: Engine) -> None:
        write_table(models / "table.onnx", 99)
        with pytest.raises(BadRequest, match="fails on a first input of zeros"):
            await engine.load("table")
        found = await engine.infer("table", {"place": np.array([[3]])})
        assert found.outputs["value"] == 9

    serve(work)


def test_half_written_file_is_left_alone(serve: Serve, models: Path) -> None:
    """A file must look the same twice before it is loaded, so a slow copy is no error."""

    async def work(engine: Engine) -> None:
        whole = (models / "scale.onnx").read_bytes()
        look = engine.repository.look
        with (models / "late.onnx").open("wb") as file:
            for byte in range(0, len(whole), 100):
                file.write(whole[byte : byte + 100])
                file.flush()
                await engine.run_blocking(look)
                assert "late" not in engine.repository.names()
        await engine.run_blocking(look)
        await engine.run_blocking(look)
        assert "late" in engine.repository.names()
        assert all(entry.reason == "" for entry in engine.repository.index())

    serve(work)


def test_removed_file_stays_served(serve: Serve, models: Path, replace_scale: Replace) -> None:
    """Removing and writing anew is one way to replace a file; until then the old one answers."""

    async def work(engine: Engine) -> None:
        look = engine.repository.look
        (models / "scale.onnx").unlink()
        for _ in range(3):
            await engine.run_blocking(look)
        assert (await ask(engine)).version == "1"
        reasons = {entry.name: entry.reason for entry in engine.repository.index()}
        assert reasons["scale"] == "its file is gone; this version stays until it is unloaded"
        with pytest.raises(BadRequest, match="'scale' cannot be loaded: its file is gone"):
            await engine.load("scale")
        replace_scale(3)
        for _ in range(2):
            await engine.run_blocking(look)
        assert (await ask(engine)).version == "2"
        (models / "scale.onnx").rename(models / "away.tmp")
        await engine.run_blocking(look)
        (models / "away.tmp").rename(models / "scale.onnx")
        for _ in range(2):
            await engine.run_blocking(look)
        assert (await ask(engine)).version == "3"
        assert all(entry.reason == "" for entry in engine.repository.index())
        (models / "scale.onnx").unlink()
        await engine.run_blocking(look)
        await engine.unload("scale")
        with pytest.raises(NotFound, match="'scale' is unknown"):
            await ask(engine)

    serve(work)


def test_unloaded_model_answers_what_waits_and_nothing_else(
    serve: Serve, gate: Gate, replace_scale: Replace
) -> None:
    """Unloading refuses no request that is in; the model stays away until it is loaded by name."""

    async def work(engine: Engine) -> None:
        gate.held = {"scale"}
        first = asyncio.create_task(ask(engine))
        await asyncio.to_thread(gate.await_runs)
        second = asyncio.create_task(ask(engine))
        await asyncio.sleep(0)
        await engine.unload("scale")
        with pytest.raises(Unready, match=r"'scale' is not loaded \(unloaded\); load it first"):
            await ask(engine)
        gate.release()
        assert [answer.version for answer in await asyncio.gather(first, second)] == ["1", "1"]
        replace_scale(3)
        for _ in range(3):
            await engine.run_blocking(engine.repository.look)
        entry = next(entry for entry in engine.repository.index() if entry.name == "scale")
        assert (entry.version, entry.state, entry.reason) == ("2", "UNAVAILABLE", "unloaded")
        assert engine.statistics.read("scale") == ()
        await engine.load("scale")
        assert (await ask(engine)).version == "2"

    serve(work, workers=1)


def test_unknown_model_is_not_loaded(serve: Serve, models: Path) -> None:
    """Names are looked up in a list and never become paths."""
    (models.parent / "outside.onnx").write_bytes((models / "scale.onnx").read_bytes())

    async def work(engine: Engine) -> None:
        for name in ("../outside", "outside", "scale.onnx", str(models / "scale"), "", "a\0b"):
            with pytest.raises(NotFound, match="is unknown; the models here are: "):
                await engine.load(name)
            with pytest.raises(NotFound, match="is unknown"):
                await engine.unload(name)

    serve(work)


def test_odd_file_names_are_left_out(serve: Serve, models: Path) -> None:
    """A file whose stem is no name is not served, nor is what is no ``.onnx`` file."""
    whole = (models / "scale.onnx").read_bytes()
    for name in (
        ".hidden.onnx",
        "with space.onnx",
        "a" * 65 + ".onnx",
        "\u00fc.onnx",
        "x.onnx.tmp",
    ):
        (models / name).write_bytes(whole)
    (models / "v1.2_b-c.onnx").write_bytes(whole)

    async def work(engine: Engine) -> None:
        await asyncio.sleep(0)
        assert engine.repository.names() == ("foreign", "mean", "scale", "table", "v1.2_b-c")

    serve(work)
