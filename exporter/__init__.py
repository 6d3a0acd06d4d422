"""From a checkpoint to one complete ONNX file: trace, rewrite, annotate, verify.

The names below need PyTorch, ONNX and ONNX Runtime, and are imported when first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exporter.errors import ExportError, ParityError
    from exporter.export import build_model, export_checkpoint
    from exporter.rewrite import rewrite_upsampling
    from exporter.verify import Case, Parity, measure_parity

__all__ = [
    "Case",
    "ExportError",
    "Parity",
    "ParityError",
    "build_model",
    "export_checkpoint",
    "measure_parity",
    "rewrite_upsampling",
]

_HOMES = {
    "Case": "exporter.verify",
    "ExportError": "exporter.errors",
    "Parity": "exporter.verify",
    "ParityError": "exporter.errors",
    "build_model": "exporter.export",
    "export_checkpoint": "exporter.export",
    "measure_parity": "exporter.verify",
    "rewrite_upsampling": "exporter.rewrite",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name]), name)
