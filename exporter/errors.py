"""Errors of the export room: what can go wrong between a checkpoint and an ONNX file.

The whole tree is drawn in ``runner/errors.py``; like every room's leaf these grow from
:class:`click.ClickException`, which the command line prints as one line.
"""

import click


class ExportError(click.ClickException):
    """A checkpoint could not be turned into an ONNX file, or a file could not be examined."""


class ParityError(ExportError):
    """PyTorch and ONNX Runtime paint different pictures."""
