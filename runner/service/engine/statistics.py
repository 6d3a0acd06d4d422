"""Counts and times of every model, as Triton's statistics extension has them.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Reason = Literal["REJECTED", "CANCELED", "BACKEND", "OTHER"]


@dataclass(frozen=True)
class Duration:
    """How often something was done, and how long it took in all.

    Attributes:
        count: of times.
        ns: their sum in nanoseconds.
    """

    count: int = 0
    ns: int = 0


@dataclass(frozen=True)
class BatchStatistics:
    """Runs of one number of rows; the counts are of runs, not of requests."""

    batch_size: int
    compute_input: Duration = Duration()
    compute_infer: Duration = Duration()
    compute_output: Duration = Duration()


@dataclass(frozen=True)
class ModelStatistics:
    """One version of one model, since it was loaded.

    Attributes:
        name: of the model.
        version: of it.
        last_inference_ms: Unix time of the last run in milliseconds, 0 before the first.
        inference_count: rows that were computed.
        execution_count: runs; fewer than rows where requests were joined.
        success: requests that got a result, from arrival to result.
        fail: requests that did not.
        queue: waiting, per successful request.
        compute_input: joining the tensors, likewise; a joined request counts the whole batch's.
        compute_infer: the network, likewise.
        compute_output: taking the results apart, likewise.
        failures: of ``fail.count`` by reason, in Triton's words.
        batches: by number of rows, ascending.
        pending: requests that wait now.
    """

    name: str
    version: str
    last_inference_ms: int = 0
    inference_count: int = 0
    execution_count: int = 0
    success: Duration = Duration()
    fail: Duration = Duration()
    queue: Duration = Duration()
    compute_input: Duration = Duration()
    compute_infer: Duration = Duration()
    compute_output: Duration = Duration()
    failures: Mapping[Reason, int] = field(default_factory=dict)
    batches: tuple[BatchStatistics, ...] = ()
    pending: int = 0


@dataclass(frozen=True)
class Run:
    """One run of a model, measured.

    Attributes:
        rows: of it.
        input_ns: joining the tensors.
        infer_ns: the network.
        output_ns: taking the results apart.
    """

    rows: int
    input_ns: int
    infer_ns: int
    output_ns: int


class Tally:
    """A :class:`Duration` that grows."""

    __slots__ = ("count", "ns")

    def __init__(self) -> None:
        self.count = 0
        self.ns = 0

    def add(self, count: int, ns: int) -> None:
        """Add ``count`` more, which took ``ns`` together."""
        self.count += count
        self.ns += ns

    def read(self) -> Duration:
        """Return how often and how long until now."""
        return Duration(self.count, self.ns)


class Stages:
    """Tallies of the three stages of a run."""

    __slots__ = ("infer", "input", "output")

    def __init__(self) -> None:
        self.input = Tally()
        self.infer = Tally()
        self.output = Tally()

    def add(self, count: int, run: Run) -> None:
        """Charge ``count`` requests, or runs, with all of ``run`` each."""
        self.input.add(count, count * run.input_ns)
        self.infer.add(count, count * run.infer_ns)
        self.output.add(count, count * run.output_ns)

    def read(self) -> dict[str, Duration]:
        """Return the stages by the names of :class:`ModelStatistics`."""
        return {
            "compute_input": self.input.read(),
            "compute_infer": self.infer.read(),
            "compute_output": self.output.read(),
        }


class Ledger:
    """The statistics of one version of one model, written while it works.

    The event loop writes and any thread may read. There is one entry for each number of rows,
    and no run has more than the largest batch.

    Args:
        name: of the model.
        version: of it.

    Attributes:
        pending: requests that wait now; whoever queues them keeps it.
    """

    def __init__(self, name: str, version: str) -> None:
        self.name = name
        self.version = version
        self.pending = 0
        self._lock = threading.Lock()
        self._success, self._fail, self._queue = Tally(), Tally(), Tally()
        self._stages = Stages()
        self._batches: dict[int, Stages] = {}
        self._failures: Counter[Reason] = Counter()
        self._rows = self._runs = self._last_ms = 0

    def read(self) -> ModelStatistics:
        """Return what is written so far."""
        with self._lock:
            return ModelStatistics(
                self.name,
                self.version,
                last_inference_ms=self._last_ms,
                inference_count=self._rows,
                execution_count=self._runs,
                success=self._success.read(),
                fail=self._fail.read(),
                queue=self._queue.read(),
                **self._stages.read(),
                failures=dict(self._failures),
                batches=tuple(
                    BatchStatistics(rows, **self._batches[rows].read())
                    for rows in sorted(self._batches)
                ),
                pending=self.pending,
            )

    def record_run(self, run: Run) -> None:
        """Count a run that gave results."""
        with self._lock:
            self._batches.setdefault(run.rows, Stages()).add(1, run)
            self._rows += run.rows
            self._runs += 1
            self._last_ms = time.time_ns() // 1_000_000

    def record_successes(self, count: int, total_ns: int, queue_ns: int, run: Run) -> None:
        """Count requests that were answered together.

        Args:
            count: of requests.
            total_ns: from arrival to result, summed over them.
            queue_ns: of that the waiting, summed over them.
            run: that answered them; each is charged with all of it.
        """
        with self._lock:
            self._success.add(count, total_ns)
            self._queue.add(count, queue_ns)
            self._stages.add(count, run)

    def record_failure(self, reason: Reason, ns: int) -> None:
        """Count a request that got no result.

        Args:
            reason: ``REJECTED`` by a full queue or a deadline, ``CANCELED`` by its client,
                ``BACKEND`` where the model failed, ``OTHER`` where it does not fit the model.
            ns: from arrival until now.
        """
        with self._lock:
            self._failures[reason] += 1
            self._fail.add(1, ns)


class Statistics:
    """The statistics of the versions that are served.

    Args:
        ledgers: returns those of the loaded models.
    """

    def __init__(self, ledgers: Callable[[], Iterable[Ledger]]) -> None:
        self._ledgers = ledgers

    def read(self, name: str | None = None) -> tuple[ModelStatistics, ...]:
        """Return the statistics of one model, none where it is not loaded, or of all by name."""
        wanted = (ledger for ledger in self._ledgers() if name in (None, ledger.name))
        return tuple(ledger.read() for ledger in sorted(wanted, key=lambda ledger: ledger.name))
