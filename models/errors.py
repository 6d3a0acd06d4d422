"""Errors of the training room: what can go wrong between a photo folder and a checkpoint.

The whole tree is drawn in ``runner/errors.py``. This room imports nothing of
ours, so its leaf grows from the same root that every other leaf has,
:class:`click.ClickException`, which the command line prints as one line.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher

import click


class ModelsError(click.ClickException):
    """Work in this room failed; the command exits with status 1."""


class WeightsError(ModelsError):
    """A weights file does not hold what its network needs."""


class CheckpointError(ModelsError):
    """A checkpoint is missing, damaged, or made for something else."""


class DataError(ModelsError):
    """A folder of photos or paintings cannot be trained on."""


class DivergedError(ModelsError):
    """A loss became infinite or not a number."""


def list_nearest(name: str, known: Iterable[str]) -> str:
    """Return the ``known`` names as one line, those most like ``name`` first."""
    return ", ".join(
        sorted(known, key=lambda other: SequenceMatcher(None, name, other).ratio(), reverse=True)
    )
