"""The room's public face."""

import pytest

import calculator


def test_public_names_are_these() -> None:
    """Adding or losing a name is a decision."""
    assert calculator.__all__ == [
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


@pytest.mark.parametrize("name", calculator.__all__)
def test_public_name_is_found(name: str) -> None:
    """Every name is imported when it is asked for, is documented, and is listed."""
    assert getattr(calculator, name).__doc__
    assert name in dir(calculator)


def test_unknown_name_is_an_attribute_error() -> None:
    """A misspelt import fails as in any module."""
    with pytest.raises(AttributeError, match="'calculator' has no attribute 'sumarize'"):
        _ = calculator.sumarize


def test_shape_is_read_from_text() -> None:
    """Channels first, then sizes."""
    assert calculator.parse_shape("3x224x224") == (3, 224, 224)
    with pytest.raises(calculator.CalculatorError, match="input '3x' must be channels"):
        calculator.parse_shape("3x")
