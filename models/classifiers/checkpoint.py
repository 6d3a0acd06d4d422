"""Checkpoints of classifiers: one safetensors file, weights plus a JSON header, never pickle.

Tensor names are ``net/<parameter>``, ``initial/<parameter>`` for the first layer's weight
before training, and while training goes on ``optimizer/<parameter>/<slot>`` and
``average/<parameter>``.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from models.checkpoints import check_header, read_parts
from models.classifiers.classifier import Classifier
from models.classifiers.networks import (
    Config,
    PixelScaling,
    config_as_dict,
    find_network,
)
from models.classifiers.preprocessing import InputRule, rule_as_dict, rule_from_dict
from models.errors import CheckpointError, ModelsError
from models.files import write_atomically

SCHEMA = 1
GROUPS = ("net", "initial", "optimizer", "average")


@dataclass(frozen=True)
class ClassifierCheckpoint:
    """A classifier, what its numbers mean, and the state that training goes on from.

    Attributes:
        name: of the network, such as ``lenet5``.
        config: shape of the network.
        input: how a picture becomes pixels.
        pixels: how pixels become the network's numbers.
        labels: names of the K classes.
        training: data, settings, results and versions, as JSON values.
        step: training steps taken.
        net: parameters and buffers by name.
        initial: the first layer's weight before training, by its name.
        optimizer: optimiser state by ``<parameter>/<slot>``; empty once training has ended.
        average: moving average of the weights by name; empty once training has ended.
    """

    name: str
    config: Config
    input: InputRule
    pixels: PixelScaling
    labels: list[str]
    training: dict[str, Any]
    step: int
    net: dict[str, Tensor]
    initial: dict[str, Tensor] = field(default_factory=dict)
    optimizer: dict[str, Tensor] = field(default_factory=dict)
    average: dict[str, Tensor] = field(default_factory=dict)

    def build(self) -> Classifier:
        """Return the network with these weights, on the CPU, in evaluation mode.

        It maps float32 ``[N, C, H, W]``, already scaled by :attr:`pixels`, to logits
        ``[N, K]``.

        Raises:
            CheckpointError: names or shapes do not fit the configuration.
        """
        description = find_network(self.name)
        with torch.device("meta"):  # nothing is allocated before the shapes agree
            expected = description.build(self.config).state_dict()
        check_shapes(self.net, expected)
        net = description.build(self.config)
        net.load_state_dict(self.net)
        return net.eval()


def check_shapes(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Compare names and shapes one by one.

    Raises:
        CheckpointError: the first three differences, and how many there are.
    """
    wrong = [f"{name} is missing" for name in expected if name not in found]
    wrong += [f"{name} is not of this network" for name in found if name not in expected]
    wrong += [
        f"{name} has shape {list(found[name].shape)} instead of {list(tensor.shape)}"
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    if wrong:
        message = (
            f"weights do not fit the network: {'; '.join(wrong[:3])} "
            f"({len(wrong)} differences in all)"
        )
        raise CheckpointError(message)


def write_classifier(path: Path, checkpoint: ClassifierCheckpoint) -> None:
    """Write ``checkpoint`` whole or not at all; an older file stays until the new one is safe.

    Raises:
        CheckpointError: the file cannot be written.
    """
    tensors = {
        f"{group}/{name}": tensor.detach().cpu().contiguous()
        for group in GROUPS
        for name, tensor in getattr(checkpoint, group).items()
    }
    header = {
        "schema": SCHEMA,
        "network": "classifier",
        "name": checkpoint.name,
        "config": config_as_dict(checkpoint.config),
        "input": rule_as_dict(checkpoint.input),
        "pixels": asdict(checkpoint.pixels),
        "labels": checkpoint.labels,
        "training": checkpoint.training,
        "step": checkpoint.step,
    }
    write_atomically(path, save(tensors, metadata={"impasto": json.dumps(header)}))


def read_classifier(path: Path) -> ClassifierCheckpoint:
    """Read what :func:`write_classifier` wrote.

    Raises:
        CheckpointError: the file is missing, damaged, or not a classifier's checkpoint.
    """
    header, tensors = read_parts(path)
    check_header(path, header, network="classifier", called="a classifier", schema=SCHEMA)
    try:
        return restore(header, tensors)
    except KeyError as error:
        message = f"{path}: the checkpoint's header lacks {error}; train it again"
        raise CheckpointError(message) from None
    except (TypeError, ValueError, AttributeError) as error:
        message = f"{path}: the checkpoint's header is damaged ({error}); train it again"
        raise CheckpointError(message) from None
    except ModelsError as error:
        message = f"{path}: {error.message}"
        raise CheckpointError(message) from None


def restore(header: dict[str, Any], tensors: dict[str, Tensor]) -> ClassifierCheckpoint:
    """Return the checkpoint of a header and its tensors."""
    config = find_network(header["name"]).restore_config(header["config"])
    labels = [str(label) for label in header["labels"]]
    if len(labels) != config.classes:
        message = f"{len(labels)} labels for a network of {config.classes} classes"
        raise CheckpointError(message)
    rule = rule_from_dict(header["input"])
    pixels = PixelScaling(*(tuple(map(float, header["pixels"][k])) for k in ("scale", "shift")))
    if not len(pixels.scale) == len(pixels.shift) == rule.channels:
        message = f"pixels {pixels} must have one scale and one shift for each channel"
        raise CheckpointError(message)
    return ClassifierCheckpoint(
        name=header["name"],
        config=config,
        input=rule,
        pixels=pixels,
        labels=labels,
        training=header["training"],
        step=int(header["step"]),
        **{group: take_group(tensors, group) for group in GROUPS},
    )


def take_group(tensors: dict[str, Tensor], group: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with ``group/``, by the rest of their names."""
    start = f"{group}/"
    return {
        name.removeprefix(start): tensor
        for name, tensor in tensors.items()
        if name.startswith(start)
    }
