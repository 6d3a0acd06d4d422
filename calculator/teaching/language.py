"""The languages of explanations and of the quiz: every sentence in both, side by side.

Formulas, quantities and the words of the grammar are the same in both languages. Korean
sentences are built so that no number or name is followed by a particle whose form depends
on its last sound.
"""

from dataclasses import dataclass
from typing import Literal, cast, get_args

from calculator.errors import CalculatorError, list_nearest
from calculator.summary import CONVENTION

Language = Literal["en", "ko"]
LANGUAGES: tuple[str, ...] = get_args(Language)
WIDE = "WF"  # East Asian widths that take two columns of a terminal


@dataclass(frozen=True)
class Message:
    """One sentence in every language, with the same ``{placeholders}`` in each.

    Args:
        en: in English.
        ko: in Korean.
    """

    en: str
    ko: str

    def say(self, language: Language, **values: object) -> str:
        """Return the sentence with the values in their places.

        Raises:
            KeyError: a placeholder has no value.
        """
        return (self.ko if language == "ko" else self.en).format(**values)

    def then(self, en: str, ko: str) -> "Message":
        """Return a message that goes on with one more sentence in each language."""
        return Message(f"{self.en} {en}", f"{self.ko} {ko}")


def to_language(text: str) -> Language:
    """Return a language from its code.

    Raises:
        CalculatorError: there is no such language.
    """
    if text not in LANGUAGES:
        known = list_nearest(text[:20], LANGUAGES)
        message = f"language {text[:20]!r} is not known; choose from: {known}"
        raise CalculatorError(message)
    return cast("Language", text)


def measure(text: str) -> int:
    """Return the columns that a text takes in a terminal; a Hangul syllable takes two."""
    from unicodedata import east_asian_width  # noqa: PLC0415 - only where text is laid out

    return sum(2 if east_asian_width(character) in WIDE else 1 for character in text)


def wrap(text: str, width: int, *, first: str = "", rest: str = "") -> str:
    """Break a text at spaces into lines of at most ``width`` columns.

    Args:
        text: words; runs of spaces count as one.
        width: columns of a terminal; a longer word stands on a line of its own.
        first: what the first line starts with.
        rest: what the other lines start with.
    """
    lines, line = [], first
    room, empty = width - measure(first), True
    for word in text.split():
        needed = measure(word) + (not empty)
        if needed > room and not empty:
            lines.append(line)
            line, room, empty = rest, width - measure(rest), True
            needed = measure(word)
        line += word if empty else f" {word}"
        room, empty = room - needed, False
    return "\n".join([*lines, line])


# what stands between and below the formulas of an explanation
EXPLANATION = {
    "and": Message(" and ", " 및 "),
    "totals": Message("{network}: totals", "{network}: 합계"),
    "floor": Message("(floor drops {rest}/{bottom})", "(floor 버림: {rest}/{bottom})"),
    "ceil": Message("(ceil adds {rest}/{bottom})", "(ceil 올림: {rest}/{bottom})"),
    "whole": Message(
        "(no receptive field: the layer's units see the whole input)",
        "(수용 영역 없음: 이 층의 유닛은 입력 전체를 봅니다)",
    ),
    "along": Message("(along {axis})", "({axis} 방향)"),
    "convention": Message(
        CONVENTION,
        "MAC은 합성곱, 완전 연결층, 행렬곱의 곱셈-덧셈 횟수입니다. 편향은 세지 않고 패딩의 0과 "
        "곱하는 것은 세며, 배치 전체의 값입니다. FLOP으로 세면 약 두 배가 됩니다. 파라미터는 "
        "학습되는 값이고, 여러 층이 공유해도 한 번만 셉니다. 버퍼(이동 평균과 이동 분산, 고정 "
        "가중치)는 따로 셉니다. 활성값은 층이 출력하는 값이며 모든 층에서 셉니다. 값 하나는 "
        "4바이트입니다. 순전파 메모리는 파라미터와 버퍼, 그리고 동시에 살아 있는 값이 가장 많을 "
        "때의 값들이며, 각 값은 마지막으로 쓰인 뒤 해제됩니다. 학습 메모리는 파라미터의 세 배(값, "
        "기울기, 모멘텀), 버퍼, 입력, 그리고 모든 활성값과 그 기울기입니다. 수용 영역은 입력 "
        "경계에서 자르지 않고, start는 첫 유닛이 보는 첫 입력 위치이며, 정규화는 값 하나하나에 "
        "작용하는 것으로 봅니다.",
    ),
}
