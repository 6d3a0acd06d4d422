"""VGG: depth from nothing but 3x3 convolutions, and its siblings.

Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", table 1: configurations A (11 layers with weights), B (13), D (16) and E (19).
VGG-16 has 138,357,544 parameters, three quarters of them in its first dense layer.

Deviations: batch normalisation after every convolution (Ioffe and Szegedy 2015) can be
asked for, as torchvision's ``vgg16_bn`` has it; the paper's is without.
"""

from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from models.classifiers.classifier import Classifier
from models.errors import ModelsError

# Convolutions per block by the number of layers with weights; a pooling ends each block.
BLOCKS: dict[int, tuple[int, ...]] = {
    11: (1, 1, 2, 2, 2),  # A
    13: (2, 2, 2, 2, 2),  # B
    16: (2, 2, 3, 3, 3),  # D
    19: (2, 2, 4, 4, 4),  # E
}
WIDTHS = (64, 128, 256, 512, 512)  # channels of the blocks


@dataclass(frozen=True)
class VGGConfig:
    """Shape of a :class:`VGG`.

    Attributes:
        depth: layers with weights: 11, 13, 16 or 19.
        batch_norm: batch normalisation after every convolution.
        classes: K.
        hidden: units of each of the two hidden dense layers; 4,096 in the paper.

    Raises:
        ModelsError: another depth.
    """

    depth: int = 16
    batch_norm: bool = False
    classes: int = 1000
    hidden: int = 4096

    def __post_init__(self) -> None:
        if self.depth not in BLOCKS:
            message = f"there is no VGG of {self.depth} layers; take one of {list(BLOCKS)}"
            raise ModelsError(message)


class VGG(Classifier):
    """Map colour pictures of 224x224 pixels, RGB in [0, 255] minus a mean, to K logits."""

    def __init__(self, config: VGGConfig) -> None:
        super().__init__()
        self.config = config
        self.features = nn.Sequential(OrderedDict(list_features(config)))
        self.classifier = nn.Sequential(
            OrderedDict[str, nn.Module](
                fc1=nn.Linear(512 * 7 * 7, config.hidden),
                relu1=nn.ReLU(),
                dropout1=nn.Dropout(0.5),
                fc2=nn.Linear(config.hidden, config.hidden),
                relu2=nn.ReLU(),
                dropout2=nn.Dropout(0.5),
                fc3=nn.Linear(config.hidden, config.classes),
            )
        )

    def initialize(self) -> None:
        """Draw the weights after Glorot and Bengio 2010, uniformly; biases are zero.

        Section 3.1 names this as the way without pre-training: from N(0, 0.01^2), which the
        paper used for the shallow network A, sixteen layers seldom begin to learn.
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


def list_features(config: VGGConfig) -> list[tuple[str, nn.Module]]:
    """Return the layers of five blocks by name, ``[N, 3, 224, 224]`` to ``[N, 25088]``."""
    layers: list[tuple[str, nn.Module]] = []
    channels = 3
    for block, (count, width) in enumerate(zip(BLOCKS[config.depth], WIDTHS, strict=True), 1):
        for i in range(1, count + 1):
            name = f"{block}_{i}"
            layers.append((f"conv{name}", nn.Conv2d(channels, width, 3, padding=1)))
            if config.batch_norm:
                layers.append((f"norm{name}", nn.BatchNorm2d(width)))
            layers.append((f"relu{name}", nn.ReLU()))
            channels = width  # [N, width, 224 / 2^(block - 1), the same]
        layers.append((f"pool{block}", nn.MaxPool2d(2)))  # halves both sides
    return [*layers, ("flatten1", nn.Flatten())]  # [N, 512 * 7 * 7]
