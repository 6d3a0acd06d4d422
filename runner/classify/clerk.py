"""What one process does with some pictures: all of it, from the files to finished text."""

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from runner.classify.decoding import decode_jobs
from runner.classify.jobs import Job
from runner.classify.lines import LineWriter
from runner.classify.outcomes import Outcome, conclude
from runner.classify.predictions import Ranking, check_top, rank
from runner.classify.rows import Row, make_writer
from runner.classify.settings import Settings
from runner.images import Pixels

Task = tuple[Any, ...]  # a Job as a plain tuple, which is pickled faster


@dataclass(frozen=True)
class Order:
    """What the pictures of a run are classified with, and what is told of them.

    Attributes:
        model: name of a classifier that ships with the package, or an ONNX file.
        provider: ``auto``, ``cpu`` or ``cuda``.
        top: classes to tell, or None for the usual number.
        draft: decode far larger JPEG files in reduced size.
        form: ``table``, ``json`` or ``csv``.
        cut: cut long names in a table.
        output: the results file, which has a journal, or None.
    """

    model: Path
    provider: str
    top: int | None
    draft: bool
    form: str
    cut: bool
    output: Path | None


@dataclass(frozen=True)
class Opened:
    """What the process that gave the order does not know of the network.

    Attributes:
        labels: of the classes.
        settings: of the journal.
        batch: pictures per run; see :attr:`runner.classify.network.Network.batch`.
    """

    labels: tuple[str, ...]
    settings: Settings
    batch: int


class Answer(NamedTuple):
    """Some pictures as finished text.

    Attributes:
        rows: the text of each, in order.
        lines: of the journal, for those that did not fail.
        faults: why the others did, by their place.
    """

    rows: list[str]
    lines: str
    faults: dict[int, str]


class Clerk:
    """Takes an :class:`Order` first and opens the network, then batches of tasks.

    It is made in one process and used in another, where ONNX Runtime is imported.
    """

    def __call__(self, message: "Order | Sequence[Sequence[Task]]") -> "Opened | Answer":
        """Do what a message asks for.

        Raises:
            ModelError: the model cannot be used.
            ValueError: more classes are asked for than there are.
        """
        return self.open(message) if isinstance(message, Order) else self.classify(message)

    def open(self, order: Order) -> Opened:
        """Open the network on one thread; see :meth:`__call__`."""
        from runner.classify.network import Network  # noqa: PLC0415 - not before the process is

        self._network = Network(order.model, order.provider, 1)
        self._draft = order.draft
        self._top = check_top(order.top, len(self._network.labels))
        self._writer = make_writer(order.form, self._network.labels, cut=order.cut)
        settings = Settings(self._network.card.digest, self._top, order.draft)
        self._lines = LineWriter(order.output, settings.digest()) if order.output else None
        gc.freeze()  # what stays need not be looked at again and again
        return Opened(self._network.labels, settings, self._network.batch)

    def classify(self, batches: Sequence[Sequence[Task]]) -> Answer:
        """Classify some pictures, each batch in one run.

        All are decoded first: going to and fro between Pillow and ONNX Runtime, each of which
        wants the processor's caches for itself, costs a tenth of the time with small pictures.
        """
        jobs = [[Job(*task) for task in tasks] for tasks in batches]
        prepared = [decode_jobs(part, self._network.rule, reduced=self._draft) for part in jobs]
        outcomes = [
            outcome
            for part, pixels in zip(jobs, prepared, strict=True)
            for outcome in conclude(part, pixels, self.rank)
        ]
        lines = ""
        if self._lines:
            write = self._lines.write
            lines = "".join([write(job, ranking) for job, ranking, fault in outcomes if not fault])
        return Answer(
            [self._writer.write(make_row(outcome)) for outcome in outcomes],
            lines,
            {place: outcome.fault for place, outcome in enumerate(outcomes) if outcome.fault},
        )

    def rank(self, pixels: Pixels) -> list[Ranking]:
        """Return the most probable classes of prepared pictures."""
        return rank(self._network.predict(pixels), self._top)


def make_row(outcome: Outcome[Job]) -> Row:
    """Return the row of one outcome."""
    if outcome.fault:
        return Row(outcome.source.source, "failed", outcome.fault)
    return Row(outcome.source.source, "ok", None, outcome.ranking)
