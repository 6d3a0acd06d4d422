"""The door: which requests are taken, how long they may take, and when they are given up."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Literal
from weakref import WeakValueDictionary

from runner.service.engine.batching import Batcher
from runner.service.engine.scheduling import Scheduler
from runner.service.engine.served import ServedModel
from runner.service.engine.tensors import Array, check_outputs
from runner.service.engine.tickets import Outputs, Ticket
from runner.service.errors import BadRequest, Expired, Overloaded
from runner.service.settings import ServiceSettings


class Admission:
    """Takes requests, or refuses them before anything is spent on them.

    Args:
        settings: of the service.
        scheduler: that runs what is taken.
    """

    def __init__(self, settings: ServiceSettings, scheduler: Scheduler) -> None:
        self._settings = settings
        self._scheduler = scheduler
        # A batcher lives as long as its model is the one served, or as it has requests.
        self._batchers: WeakValueDictionary[ServedModel, Batcher] = WeakValueDictionary()
        self._current: dict[str, Batcher] = {}

    def get_batcher(self, served: ServedModel) -> Batcher:
        """Return the queue of a version of a model."""
        batcher = self._current.get(served.name)
        if batcher is not None and batcher.model is served:
            return batcher
        batcher = self._batchers.get(served)
        if batcher is None:
            batcher = self._batchers[served] = Batcher(served, self._settings)
        return batcher

    def keep(self, served: ServedModel) -> None:
        """Keep the queue of the version that is served now, instead of its former one's."""
        self._current[served.name] = self.get_batcher(served)

    def release(self, model: str) -> None:
        """Let the queue of a model go that is served no more."""
        self._current.pop(model, None)

    def check_room(self, served: ServedModel, size: int = 0) -> None:
        """Stop where no further request may wait.

        Args:
            served: the model that it is for.
            size: of its tensors in bytes.

        Raises:
            Overloaded: so many requests of the model wait, or so many bytes of all.
        """
        batcher = self.get_batcher(served)
        waiting_bytes = self._scheduler.waiting_bytes
        if batcher.waiting >= self._settings.max_queue:
            message = (
                f"model {served.name!r}: {batcher.waiting} requests wait, as many as its queue "
                "holds; try again later"
            )
        elif waiting_bytes and waiting_bytes + size > self._settings.max_waiting_bytes:
            message = (
                f"model {served.name!r}: {size} bytes more than the {waiting_bytes} that wait pass "
                f"{self._settings.max_waiting_bytes}, all that the server holds; try again later"
            )
        else:
            return
        served.ledger.record_failure("REJECTED", 0)
        raise Overloaded(message, self._scheduler.estimate_wait_s(batcher))

    def enter(
        self, served: ServedModel, inputs: Mapping[str, Array], outputs: Sequence[str] | None
    ) -> Ticket:
        """Let a request wait for a worker.

        Raises:
            BadRequest: its tensors do not fit the model.
            Overloaded: there is no room.
        """
        began_ns = time.perf_counter_ns()
        try:
            names = check_outputs(served.name, outputs, served.outputs)
            rows = served.check(inputs)
        except BadRequest:
            served.ledger.record_failure("OTHER", time.perf_counter_ns() - began_ns)
            raise
        batcher = self.get_batcher(served)
        future = asyncio.get_running_loop().create_future()
        ticket = Ticket(batcher, inputs, outputs=names, rows=rows, future=future)
        self.check_room(served, ticket.bytes)
        self._scheduler.add(ticket)
        return ticket

    async def answer(
        self,
        served: ServedModel,
        inputs: Mapping[str, Array],
        outputs: Sequence[str] | None,
        seconds: float,
    ) -> Outputs:
        """Return what a model gives for a request.

        Raises:
            BadRequest: its tensors do not fit the model.
            Overloaded: there is no room.
            Expired: there was no answer within so many seconds.
            Failed: the model failed on it.
        """
        if not seconds > 0:
            served.ledger.record_failure("REJECTED", 0)
            message = f"model {served.name!r}: the request allows {seconds:.3g} s; allow more time"
            raise Expired(message)
        ticket = self.enter(served, inputs, outputs)
        ticket.due_ns = ticket.arrived_ns + 1e9 * seconds
        loop = ticket.future.get_loop()
        alarm = loop.call_at(ticket.arrived_s + seconds, self.expire, ticket, seconds)
        try:
            return await ticket.future
        finally:
            alarm.cancel()
            if ticket.future.cancelled():
                self.give_up(ticket, "CANCELED")
            del ticket  # an exception knows this frame, and its future knows the exception

    def expire(self, ticket: Ticket, seconds: float) -> None:
        """Answer a request that took too long, and spend nothing more on it."""
        if not ticket.done:
            state = "waiting" if ticket.batch is None else "running"
            message = (
                f"model {ticket.batcher.model.name!r}: the request was still {state} when its "
                f"{seconds:.3g} s were over; allow more time or send less"
            )
            ticket.future.set_exception(Expired(message))
            self.give_up(ticket, "REJECTED")

    def give_up(self, ticket: Ticket, reason: Literal["REJECTED", "CANCELED"]) -> None:
        """Spend nothing more on a request that has no use for an answer."""
        elapsed_ns = time.perf_counter_ns() - ticket.arrived_ns
        ticket.batcher.model.ledger.record_failure(reason, elapsed_ns)
        self._scheduler.forget(ticket)
