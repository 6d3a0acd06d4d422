"""AlexNet, which made deep learning of photographs work.

Krizhevsky, Sutskever and Hinton 2012, "ImageNet Classification with Deep Convolutional
Neural Networks", section 3. Three variants:

``single``
    One tower, as the network is usually drawn; 62,378,344 parameters.
``grouped``
    The paper's two processors: the second, fourth and fifth convolution see one half of
    the maps each (section 3.5, figure 2); 60,965,224 parameters.
``torchvision``
    Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks",
    as torchvision publishes it: 64, 192, 384, 256, 256 filters, no response
    normalisation, dropout before the dense layers; 61,100,840 parameters.

Deviations: the input is 227x227 pixels, which figure 2's "224" must be for 55x55 units
without padding (``torchvision``: 224 with padding 2).
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from torch import nn

from models.classifiers.classifier import Classifier
from models.errors import ModelsError

Variant = Literal["single", "grouped", "torchvision"]
VARIANTS = ("single", "grouped", "torchvision")


@dataclass(frozen=True)
class AlexNetConfig:
    """Shape of an :class:`AlexNet`.

    Attributes:
        variant: see the module.
        classes: K.
        hidden: units of each of the two hidden dense layers; 4,096 in the paper.

    Raises:
        ModelsError: a variant that does not exist.
    """

    variant: Variant = "single"
    classes: int = 1000
    hidden: int = 4096

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            message = f"alexnet has no variant {self.variant!r}; there are {', '.join(VARIANTS)}"
            raise ModelsError(message)


class AlexNet(Classifier):
    """Map colour pictures, RGB in [0, 255] minus a mean, to K logits."""

    def __init__(self, config: AlexNetConfig) -> None:
        super().__init__()
        self.config = config
        if config.variant == "torchvision":
            self.features, self.classifier = build_torchvision(config)
        else:
            self.features = build_features(groups=2 if config.variant == "grouped" else 1)
            self.classifier = build_classifier(config)

    def initialize(self) -> None:
        """Draw the weights from N(0, 0.01^2); biases are 0, or 1 where ReLUs should start awake.

        Section 5: ones in the second, fourth and fifth convolution and in the hidden
        dense layers.
        """
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                awake = name.rpartition(".")[2] in ("conv2", "conv4", "conv5", "fc1", "fc2")
                if module.bias is not None:
                    nn.init.constant_(module.bias, 1.0 if awake else 0.0)


class ResponseNorm(nn.LocalResponseNorm):
    """Local response normalisation of section 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75.

    PyTorch divides alpha by n, which the paper's formula does not, hence n times alpha.
    """

    def __init__(self) -> None:
        super().__init__(size=5, alpha=5 * 1e-4, beta=0.75, k=2.0)


def build_features(groups: int) -> nn.Sequential:
    """Return the five convolutions of the paper, ``[N, 3, 227, 227]`` to ``[N, 9216]``."""
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            conv1=nn.Conv2d(3, 96, 11, stride=4),  # [N, 96, 55, 55]
            relu1=nn.ReLU(),
            lrn1=ResponseNorm(),
            pool1=nn.MaxPool2d(3, stride=2),  # [N, 96, 27, 27]
            conv2=nn.Conv2d(96, 256, 5, padding=2, groups=groups),  # [N, 256, 27, 27]
            relu2=nn.ReLU(),
            lrn2=ResponseNorm(),
            pool2=nn.MaxPool2d(3, stride=2),  # [N, 256, 13, 13]
            conv3=nn.Conv2d(256, 384, 3, padding=1),  # [N, 384, 13, 13], sees both halves
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(384, 384, 3, padding=1, groups=groups),  # [N, 384, 13, 13]
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(384, 256, 3, padding=1, groups=groups),  # [N, 256, 13, 13]
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, stride=2),  # [N, 256, 6, 6]
            flatten1=nn.Flatten(),  # [N, 9216]
        )
    )


def build_classifier(config: AlexNetConfig) -> nn.Sequential:
    """Return the three dense layers of the paper, dropout in the hidden two (section 4.2)."""
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            fc1=nn.Linear(9216, config.hidden),
            relu6=nn.ReLU(),
            dropout1=nn.Dropout(0.5),
            fc2=nn.Linear(config.hidden, config.hidden),
            relu7=nn.ReLU(),
            dropout2=nn.Dropout(0.5),
            fc3=nn.Linear(config.hidden, config.classes),
        )
    )


def build_torchvision(config: AlexNetConfig) -> tuple[nn.Sequential, nn.Sequential]:
    """Return features and classifier of torchvision's network."""
    features = nn.Sequential(
        OrderedDict[str, nn.Module](
            conv1=nn.Conv2d(3, 64, 11, stride=4, padding=2),  # [N, 64, 55, 55]
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, stride=2),  # [N, 64, 27, 27]
            conv2=nn.Conv2d(64, 192, 5, padding=2),  # [N, 192, 27, 27]
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, stride=2),  # [N, 192, 13, 13]
            conv3=nn.Conv2d(192, 384, 3, padding=1),  # [N, 384, 13, 13]
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(384, 256, 3, padding=1),  # [N, 256, 13, 13]
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(256, 256, 3, padding=1),  # [N, 256, 13, 13]
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, stride=2),  # [N, 256, 6, 6]
            # Changes nothing at 224x224; torchvision has it for other sizes.
            pool3=nn.AdaptiveAvgPool2d((6, 6)),
            flatten1=nn.Flatten(),  # [N, 9216]
        )
    )
    classifier = nn.Sequential(
        OrderedDict[str, nn.Module](
            dropout1=nn.Dropout(0.5),
            fc1=nn.Linear(9216, config.hidden),
            relu6=nn.ReLU(),
            dropout2=nn.Dropout(0.5),
            fc2=nn.Linear(config.hidden, config.hidden),
            relu7=nn.ReLU(),
            fc3=nn.Linear(config.hidden, config.classes),
        )
    )
    return features, classifier
