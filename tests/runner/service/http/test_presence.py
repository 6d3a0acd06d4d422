"""Clients that go away."""

import asyncio

import pytest
from starlette.types import Message

from runner.service.http.answers import ClientGone
from runner.service.http.presence import Presence


class Client:
    """A client that is there until it is told to go."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def receive(self) -> Message:
        """Return the farewell when it comes."""
        await self.left.wait()
        return {"type": "http.disconnect"}


def test_work_ends_when_the_client_goes() -> None:
    """The work is cancelled, and the task goes on to tell so."""

    async def scenario() -> None:
        client = Client()
        cancelled = asyncio.Event()

        async def work() -> None:
            async with Presence(client.receive):
                client.left.set()
                try:
                    await asyncio.wait_for(asyncio.Event().wait(), 60)
                finally:
                    cancelled.set()

        with pytest.raises(ClientGone):
            await work()
        assert cancelled.is_set()
        await asyncio.sleep(0)  # the task itself is not cancelled any more

    asyncio.run(scenario())


def test_work_of_a_client_that_stays_is_finished() -> None:
    """Nothing happens, and nothing is left to wait for."""

    async def scenario() -> int:
        async with Presence(Client().receive):
            await asyncio.sleep(0)
            answer = 42
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1
        return answer

    assert asyncio.run(scenario()) == 42


def test_other_errors_pass() -> None:
    """What the work raises is raised, whether the client is there or not."""

    async def scenario() -> None:
        async with Presence(Client().receive):
            await asyncio.sleep(0)
            message = "from inside"
            raise ValueError(message)

    with pytest.raises(ValueError, match="from inside"):
        asyncio.run(scenario())


def test_the_servers_own_cancellation_passes() -> None:
    """A server that ends cancels the work too, and that is not the client's going."""

    async def work(client: Client) -> None:
        async with Presence(client.receive):
            await asyncio.Event().wait()

    async def scenario() -> None:
        task = asyncio.create_task(work(Client()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
