"""LeNet-5, as it is taught and as it was published.

LeCun, Bottou, Bengio and Haffner 1998, "Gradient-Based Learning Applied to Document
Recognition", section II.B and figure 2. Two variants:

``notes``
    The network of today's courses: average pooling, tanh, three dense layers, softmax;
    61,706 parameters. Every map of C3 sees all six maps of S2.
``1998``
    The paper's: trainable subsampling, table I between S2 and C3, the squashing
    1.7159 tanh(2x/3), and radial basis functions around drawn digits; 60,000 parameters.

Deviations of ``1998``: the digits of the output are drawn for this project (``bitmaps.py``),
since the paper shows its own only as a picture; and, as in the calculator, the
convolutions C1 and C3 pass their sums to the subsampling unsquashed, which the paper's
"units in layers up to F6" leaves open.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.classifiers.bitmaps import draw_digits
from models.classifiers.classifier import Classifier
from models.errors import ModelsError

Variant = Literal["notes", "1998"]
# LeCun et al. 1998, table I: the maps of S2 that each of the 16 maps of C3 sees.
C3_TABLE: tuple[tuple[int, ...], ...] = (
    *((i, (i + 1) % 6, (i + 2) % 6) for i in range(6)),
    *((i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6) for i in range(6)),
    *((i, (i + 1) % 6, (i + 3) % 6, (i + 4) % 6) for i in range(3)),
    (0, 1, 2, 3, 4, 5),
)
GARBAGE_PENALTY = 10.0  # j of eq. 9; the paper gives no value


@dataclass(frozen=True)
class LeNet5Config:
    """Shape of a :class:`LeNet5`.

    Attributes:
        variant: ``notes`` or ``1998``.
        classes: K; the digits of ``1998`` are ten.

    Raises:
        ModelsError: a variant that does not exist, or ``1998`` with other than ten classes.
    """

    variant: Variant = "notes"
    classes: int = 10

    def __post_init__(self) -> None:
        if self.variant not in ("notes", "1998"):
            message = f"lenet5 has no variant {self.variant!r}; there are notes, 1998"
            raise ModelsError(message)
        if self.variant == "1998" and self.classes != 10:
            message = (
                f"lenet5 of 1998 compares with ten drawn digits, but the data has {self.classes} "
                "classes; take the variant notes"
            )
            raise ModelsError(message)


class LeNet5(Classifier):
    """Map grey pictures of 32x32 pixels, background -0.1 and ink 1.175, to K logits."""

    def __init__(self, config: LeNet5Config) -> None:
        super().__init__()
        self.config = config
        build = build_notes if config.variant == "notes" else build_1998
        self.features, self.classifier = build(config.classes)

    def measure_loss(self, logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
        """Return the mean loss: eq. 9 for ``1998``, else cross-entropy."""
        if self.config.variant == "1998":
            return map_loss(-logits, labels)
        return super().measure_loss(logits, labels, smoothing)

    def draw_direction(self, pictures: Tensor) -> Tensor:
        """Return a scalar whose squared gradient has the Gauss-Newton diagonal as its mean.

        The Hessian of a squared distance is twice the identity: random signs, times the
        root of 2 (Hutchinson 1989).
        """
        if self.config.variant == "1998":
            outputs: Tensor = self.classifier[:-1](self.features(pictures))
            signs = torch.randint(0, 2, outputs.shape, device=outputs.device) * 2.0 - 1.0
            return math.sqrt(2.0) * (signs * outputs).sum()
        return super().draw_direction(pictures)

    def initialize(self) -> None:
        """Draw weights and biases uniformly from +-2.4 / fan-in (the paper's appendix A)."""
        for module in self.modules():
            fan_in = count_inputs(module)
            if fan_in:
                for parameter in module.parameters(recurse=False):
                    nn.init.uniform_(parameter, -2.4 / fan_in, 2.4 / fan_in)


def build_notes(classes: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Return features and classifier of the network as courses draw it."""
    features = nn.Sequential(
        OrderedDict[str, nn.Module](
            conv1=nn.Conv2d(1, 6, 5),  # [N, 6, 28, 28]
            tanh1=nn.Tanh(),
            pool1=nn.AvgPool2d(2),  # [N, 6, 14, 14]
            conv2=nn.Conv2d(6, 16, 5),  # [N, 16, 10, 10]
            tanh2=nn.Tanh(),
            pool2=nn.AvgPool2d(2),  # [N, 16, 5, 5]
            flatten1=nn.Flatten(),  # [N, 400]
        )
    )
    classifier = nn.Sequential(
        OrderedDict[str, nn.Module](
            fc1=nn.Linear(400, 120),
            tanh3=nn.Tanh(),
            fc2=nn.Linear(120, 84),
            tanh4=nn.Tanh(),
            fc3=nn.Linear(84, classes),
        )
    )
    return features, classifier


def build_1998(classes: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Return features and classifier of the paper's figure 2."""
    features = nn.Sequential(
        OrderedDict[str, nn.Module](
            c1=nn.Conv2d(1, 6, 5),  # [N, 6, 28, 28]
            s2=Subsampling(6),  # [N, 6, 14, 14]
            tanh1=ScaledTanh(),
            c3=LinkedConv2d(C3_TABLE, 6, 5),  # [N, 16, 10, 10]
            s4=Subsampling(16),  # [N, 16, 5, 5]
            tanh2=ScaledTanh(),
            c5=nn.Conv2d(16, 120, 5),  # [N, 120, 1, 1]
            tanh3=ScaledTanh(),
            flatten1=nn.Flatten(),  # [N, 120]
        )
    )
    classifier = nn.Sequential(
        OrderedDict[str, nn.Module](
            f6=nn.Linear(120, 84),
            tanh4=ScaledTanh(),
            rbf1=RadialBasis(draw_digits()[:classes]),
        )
    )
    return features, classifier


class ScaledTanh(nn.Module):
    """The paper's squashing function, 1.7159 tanh(2x/3): f(1) = 1 and f(-1) = -1."""

    def forward(self, x: Tensor) -> Tensor:
        """Squash every value."""
        return 1.7159 * torch.tanh(x * (2.0 / 3.0))


class Subsampling(nn.Module):
    """The sum of 2x2 values, times one trainable coefficient, plus one bias, per map.

    Args:
        maps: C.
    """

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(maps))
        self.bias = nn.Parameter(torch.zeros(maps))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, H, W]`` to ``[N, C, H / 2, W / 2]``."""
        sums = 4.0 * F.avg_pool2d(x, 2)
        return sums * self.weight[:, None, None] + self.bias[:, None, None]


class LinkedConv2d(nn.Module):
    """A convolution whose output maps see only chosen input maps.

    Args:
        table: per output map the input maps that it sees.
        inputs: number of input maps.
        kernel: side of the square kernel.
    """

    def __init__(self, table: tuple[tuple[int, ...], ...], inputs: int, kernel: int) -> None:
        super().__init__()
        links = [(o, i) for o, seen in enumerate(table) for i in seen]
        self.weight = nn.Parameter(torch.zeros(len(links), kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(len(table)))
        # Of each pair of maps the number of its kernel; the number past the last means none.
        numbers = torch.full((len(table), inputs), len(links))
        for number, (o, i) in enumerate(links):
            numbers[o, i] = number
        self.numbers: Tensor
        self.register_buffer("numbers", numbers, persistent=False)

    def expand_kernels(self) -> Tensor:
        """Return the kernels as ``[outputs, inputs, k, k]``, zero where there is no link."""
        none = torch.zeros_like(self.weight[:1])
        return torch.cat([self.weight, none])[self.numbers]

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, inputs, H, W]`` to ``[N, outputs, H - k + 1, W - k + 1]``."""
        return F.conv2d(x, self.expand_kernels(), self.bias)


