"""The convolutions of VGG-16 as published, without the dense layers that name classes."""

from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from exporter.classifiers.headers import read_header
from models.classifiers.networks import PixelScaling, choose_input
from models.classifiers.preprocessing import InputRule
from models.classifiers.vgg16 import VGGConfig, list_features
from models.style.perceptual import read_vgg

NAME = "vgg16"  # the network whose convolutions these are
UNSTATED = "unstated"


@dataclass(frozen=True)
class FeatureNetwork:
    """Layers that see a picture and name nothing.

    Attributes:
        layers: from ``conv1_1`` to ``pool5``, in evaluation mode, on the CPU.
        input: how a picture becomes pixels.
        pixels: how pixels become the network's numbers.
        config: of the network, as far as its convolutions go.
        source: where the weights come from, in words.
        license: of the weights.
    """

    layers: nn.Sequential
    input: InputRule
    pixels: PixelScaling
    config: VGGConfig = field(default_factory=VGGConfig)
    source: str = UNSTATED
    license: str = UNSTATED

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        return sum(parameter.numel() for parameter in self.layers.parameters())


def read_features(path: Path) -> FeatureNetwork:
    """Read a ``vgg16-features`` file.

    Its first convolution expects RGB in [0, 255] minus the file's mean, whoever published it:
    the import folds torchvision's deviations into the weights.

    Args:
        path: what ``impasto weights import FILE --as vgg16-features`` wrote.

    Raises:
        WeightsError: it is missing, damaged, or lacks a tensor.
    """
    tensors = read_vgg(path)
    mean = tensors.pop("mean")
    config = VGGConfig()
    layers = nn.Sequential()
    for name, module in list_features(config)[:-1]:  # without flatten1
        if isinstance(module, nn.Conv2d):
            module.weight = nn.Parameter(tensors[f"{name}.weight"], requires_grad=False)
            module.bias = nn.Parameter(tensors[f"{name}.bias"], requires_grad=False)
        layers.add_module(name, module)
    header = read_header(path)
    return FeatureNetwork(
        layers=layers.eval(),
        input=choose_input(config),
        pixels=PixelScaling((1.0, 1.0, 1.0), tuple((-mean).tolist())),
        config=config,
        source=str(header.get("source", UNSTATED)),
        license=str(header.get("license", UNSTATED)),
    )
