"""Thousands of different requests at once, each compared with its answer computed alone."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from runner.network import open_network
from runner.service.engine.files import list_files
from tests.runner.service.faults.conftest import (
    Link,
    build_binary,
    build_json,
    read_outputs,
)
from tests.runner.service.http.conftest import RunningServer, start

REQUESTS = 5000
LINKS = 500
Inputs = dict[str, NDArray[Any]]
Asked = tuple[str, Inputs]


def draw(chance: np.random.Generator) -> Asked:
    """Return a model and inputs that no other request has."""
    kind = chance.integers(0, 10)
    rows = int(chance.integers(1, 4))
    if kind < 4:
        return "lenet5", {"image": chance.integers(0, 256, (rows, 32, 32, 1), dtype=np.uint8)}
    if kind < 6:
        return "simpleconvnet", {
            "image": chance.integers(0, 256, (rows, 28, 28, 1), dtype=np.uint8)
        }
    if kind < 8:
        width = int(chance.integers(1, 5))
        return "scale", {"x": chance.standard_normal((rows, width)).astype(np.float32)}
    if kind < 9:
        return "table", {"place": chance.integers(0, 4, (rows, 1))}
    side = int(chance.choice((32, 36, 40)))
    weights = chance.random((rows, 11)).astype(np.float32)
    weights /= weights.sum(axis=1, keepdims=True)
    picture = chance.integers(0, 256, (rows, side, 32, 3), dtype=np.uint8)
    return "style-fast", {"image": picture, "style_weights": weights}


def compute(models: Path, asked: list[Asked]) -> Iterator[Inputs]:
    """Yield the answer to each request, computed alone and without a server."""
    sessions = {
        name: open_network(path, "cpu", 1).session for name, path in list_files(models).items()
    }
    for model, inputs in asked:
        session = sessions[model]
        names = [output.name for output in session.get_outputs()]
        yield dict(zip(names, session.run(names, inputs), strict=True))


async def ask_all(port: int, asked: list[Asked]) -> list[Inputs]:
    """Return the answers of a server to all requests, sent over many links at once."""
    found: list[Inputs] = [{} for _ in asked]

    async def ask(places: range) -> None:
        async with Link(port) as link:
            for place in places:
                build = build_json if place % 3 == 0 else build_binary
                answer = await link.ask(build(*asked[place]).encode())
                assert answer.status == 200, answer.body
                found[place] = read_outputs(answer)

    await asyncio.gather(*(ask(range(first, len(asked), LINKS)) for first in range(LINKS)))
    return found


@pytest.mark.parametrize("options", [(), ("--max-batch", 1), ("--max-delay-ms", 5)])
def test_no_answer_is_another_requests_answer(
    models: Path, tmp_path: Path, options: tuple[object, ...]
) -> None:
    """Every answer is that of its own request, however they are joined."""
    chance = np.random.default_rng(5)
    asked = [draw(chance) for _ in range(REQUESTS if not options else REQUESTS // 5)]
    running = start(("--models", models, "--max-queue", REQUESTS, *options), tmp_path)
    server: RunningServer = next(running)
    try:
        found = asyncio.run(ask_all(server.port, asked))
    finally:
        next(running, None)
    for answer, expected in zip(found, compute(models, asked), strict=True):
        assert answer.keys() == expected.keys()
        for name, array in expected.items():
            if array.dtype == np.uint8:  # rounding may go either way in a batch
                assert np.abs(answer[name].astype(int) - array).max() <= 1
            else:
                np.testing.assert_allclose(answer[name], array, rtol=1e-5, atol=1e-5)
