"""Checkpoints as files: safetensors with a JSON header, read whole and never run."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from models.errors import CheckpointError

KEY = "impasto"  # of the header among the file's metadata


def read_parts(path: Path) -> tuple[Any, dict[str, Tensor]]:
    """Return header and tensors of a safetensors file.

    Returns:
        The header as JSON has it, ``{}`` where the file is not of this project; the tensors by
        name, on the CPU.

    Raises:
        CheckpointError: it is missing, cut off or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(KEY, "{}"))
            return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        message = f"{path}: no such checkpoint"
        raise CheckpointError(message) from None
    except (SafetensorError, OSError, ValueError) as error:
        message = f"{path}: not a checkpoint of impasto train, or one that was cut off ({error})"
        raise CheckpointError(message) from None


def check_header(path: Path, header: Any, *, network: str, called: str, schema: int) -> None:  # noqa: ANN401
    """Stop where a safetensors file is of something else, or of another version.

    Args:
        path: to call it by.
        header: as :func:`read_parts` returned it.
        network: what the header must name.
        called: what to call such a file.
        schema: that this version reads.

    Raises:
        CheckpointError: with the value that differs.
    """
    if not isinstance(header, dict) or header.get("network") != network:
        message = f"{path}: a safetensors file, but not {called} of impasto train"
        raise CheckpointError(message)
    if header.get("schema") != schema:
        message = (
            f"{path}: {called} of schema {header.get('schema')}, but this version reads "
            f"schema {schema}; use the version of impasto that wrote it"
        )
        raise CheckpointError(message)
