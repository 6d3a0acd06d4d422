"""Published ImageNet weights as classifiers of this room, tensor by tensor.

torchvision's state dicts are understood by their tensors' names, ``features.N.weight`` and
``classifier.N.weight``; N counts every layer of its Sequential, activations too.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from models.classifiers.checkpoint import ClassifierCheckpoint, write_classifier
from models.classifiers.classifier import Classifier
from models.classifiers.networks import Config, choose_input, find_network, scale_torchvision
from models.errors import CheckpointError, WeightsError
from models.state_dicts import load_state

CLASSES = 1000
LONGEST_LABELS_BYTES = 10**6
LICENSE = "BSD-3-Clause (torchvision)"
# Layers of our classifier that torchvision's has too, in order; both flatten in between.
COUNTED = (nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d, nn.Linear, nn.Dropout)


def import_classifier(
    source: Path, destination: Path, *, network: str, labels: Path | None = None
) -> str:
    """Convert torchvision's published AlexNet or VGG into a classifier file.

    Args:
        source: state dict (read with ``weights_only``: a pickle that runs code is refused).
        destination: file to write, whole or not at all.
        network: ``alexnet``, or ``vgg11`` to ``vgg19``; batch normalisation is recognised.
        labels: text file with a class name per line, in the order of the last layer;
            ``class 0``, ``class 1``, ... without it.

    Returns:
        One sentence on what was read.

    Raises:
        WeightsError: ``source`` is not that network, or ``labels`` do not match.
    """
    if not source.is_file():
        message = f"{source}: no such file"
        raise WeightsError(message)
    state = load_state(source)
    config = choose_config(network, state)
    description = find_network(network)
    with torch.device("meta"):
        net = description.build(config)
    names, expected = pair_names(net), net.state_dict()
    check_state(source, network, state, {names[ours]: t for ours, t in expected.items()})
    tensors = {ours: state[theirs].to(expected[ours].dtype) for ours, theirs in names.items()}
    checkpoint = ClassifierCheckpoint(
        name=network,
        config=config,
        input=choose_input(config),
        pixels=scale_torchvision(),
        labels=read_labels(labels, config.classes),
        training={"source": f"torchvision state dict {source.name}", "license": LICENSE},
        step=0,
        net=tensors,
    )
    try:
        write_classifier(destination, checkpoint)
    except CheckpointError as error:
        raise WeightsError(error.message) from None
    return f"{len(tensors)} tensors of torchvision's {network}, {config.classes} classes"


def choose_config(network: str, state: dict[str, Tensor]) -> Config:
    """Return the configuration that a state dict seems to be of."""
    last = [tensor for name, tensor in state.items() if name.startswith("classifier.")]
    classes = len(last[-1]) if last and last[-1].ndim else CLASSES
    normalized = any(name.endswith("running_mean") for name in state)
    variant = "torchvision" if network == "alexnet" else "bn" if normalized else "plain"
    return find_network(network).configure(variant, classes=max(1, classes))


def pair_names(net: Classifier) -> dict[str, str]:
    """Return torchvision's name of each of our parameters and buffers."""
    pairs = {}
    for part, layers in (("features", net.features), ("classifier", net.classifier)):
        counted = [
            (name, layer) for name, layer in layers.named_children() if type(layer) in COUNTED
        ]
        for index, (name, layer) in enumerate(counted):
            for tensor in layer.state_dict():
                pairs[f"{part}.{name}.{tensor}"] = f"{part}.{index}.{tensor}"
    return pairs


def check_state(
    source: Path, network: str, found: dict[str, Tensor], expected: dict[str, Tensor]
) -> None:
    """Compare a state dict with what the network needs, name by name.

    Raises:
        WeightsError: the first three differences, and how many there are.
    """
    wrong = [f"{name} is missing" for name in expected if name not in found]
    wrong += [f"{name} does not belong to it" for name in found if name not in expected]
    wrong += [
        f"{name} has shape {list(found[name].shape)} instead of {list(tensor.shape)}"
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    if wrong:
        message = (
            f"{source}: not torchvision's {network}: {'; '.join(wrong[:3])} "
            f"({len(wrong)} differences in all)"
        )
        raise WeightsError(message)


def read_labels(path: Path | None, classes: int) -> list[str]:
    """Return the names of the classes.

    Raises:
        WeightsError: the file cannot be read, or has another number of lines.
    """
    if path is None:
        return [f"class {number}" for number in range(classes)]
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST_LABELS_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read as text ({error})"
        raise WeightsError(message) from None
    labels = [line.strip() for line in text.splitlines() if line.strip()]
    if len(labels) != classes or len(text) > LONGEST_LABELS_BYTES:
        message = (
            f"{path}: {len(labels)} labels for {classes} classes; give one line per class, in the "
            "order of the weights"
        )
        raise WeightsError(message)
    return labels
