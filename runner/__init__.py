"""Exported networks at work with ONNX Runtime, without PyTorch.

The names below are imported when they are first used, so that importing this package
costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.classify.classifier import Classifier
    from runner.classify.predictions import Prediction
    from runner.errors import ImpastoError
    from runner.model import Style
    from runner.stylize import Stylizer

__all__ = ["Classifier", "ImpastoError", "Prediction", "Style", "Stylizer"]

_HOMES = {
    "Classifier": "runner.classify.classifier",
    "ImpastoError": "runner.errors",
    "Prediction": "runner.classify.predictions",
    "Style": "runner.model",
    "Stylizer": "runner.stylize",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module 'runner' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name]), name)
