"""The requests of one model that wait, and which of them run together."""

from typing import TYPE_CHECKING

from runner.service.engine.served import ServedModel
from runner.service.engine.tickets import Ticket
from runner.service.settings import ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Hashable

SLOWER, FASTER = 0.1, 0.5  # how fast an estimate follows; a hiccup shall not shrink batches
SHARED_NS = 2e6  # handing a batch to a worker costs about a tenth of a millisecond


class Group:
    """Tickets that may run together, in the order of their arrival."""

    __slots__ = ("rows", "tickets")

    def __init__(self) -> None:
        self.tickets: dict[Ticket, None] = {}
        self.rows = 0

    @property
    def head(self) -> Ticket:
        """The ticket that has waited longest."""
        return next(iter(self.tickets))


class Batcher:
    """Collects the requests of one version of one model.

    Only requests of the same shapes, types and wanted outputs are joined; nothing is padded.

    Args:
        model: that will run them.
        settings: sizes and delays.

    Attributes:
        model: see above.
        input_names: of the model.
        waiting: tickets in all groups.
        waiting_bytes: of their tensors.
        running: batches that workers have now.
        spent_ns: of workers' time that the model has had; the scheduler compares models by it.
    """

    def __init__(self, model: ServedModel, settings: ServiceSettings) -> None:
        self.model = model
        self.input_names = tuple(spec.name for spec in model.inputs)
        self.waiting = 0
        self.waiting_bytes = 0
        self.running = 0
        self.spent_ns = 0.0
        self._settings = settings
        self._delay_s = settings.max_delay_ms / 1000 if model.joinable else 0.0
        self._max_run_ns = settings.max_run_ms * 1e6
        # of a file that does not say what it is for nobody knows how long another input takes
        self._at_once_ns = settings.at_once_ms * 1e6 if model.joinable else 0.0
        self._sizes = sorted({*settings.preferred_sizes, settings.max_batch})
        self._ns_per_byte = model.ns_per_byte
        self._groups: dict[Hashable, Group] = {}

    def push(self, ticket: Ticket) -> None:
        """Let a ticket wait."""
        group = self._groups.setdefault(ticket.group, Group())
        group.tickets[ticket] = None
        group.rows += ticket.rows
        self.count(ticket, 1)

    def discard(self, ticket: Ticket) -> None:
        """Take a ticket out, which waits here."""
        group = self._groups[ticket.group]
        del group.tickets[ticket]
        group.rows -= ticket.rows
        if not group.tickets:
            del self._groups[ticket.group]
        self.count(ticket, -1)

    def count(self, ticket: Ticket, sign: int) -> None:
        """Add a ticket to the sums of those that wait, or subtract it."""
        self.waiting += sign
        self.waiting_bytes += sign * ticket.bytes
        self.model.ledger.pending = self.waiting

    def list_tickets(self) -> list[Ticket]:
        """Return all that wait."""
        return [ticket for group in self._groups.values() for ticket in group.tickets]

    def find_due(self) -> float:
        """Return when the first group may run, on the clock of the event loop.

        That is long ago where there is no delay, or a group has as many rows as a run shall have.
        """
        if not self._delay_s:
            return 0.0
        return min(map(self.find_group_due, self._groups.values()), default=float("inf"))

    def find_group_due(self, group: Group) -> float:
        """Return when this group may run."""
        if not self._delay_s or group.rows >= min(self._sizes[0], self.limit_rows(group)):
            return 0.0
        return group.head.arrived_s + self._delay_s

    def find_next(self, now: float) -> Group | None:
        """Return the group that runs next: of those that are due the one whose head came first."""
        due = (group for group in self._groups.values() if self.find_group_due(group) <= now)
        return min(due, key=lambda group: group.head.arrived_ns, default=None)

    def is_full(self, now: float) -> bool:
        """Tell whether the next run has as many rows as it may: it gains nothing by waiting."""
        group = self.find_next(now)
        return group is not None and group.rows >= self.limit_rows(group)

    def take(self, now: float, idle: int = 1) -> list[Ticket]:
        """Take out the tickets of the next run: of the group whose head came first.

        Args:
            now: on the clock of the event loop.
            idle: workers that could run a part of the group each.

        Returns:
            one or more tickets, in the order of their arrival; none when no group is due.
        """
        group = self.find_next(now)
        if group is None:
            return []
        taken: list[Ticket] = []
        room = self.choose_rows(group, idle)
        for ticket in group.tickets:
            if taken and ticket.rows > room:
                break
            taken.append(ticket)
            room -= ticket.rows
        for ticket in taken:
            self.discard(ticket)
        return taken

    def choose_rows(self, group: Group, idle: int) -> int:
        """Return how many rows of a group run together: a preferred number, or all there are.

        On a CPU idle workers share what would take one of them long.
        """
        rows = min(group.rows, self.limit_rows(group))
        whole_ns = self.estimate(group.head.bytes / group.head.rows) * group.rows
        if self.model.provider != "cuda" and whole_ns > SHARED_NS:
            rows = min(rows, -(-group.rows // idle))
        return max((size for size in self._sizes if size <= rows), default=rows)

    def limit_rows(self, group: Group) -> int:
        """Return how many rows of a group may run together."""
        if not self.model.joinable:
            return 1
        row_ns = self.estimate(group.head.bytes / group.head.rows)
        most = self._settings.max_batch
        return max(1, min(most, int(self._max_run_ns / row_ns))) if row_ns else most

    def estimate(self, size: float) -> float:
        """Return the expected nanoseconds of a run.

        Args:
            size: of its input in bytes.
        """
        return self._ns_per_byte * size

    def is_quick(self, ns: float) -> bool:
        """Tell whether a run that is expected to take so long may run on the event loop."""
        return 0 < ns <= self._at_once_ns

    def learn(self, size: int, ns: int) -> None:
        """Correct the estimate by a run.

        Args:
            size: of its input in bytes.
            ns: nanoseconds that it took.
        """
        measured = ns / size
        weight = SLOWER if measured > self._ns_per_byte > 0 else FASTER
        old = self._ns_per_byte or measured
        self._ns_per_byte = old + weight * (measured - old)
