"""A server that is hurt in every way at once answers clearly, and others get their answers."""

import asyncio
import gzip
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tests.runner.service.faults.conftest import (
    LIMIT,
    Answer,
    Link,
    Request,
    build_binary,
    build_json,
    read_memory,
    read_outputs,
)
from tests.runner.service.faults.fuzzing import mutate
from tests.runner.service.http.conftest import RunningServer

if TYPE_CHECKING:
    from collections.abc import Coroutine

BODIES = 10_000
WARMING = 3, 2000  # storms before, and bodies of each: until every thread has its memory
LINKS = 16
GROWTH = 0.05
MOST_STORMS = 3  # a leak grows in each; a pool that a rare crowd enlarged does so once
BOMB = gzip.compress(bytes(64 * LIMIT), 9)
ONE = np.array([[1]], np.int64)
Counts = Counter[int]
Digits = NDArray[np.uint8]


class Storm:
    """Everything that a client can do wrong, at the same time.

    Args:
        server: that it comes upon.
        digits: for the requests that are right.
        probabilities: their answers.

    Attributes:
        counts: answers by status.
        witnessed: right answers to right requests.
    """

    def __init__(
        self, server: RunningServer, digits: Digits, probabilities: NDArray[np.float32]
    ) -> None:
        self._port = server.port
        self._digits = digits
        self._probabilities = probabilities
        self._over = asyncio.Event()
        self.counts: Counts = Counter()
        self.witnessed = 0

    async def rage(self, bodies: range) -> None:
        """Do all of it until the last fuzzed body is answered."""
        works: list[Coroutine[Any, Any, None]] = [
            self.drop_bodies(),
            self.drip_bodies(),
            self.drop_bombs(),
            self.tell_lies(),
            self.raise_errors(),
            self.fill_queue(),
        ]
        async with asyncio.TaskGroup() as group:
            witness = group.create_task(self.witness())
            others = [group.create_task(work) for work in works]
            fuzzers = [group.create_task(self.fuzz(bodies[place::LINKS])) for place in range(LINKS)]
            await asyncio.gather(*fuzzers, *others)
            self._over.set()
            await witness

    def check(self, answer: Answer, *allowed: int) -> None:
        """Check that an answer says what it is, and count it."""
        self.counts[answer.status] += 1
        assert answer.status in allowed, (answer.status, answer.body)
        if answer.status >= 400:
            assert answer.headers["content-type"] == "application/json"
            (key,) = value = json.loads(answer.body)
            assert key == "error"
            assert len(value[key]) > 10
            assert "Traceback" not in value[key]

    async def witness(self) -> None:
        """Send what is right, and get what is right."""
        async with Link(self._port) as link:
            while not self._over.is_set():
                place = self.witnessed % len(self._digits)
                inputs = {"image": self._digits[place : place + 1]}
                build = build_json if self.witnessed % 2 else build_binary
                answer = await link.ask(build("lenet5", inputs).encode())
                assert answer.status == 200, answer.body
                (found,) = read_outputs(answer).values()
                np.testing.assert_allclose(found[0], self._probabilities[place], atol=1e-5)
                self.witnessed += 1

    async def fuzz(self, seeds: range) -> None:
        """Send bodies that are nearly right; none may be answered with a failure of the server."""
        right = [
            build_json("lenet5", {"image": self._digits[:1]}),
            build_binary("lenet5", {"image": self._digits[:2]}),
            build_json("scale", {"x": np.ones((2, 3), np.float32)}),
            build_binary("scale", {"x": np.ones((2, 3), np.float32)}),
            build_json("table", {"place": ONE}),
        ]
        async with Link(self._port) as link:
            for seed in seeds:
                answer = await link.ask(mutate(seed, right).encode())
                self.check(answer, 200, 400, 404, 413, 429, 500, 501, 503, 504)

    async def drop_bodies(self) -> None:
        """Go away in the middle of a body, or before its answer."""
        request = build_binary("lenet5", {"image": self._digits}).encode()
        for size in range(20, len(request), len(request) // 40):
            async with Link(self._port) as link:
                await link.send(request[:size])
        for _ in range(40):
            async with Link(self._port) as link:
                await link.send(request)

    async def drip_bodies(self) -> None:
        """Send bodies that never end, a byte now and then."""
        links = [Link(self._port) for _ in range(20)]
        for link in links:
            await link.send(Request("lenet5", b'{"inputs').encode(5000))
        for link in links:
            answer = await link.read()
            self.check(answer, 408)
            await link.close()

    async def drop_bombs(self) -> None:
        """Send little that becomes much."""
        async with Link(self._port) as link:
            for headers in (("Content-Encoding: gzip",), ("Content-Encoding: x-gzip",)) * 10:
                answer = await link.ask(Request("lenet5", BOMB, headers).encode())
                self.check(answer, 413)

    async def tell_lies(self) -> None:
        """Send what contradicts itself: lengths, types, shapes, numbers that are none."""
        infinite = np.array([[np.inf, np.nan]], np.float32)
        wrong = [
            build_binary("scale", {"x": infinite}),
            build_json("scale", {"x": infinite}),
            build_json("scale", {"x": np.ones((1, 2), np.uint8)}),
            build_json("scale", {"x": np.ones((1, 2, 2), np.float32)}),
            build_binary("lenet5", {"image": self._digits[:, :31]}),
            build_json("lenet5", {"image": self._digits[:1].astype(np.float32)}),
            Request("lenet5", b"x" * 1025, ("Inference-Header-Content-Length: 0",)),
        ]
        async with Link(self._port) as link:
            for request in wrong * 10:
                self.check(await link.ask(request.encode()), 400)
            for _ in range(10):
                short = build_json("lenet5", {"image": self._digits[:1]})
                self.check(await link.ask(short.encode(len(short.body) - 7)), 400)
                await link.close()  # seven bytes are left, which are no request
            self.check(await link.ask(Request("lenet5", b"").encode(9 * LIMIT)), 413)

    async def raise_errors(self) -> None:
        """Send what a model fails on, beside what it does not."""
        async with Link(self._port) as bad, Link(self._port) as good:
            for _ in range(50):
                refused, found = await asyncio.gather(
                    bad.ask(build_json("table", {"place": 99 * ONE}).encode()),
                    good.ask(build_json("table", {"place": 3 * ONE}).encode()),
                )
                self.check(refused, 400)
                assert read_outputs(found)["value"] == 9
                failed, found = await asyncio.gather(
                    bad.ask(build_json("brittle", {"shape": 5 * ONE[0]}).encode()),
                    good.ask(build_json("brittle", {"shape": 4 * ONE[0]}).encode()),
                )
                self.check(failed, 500)
                assert read_outputs(found)["y"].tolist() == [0, 1, 2, 3]

    async def fill_queue(self) -> None:
        """Send more pictures at once than the queue holds."""
        picture = np.full((1, 128, 128, 3), 99, np.uint8)
        weights = np.eye(1, 11, dtype=np.float32)
        request = build_binary("style-fast", {"image": picture, "style_weights": weights}).encode()

        async def ask() -> None:
            async with Link(self._port) as link:
                answer = await link.ask(request)
            self.check(answer, 200, 429)
            if answer.status == 429:
                assert int(answer.headers["retry-after"]) >= 1

        await asyncio.gather(*(ask() for _ in range(250)))


def test_a_storm_of_mistakes_leaves_the_server_as_it_was(
    server: RunningServer, digits: Digits, probabilities: NDArray[np.float32]
) -> None:
    """Every mistake is answered, right requests rightly, and memory is what it was before."""

    async def rage(bodies: range) -> Storm:
        storm = Storm(server, digits, probabilities)
        await storm.rage(bodies)
        return storm

    rounds, count = WARMING
    for number in range(rounds):
        asyncio.run(rage(range(BODIES + number * count, BODIES + (number + 1) * count)))
    growths: list[float] = []
    while not growths or (growths[-1] > GROWTH and len(growths) < MOST_STORMS):
        before = read_memory(server)
        storm = asyncio.run(rage(range(BODIES)))
        growths.append(read_memory(server) / before - 1.0)
        assert {200, 400, 404, 408, 413, 429, 500} <= {*storm.counts}
        assert storm.counts.total() > BODIES
        assert storm.witnessed > 100
    assert growths[-1] <= GROWTH, growths
    assert server.end() == 0
    assert not [line for line in server.events() if line["event"] == "request failed"]
