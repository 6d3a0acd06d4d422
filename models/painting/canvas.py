"""One picture in the making: its pixels, the solver that moves them, and its best so far."""

import math
from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from models.errors import DivergedError, ModelsError, list_nearest
from models.style.objective import Costs

Solver = Literal["lbfgs", "adam"]
SOLVERS: tuple[str, ...] = get_args(Solver)
LEARNING_RATES = {"lbfgs": 1.0, "adam": 0.02}  # of pixels in [0, 1]
HISTORY = 10  # pairs of steps and gradients that L-BFGS remembers: 6 floats a pixel each
MOST_TRIALS = 20  # measurements in one line search


class Canvas:
    """One picture in the making: its pixels, their solver, and the best that it has been.

    What is measured is always the picture in [0, 1]: pixels beyond are seen at the limit. The
    solver sees the cost divided by its value at the start, times the number of pixels, so that
    its tolerances do not depend on the weights.

    Args:
        start: float ``[1, C, H, W]``, in [0, 1].
        measure: the costs of such a picture.
        solver: ``lbfgs`` with a strong Wolfe line search, as in the paper, or ``adam``.
        learning_rate: see ``LEARNING_RATES``.
    """

    def __init__(
        self,
        start: Tensor,
        measure: Callable[[Tensor], Costs],
        solver: Solver,
        learning_rate: float,
    ) -> None:
        self.pixels = start.detach().clone().requires_grad_()
        self.measure = measure
        self.solver = make_solver(self.pixels, solver, learning_rate)
        self.scale = 0.0
        self.seen = self.pixels.detach().clone()
        self.gradient = torch.zeros_like(self.seen)
        self.costs: dict[str, float] = {}
        self.best = self.picture
        self.best_costs: dict[str, float] = {"total": math.inf}

    @property
    def picture(self) -> Tensor:
        """What the canvas shows: float ``[1, C, H, W]`` in [0, 1], a copy."""
        return self.pixels.detach().clamp(0.0, 1.0)

    def advance(self) -> None:
        """Take one step, and keep the picture where it is the best so far."""
        before = self.seen
        self.solver.step(self._close)
        self.look()
        if torch.equal(before, self.seen):
            self.solver.state.clear()  # a memory that leads nowhere: begin with the gradient again
        if self.costs["total"] < self.best_costs["total"]:
            self.best, self.best_costs = self.picture, self.costs

    def look(self) -> None:
        """Measure the pixels; the solver begins where the last step ended, which costs nothing.

        Raises:
            DivergedError: a cost or a gradient is infinite or not a number.
        """
        if self.costs and torch.equal(self.seen, self.pixels.detach()):
            return
        shown = self.picture.requires_grad_()
        costs = self.measure(shown)
        (gradient,) = torch.autograd.grad(costs.total, shown)
        self.seen, self.costs = self.pixels.detach().clone(), costs.as_floats()
        total = self.costs["total"]
        if not math.isfinite(total) or not bool(gradient.isfinite().all()):
            message = (
                f"the cost is {total} or its gradient is not finite; use a lower learning rate or "
                "other weights of the costs"
            )
            raise DivergedError(message)
        self.scale = self.scale or self.seen.numel() / (total or 1.0)
        self.gradient = drop_outward(gradient.contiguous(), self.seen) * self.scale

    def collect_state(self) -> dict[str, Any]:
        """Return all that the next steps depend on: tensors, lists of tensors and numbers."""
        state = {name: getattr(self, name) for name in ("scale", "best", "best_costs")}
        # "al" is L-BFGS's scratch paper: written anew in every step
        solver = {k: v for k, v in self.solver.state[self.pixels].items() if k != "al"}
        return state | {"pixels": self.pixels.detach(), "solver": solver}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was collected, bit for bit."""
        self.pixels.data.copy_(state["pixels"])
        self.scale, self.best_costs = state["scale"], state["best_costs"]
        self.best = state["best"].to(self.pixels)
        self.costs = {}  # the pixels have not been measured yet
        self.solver.load_state_dict(self.solver.state_dict() | {"state": {0: state["solver"]}})

    def _close(self) -> float:
        self.look()
        self.pixels.grad = self.gradient.clone()
        return self.costs["total"] * self.scale


def drop_outward(gradient: Tensor, pixels: Tensor) -> Tensor:
    """Return ``gradient``, 0 where following it would lead a pixel further out of [0, 1].

    The gradient of ``clamp`` would be 0 wherever a pixel is outside, and it would stay there.
    """
    outward = ((pixels < 0.0) & (gradient > 0.0)) | ((pixels > 1.0) & (gradient < 0.0))
    return gradient.masked_fill(outward, 0.0)


def make_solver(pixels: Tensor, solver: str, learning_rate: float) -> torch.optim.Optimizer:
    """Return the optimiser of one picture.

    Raises:
        ModelsError: the solver is unknown.
    """
    if solver == "adam":
        return torch.optim.Adam([pixels], lr=learning_rate)
    if solver == "lbfgs":
        return torch.optim.LBFGS(
            [pixels],
            lr=learning_rate,
            max_iter=1,
            max_eval=MOST_TRIALS,
            history_size=HISTORY,
            tolerance_grad=0.0,
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        )
    message = f"solver {solver!r} is unknown; choose one of {list_nearest(solver, SOLVERS)}"
    raise ModelsError(message)
