"""What a worker does with the tickets of one run: join, compute, take apart."""

import logging
import time
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
import onnxruntime as ort

from runner.service.engine.served import ServedModel
from runner.service.engine.statistics import Run
from runner.service.engine.tensors import Array
from runner.service.engine.tickets import Outputs, Ticket
from runner.service.errors import BadRequest, Failed, ServiceError

Inputs = Mapping[str, Array]
LOG = logging.getLogger("impasto.service")
REFUSAL = "InvalidArgument"  # ONNX Runtime's exception for what lies in the input


class Batch:
    """The tickets of one run, and what became of them.

    Args:
        model: that runs them.
        tickets: with the same group; one or more.
        most: rows of one run; a single ticket with more is computed in parts.

    Attributes:
        estimate_ns: what the scheduler expects.
        began_ns: when a worker began, on the clock of the statistics.
        ended_ns: when it was done.
        answers: of the tickets, in their order; None for those that need none any more.
        charges: the run that each answer came from.
        runs: those that gave results.
        options: whose ``terminate`` ends the work early.
    """

    def __init__(self, model: ServedModel, tickets: Sequence[Ticket], most: int) -> None:
        self.model = model
        self.tickets: Sequence[Ticket] = tickets
        self.most = most
        self.bytes = sum(ticket.bytes for ticket in tickets)
        self.estimate_ns = 0.0
        self.began_ns = self.ended_ns = 0
        self.answers: list[Outputs | ServiceError | None] = [None] * len(tickets)
        self.charges: list[Run | None] = [None] * len(tickets)
        self.runs: list[Run] = []
        self.options = ort.RunOptions()

    def execute(self) -> None:
        """Answer the tickets, in a worker; where joined ones fail, each gets a run of its own."""
        self.began_ns = time.perf_counter_ns()
        places = [place for place, ticket in enumerate(self.tickets) if ticket.wanted]
        try:
            if places:
                self.answer(places)
        except BaseException as error:  # noqa: BLE001 - whatever it is, every caller gets an answer
            if len(places) == 1:
                self.refuse(places[0], error)
            else:
                self.answer_each(places)
        self.ended_ns = time.perf_counter_ns()

    def answer_each(self, places: Sequence[int]) -> None:
        """Answer tickets by a run each, so that a bad one fails alone."""
        for place in places:
            try:
                if self.tickets[place].wanted:
                    self.answer([place])
            except BaseException as error:  # noqa: BLE001 - as above
                self.refuse(place, error)

    def answer(self, places: Sequence[int]) -> None:
        """Answer tickets by one run.

        Raises:
            BaseException: what the model raises.
        """
        tickets = [self.tickets[place] for place in places]
        began = time.perf_counter_ns()
        inputs = join([ticket.inputs for ticket in tickets])
        joined = time.perf_counter_ns()
        counts = [ticket.rows for ticket in tickets]
        parts = self.compute(inputs, tickets[0].outputs, sum(counts))
        computed = time.perf_counter_ns()
        answers = split(parts, counts)
        ended = time.perf_counter_ns()
        charge = Run(sum(counts), joined - began, computed - joined, ended - computed)
        self.runs += [charge] if len(parts) == 1 else self.share(charge, len(parts))
        for place, found in zip(places, answers, strict=True):
            self.answers[place], self.charges[place] = found, charge

    def compute(self, inputs: Inputs, outputs: Sequence[str], rows: int) -> list[Outputs]:
        """Run the model, in parts where there are more rows than a run may have.

        Raises:
            Failed: the model returned another number of rows.
            BaseException: what the model raises.
        """
        if not self.model.joinable:
            return [self.model.run(inputs, outputs, self.options)]
        parts = []
        for start in range(0, rows, self.most):
            end = min(rows, start + self.most)
            part = {name: array[start:end] for name, array in inputs.items()}
            found = self.model.run(part, outputs, self.options)
            if any(array.shape[:1] != (end - start,) for array in found.values()):
                message = (
                    f"model {self.model.name!r} returned another number of rows than the "
                    f"{end - start} it was given; its file is not what it says: export it again"
                )
                raise Failed(message)
            parts.append(found)
        return parts

    def share(self, charge: Run, count: int) -> list[Run]:
        """Return the runs that a ticket of many rows was computed in, each with its share."""
        sizes = [min(self.most, charge.rows - self.most * number) for number in range(count)]
        stages = (charge.input_ns, charge.infer_ns, charge.output_ns)
        return [Run(size, *(ns * size // charge.rows for ns in stages)) for size in sizes]

    def release(self) -> None:
        """Let go of all tensors; tickets and batches know each other, and would stay a while."""
        for ticket in self.tickets:
            ticket.release()
        self.tickets, self.answers = (), []

    def refuse(self, place: int, error: BaseException) -> None:
        """Answer a ticket with a failure."""
        if not self.tickets[place].done:
            self.answers[place] = explain_failure(self.model.name, error)


def join(requests: Sequence[Inputs]) -> Inputs:
    """Return the tensors of all requests as one, row after row; of a single one as they are."""
    if len(requests) == 1:
        return requests[0]
    return {name: np.concatenate([inputs[name] for inputs in requests]) for name in requests[0]}


def split(parts: Sequence[Outputs], counts: Sequence[int]) -> list[Outputs]:
    """Give each request its rows.

    They are copies: one caller that reads slowly must not keep the others' rows in memory.

    Args:
        parts: outputs of one run, or of the several runs of a single request.
        counts: rows of each request.
    """
    if len(parts) > 1:
        return [{name: np.concatenate([part[name] for part in parts]) for name in parts[0]}]
    if len(counts) == 1:
        return [parts[0]]
    ends = list(accumulate(counts))
    return [
        {name: array[end - count : end].copy() for name, array in parts[0].items()}
        for count, end in zip(counts, ends, strict=True)
    ]


def explain_failure(model: str, error: BaseException) -> ServiceError:
    """Return what the caller is told of a failure; the log is told all of it."""
    if isinstance(error, ServiceError):
        return error
    if type(error).__name__ == REFUSAL:
        # as text: the error's traceback holds the request's tensors, and a handler may keep records
        LOG.info("model %s refused its input: %s", model, str(error))
        message = (
            f"inputs of model {model!r} do not fit together, or hold values that it cannot take; "
            "compare them with its metadata"
        )
        return BadRequest(message)
    LOG.error("model %s failed", model, exc_info=error)
    message = (
        f"model {model!r} failed on this request; the server's log says why: try another input"
    )
    return Failed(message)
