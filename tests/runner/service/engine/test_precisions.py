"""Files of several precisions: which is served, and what happens when one of them changes."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner import precision as precision_module
from runner.errors import ProviderError
from runner.service.engine.engine import Engine
from runner.service.engine.repository import Entry
from runner.service.engine.served import ServedModel

Serve = Callable[..., None]
Put = Callable[..., Path]
LOOKS = 1000


@pytest.fixture
def dots(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Return what says whether the processor is good at int8; it is until told otherwise."""

    def pretend(found: bool) -> None:  # noqa: FBT001 - it is all there is to say
        monkeypatch.setattr(precision_module, "has_integer_dots", lambda: found)

    pretend(True)  # noqa: FBT003
    return pretend


@pytest.fixture
def put(models: Path, write_scale: Callable[..., Path], write_variant: Callable[..., Path]) -> Put:
    """Return what puts a ``scale`` of some factor and properties under a name, in one step.

    The factor that an answer shows tells which file it came from.
    """

    def put(stem: str, factor: float, **properties: object) -> Path:
        plain = write_scale(models / "plain.tmp", factor)
        ready = write_variant(plain, models / "ready.tmp", **properties)
        return ready.replace(models / f"{stem}.onnx")

    return put


async def ask(engine: Engine, model: str = "scale") -> tuple[str, float]:
    """Return the version that answers, and its factor."""
    answer = await engine.infer(model, {"x": np.ones((1, 1), np.float32)})
    return answer.version, float(answer.outputs["y"][0, 0])


async def look(engine: Engine, times: int = 2) -> None:
    """Look at the files; what changed is taken when it looks the same twice."""
    for _ in range(times):
        await engine.run_blocking(engine.repository.look)


def find_entry(engine: Engine, name: str = "scale") -> Entry:
    """Return a model's entry in the index."""
    return next(entry for entry in engine.repository.index() if entry.name == name)


@pytest.mark.parametrize(
    ("able", "settings", "precision", "factor"),
    [
        (True, {}, "int8", 3),
        (False, {}, "fp32", 2),
        (True, {"precision": "fp32"}, "fp32", 2),
        (False, {"precision": "int8"}, "int8", 3),
        (True, {"precision": "fp16"}, "fp16", 4),
    ],
)
def test_a_model_is_served_in_the_precision_that_suits(
    able: bool,  # noqa: FBT001 - a parameter of the test
    settings: dict[str, Any],
    precision: str,
    factor: float,
    *,
    serve: Serve,
    put: Put,
    dots: Callable[[bool], None],
) -> None:
    """By itself int8 where the processor is good at it, else what is asked for; under one name."""
    dots(able)
    put("scale-int8", 3, precision="int8")
    put("scale-fp16", 4, precision="fp16")

    async def work(engine: Engine) -> None:
        assert engine.repository.names() == ("foreign", "mean", "scale", "table")
        assert await ask(engine) == ("1", factor)
        assert engine.repository.find("scale").precision == precision
        assert find_entry(engine).reason == ""

    serve(work, provider="cpu", **settings)


@pytest.mark.usefixtures("dots")
def test_a_model_without_the_wanted_precision_is_served_as_it_is(
    serve: Serve, put: Put, models: Path
) -> None:
    """The precision is a wish for every model; the index tells where it could not be had."""
    put("scale-int8", 3, precision="int8")
    put("alone-int8", 5, precision="int8")

    async def work(engine: Engine) -> None:
        assert await ask(engine) == ("1", 2)
        assert "needs scale-fp16.onnx, which is not there" in find_entry(engine).reason
        assert await ask(engine, "alone-int8") == ("1", 5)
        entry = find_entry(engine, "alone-int8")
        assert entry.reason.startswith("alone-int8.onnx: holds int8, not fp16")
        assert all(str(models) not in entry.reason for entry in engine.repository.index())

    serve(work, provider="cpu", precision="fp16")


@pytest.mark.usefixtures("dots")
def test_a_file_that_is_no_sibling_is_a_model_itself(serve: Serve, put: Put) -> None:
    """So is an int8 file alone, and one that is only called so beside another."""
    put("alone-int8", 3, precision="int8")
    put("scale-int8", 4)
    put("table-int8", 5, precision="fp16")

    async def work(engine: Engine) -> None:
        for name, factor in (("alone-int8", 3), ("scale-int8", 4), ("table-int8", 5), ("scale", 2)):
            assert await ask(engine, name) == ("1", factor)
        assert engine.repository.find("alone-int8").precision == "int8"

    serve(work, provider="cpu")


@pytest.mark.usefixtures("dots")
def test_siblings_come_change_and_go_under_traffic(serve: Serve, put: Put) -> None:
    """Callers that never pause see each change of the file in use, and no failure."""

    async def work(engine: Engine) -> None:
        done = asyncio.Event()

        async def call() -> set[tuple[str, float]]:
            found = set()
            while not done.is_set():
                found.add(await ask(engine))
            return found

        async def await_answer(version: str, factor: float) -> None:
            for _ in range(LOOKS):
                if await ask(engine) == (version, factor):
                    return
                await asyncio.sleep(0.02)
            pytest.fail(f"version {version} does not come")

        callers = [asyncio.create_task(call()) for _ in range(4)]
        sibling = put("scale-int8", 3, precision="int8")
        await await_answer("2", 3)
        put("scale-int8", 5, precision="int8")
        await await_answer("3", 5)
        sibling.unlink()
        await await_answer("4", 2)
        put("scale", 7)
        await await_answer("5", 7)
        done.set()
        seen = set().union(*await asyncio.gather(*callers))
        assert seen <= {("1", 2), ("2", 3), ("3", 5), ("4", 2), ("5", 7)}

    serve(work, provider="cpu", watch_seconds=0.02)


