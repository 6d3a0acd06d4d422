"""Requests that wait for their model."""

import math
import time
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from runner.service.engine.tensors import Array

if TYPE_CHECKING:
    import asyncio

    from runner.service.engine.batching import Batcher
    from runner.service.engine.runs import Batch

Outputs = dict[str, Array]


class Ticket:
    """One request between its arrival and its answer.

    Args:
        batcher: it waits in.
        inputs: its tensors, checked.
        outputs: names of those wanted.
        rows: of its tensors.
        future: that the caller awaits.

    Attributes:
        group: equal for tickets whose rows may run together: same outputs, types and shapes.
        bytes: of its tensors.
        arrived_s: when it came, on the clock of the event loop.
        arrived_ns: the same on the clock of the statistics.
        due_ns: when its caller has no more use for an answer, on the clock of the statistics.
        batch: that it runs in, or None while it waits.
    """

    __slots__ = (
        "arrived_ns", "arrived_s", "batch", "batcher", "bytes", "due_ns", "future", "group",
        "inputs", "outputs", "rows",
    )  # fmt: skip

    def __init__(
        self,
        batcher: "Batcher",
        inputs: Mapping[str, Array],
        *,
        outputs: tuple[str, ...],
        rows: int,
        future: "asyncio.Future[Outputs]",
    ) -> None:
        self.batcher = batcher
        self.inputs = inputs
        self.outputs = outputs
        self.rows = rows
        self.future = future
        self.group: Hashable = (outputs, *(inputs[name].shape[1:] for name in batcher.input_names))
        self.bytes = sum(array.nbytes for array in inputs.values())
        self.arrived_s = future.get_loop().time()
        self.arrived_ns = time.perf_counter_ns()
        self.due_ns = math.inf
        self.batch: Batch | None = None

    def release(self) -> None:
        """Let the tensors go, whoever still knows this ticket: an exception's traceback may."""
        self.inputs = {}

    @property
    def wanted(self) -> bool:
        """Whether an answer is worth the work: not done, and not too late."""
        return not self.future.done() and time.perf_counter_ns() < self.due_ns

    @property
    def done(self) -> bool:
        """Whether it needs no work any more: answered, expired, or given up by its caller."""
        return self.future.done()
