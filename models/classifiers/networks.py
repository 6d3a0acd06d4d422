"""The classifiers by name: their variants, their input, and how each paper trains them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from models.classifiers.alexnet import AlexNet, AlexNetConfig
from models.classifiers.classifier import Classifier
from models.classifiers.lenet5 import LeNet5, LeNet5Config
from models.classifiers.preprocessing import InputRule
from models.classifiers.presets import (
    ALEXNET_PRESETS,
    LENET5_PRESETS,
    SIMPLECONVNET_PRESETS,
    VGG_PRESETS,
    Preset,
)
from models.classifiers.simpleconvnet import SimpleConvNet, SimpleConvNetConfig
from models.classifiers.vgg16 import VGG, VGGConfig
from models.errors import ModelsError, list_nearest

Config = LeNet5Config | AlexNetConfig | VGGConfig | SimpleConvNetConfig
TORCHVISION_MEAN = (0.485, 0.456, 0.406)
TORCHVISION_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class PixelScaling:
    """``x * scale + shift`` per channel, of pixels in 0..255."""

    scale: tuple[float, ...]
    shift: tuple[float, ...]


@dataclass(frozen=True)
class Description:
    """One network of the room.

    Attributes:
        name: as users type it.
        title: network, paper and year, for ``--help``.
        variants: by name the configuration's values that make it; the first is the default.
        config: class of the configuration.
        network: class of the module.
        presets: ``paper`` and ``modern``.
    """

    name: str
    title: str
    variants: Mapping[str, Mapping[str, Any]]
    config: Callable[..., Config]
    network: Callable[[Any], Classifier]
    presets: Mapping[str, Preset]

    def configure(self, variant: str | None, **values: Any) -> Config:  # noqa: ANN401 - fields differ
        """Return the configuration of a variant, with ``values`` such as ``classes`` set.

        Raises:
            ModelsError: there is no such variant.
        """
        chosen = variant or next(iter(self.variants))
        if chosen not in self.variants:
            known = list_nearest(chosen, self.variants)
            message = f"{self.name} has no variant {chosen!r}; there are {known}"
            raise ModelsError(message)
        return self.config(**self.variants[chosen], **values)

    def build(self, config: Config) -> Classifier:
        """Return the network, not yet initialised as its paper says."""
        return self.network(config)

    def restore_config(self, values: Mapping[str, Any]) -> Config:
        """Return the configuration that ``asdict`` wrote.

        Raises:
            ModelsError: a value is unknown or not allowed.
        """
        try:
            return self.config(**values)
        except TypeError as error:
            message = f"{self.name}: {dict(values)} is not a configuration of this version: {error}"
            raise ModelsError(message) from None


def choose_input(config: Config) -> InputRule:
    """Return the input rule of a network."""
    if isinstance(config, LeNet5Config | SimpleConvNetConfig):
        side = 32 if isinstance(config, LeNet5Config) else 28
        box = {"rule": "fit", "box": [28, 28]}
        return InputRule((side, side), "grey", box, "bilinear", "auto", 0)
    fits_paper = isinstance(config, AlexNetConfig) and config.variant != "torchvision"
    side = 227 if fits_paper else 224
    return InputRule((side, side), "RGB", {"rule": "crop", "short_side": 256})


def choose_scaling(config: Config, mean: tuple[float, ...]) -> PixelScaling:
    """Return how pixels enter a network.

    Args:
        config: of the network.
        mean: of the training pictures per channel, 0 to 255; what photographs are
            centred on. ``torchvision``'s own numbers replace it in its variant.
    """
    if isinstance(config, LeNet5Config):
        # Background -0.1, ink 1.175: roughly mean 0 and variance 1 (LeCun et al. 1998, II.B).
        return PixelScaling((1.275 / 255,), (-0.1,))
    if isinstance(config, SimpleConvNetConfig):
        return PixelScaling((1 / 255,), (0.0,))
    if isinstance(config, AlexNetConfig) and config.variant == "torchvision":
        return scale_torchvision()
    return PixelScaling((1.0,) * 3, tuple(-value for value in mean))


def scale_torchvision() -> PixelScaling:
    """Return ``(x / 255 - mean) / deviation`` as torchvision's weights expect it."""
    scale = tuple(1 / (255 * std) for std in TORCHVISION_STD)
    pairs = zip(TORCHVISION_MEAN, TORCHVISION_STD, strict=True)
    return PixelScaling(scale, tuple(-mean / std for mean, std in pairs))


def config_as_dict(config: Config) -> dict[str, Any]:
    """Return the configuration as JSON values."""
    return asdict(config)


def find_network(name: str) -> Description:
    """Return a network's description.

    Raises:
        ModelsError: there is no such network.
    """
    if name not in NETWORKS:
        message = f"no classifier is called {name!r}; there are {list_nearest(name, NETWORKS)}"
        raise ModelsError(message)
    return NETWORKS[name]


def describe_vgg(depth: int, letter: str) -> Description:
    """Return the description of one depth of VGG."""
    return Description(
        f"vgg{depth}",
        f"VGG-{depth}, configuration {letter} (Simonyan and Zisserman 2015)",
        {
            "plain": {"depth": depth, "batch_norm": False},
            "bn": {"depth": depth, "batch_norm": True},
        },
        VGGConfig,
        VGG,
        VGG_PRESETS,
    )


NETWORKS: dict[str, Description] = {
    "lenet5": Description(
        "lenet5",
        "LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998)",
        {"notes": {"variant": "notes"}, "1998": {"variant": "1998"}},
        LeNet5Config,
        LeNet5,
        LENET5_PRESETS,
    ),
    "simpleconvnet": Description(
        "simpleconvnet",
        "SimpleConvNet (Saito 2016)",
        {"book": {}},
        SimpleConvNetConfig,
        SimpleConvNet,
        SIMPLECONVNET_PRESETS,
    ),
    "alexnet": Description(
        "alexnet",
        "AlexNet (Krizhevsky, Sutskever and Hinton 2012)",
        {variant: {"variant": variant} for variant in ("single", "grouped", "torchvision")},
        AlexNetConfig,
        AlexNet,
        ALEXNET_PRESETS,
    ),
    "vgg11": describe_vgg(11, "A"),
    "vgg13": describe_vgg(13, "B"),
    "vgg16": describe_vgg(16, "D"),
    "vgg19": describe_vgg(19, "E"),
}
