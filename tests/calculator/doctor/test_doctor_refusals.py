"""Texts that are neither a network nor an error."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from calculator import CalculatorError
from calculator.cli.doctor import doctor, read_end
from calculator.teaching.doctor.diagnosis import diagnose
from calculator.teaching.doctor.refusals import quote


def test_closed_standard_input_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has no stream then."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CalculatorError, match="standard input is closed, and - reads the error"):
        read_end()


def test_unreadable_standard_input_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A stream that was closed later."""
    stream = (tmp_path / "error.txt").open("w+", encoding="utf-8")
    stream.close()
    monkeypatch.setattr(sys, "stdin", stream)
    with pytest.raises(CalculatorError, match="standard input cannot be read"):
        read_end()


@pytest.mark.parametrize("text", ["", " \n"])
def test_empty_standard_input_is_said(text: str) -> None:
    """Nothing arrived, which is no network of that name."""
    result = CliRunner().invoke(doctor, ["-"], input=text)
    assert result.exit_code == 2
    assert "standard input was empty" in result.output


def test_empty_text_is_said() -> None:
    """As of standard input."""
    with pytest.raises(CalculatorError, match="the text is empty; give a network or"):
        diagnose(" ")


def test_file_of_another_kind_is_sent_to_standard_input(tmp_path: Path) -> None:
    """A traceback that was kept in a file."""
    path = tmp_path / "tb.txt"
    path.write_text("Target 10 is out of bounds.", encoding="utf-8")
    with pytest.raises(CalculatorError, match=r"impasto doctor - < .*tb\.txt"):
        diagnose(str(path))
    with pytest.raises(CalculatorError, match="there is no network"):
        diagnose(str(tmp_path / "none.txt"))


@pytest.mark.parametrize("text", ["a\0b", "a" * 300, "a" * 5_000])
def test_what_cannot_be_a_path_is_refused(text: str) -> None:
    """Without asking the system for more than it takes."""
    with pytest.raises(CalculatorError, match="there is no network"):
        diagnose(text)


def test_quote_ends_with_dots_only_where_the_text_goes_on() -> None:
    """And always with the quote."""
    assert quote("a b") == "'a b'"
    assert quote("x" * 61) == repr("x" * 60 + "...")
