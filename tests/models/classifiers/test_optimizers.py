"""LeCun's optimiser against second derivatives that are known, and the moving average."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from models.classifiers.averaging import WeightAverage
from models.classifiers.classifier import Classifier
from models.classifiers.lenet5 import LeNet5, LeNet5Config
from models.classifiers.levenberg_marquardt import DiagonalLevenbergMarquardt


class Line(Classifier):
    """One dense layer behind nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Flatten())
        self.classifier = nn.Sequential(nn.Linear(2, 3))

    def initialize(self) -> None:
        """Keep what PyTorch drew."""


def exact_diagonal(function: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """Return the diagonal of a Hessian."""
    hessian: Tensor = torch.autograd.functional.hessian(function, values)  # type: ignore[no-untyped-call]
    return hessian.diagonal()


def test_step_divides_by_curvature() -> None:
    """A parameter moves by eta * gradient / (mu + h)."""
    parameter = torch.tensor([1.0, 1.0], requires_grad=True)
    optimizer = DiagonalLevenbergMarquardt([parameter], lr=0.1, mu=0.5)
    optimizer.curvature_of(parameter).copy_(torch.tensor([0.0, 1.5]))
    parameter.grad = torch.tensor([1.0, 2.0])
    optimizer.step()
    torch.testing.assert_close(parameter.detach(), torch.tensor([0.8, 0.9]))


def test_curvature_of_cross_entropy_is_its_hessian() -> None:
    """For a linear classifier Gauss-Newton is exact: samples agree with the second derivative."""
    torch.manual_seed(0)
    net = Line()
    picture = torch.tensor([[[[0.5, -1.5]]]])
    layer = net.classifier[0]
    assert isinstance(layer, nn.Linear)
    bias = layer.bias.detach()

    def measure(weights: Tensor) -> Tensor:
        logits = picture.flatten(1) @ weights.reshape(3, 2).T + bias
        return net.measure_loss(logits, torch.tensor([1]))

    expected = exact_diagonal(measure, layer.weight.detach().flatten())
    optimizer = DiagonalLevenbergMarquardt(net.parameters(), lr=1.0)
    optimizer.estimate(net, [picture] * 4000)
    found = optimizer.curvature_of(layer.weight).flatten()
    torch.testing.assert_close(found, expected, rtol=0.1, atol=0.01)


def test_curvature_of_distances_is_twice_the_squared_slopes() -> None:
    """For LeNet-5 of 1998, F6's biases have 2 (dx/db)^2, whatever the signs drawn."""
    torch.manual_seed(0)
    net = LeNet5(LeNet5Config("1998"))
    net.initialize()
    picture = torch.rand(1, 1, 32, 32)
    optimizer = DiagonalLevenbergMarquardt(net.parameters(), lr=1.0)
    optimizer.estimate(net, [picture])
    f6 = net.classifier[0]
    sums = net.classifier[:1](net.features(picture)).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(net.classifier[1](sums).sum(), sums)
    assert isinstance(f6, nn.Linear)
    torch.testing.assert_close(optimizer.curvature_of(f6.bias), 2 * slopes[0] ** 2)


def test_average_follows_the_weights() -> None:
    """Early it is nearly the last weights; of constant weights it is exactly those."""
    net = nn.Linear(1, 1)
    nn.init.constant_(net.weight, 0.0)
    average = WeightAverage(net, 0.9)
    nn.init.constant_(net.weight, 1.0)
    average.update(1)
    assert float(average.tensors["weight"]) == pytest.approx(1 - 2 / 11)
    for step in range(200, 400):
        average.update(step)
    assert float(average.tensors["weight"]) == pytest.approx(1.0)


def test_average_copies_counters() -> None:
    """Whole numbers, such as the batches a normalisation has seen, are not averaged."""
    net = nn.BatchNorm2d(1)
    average = WeightAverage(net, 0.9)
    assert net.num_batches_tracked is not None
    net.num_batches_tracked += 7
    average.update(5)
    assert int(average.tensors["num_batches_tracked"]) == 7
