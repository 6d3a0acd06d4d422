"""Checkpoints of style networks: one safetensors file, weights plus a JSON header, never pickle.

Tensor names are ``net/<parameter>`` and, while training goes on,
``adam/<parameter>/<exp_avg|exp_avg_sq|step>``. The header holds the shape of the
network, the styles, the training's settings and how far it came.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from models.checkpoints import check_header, read_parts
from models.errors import CheckpointError, ModelsError
from models.files import write_atomically
from models.style.architecture import StyleNetConfig, config_as_dict, config_from_dict
from models.style.style_net import StyleNet

SCHEMA = 1


@dataclass(frozen=True)
class Checkpoint:
    """A style network, what it was trained for, and the state that training goes on from.

    Attributes:
        config: shape of the network.
        styles: per style its ``name``, ``title``, ``artist``, ``year``, ``licence``.
        training: data, settings, losses and versions, as JSON values.
        step: training steps taken.
        net: parameters by name, float32.
        adam: optimiser state by ``<parameter>/<slot>``; empty once training has ended.
    """

    config: StyleNetConfig
    styles: list[dict[str, Any]]
    training: dict[str, Any]
    step: int
    net: dict[str, Tensor]
    adam: dict[str, Tensor] = field(default_factory=dict)

    def build(self) -> StyleNet:
        """Return the network with these weights, on the CPU, in evaluation mode.

        Raises:
            CheckpointError: names or shapes do not fit the configuration.
        """
        net = StyleNet(self.config, styles=len(self.styles))
        try:
            net.load_state_dict(self.net)
        except RuntimeError as error:
            differences = [line.strip() for line in str(error).splitlines()[1:]]
            message = (
                f"checkpoint does not fit its own configuration: {differences[0]} "
                f"({len(differences)} differences in all)"
            )
            raise CheckpointError(message) from None
        return net.eval()


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write ``checkpoint`` whole or not at all; an older file stays until the new one is safe.

    Raises:
        CheckpointError: the file cannot be written.
    """
    tensors = {f"net/{name}": tensor for name, tensor in checkpoint.net.items()}
    tensors |= {f"adam/{name}": tensor for name, tensor in checkpoint.adam.items()}
    header = {
        "schema": SCHEMA,
        "network": "style",
        "config": config_as_dict(checkpoint.config),
        "styles": checkpoint.styles,
        "training": checkpoint.training,
        "step": checkpoint.step,
    }
    data = save(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
        metadata={"impasto": json.dumps(header)},
    )
    write_atomically(path, data)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read what :func:`write_checkpoint` wrote.

    Raises:
        CheckpointError: the file is missing, damaged, or not a style checkpoint.
    """
    header, tensors = read_parts(path)
    check_header(path, header, network="style", called="a style checkpoint", schema=SCHEMA)
    try:
        return Checkpoint(
            config=config_from_dict(header["config"]),
            styles=header["styles"],
            training=header["training"],
            step=header["step"],
            net=_take(tensors, "net/"),
            adam=_take(tensors, "adam/"),
        )
    except KeyError as error:
        message = f"{path}: the checkpoint's header lacks {error}; train it again"
        raise CheckpointError(message) from None
    except ModelsError as error:
        message = f"{path}: {error.message}"
        raise CheckpointError(message) from None


def collect_adam(optimizer: torch.optim.Adam, names: dict[int, str]) -> dict[str, Tensor]:
    """Flatten Adam's state; ``names`` maps ``id(parameter)`` to the parameter's name."""
    return {
        f"{names[id(parameter)]}/{slot}": value
        for parameter, slots in optimizer.state.items()
        for slot, value in slots.items()
    }


def restore_adam(
    optimizer: torch.optim.Adam, state: dict[str, Tensor], names: dict[int, str]
) -> None:
    """Put back what :func:`collect_adam` took."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            prefix = names[id(parameter)] + "/"
            slots = _take(state, prefix)
            if slots:
                # Adam keeps its step counter on the CPU whatever the parameters' device.
                optimizer.state[parameter] = {
                    slot: value.clone() if slot == "step" else value.to(parameter.device)
                    for slot, value in slots.items()
                }


def _take(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
