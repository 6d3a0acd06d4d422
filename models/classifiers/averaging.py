"""A moving average of the weights, which generalises better than the last of them."""

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential moving average of parameters and running statistics.

    Polyak and Juditsky 1992, with a decay that grows from nearly nothing, so that the
    first random weights are soon forgotten.

    Args:
        net: whose weights to follow.
        decay: below 1; the average looks back over about 1 / (1 - decay) steps.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.net = net
        self.decay = decay
        self.tensors = {name: t.detach().clone() for name, t in net.state_dict().items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step ``step``, counted from 1."""
        decay = min(self.decay, (1.0 + step) / (10.0 + step))
        for name, tensor in self.net.state_dict().items():
            if tensor.is_floating_point():
                self.tensors[name].lerp_(tensor, 1.0 - decay)
            else:
                self.tensors[name].copy_(tensor)

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on from a checkpoint's average."""
        for name, tensor in tensors.items():
            self.tensors[name].copy_(tensor)
