"""Processes that do everything with their pictures: dealt to, listened to, kept in order.

The process that deals is nearly idle: names go out, finished text comes back and is written.
What is in flight is bounded, so memory does not grow with the number of pictures.
"""

import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

from runner.classify.clerk import Answer, Clerk, Opened, Order
from runner.classify.executors import Helper, start_helpers
from runner.classify.jobs import Job
from runner.classify.results import Results
from runner.classify.rows import Row
from runner.classify.work import is_cut, open_results, run_reported, sort_out

PART_BATCHES = 4  # of one part, at most; see Clerk.classify
PART_PICTURES = 256  # the same, in pictures, where that leaves a batch
DEPTH = 2  # parts that a process has: one at work, one to go on with at once
WINDOW = 4  # parts per process that may wait for a slow one before them

Numbers = tuple[int, ...]  # of jobs: one part of the work


@dataclass
class Desk:
    """A process and the parts that it has."""

    helper: Helper
    parts: deque[Numbers] = field(default_factory=deque)


@contextmanager
def open_clerks(count: int, order: Order) -> Iterator[list[Helper]]:
    """Start processes that open a network; on leaving, they end.

    Args:
        count: of them.
        order: for each; :func:`hear_opened` waits until it is carried out.

    Raises:
        BrokenExecutor: one has ended.
    """
    helpers = start_helpers(count, Clerk())
    try:
        for helper in helpers:
            helper.send(pickle.dumps(order))
        yield helpers
    finally:
        for helper in helpers:
            helper.close()


def make_order(options: dict[str, Any]) -> Order:
    """Return what the command line asks for."""
    names = ("model", "provider", "top", "draft", "form", "output")
    return Order(**{name: options[name] for name in names}, cut=is_cut(options))


def hear_opened(helpers: Sequence[Helper]) -> Opened:
    """Wait until every process has opened the network.

    Raises:
        BrokenExecutor: one has ended.
        ModelError: the model cannot be used.
        click.UsageError: more classes are asked for than there are.
    """
    try:
        opened: list[Opened] = [helper.receive() for helper in helpers]
    except ValueError as error:
        message = f"--{error}"
        raise click.UsageError(message) from None
    return opened[0]


def classify_by_crew(
    jobs: Sequence[Job], helpers: Sequence[Helper], options: dict[str, Any]
) -> int:
    """Classify jobs with processes; see :func:`runner.classify.classification.classify_jobs`.

    Raises:
        BrokenExecutor: a process was ended from outside.
    """
    opened = hear_opened(helpers)
    share = -(-len(jobs) // len(helpers))
    batch = min(options["batch"] or opened.batch, share)
    with open_results(jobs, opened.labels, opened.settings, options) as results:
        return run_reported(Crew(jobs, results, helpers, batch), results, len(jobs), options)


def divide(todo: Sequence[int], batch: int, processes: int) -> Iterator[Numbers]:
    """Cut numbers into parts of whole batches, smaller ones towards the end.

    Args:
        todo: numbers of jobs.
        batch: pictures of one run.
        processes: which shall end at about the same time.
    """
    place = 0
    while place < len(todo):
        left = (len(todo) - place) // batch
        most = min(PART_BATCHES, PART_PICTURES // batch, left // (2 * processes))
        part = max(1, most) * batch
        yield tuple(todo[place : place + part])
        place += part


class Crew:
    """Classify every job with processes; see :class:`runner.classify.work.Work`.

    Args:
        jobs: what to classify.
        results: where rows go.
        helpers: which have opened the network.
        batch: pictures of one run.
    """

    def __init__(
        self, jobs: Sequence[Job], results: Results, helpers: Sequence[Helper], batch: int
    ) -> None:
        self._jobs = jobs
        self._results = results
        self._desks = [Desk(helper) for helper in helpers]
        self._batch = batch
        self._parts: deque[Numbers] = deque()  # not dealt yet
        self._line: deque[Numbers] = deque()  # dealt and not written yet, in order
        self._answers: dict[Numbers, Answer] = {}
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopped

    def stop(self) -> None:
        """Drop the pictures in flight and take no more; safe in a signal handler."""
        self._stopped = True

    def run(self) -> Iterator[Row]:
        """Yield a row per picture in order, those of an earlier run first.

        Rows bear no ranking: the results have it.

        Raises:
            BrokenExecutor: a process was ended from outside.
        """
        skipped, todo = sort_out(self._jobs, self._results)
        yield from skipped
        self._parts.extend(divide(todo, self._batch, len(self._desks)))
        while not self._stopped and (self._parts or self._line):
            self._deal()
            self._listen()
            while self._line and self._line[0] in self._answers:
                yield from self._hand_in(self._line.popleft())

    def _deal(self) -> None:
        """Give every process a part, then every process another."""
        # Near the end nobody has two while others have none.
        depth = DEPTH if len(self._parts) > len(self._desks) else 1
        for most in range(1, depth + 1):
            for desk in self._desks:
                room = len(self._line) < WINDOW * len(self._desks)
                if self._parts and room and len(desk.parts) < most:
                    self._give(desk)

    def _give(self, desk: Desk) -> None:
        part = self._parts[0]
        tasks = [tuple(self._jobs[number]) for number in part]
        batches = [
            tasks[place : place + self._batch] for place in range(0, len(tasks), self._batch)
        ]
        message = pickle.dumps(batches)
        if desk.parts and len(message) > desk.helper.room:
            return
        desk.parts.append(self._parts.popleft())
        self._line.append(part)
        self._send(desk.helper, message)

    def _send(self, helper: Helper, message: bytes) -> None:
        try:
            helper.send(message)
        except BrokenExecutor:
            if not self._stopped:  # else the same signal has ended it
                raise

    def _listen(self) -> None:
        """Wait for answers and take them."""
        from multiprocessing.connection import wait  # noqa: PLC0415 - few runs need it

        busy = {desk.helper.connection: desk for desk in self._desks if desk.parts}
        for connection in wait(list(busy)):
            desk = busy[connection]  # type: ignore[index]
            try:
                self._answers[desk.parts.popleft()] = desk.helper.receive()
            except BrokenExecutor:
                if not self._stopped:
                    raise

    def _hand_in(self, part: Numbers) -> Iterator[Row]:
        """Write the answer to a part; yield its rows."""
        answer = self._answers.pop(part)
        self._results.add_texts(part, answer.rows, answer.lines)
        for place, number in enumerate(part):
            fault = answer.faults.get(place)
            yield Row(self._jobs[number].source, "failed" if fault else "ok", fault)
