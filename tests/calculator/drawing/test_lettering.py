"""Text in drawings: widths, short counts, and what is never shown."""

import pytest

from calculator.drawing.lettering import clean, clip, escape, measure, shorten


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1.00K"),
        (34_944, "34.9K"),
        (99_949, "99.9K"),
        (99_950, "100K"),
        (105_415_200, "105M"),
        (999_499, "999K"),
        (999_500, "1.00M"),
        (10**20, "100E"),
        (10**21 - 1, "1.0e21"),
        (10**22 - 1, "1.0e22"),
        (10**60 * 99 // 10, "9.9e60"),
    ],
)
def test_counts_are_shown_in_three_digits(value: int, text: str) -> None:
    """Halves are rounded up, also over the end of a unit."""
    assert shorten(value) == text


def test_widths_are_those_of_a_wide_font() -> None:
    """Text is taken for at least as wide as in DejaVu Sans (advances of 2048 units per em)."""
    assert measure("11x11 s4", 2048) >= 4 * 1303 + 1212 + 651 + 1067 + 1303
    assert measure("mmm", 10, bold=True) > measure("mmm", 10) > measure("iii", 10)
    assert measure("\u6f22", 10) >= 10


def test_unprintable_text_is_replaced() -> None:
    """What XML or a reader of the page could stumble over becomes U+FFFD."""
    assert clean("a\x00b\u202ec\ud800d\ne") == "a\ufffdb\ufffdc\ufffdd\ufffde"
    assert len(clean("x" * 1000)) == 200


def test_text_is_escaped_for_elements_and_attributes() -> None:
    """Neither markup nor the end of an attribute comes through."""
    assert escape("<b a=\"1\" b='2'>&") == "&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;"
    assert (clip("abcdef", 6), clip("abcdefg", 6)) == ("abcdef", "abcde…")
