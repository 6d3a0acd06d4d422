"""An unfinished painting as one safetensors file: nested tensors and numbers, never pickle."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from models.errors import CheckpointError
from models.files import write_atomically

SCHEMA = 1
SUFFIX = ".unfinished.safetensors"


def name_state(output: Path) -> Path:
    """Return where the state of ``output`` waits: beside it."""
    return output.with_name(output.name + SUFFIX)


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` whole or not at all.

    Args:
        path: where.
        state: JSON values and tensors in dictionaries and lists, nested at will.

    Raises:
        CheckpointError: the file cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    tree = take_tensors(state, "", tensors)
    header = {"impasto": json.dumps({"schema": SCHEMA, "kind": "painting", "state": tree})}
    write_atomically(path, save(tensors, metadata=header))


def read_state(path: Path) -> dict[str, Any]:
    """Read what :func:`write_state` wrote, tensors on the CPU.

    Raises:
        CheckpointError: the file is damaged, or something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("impasto", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        message = f"{path}: not an unfinished painting ({error}); pass --overwrite to begin again"
        raise CheckpointError(message) from None
    known = isinstance(header, dict) and header.get("kind") == "painting"
    if not known or header.get("schema") != SCHEMA:
        message = f"{path}: not an unfinished painting of this version; pass --overwrite"
        raise CheckpointError(message)
    try:
        state = put_tensors(header["state"], tensors)
    except (KeyError, TypeError) as error:
        message = f"{path}: lacks the tensor {error}; pass --overwrite to begin again"
        raise CheckpointError(message) from None
    return state  # type: ignore[no-any-return]


def take_tensors(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:  # noqa: ANN401 - JSON
    """Return ``value`` with each tensor replaced by its name, and the tensor in ``tensors``."""
    if isinstance(value, Tensor):
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {"tensor": name}
    if isinstance(value, dict):
        return {key: take_tensors(each, f"{name}/{key}", tensors) for key, each in value.items()}
    if isinstance(value, list):
        return [take_tensors(each, f"{name}/{i}", tensors) for i, each in enumerate(value)]
    return value


def put_tensors(tree: Any, tensors: dict[str, Tensor]) -> Any:  # noqa: ANN401 - JSON
    """Undo :func:`take_tensors`.

    Raises:
        KeyError: a tensor is missing.
    """
    if isinstance(tree, dict) and set(tree) == {"tensor"}:
        return tensors[tree["tensor"]]
    if isinstance(tree, dict):
        return {key: put_tensors(value, tensors) for key, value in tree.items()}
    if isinstance(tree, list):
        return [put_tensors(value, tensors) for value in tree]
    return tree
