"""From a target to a module: how it is built, what is left behind, and what errors say."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from calculator import CalculatorError, Report
from calculator.reading.tracing import trace

Trace = Callable[..., Report]


def test_weights_take_no_memory(trace_it: Trace) -> None:
    """A class is called where its four terabytes take none."""
    traced = trace_it(lambda: nn.Linear(1_000_000, 1_000_000), 1_000_000)
    assert traced.params == 1_000_001_000_000


def test_code_that_needs_real_weights_gets_them(trace_it: Trace) -> None:
    """A constructor that reads its weights is called again, with numbers in them."""

    def build() -> nn.Module:
        conv = nn.Conv2d(1, 1, 1)
        if float(conv.weight.sum()) > 2:  # it is 1 at most
            message = "unlikely weights"
            raise ValueError(message)
        return conv

    assert trace_it(build, 1, 4, 4).params == 2


def test_lazy_modules_learn_their_shape(trace_it: Trace) -> None:
    """Modules without input features take them from the first run."""
    assert trace_it(lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(3)), 2, 2, 2).params == 27


def test_module_is_left_as_it_was(trace_it: Trace) -> None:
    """Training modes, weights and gradients of an instance stay."""
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1).eval(), nn.Dropout())
    before = {name: value.clone() for name, value in net.state_dict().items()}
    trace_it(net, 1, 4, 4)
    assert [module.training for module in net.modules()] == [True, True, False, True]
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert next(net.parameters()).device.type == "cpu"
    assert torch.is_grad_enabled()


def make_classifier() -> nn.Module:
    """Return a network for inputs of 3x32x32."""
    stem = nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU())
    return nn.Sequential(stem, nn.Flatten(), nn.Linear(8 * 28 * 28, 10))


@pytest.mark.parametrize(
    ("found", "shape", "message"),
    [
        (
            make_classifier,
            (1, 32, 32),
            r"with input 1x32x32, 0\.0 \(Conv2d\) raised RuntimeError: G",
        ),
        (
            make_classifier,
            (3, 16, 16),
            r"3x16x16, 2 \(Linear\) raised RuntimeError: .* \[1, 1152\]",
        ),
        (nn.Identity, (3, 8, 8), "written_nets:net: no layer lies between input and output"),
        (nn.Conv2d, (3, 8, 8), r"needs arguments \(in_channels, out_channels, kernel_size\)"),
        (lambda: [1], (3,), "written_nets:net returns a list; name a function that returns an nn"),
        (lambda: 1 // 0, (3,), "net: calling it raised ZeroDivisionError: integer division"),
        (lambda: sys.exit("stop"), (3,), "calling it raised SystemExit: stop"),
        (7, (3,), "written_nets:net is an int; name an nn.Module"),
        (sys, (3,), "written_nets:net is a Python module; name an nn.Module"),
    ],
)
def test_module_that_cannot_be_read_says_why(
    found: object,
    shape: tuple[int, ...],
    message: str,
    trace_it: Trace,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """One line says what was tried, which module raised, and why; nothing else is printed."""
    with pytest.raises(CalculatorError, match=message) as caught:
        trace_it(found, *shape)
    check_line(caught.value.message, capfd)


def check_line(message: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Assert that a message is one line of reasonable length and that nothing was printed."""
    assert "\n" not in message
    assert len(message) < 500
    assert capfd.readouterr() == ("", "")


def takes_two(_: object, x: Tensor, y: Tensor) -> Tensor:
    """Add two values, of which only one is given."""
    return x + y


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (takes_two, r"its Function raised TypeError: .* argument: 'y'"),
        (
            lambda _, x: x if x.sum() > 0 else -x,
            r"has a branch or a shape that depends .* line \d+",
        ),
        (lambda _, x: x[x > 0], "its Function has a branch or a shape that depends on the values"),
        (lambda _, x: x.shape, "no layer lies between input and output"),
    ],
)
def test_code_that_has_no_table_says_why(
    run: Callable[..., object],
    message: str,
    trace_function: Trace,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Further inputs, and layers that depend on the values of the input, cannot be told."""
    with pytest.raises(CalculatorError, match=message) as caught:
        trace_function(run, 2)
    check_line(caught.value.message, capfd)


def test_module_of_the_current_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A file in this folder is imported as with ``python -m``, and what it prints is no report."""
    package = tmp_path / "traced_package"
    package.mkdir()
    text = "from torch import nn\nprint('hello')\nclass Zoo:\n    small = nn.Conv2d(3, 2, 1)\n"
    (package / "nets.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    network = trace("traced_package.nets:Zoo.small", input_shape=(3, 4, 4))
    assert (network.name, len(network.nodes)) == ("Zoo.small", 1)
    assert sys.path == path
    assert capfd.readouterr() == ("", "hello\n")
