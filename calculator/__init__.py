"""Convolutional networks on paper: every shape, count and receptive field, without PyTorch.

The names below are imported when they are first used, so that importing this package
costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calculator.errors import CalculatorError
    from calculator.network import Network, Node
    from calculator.reading.sources import load, parse, parse_shape
    from calculator.summary import Report, Row, summarize
    from calculator.teaching.comparison import Comparison, compare
    from calculator.teaching.explanation import Explanation, explain
    from calculator.teaching.solving import Answer, Solution, solve

__all__ = [
    "Answer",
    "CalculatorError",
    "Comparison",
    "Explanation",
    "Network",
    "Node",
    "Report",
    "Row",
    "Solution",
    "compare",
    "explain",
    "load",
    "parse",
    "parse_shape",
    "solve",
    "summarize",
]

_HOMES = {
    "Answer": "calculator.teaching.solving",
    "CalculatorError": "calculator.errors",
    "Comparison": "calculator.teaching.comparison",
    "Explanation": "calculator.teaching.explanation",
    "Network": "calculator.network",
    "Node": "calculator.network",
    "Report": "calculator.summary",
    "Row": "calculator.summary",
    "Solution": "calculator.teaching.solving",
    "compare": "calculator.teaching.comparison",
    "explain": "calculator.teaching.explanation",
    "load": "calculator.reading.sources",
    "parse": "calculator.reading.sources",
    "parse_shape": "calculator.reading.sources",
    "solve": "calculator.teaching.solving",
    "summarize": "calculator.summary",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module 'calculator' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
