"""The larger networks begin as their papers say."""

import torch

from models.classifiers.alexnet import AlexNet, AlexNetConfig, ResponseNorm
from models.classifiers.simpleconvnet import SimpleConvNet, SimpleConvNetConfig
from models.classifiers.vgg16 import VGG, VGGConfig


def test_alexnet_begins_with_ones_where_relus_should_be_awake() -> None:
    """Weights N(0, 0.01^2); biases 1 in conv2, 4, 5 and the hidden dense layers, else 0."""
    net = AlexNet(AlexNetConfig(classes=3, hidden=16))
    torch.manual_seed(0)
    net.initialize()
    biases = {n: p for n, p in net.named_parameters() if n.endswith("bias")}
    ones = [n.split(".")[1] for n, bias in biases.items() if bool((bias == 1).all())]
    zeros = [n.split(".")[1] for n, bias in biases.items() if bool((bias == 0).all())]
    assert ones == ["conv2", "conv4", "conv5", "fc1", "fc2"]
    assert zeros == ["conv1", "conv3", "fc3"]
    weights = net.get_parameter("features.conv3.weight").detach()
    assert abs(float(weights.std()) - 0.01) < 1e-4
    assert abs(float(weights.mean())) < 1e-4


def test_response_norm_is_the_papers_formula() -> None:
    """B = a / (2 + 1e-4 * sum of the squares of five neighbouring maps) ^ 0.75."""
    x = torch.rand(1, 7, 2, 2) * 100
    squares = torch.nn.functional.pad(x.square(), (0, 0, 0, 0, 2, 2))
    sums = sum(squares[:, i : i + 7] for i in range(5))
    torch.testing.assert_close(ResponseNorm()(x), x / (2 + 1e-4 * sums) ** 0.75)


def test_vgg_begins_after_glorot() -> None:
    """Weights are uniform within the root of 6 / (fan-in + fan-out); biases are zero."""
    net = VGG(VGGConfig(11, classes=3, hidden=8))
    torch.manual_seed(0)
    net.initialize()
    weights = net.get_parameter("features.conv3_1.weight").detach()
    bound = (6 / (9 * 128 + 9 * 256)) ** 0.5
    assert 0.99 * bound < float(weights.abs().max()) <= bound
    assert not any(p.any() for name, p in net.named_parameters() if name.endswith("bias"))


def test_simpleconvnet_begins_with_deviation_a_hundredth() -> None:
    """Weights N(0, 0.01^2), biases zero."""
    net = SimpleConvNet(SimpleConvNetConfig())
    torch.manual_seed(0)
    net.initialize()
    weights = net.get_parameter("classifier.fc1.weight").detach()
    assert abs(float(weights.std()) - 0.01) < 1e-4
    assert not net.get_parameter("features.conv1.bias").any()
