"""LeNet-5 of 1998: its table, its squashing, its digits and its loss, against the paper."""

import math

import pytest
import torch
from torch.nn import functional as F

from models.classifiers.bitmaps import draw_digits
from models.classifiers.lenet5 import (
    C3_TABLE,
    LeNet5,
    LeNet5Config,
    LinkedConv2d,
    RadialBasis,
    ScaledTanh,
    Subsampling,
    map_loss,
)

# LeCun et al. 1998, table I, as printed: rows are maps of S2, columns maps of C3.
PRINTED = """
X . . . X X X . . X X X X . X X
X X . . . X X X . . X X X X . X
X X X . . . X X X . . X . X X X
. X X X . . X X X X . . X . X X
. . X X X . . X X X X . X X . X
. . . X X X . . X X X X . X X X
"""


def test_c3_table_is_the_printed_one() -> None:
    """Each map of C3 sees the maps of S2 that table I marks, 60 links in all."""
    rows = [line.split() for line in PRINTED.split("\n") if line]
    printed = [{i for i, row in enumerate(rows) if row[c] == "X"} for c in range(16)]
    assert [set(seen) for seen in C3_TABLE] == printed
    assert sum(map(len, C3_TABLE)) == 60


def test_linked_convolution_is_a_masked_one() -> None:
    """Kernels without a link are zero; the others are the trained ones, in the table's order."""
    conv = LinkedConv2d(((0, 2), (1,)), 3, 2)
    torch.nn.init.normal_(conv.weight)
    kernels = conv.expand_kernels()
    assert kernels.shape == (2, 3, 2, 2)
    assert torch.equal(kernels[0, 0], conv.weight[0])
    assert torch.equal(kernels[0, 2], conv.weight[1])
    assert torch.equal(kernels[1, 1], conv.weight[2])
    linked = kernels.flatten(2).any(2).tolist()
    assert linked == [[True, False, True], [False, True, False]]
    x = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(conv(x), F.conv2d(x, kernels, conv.bias))


def test_squashing_keeps_one_and_minus_one() -> None:
    """f(1) = 1 and f(-1) = -1 to four digits, and 1.7159 is the limit (appendix A)."""
    found = ScaledTanh()(torch.tensor([1.0, -1.0, 100.0]))
    torch.testing.assert_close(found, torch.tensor([1.0, -1.0, 1.7159]), atol=1e-4, rtol=0)


def test_subsampling_adds_four_and_scales_them() -> None:
    """Each unit is coefficient times the sum of its four inputs, plus bias."""
    layer = Subsampling(2)
    layer.weight.data = torch.tensor([0.5, 2.0])
    layer.bias.data = torch.tensor([0.0, 1.0])
    x = torch.arange(8.0).reshape(1, 2, 2, 2)
    torch.testing.assert_close(layer(x), torch.tensor([[[[3.0]], [[45.0]]]]))


def test_digits_differ_everywhere() -> None:
    """Ten drawings of 84 values of +-1; any two differ in at least 15 of them."""
    digits = draw_digits()
    assert digits.shape == (10, 84)
    assert torch.equal(digits.abs(), torch.ones(10, 84))
    differing = (digits[:, None] != digits).sum(2) + 84 * torch.eye(10, dtype=torch.int64)
    assert int(differing.min()) >= 15


def test_radial_basis_measures_squared_distances() -> None:
    """Minus the sum of squared differences; 0 at a centre, and 4 per flipped pixel."""
    digits = draw_digits()
    flipped = digits[3].clone()
    flipped[:5] *= -1
    found = RadialBasis(digits)(torch.stack([digits[3], flipped]))
    assert found[0, 3] == 0.0
    assert found[1, 3] == -20.0
    expected = -torch.cdist(torch.stack([digits[3], flipped]), digits).square()
    torch.testing.assert_close(found, expected)


def test_loss_is_equation_9() -> None:
    """y_right + log(exp(-j) + sum of exp(-y)), averaged, computed term by term."""
    distances, labels, j = [[1.0, 3.0, 2.0], [0.5, 0.0, 4.0]], [2, 0], 1.5
    terms = [
        row[label] + math.log(math.exp(-j) + sum(math.exp(-y) for y in row))
        for row, label in zip(distances, labels, strict=True)
    ]
    found = map_loss(torch.tensor(distances), torch.tensor(labels), penalty=j)
    assert float(found) == pytest.approx(sum(terms) / 2)


def test_loss_stops_pushing_beyond_the_garbage_class() -> None:
    """A wrong class nearer than j is pushed away, one far beyond it hardly at all."""
    distances = torch.tensor([[0.0, 2.0, 60.0]], requires_grad=True)
    map_loss(distances, torch.tensor([0]), penalty=10.0).backward()  # type: ignore[no-untyped-call]
    assert distances.grad is not None
    right, near, far = distances.grad[0].tolist()
    assert right > 0 > near
    assert abs(far) < 1e-6 * abs(near)


@pytest.mark.parametrize("variant", ["notes", "1998"])
def test_weights_begin_within_the_papers_range(variant: str) -> None:
    """Weights lie in +-2.4 / fan-in, and come near its ends."""
    net = LeNet5(LeNet5Config(variant))  # type: ignore[arg-type]
    torch.manual_seed(0)
    net.initialize()
    dense = next(net.classifier.parameters()).detach()
    bound = 2.4 / dense.shape[1]
    assert 0.95 * bound < float(dense.abs().max()) <= bound
    first = next(net.parameters()).detach()
    assert 0.8 * 2.4 / 25 < float(first.abs().max()) <= 2.4 / 25


def test_logits_of_1998_are_minus_distances() -> None:
    """The output is never positive, and the loss of the network is eq. 9 of it."""
    net = LeNet5(LeNet5Config("1998"))
    net.initialize()
    logits = net(torch.rand(3, 1, 32, 32))
    labels = torch.tensor([1, 2, 3])
    assert logits.shape == (3, 10)
    assert float(logits.detach().max()) <= 0.0
    torch.testing.assert_close(net.measure_loss(logits, labels), map_loss(-logits, labels))
