"""One picture in the making, on costs whose answers are known."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from models.errors import ModelsError
from models.painting.canvas import Canvas, Solver, drop_outward, make_solver
from models.style.objective import Costs

Measure = Callable[[Tensor], Costs]
START = torch.full((1, 3, 2, 2), 0.5)


def make_valley(target: Tensor, factor: float = 1.0) -> Measure:
    """Return a cost with its lowest point at ``target``, a hundred times steeper in red."""
    steepness = torch.tensor([100.0, 1.0, 1.0]).reshape(1, 3, 1, 1)

    def measure(picture: Tensor) -> Costs:
        total = factor * (steepness * (picture - target).square()).sum()
        return Costs(total, total.detach(), torch.zeros(()), torch.zeros(()))

    return measure


@pytest.mark.parametrize("factor", [1e-9, 1.0, 1e9])
def test_lbfgs_finds_the_lowest_point_at_any_scale(factor: float) -> None:
    """Costs of any unit lead to the lowest point: no tolerance knows their unit."""
    target = torch.rand(START.shape, generator=torch.Generator().manual_seed(1))
    canvas = Canvas(START, make_valley(target, factor), "lbfgs", 1.0)
    for _ in range(20):
        canvas.advance()
    torch.testing.assert_close(canvas.best, target, rtol=0, atol=1e-3)


@pytest.mark.parametrize(("solver", "rate"), [("lbfgs", 1.0), ("adam", 0.1)])
def test_lowest_point_out_of_range_ends_at_the_limit(solver: Solver, rate: float) -> None:
    """Where the lowest point is beyond 1 or below 0, the picture ends at 1 or 0, others inside."""
    target = START.clone()
    target[..., 0, 0], target[..., 1, 1], target[..., 0, 1] = 1.7, -0.4, 0.8
    canvas = Canvas(START, make_valley(target), solver, rate)
    for _ in range(60):
        canvas.advance()
    torch.testing.assert_close(canvas.best, target.clamp(0, 1), rtol=0, atol=0.01)


def test_adam_keeps_the_best_picture() -> None:
    """Adam may climb; what counts is the best picture that was seen, with its own costs."""
    measure = make_valley(START + 0.1)
    canvas = Canvas(START, measure, "adam", 0.3)
    totals = []
    for _ in range(20):
        canvas.advance()
        totals.append(canvas.costs["total"])
    assert totals != sorted(totals, reverse=True)
    assert canvas.best_costs["total"] == min(totals)
    assert float(measure(canvas.best).total) == pytest.approx(min(totals))


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_perfect_start_stays(solver: Solver) -> None:
    """A picture that costs nothing is left as it is."""
    canvas = Canvas(START, make_valley(START), solver, 1.0)
    for _ in range(3):
        canvas.advance()
    assert torch.equal(canvas.best, START)
    assert canvas.best_costs["total"] == 0.0


def test_start_is_not_written_into() -> None:
    """The caller's tensor keeps its values."""
    start = START.clone()
    Canvas(start, make_valley(START + 0.2), "lbfgs", 1.0).advance()
    assert torch.equal(start, START)


def test_unknown_solver_lists_the_known() -> None:
    """A solver that does not exist is answered with those that do."""
    with pytest.raises(ModelsError, match="solver 'adams' is unknown; choose one of adam, lbfgs"):
        make_solver(torch.zeros(1, requires_grad=True), "adams", 1.0)


def test_gradient_outside_the_range_leads_back_or_is_nothing() -> None:
    """Descent is kept where it leads into [0, 1], and dropped where it leads away."""
    pixels = torch.tensor([-0.1, -0.1, 0.0, 0.5, 1.0, 1.1, 1.1])
    gradient = torch.tensor([1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0])
    expected = torch.tensor([0.0, -1.0, 1.0, 1.0, -1.0, 0.0, 1.0])
    assert torch.equal(drop_outward(gradient, pixels), expected)
