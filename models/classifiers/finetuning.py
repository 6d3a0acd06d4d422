"""Training that begins from weights that already know something.

Two kinds of file are understood: a classifier of this room, and the ``vgg16-features`` of
the style losses, which hold VGG-16's thirteen convolutions.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from models.checkpoints import read_parts
from models.classifiers.checkpoint import read_classifier
from models.classifiers.classifier import Classifier
from models.classifiers.networks import PixelScaling
from models.classifiers.preprocessing import InputRule
from models.errors import WeightsError
from models.style.perceptual import NETWORK as VGG_FEATURES
from models.style.perceptual import read_vgg


@dataclass(frozen=True)
class Base:
    """Weights to begin from.

    Attributes:
        path: the file.
        name: network that they are of.
        tensors: by the names of the network's parameters.
        scaling: of the pixels, which the first layer was trained on.
        rule: of the input; None: the network's own.
        labels: classes of the last layer; empty: there is none.
        license: of the weights, if the file says.
    """

    path: Path
    name: str
    tensors: dict[str, Tensor]
    scaling: PixelScaling
    rule: InputRule | None = None
    labels: tuple[str, ...] = ()
    license: str = ""

    def load_into(self, net: Classifier, labels: tuple[str, ...]) -> dict[str, Any]:
        """Copy what fits; return what was done, as JSON values.

        The last layer is taken over only if it tells the same classes apart. Dense
        layers of another width stay fresh; everything in ``features`` must fit.

        Raises:
            WeightsError: a tensor of the features is missing or misshapen.
        """
        state = net.state_dict()
        last = [name for name in state if name.startswith(last_layer(net))]
        taken: dict[str, Tensor] = {}
        for name, tensor in state.items():
            fits = name in self.tensors and self.tensors[name].shape == tensor.shape
            if name.startswith("features.") and not fits:
                message = (
                    f"{self.path}: {name} is missing or of another shape than {list(tensor.shape)};"
                    f" these are weights of {self.name}, not of this network and variant"
                )
                raise WeightsError(message)
            if fits and (name not in last or self.labels == labels):
                taken[name] = self.tensors[name]
        net.load_state_dict(state | taken)
        fresh = sorted(set(state) - set(taken))
        origin: dict[str, Any] = {"file": self.path.name, "network": self.name, "fresh": fresh}
        if self.license:
            origin["license"] = self.license
        return origin


def last_layer(net: Classifier) -> str:
    """Return the prefix of the parameters of the layer that names classes."""
    names = [name for name, _ in net.classifier.named_parameters()]
    return f"classifier.{names[-1].partition('.')[0]}." if names else "classifier."


def read_base(path: Path) -> Base:
    """Read weights to begin from.

    Raises:
        ModelsError: the file is missing, damaged, or of neither kind.
    """
    header, _ = read_parts(path)
    if isinstance(header, dict) and header.get("network") == VGG_FEATURES:
        return read_features_base(path, str(header.get("license", "")))
    checkpoint = read_classifier(path)
    return Base(
        path=path,
        name=checkpoint.name,
        tensors=checkpoint.net,
        scaling=checkpoint.pixels,
        rule=checkpoint.input,
        labels=tuple(checkpoint.labels),
        license=str(checkpoint.training.get("license", "")),
    )


def read_features_base(path: Path, license_name: str) -> Base:
    """Read the thirteen convolutions of a ``vgg16-features`` file.

    Its first convolution expects RGB in [0, 255] minus the file's mean.
    """
    tensors = read_vgg(path)
    mean = tensors.pop("mean")
    return Base(
        path=path,
        name=VGG_FEATURES,
        tensors={f"features.{name}": tensor for name, tensor in tensors.items()},
        scaling=PixelScaling((1.0, 1.0, 1.0), tuple((-mean).tolist())),
        license=license_name,
    )