@pytest.mark.usefixtures("dots")
def test_a_sibling_that_is_not_used_changes_nothing(serve: Serve, put: Put) -> None:
    """A precision that would not be taken comes, changes and goes without a new version."""

    async def work(engine: Engine) -> None:
        for factor in (4, 5):
            half = put("scale-fp16", factor, precision="fp16")
            await look(engine, 3)
            assert await ask(engine) == ("1", 2)
        half.unlink()
        await look(engine, 3)
        assert await ask(engine) == ("1", 2)

    serve(work, provider="cpu")


@pytest.mark.usefixtures("dots")
def test_a_sibling_of_another_network_is_not_taken(
    serve: Serve, put: Put, models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After a new export its siblings are those of yesterday until they are made anew too."""
    caplog.set_level(logging.INFO, "impasto.service")
    put("scale", 2, training={"step": 1})
    put("scale-int8", 3, precision="int8", training={"step": 1})

    async def work(engine: Engine) -> None:
        assert await ask(engine) == ("1", 3)
        put("scale", 6, training={"step": 2})
        await look(engine)
        assert await ask(engine) == ("2", 6)
        entry = find_entry(engine)
        assert (entry.state, str(models) in entry.reason) == ("READY", False)
        assert entry.reason.startswith("scale-int8.onnx was not taken: which is another network")
        assert "scale-int8" not in engine.repository.names()
        (models / "scale-int8.onnx").unlink()
        await look(engine)
        assert await ask(engine) == ("2", 6)
        assert find_entry(engine).reason == ""
        put("scale-int8", 9, precision="int8", training={"step": 2})
        await look(engine)
        assert await ask(engine) == ("3", 9)
        assert find_entry(engine).reason == ""

    serve(work, provider="cpu")
    (warning,) = [entry.message for entry in caplog.records if entry.levelno == logging.WARNING]
    assert warning.startswith("model scale: scale-int8.onnx was not taken: ")
    assert "model scale version 3 is served from scale-int8.onnx in int8" in caplog.messages


@pytest.mark.usefixtures("dots")
def test_a_broken_sibling_is_not_taken(
    serve: Serve, put: Put, models: Path, write_variant: Callable[..., Path]
) -> None:
    """A sibling that says the right things and cannot run leaves the work to its fp32 file."""
    (models / "empty.tmp").touch()

    async def work(engine: Engine) -> None:
        says = {"schema": 1, "task": "features", "precision": "int8"}
        write_variant(models / "empty.tmp", models / "scale-int8.onnx", **says)
        await look(engine)
        assert await ask(engine) == ("2", 2)
        wanted = "scale-int8.onnx was not taken: scale-int8.onnx: not an ONNX file"
        assert find_entry(engine).reason.startswith(wanted)
        await look(engine, 3)
        assert await ask(engine) == ("2", 2), "it is tried once"
        put("scale-int8", 3, precision="int8")
        await look(engine)
        assert await ask(engine) == ("3", 3)

    serve(work, provider="cpu")


@pytest.mark.usefixtures("dots")
def test_a_model_that_becomes_a_sibling_stays_served(serve: Serve, put: Put) -> None:
    """Who asks for a lone int8 file by its name is answered also when its fp32 file comes."""
    put("late-int8", 3, precision="int8")

    async def work(engine: Engine) -> None:
        put("late", 2)
        await look(engine)
        assert await ask(engine, "late") == ("1", 3)
        assert await ask(engine, "late-int8") == ("1", 3)
        reason = "its file belongs to another model now; this version stays until it is unloaded"
        assert find_entry(engine, "late-int8").reason == reason

    serve(work, provider="cpu")


@pytest.mark.usefixtures("dots")
def test_a_sibling_that_changes_while_it_is_opened_is_refused(
    serve: Serve, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is served is what lies there; the next look opens it again."""
    warm_up = ServedModel.warm_up

    async def work(engine: Engine) -> None:
        def meddle(model: ServedModel) -> None:
            warm_up(model)
            put("scale-int8", 5, precision="int8")

        put("scale-int8", 3, precision="int8")
        with monkeypatch.context() as patch:
            patch.setattr(ServedModel, "warm_up", meddle)
            await look(engine)
        assert await ask(engine) == ("1", 2)
        assert "scale-int8.onnx: it was being written" in find_entry(engine).reason
        await look(engine)
        assert await ask(engine) == ("2", 5)

    serve(work, provider="cpu")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"provider": "cpu", "precision": "bf16"}, "provider cpu has no bfloat16; use --provider"),
        ({"provider": "openvino"}, "provider openvino: this onnxruntime has only"),
    ],
)
def test_what_no_model_can_have_is_said_once(
    settings: dict[str, Any], message: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that is missing, or has not the precision, ends the start with its remedy."""
    providers = ["CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: providers)

    async def work(engine: Engine) -> None:
        pytest.fail(f"{engine.repository.names()} are served")

    with pytest.raises(ProviderError, match=message):
        serve(work, **settings)
