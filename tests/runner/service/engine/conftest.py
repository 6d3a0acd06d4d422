"""What the tests of the engine share: a gate that holds runs back."""

import resource
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime as ort
import pytest

from runner.service.engine.served import ServedModel
from runner.service.engine.tensors import Array

LONGEST = 60


class Gate:
    """Every run of the models named in ``held`` waits until it is opened.

    Attributes:
        held: names of models.
        runs: name and rows of each run, in the order in which they began.
        fault: raised instead of running, when there is one.
    """

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.runs: list[tuple[str, int]] = []
        self.fault: BaseException | None = None
        self._begun = threading.Semaphore(0)
        self._open = threading.Semaphore(0)

    def pass_through(self, model: str, rows: int, options: ort.RunOptions | None) -> None:
        """Wait in a worker."""
        self.runs.append((model, rows))
        if self.fault is not None:
            raise self.fault
        if model in self.held:
            self._begun.release()
            while not self._open.acquire(timeout=0.01):
                if options is not None and options.terminate:
                    message = "terminated"
                    raise RuntimeError(message)

    def await_runs(self, count: int = 1) -> None:
        """Wait, in a thread beside the event loop, until runs have come to the gate."""
        for _ in range(count):
            assert self._begun.acquire(timeout=LONGEST), "no run begins"

    def open(self, count: int = 1) -> None:
        """Let runs through, those that come too."""
        self._open.release(count)

    def release(self) -> None:
        """Let everything through from now on."""
        self.held = set()
        self.open(1000)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Return a gate in front of all models; at the end it is open."""
    gate = Gate()
    run = ServedModel.run

    def hold(
        model: ServedModel,
        inputs: Mapping[str, Array],
        outputs: Sequence[str],
        options: ort.RunOptions | None = None,
    ) -> dict[str, Any]:
        if options is not None:  # the warm-up passes by
            gate.pass_through(model.name, len(next(iter(inputs.values()))), options)
        return run(model, inputs, outputs, options)

    monkeypatch.setattr(ServedModel, "run", hold)
    yield gate
    gate.release()


@pytest.fixture(scope="session")
def resident() -> Callable[[], int]:
    """Return what tells how many bytes of memory this process has."""
    return lambda: int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
