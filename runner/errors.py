"""The errors of Impasto: one tree, each with the exit status of the command that meets it.

::

    click.ClickException                 printed as one line, never a traceback
    ├── ImpastoError                     work failed: exit status 1
    │   ├── PictureError                 a picture cannot be read, painted, classified, encoded
    │   ├── OutputError                  a result cannot be written
    │   ├── ModelError                   an .onnx file is not what it must be
    │   ├── ProviderError                the asked-for processor cannot be used
    │   └── StyleError                   an unknown style, a blend that makes no sense: status 2
    ├── click.UsageError                 wrong usage: exit status 2
    │   ├── StyleError                   the same: a UsageError too
    │   └── calculator.errors.CalculatorError    a network that cannot be read or does not fit
    ├── models.errors.ModelsError        training: weights, checkpoints, data
    └── exporter.errors.ExportError      export: an ONNX file that disagrees with its network

The other rooms may not import this one, so their leaves grow
from the same root instead of from ``ImpastoError``.

A message is: subject, actual value, constraint, remedy.
"""

from difflib import get_close_matches

import click


class ImpastoError(click.ClickException):
    """Work failed; the exit status is 1."""


class PictureError(ImpastoError):
    """A picture cannot be read, painted, classified or encoded."""


class OutputError(ImpastoError):
    """A result cannot be written where it should be."""


class ModelError(ImpastoError):
    """An ONNX file is missing, damaged, or made for another task."""


class ProviderError(ImpastoError):
    """The execution provider that was asked for cannot be used."""


class StyleError(ImpastoError, click.UsageError):
    """A style is unknown, or a blend of styles makes no sense; the exit status is 2."""


def explain(error: Exception | None) -> str:
    """Return the words for a failure; one that nobody foresaw is named by its type."""
    if isinstance(error, ImpastoError):
        return error.message
    return f"unexpected {type(error).__name__}: {error}"


def list_nearest_first(name: str, known: list[str]) -> str:
    """Return ``known`` as one comma-separated text, the names most like ``name`` first."""
    nearest = get_close_matches(name, known, n=3, cutoff=0.5)
    return ", ".join([*nearest, *(other for other in known if other not in nearest)])
