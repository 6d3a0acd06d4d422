"""Convolutional networks on paper: every shape, count and receptive field, without PyTorch.

The names below are imported when they are first used, so that importing this package
costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calculator.drawing.svg import render_svg
    from calculator.errors import CalculatorError
    from calculator.network import Network, Node
    from calculator.reading.sources import load, parse, parse_shape
    from calculator.reading.tracing import trace
    from calculator.summary import Report, Row, summarize
    from calculator.symbolic.smallest import smallest_input
    from calculator.teaching.comparison import Comparison, compare
    from calculator.teaching.convolution.convolving import Convolved, convolve
    from calculator.teaching.doctor.diagnosis import Diagnosis, diagnose
    from calculator.teaching.explanation import Explanation, explain
    from calculator.teaching.quiz.exercises import Quiz
    from calculator.teaching.quiz.levels import make_quiz
    from calculator.teaching.solving import Answer, Solution, solve

__all__ = [
    "Answer",
    "CalculatorError",
    "Comparison",
    "Convolved",
    "Diagnosis",
    "Explanation",
    "Network",
    "Node",
    "Quiz",
    "Report",
    "Row",
    "Solution",
    "compare",
    "convolve",
    "diagnose",
    "explain",
    "load",
    "make_quiz",
    "parse",
    "parse_shape",
    "render_svg",
    "smallest_input",
    "solve",
    "summarize",
    "trace",
]

_HOMES = {
    "Answer": "calculator.teaching.solving",
    "CalculatorError": "calculator.errors",
    "Comparison": "calculator.teaching.comparison",
    "Convolved": "calculator.teaching.convolution.convolving",
    "Diagnosis": "calculator.teaching.doctor.diagnosis",
    "Explanation": "calculator.teaching.explanation",
    "Network": "calculator.network",
    "Node": "calculator.network",
    "Quiz": "calculator.teaching.quiz.exercises",
    "Report": "calculator.summary",
    "Row": "calculator.summary",
    "Solution": "calculator.teaching.solving",
    "compare": "calculator.teaching.comparison",
    "convolve": "calculator.teaching.convolution.convolving",
    "diagnose": "calculator.teaching.doctor.diagnosis",
    "explain": "calculator.teaching.explanation",
    "load": "calculator.reading.sources",
    "make_quiz": "calculator.teaching.quiz.levels",
    "parse": "calculator.reading.sources",
    "parse_shape": "calculator.reading.sources",
    "render_svg": "calculator.drawing.svg",
    "smallest_input": "calculator.symbolic.smallest",
    "solve": "calculator.teaching.solving",
    "summarize": "calculator.summary",
    "trace": "calculator.reading.tracing",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module 'calculator' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
