"""What the tests of the service share: tiny models, and engines that serve them."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper, save
from onnx.onnx_ml_pb2 import ValueInfoProto

from runner.service.engine import files
from runner.service.engine.engine import Engine
from runner.service.settings import ServiceSettings

LONGEST = 120  # seconds that a test may hang for
Work = Callable[[Engine], Awaitable[None]]
Tensor = tuple[str, int, list[int | str]]


def write_model(
    path: Path,
    nodes: list[NodeProto],
    inputs: list[Tensor],
    outputs: list[Tensor],
    *,
    weights: dict[str, Any] | None = None,
    task: str = "features",
) -> Path:
    """Write a tiny ONNX file; without a task it is a foreign one."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [describe(*tensor) for tensor in inputs],
        [describe(*tensor) for tensor in outputs],
        [numpy_helper.from_array(array, key) for key, array in (weights or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    entries = {"schema": 1, "task": task} if task else {}
    helper.set_model_props(model, {f"impasto.{key}": json.dumps(entries[key]) for key in entries})
    save(model, path)
    return path


def describe(name: str, kind: int, shape: list[int | str]) -> ValueInfoProto:
    """Describe an input or output."""
    return helper.make_tensor_value_info(name, kind, shape)


def write_scale(path: Path, factor: float = 2.0) -> Path:
    """Write a model of rows of any length: each times a factor, and the sum of each."""
    nodes = [
        helper.make_node("Mul", ["x", "factor"], ["y"]),
        helper.make_node("ReduceSum", ["y", "axis"], ["total"], keepdims=0),
    ]
    weights = {"factor": np.array(factor, np.float32), "axis": np.array([1], np.int64)}
    outputs: list[Tensor] = [
        ("y", TensorProto.FLOAT, ["N", "W"]),
        ("total", TensorProto.FLOAT, ["N"]),
    ]
    inputs: list[Tensor] = [("x", TensorProto.FLOAT, ["N", "W"])]
    return write_model(path, nodes, inputs, outputs, weights=weights)


def write_mean(path: Path) -> Path:
    """Write a model of uint8 pictures of any size: the mean of each channel."""
    nodes = [
        helper.make_node("Cast", ["image"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["levels"], ["mean"], axes=[1, 2], keepdims=0),
    ]
    inputs: list[Tensor] = [("image", TensorProto.UINT8, ["N", "H", "W", 3])]
    return write_model(path, nodes, inputs, [("mean", TensorProto.FLOAT, ["N", 3])])


def write_table(path: Path, first: int = 0) -> Path:
    """Write a model that looks up 0, 1, 4 or 9 for 0 to 3, and fails for everything else.

    The table begins at ``first``.
    """
    nodes = [
        helper.make_node("Sub", ["place", "first"], ["entry"]),
        helper.make_node("Gather", ["table", "entry"], ["value"]),
    ]
    weights = {"table": np.array([0, 1, 4, 9], np.float32), "first": np.array(first, np.int64)}
    inputs: list[Tensor] = [("place", TensorProto.INT64, ["N", 1])]
    outputs: list[Tensor] = [("value", TensorProto.FLOAT, ["N", 1])]
    return write_model(path, nodes, inputs, outputs, weights=weights)


def write_foreign(path: Path) -> Path:
    """Write a model that says nothing of itself and mixes its rows: each divided by their sum."""
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Div", ["x", "sum"], ["y"]),
    ]
    inputs: list[Tensor] = [("x", TensorProto.FLOAT, ["N", 2])]
    return write_model(path, nodes, inputs, [("y", TensorProto.FLOAT, ["N", 2])], task="")


@pytest.fixture(scope="session", name="write_scale")
def provide_write_scale() -> Callable[..., Path]:
    """Return the function that writes ``scale.onnx``."""
    return write_scale


@pytest.fixture(scope="session", name="write_table")
def provide_write_table() -> Callable[..., Path]:
    """Return the function that writes ``table.onnx``."""
    return write_table


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Return a folder of four tiny models: ``scale``, ``mean``, ``table`` and ``foreign``."""
    folder = tmp_path / "models"
    folder.mkdir()
    write_scale(folder / "scale.onnx")
    write_mean(folder / "mean.onnx")
    write_table(folder / "table.onnx")
    write_foreign(folder / "foreign.onnx")
    return folder


@pytest.fixture
def replace_scale(models: Path) -> Callable[[float], None]:
    """Return what puts a ``scale`` with another factor in place of the old one, in one step."""

    def replace(factor: float) -> None:
        write_scale(models / "new.tmp", factor).replace(models / "scale.onnx")

    return replace


@pytest.fixture
def unshipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave out the models that ship with the package."""
    monkeypatch.setattr(files, "SHIPPED", tmp_path / "nothing")


@pytest.fixture
def serve(models: Path, unshipped: None) -> Callable[..., None]:  # noqa: ARG001 - to leave them out
    """Return what runs a coroutine with an engine of the tiny models, and looks for leaks."""

    def run(work: Work, **settings: Any) -> None:  # noqa: ANN401 - any setting
        options = {"models": models, "workers": 2, "watch_seconds": 0, "at_once_ms": 0, **settings}
        run_engine(work, ServiceSettings(**options))

    return run


def run_engine(work: Work, settings: ServiceSettings) -> None:
    """Run a coroutine with an engine; afterwards nothing of it may be left."""

    async def main() -> None:
        async with Engine(settings) as engine:
            await work(engine)
            assert all(model.pending == 0 for model in engine.statistics.read())
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def guarded() -> None:
        async with asyncio.timeout(LONGEST):
            await main()

    before = set(threading.enumerate())
    asyncio.run(guarded())
    for thread in set(threading.enumerate()) - before:
        thread.join(LONGEST)
        assert not thread.is_alive(), f"{thread.name} is left"
