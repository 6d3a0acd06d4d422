"""SimpleConvNet, the smallest network that has every part: one convolution, two dense layers.

Saito 2016, "Deep Learning from Scratch" (chapter 7): convolution, ReLU, max pooling,
dense, ReLU, dense; weights from a normal distribution of deviation 0.01, biases zero.
433,890 parameters, nearly all of them in the first dense layer.
"""

from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from models.classifiers.classifier import Classifier


@dataclass(frozen=True)
class SimpleConvNetConfig:
    """Shape of a :class:`SimpleConvNet`: K ``classes``; the rest is as in the book."""

    classes: int = 10


class SimpleConvNet(Classifier):
    """Map grey pictures of 28x28 pixels in [0, 1], ink 1, to K logits."""

    def __init__(self, config: SimpleConvNetConfig) -> None:
        super().__init__()
        self.config = config
        self.features = nn.Sequential(
            OrderedDict[str, nn.Module](
                conv1=nn.Conv2d(1, 30, 5),  # [N, 30, 24, 24]
                relu1=nn.ReLU(),
                pool1=nn.MaxPool2d(2),  # [N, 30, 12, 12]
                flatten1=nn.Flatten(),  # [N, 4320]
            )
        )
        self.classifier = nn.Sequential(
            OrderedDict[str, nn.Module](
                fc1=nn.Linear(4320, 100),
                relu2=nn.ReLU(),
                fc2=nn.Linear(100, config.classes),
            )
        )

    def initialize(self) -> None:
        """Draw the weights from N(0, 0.01^2); biases are zero."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
