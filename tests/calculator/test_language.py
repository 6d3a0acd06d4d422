"""Explanations and the quiz in two languages."""

import re
from collections.abc import Iterator
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculator import CalculatorError, explain, parse, summarize
from calculator.teaching.explanation import render_explanations
from calculator.teaching.language import EXPLANATION, Message, measure, to_language, wrap
from calculator.teaching.quiz.misconceptions import MISCONCEPTIONS
from calculator.teaching.quiz.questions import CONVENTIONS, QUESTIONS
from calculator.teaching.quiz.sheets import SHEET

HANGUL = re.compile("[가-힣]")
LINE = "3x20x14 | conv 4@3x2 s2x3 p1:0 | relu | [ conv 4@1 || ] add | flatten | fc 5"


def list_messages() -> Iterator[tuple[str, Message]]:
    """Yield every message of every table."""
    for table in (EXPLANATION, QUESTIONS, CONVENTIONS, SHEET):
        yield from table.items()
    for key, one in MISCONCEPTIONS.items():
        yield f"{key} name", one.name
        yield f"{key} remedy", one.remedy


MESSAGES = list(list_messages())


def list_placeholders(text: str) -> list[str]:
    """Return the names in braces, in alphabetical order."""
    return sorted({name for _, name, _, _ in Formatter().parse(text) if name is not None})


@pytest.mark.parametrize(("key", "message"), MESSAGES)
def test_message_says_the_same_in_both_languages(key: str, message: Message) -> None:
    """Both sentences are there, with the same placeholders, each in its own script."""
    assert message.en.strip(), key
    assert message.ko.strip(), key
    assert list_placeholders(message.en) == list_placeholders(message.ko)
    assert not HANGUL.search(message.en)
    assert HANGUL.search(message.ko)


@pytest.mark.parametrize(("key", "message"), MESSAGES)
def test_korean_particles_fit_every_value(key: str, message: Message) -> None:
    """No particle whose form depends on the last sound follows a value."""
    assert not re.search(r"\}(을|를|은|는|이|가|과|와|으로|로|이라|라)(?![가-힣])", message.ko), key


def test_particle_check_can_fail() -> None:
    """The pattern above finds what it looks for."""
    with pytest.raises(AssertionError):
        test_korean_particles_fit_every_value("bad", Message("{n} fits", "{n}이 맞습니다"))


def test_conventions_have_their_sentences() -> None:
    """Whoever adds a sentence to one convention is reminded of the other."""
    convention = EXPLANATION["convention"]
    sentences = [len(re.findall(r"[.](?= |$)", text)) for text in (convention.en, convention.ko)]
    assert sentences == [7, 10]


def test_explanation_keeps_its_formulas() -> None:
    """A language changes titles and notes; every formula and its numbers stay as they are."""
    report = summarize(parse(LINE), batch=2)
    pairs = zip(explain(report), explain(report, language="ko"), strict=True)
    for english, korean in pairs:
        assert english.derivations == korean.derivations
        notes = [(a, b) for a, b in zip(english.lines, korean.lines, strict=True) if a != b]
        assert all(a.startswith("(") and b.startswith("(") for a, b in notes)


def test_korean_explanation_is_korean() -> None:
    """Notes, joins, the total's title and the convention are translated."""
    report = summarize(parse(LINE))
    text = render_explanations(explain(report, language="ko"), "ko")
    assert "(floor 버림: 1/3)" in text
    assert "(H 방향)" in text
    assert "4x10x5 및 4x10x5 -> 4x10x5" in text
    assert "(수용 영역 없음:" in text
    assert "network: 합계" in text
    assert "곱셈-덧셈 횟수입니다" in text
    assert "receptive field" not in text


def test_unknown_language_is_refused() -> None:
    """The languages are listed."""
    with pytest.raises(CalculatorError, match=r"language 'kr' is not known; choose from: ko, en"):
        to_language("kr")


def test_hangul_is_two_columns_wide() -> None:
    """Lines are broken by the columns that a terminal gives them."""
    assert measure("패딩 2") == 6
    assert wrap("패딩 패딩 패딩", 9) == "패딩 패딩\n패딩"
    assert wrap("one two", 7, first="> ", rest="  ") == "> one\n  two"


@given(st.lists(st.text("ab패딩", min_size=1, max_size=9), min_size=1), st.integers(9, 40))
def test_wrapping_keeps_the_words(words: list[str], width: int) -> None:
    """No word is lost, and no line with several words is too wide."""
    lines = wrap(" ".join(words), width).split("\n")
    assert [word for line in lines for word in line.split()] == words
    assert all(measure(line) <= width or len(line.split()) == 1 for line in lines)
