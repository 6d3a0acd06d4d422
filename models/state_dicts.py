"""PyTorch's own weight files, read without running what is in them."""

import warnings
from pathlib import Path

import torch
from torch import Tensor

from models.errors import WeightsError


def load_state(source: Path) -> dict[str, Tensor]:
    """Unpickle tensors and nothing else.

    Args:
        source: what ``torch.save`` wrote of a state dict.

    Returns:
        Tensors by name, on the CPU.

    Raises:
        WeightsError: the file is damaged, or holds anything but tensors by name.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of archives that it refuses anyway
            state = torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - a damaged pickle can fail in any way
        reason = (str(error) or type(error).__name__).splitlines()[0]
        message = (
            f"{source}: not a PyTorch state dict of plain tensors ({reason}); pass a file "
            "that torch.save(model.state_dict()) wrote"
        )
        raise WeightsError(message) from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        message = (
            f"{source}: holds a {type(state).__name__}, but not one of tensors by name; save "
            "model.state_dict()"
        )
        raise WeightsError(message)
    return state
