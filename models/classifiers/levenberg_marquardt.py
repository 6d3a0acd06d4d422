"""LeCun's stochastic diagonal Levenberg-Marquardt: a learning rate for each parameter.

LeCun, Bottou, Bengio and Haffner 1998, section III.B and appendix C: the rate of parameter k
is eta / (mu + h_kk), where h_kk is the diagonal of the Gauss-Newton approximation of the
Hessian and mu = 0.02. The running estimate of h_kk is that of LeCun, Bottou, Orr and Mueller
1998, "Efficient BackProp", section 9.1.

Deviations: h_kk is not propagated backwards layer by layer, but sampled: the square of a
gradient along a random direction of the outputs has the same mean. Cross terms of shared
weights, which the paper drops, are in it. The paper estimates once before each pass, on 500
samples; from its small first weights the curvature then grows faster than that, and the first
pass diverges: here the estimate follows every step.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from models.classifiers.classifier import Classifier

MU = 0.02
FIRST_SAMPLES = 500  # for the estimate before the first step
MEMORY = 0.02  # weight of each step's sample in the running estimate


class DiagonalLevenbergMarquardt(torch.optim.Optimizer):
    """Gradient descent with the rate ``lr / (mu + curvature)`` for each parameter.

    Args:
        params: tensors to optimise.
        lr: eta, the global rate.
        mu: keeps rates bounded where the loss is flat.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, mu: float = MU) -> None:
        super().__init__(params, {"lr": lr, "mu": mu})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every parameter against its gradient."""
        if closure is not None:
            closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    curvature = self.curvature_of(parameter)
                    parameter.addcdiv_(parameter.grad, group["mu"] + curvature, value=-group["lr"])

    def curvature_of(self, parameter: Tensor) -> Tensor:
        """Return h_kk of a parameter's elements; zeros before the first estimate."""
        slots: dict[str, Any] = self.state[parameter]
        if "curvature" not in slots:
            slots["curvature"] = torch.zeros_like(parameter)
        curvature: Tensor = slots["curvature"]
        return curvature

    def estimate(self, net: Classifier, pictures: Iterable[Tensor]) -> None:
        """Estimate the curvature from nothing, as a mean over samples.

        Args:
            net: whose parameters these are.
            pictures: scaled pictures ``[1, C, H, W]``, one sample each.
        """
        for number, picture in enumerate(pictures, start=1):
            self.follow(net, picture, memory=1.0 / number)

    def follow(self, net: Classifier, picture: Tensor, *, memory: float = MEMORY) -> None:
        """Take one sample into the running estimate.

        Args:
            net: whose parameters these are.
            picture: scaled, ``[1, C, H, W]``.
            memory: weight of this sample, 0 to 1.
        """
        parameters = [p for group in self.param_groups for p in group["params"]]
        gradients = torch.autograd.grad(net.draw_direction(picture), parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            self.curvature_of(parameter).lerp_(gradient.square(), memory)
