"""Who runs next: workers shared fairly among the models.

Everything here happens on the event loop, and only :meth:`Scheduler.work` in a worker.
"""

import asyncio
import math
import time
from functools import partial
from typing import TYPE_CHECKING

from runner.service.engine.batching import Batcher
from runner.service.engine.crew import NICENESS, Crew, tell
from runner.service.engine.runs import Batch
from runner.service.engine.tickets import Ticket
from runner.service.errors import BadRequest, Failed, ServiceError, Unready
from runner.service.settings import ServiceSettings

if TYPE_CHECKING:
    from runner.service.engine.statistics import Reason, Run

LONGEST_RETRY_S = 60
SPARE_RUNS = 1  # beside the workers' own: by measurement a fifth more pictures under full load
LOST = "a worker lost this request; the server's log says why: send it again"


class Scheduler:
    """Hands the waiting requests to the workers.

    A worker is never idle while a request is due. When several models wait, the one whose runs
    have taken least of the workers' time goes first (start-time fair queueing: Goyal, Vin and
    Cheng 1996; a model that was idle saves nothing up). And since a run cannot be interrupted,
    a model that has none may begin one even when all workers are taken, up to twice as many: the
    operating system then divides the processors, and a small network does not wait for the large
    pictures of another. One run more begins where it could not grow by waiting, so that no
    processor is idle while the event loop takes an answer from a worker and hands it the next run.

    What is expected to take no longer than ``at_once_ms`` runs on the event loop itself: to hand
    it to a worker and back would cost more than the run.

    Args:
        settings: of the service.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._most_runs = 2 * settings.workers + SPARE_RUNS
        self._crew = Crew(self._most_runs, "worker", NICENESS)
        self._loop = asyncio.get_running_loop()
        self._active: dict[Batcher, None] = {}
        self._woken = False
        self._alarm: asyncio.TimerHandle | None = None
        self._spent_ns = 0.0  # of the model that began last: where one that was idle joins
        self._running: dict[Batch, Batcher] = {}

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not (self._active or self._running)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of all tensors that wait."""
        return sum(batcher.waiting_bytes for batcher in self._active)

    def add(self, ticket: Ticket) -> None:
        """Queue a request.

        Those that arrive in the same turn of the event loop can share a run: workers are looked
        at when the turn is over.
        """
        batcher = ticket.batcher
        if batcher not in self._active:
            if not batcher.running:
                batcher.spent_ns = max(batcher.spent_ns, self._spent_ns)
            self._active[batcher] = None
        batcher.push(ticket)
        self.wake()

    def wake(self) -> None:
        """Look at the workers when this turn of the event loop is over."""
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self.dispatch)

    def forget(self, ticket: Ticket) -> None:
        """Spend no further work on a request that is done: its caller has gone, or it expired."""
        if ticket.batch is None:
            ticket.batcher.discard(ticket)
            ticket.release()
            self.retire(ticket.batcher)
        elif all(other.done for other in ticket.batch.tickets):
            ticket.batch.options.terminate = True

    def retire(self, batcher: Batcher) -> None:
        """Forget a batcher in which nothing waits."""
        if not batcher.waiting:
            self._active.pop(batcher, None)

    def dispatch(self) -> None:
        """Give the idle workers all that is due."""
        self._woken = False
        now = self._loop.time()
        while (batcher := self.choose(now)) is not None:
            if self.begin(batcher, now):
                self.wake()  # others have their turn of the event loop in between
                break
        self.set_alarm()

    def choose(self, now: float) -> Batcher | None:
        """Return the model that runs next, or None where none may or none is due."""
        runs = len(self._running)
        if runs >= self._most_runs:
            return None
        free = runs < self._settings.workers
        spare = runs < self._settings.workers + SPARE_RUNS
        allowed = (
            batcher
            for batcher in self._active
            if free or not batcher.running or (spare and batcher.is_full(now))
        )
        due = (batcher for batcher in allowed if batcher.find_due() <= now)
        return min(due, key=lambda batcher: batcher.spent_ns, default=None)

    def set_alarm(self) -> None:
        """Look again when a delay is over."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due = min((batcher.find_due() for batcher in self._active), default=math.inf)
        if self._loop.time() < due < math.inf:
            self._alarm = self._loop.call_at(due, self.dispatch)

    def begin(self, batcher: Batcher, now: float) -> bool:
        """Hand a model's next batch to a worker, or run a small one at once.

        Returns:
            whether it was run.
        """
        idle = max(1, self._settings.workers - len(self._running))
        batch = Batch(batcher.model, batcher.take(now, idle), self._settings.max_batch)
        self.retire(batcher)
        for ticket in batch.tickets:
            ticket.batch = batch
        batch.estimate_ns = batcher.estimate(batch.bytes)
        self.charge(batcher, batch.estimate_ns)
        batcher.running += 1
        self._running[batch] = batcher
        at_once = batcher.is_quick(batch.estimate_ns)
        if at_once:
            batch.execute()
            self.account(batch)
            deliver(batch)
            batch.release()
        else:
            self._crew.submit(partial(self.work, batch))
        return at_once

    def charge(self, batcher: Batcher, ns: float) -> None:
        """Charge a model that begins a run with the time that it is expected to take."""
        self._spent_ns = max(self._spent_ns, batcher.spent_ns)
        batcher.spent_ns += ns

    def work(self, batch: Batch) -> None:
        """Run a batch in this thread, and tell the event loop."""
        try:
            batch.execute()
        finally:
            tell(self._loop, self.finish, batch)

    def finish(self, batch: Batch) -> None:
        """Let the worker go on, and answer the callers."""
        self.account(batch)
        self.dispatch()
        deliver(batch)
        batch.release()

    def account(self, batch: Batch) -> None:
        """Write down what a run took."""
        batcher = self._running.pop(batch)
        batcher.running -= 1
        batcher.spent_ns += batch.ended_ns - batch.began_ns - batch.estimate_ns
        if batch.runs:
            batcher.learn(batch.bytes, sum(run.infer_ns for run in batch.runs))

    def estimate_wait_s(self, batcher: Batcher) -> int:
        """Return the whole seconds after which a model's queue should have room, 1 to 60."""
        wait_ns = batcher.estimate(batcher.waiting_bytes) / self._settings.workers
        return max(1, min(LONGEST_RETRY_S, math.ceil(wait_ns / 1e9)))

    def abandon(self, message: str) -> None:
        """Answer all requests, waiting and running, with :class:`Unready`."""
        running = [ticket for batch in self._running for ticket in batch.tickets]
        waiting = [ticket for batcher in self._active for ticket in batcher.list_tickets()]
        for ticket in (*running, *waiting):
            if not ticket.done:
                ticket.future.set_exception(Unready(message))
                self.forget(ticket)

    def close(self) -> None:
        """Let the workers end."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._crew.close()


def deliver(batch: Batch) -> None:
    """Give the callers their answers, and write them into the statistics."""
    ledger = batch.model.ledger
    for run in batch.runs:
        ledger.record_run(run)
    now = time.perf_counter_ns()
    groups: dict[Run, list[Ticket]] = {}
    for ticket, answer, charge in zip(batch.tickets, batch.answers, batch.charges, strict=True):
        if not ticket.wanted:  # where it is late, its alarm is about to say so
            continue
        if isinstance(answer, dict) and charge is not None:
            ticket.future.set_result(answer)
            groups.setdefault(charge, []).append(ticket)
        else:
            reason: Reason = "OTHER" if isinstance(answer, BadRequest) else "BACKEND"
            ledger.record_failure(reason, now - ticket.arrived_ns)
            ticket.future.set_exception(
                answer if isinstance(answer, ServiceError) else Failed(LOST)
            )
    for charge, tickets in groups.items():
        total_ns = sum(now - ticket.arrived_ns for ticket in tickets)
        queue_ns = sum(batch.began_ns - ticket.arrived_ns for ticket in tickets)
        ledger.record_successes(len(tickets), total_ns, queue_ns, charge)