class RadialBasis(nn.Module):
    """Minus the squared distance from the input to each of K fixed centres (eq. 7).

    Args:
        centers: float32 ``[K, D]``; a buffer, not trained.
    """

    def __init__(self, centers: Tensor) -> None:
        super().__init__()
        self.centers: Tensor
        self.register_buffer("centers", centers.clone())

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, D]`` to ``[N, K]``, 0 at best: the nearest centre has the largest value."""
        return -(x[:, None, :] - self.centers).square().sum(2)


def map_loss(distances: Tensor, labels: Tensor, penalty: float = GARBAGE_PENALTY) -> Tensor:
    """Return the discriminative loss of eq. 9, a mean over the batch.

    The distance of the right class, plus log(exp(-j) + sum of exp(-distance)): wrong
    classes are pushed away until they are as far as the "garbage" class at j.

    Args:
        distances: float ``[N, K]``, at least 0.
        labels: int64 ``[N]``.
        penalty: j, positive.
    """
    right = distances.gather(1, labels[:, None])[:, 0]
    garbage = torch.full_like(right, -penalty)[:, None]
    return (right + torch.logsumexp(torch.cat([garbage, -distances], dim=1), dim=1)).mean()


def count_inputs(module: nn.Module) -> int:
    """Return a unit's fan-in, for C3 the mean over its maps; 0 for layers without weights."""
    if isinstance(module, nn.Conv2d):
        return int(module.weight[0].numel())
    if isinstance(module, nn.Linear):
        return module.in_features
    if isinstance(module, Subsampling):
        return 4
    if isinstance(module, LinkedConv2d):
        return int(module.weight.numel() / len(module.bias))
    return 0
