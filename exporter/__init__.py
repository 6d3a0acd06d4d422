"""From a checkpoint to one complete ONNX file: written, annotated, verified.

The names below need PyTorch, ONNX and ONNX Runtime, and are imported when first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exporter.classifiers.export import ExportedClassifier, export_classifier
    from exporter.classifiers.settings import ExportSettings
    from exporter.errors import ExportError, ParityError
    from exporter.export import build_model, export_checkpoint
    from exporter.foreign.annotation import annotate_classifier
    from exporter.foreign.wishes import Wishes
    from exporter.rewrite import rewrite_upsampling
    from exporter.verify import Case, Parity, measure_parity

__all__ = [
    "Case",
    "ExportError",
    "ExportSettings",
    "ExportedClassifier",
    "Parity",
    "ParityError",
    "Wishes",
    "annotate_classifier",
    "build_model",
    "export_checkpoint",
    "export_classifier",
    "measure_parity",
    "rewrite_upsampling",
]

_HOMES = {
    "Case": "exporter.verify",
    "ExportError": "exporter.errors",
    "ExportSettings": "exporter.classifiers.settings",
    "ExportedClassifier": "exporter.classifiers.export",
    "Parity": "exporter.verify",
    "ParityError": "exporter.errors",
    "Wishes": "exporter.foreign.wishes",
    "annotate_classifier": "exporter.foreign.annotation",
    "build_model": "exporter.export",
    "export_checkpoint": "exporter.export",
    "export_classifier": "exporter.classifiers.export",
    "measure_parity": "exporter.verify",
    "rewrite_upsampling": "exporter.rewrite",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name]), name)
