"""Reading modules of the tests as if they stood in a file of the user."""

import sys
from collections.abc import Callable
from types import ModuleType

import pytest
from torch import Tensor, nn

from calculator import Report, summarize
from calculator.reading.tracing import trace


class Function(nn.Module):
    """A module of some parts and a function of them and the input."""

    def __init__(self, run: Callable[..., object], parts: dict[str, nn.Module]) -> None:
        super().__init__()
        self.run = run
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> object:
        """Call the function."""
        return self.run(self, x)


@pytest.fixture
def trace_it(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    """Return what reads an object, for an input shape, as the attribute of a module."""

    def run(found: object, *shape: int) -> Report:
        module = ModuleType("written_nets")
        module.net = found  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "written_nets", module)
        return summarize(trace("written_nets:net", input_shape=shape))

    return run


@pytest.fixture
def trace_function(trace_it: Callable[..., Report]) -> Callable[..., Report]:
    """Return what reads a function of a module's parts and the input."""

    def run(function: Callable[..., object], *shape: int, **parts: nn.Module) -> Report:
        return trace_it(Function(function, parts), *shape)

    return run
