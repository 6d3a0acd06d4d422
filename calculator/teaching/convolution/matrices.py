"""Small matrices of exact numbers: read from text or a file, and written back.

::

    matrix = row { (";" | newline) row }
    row    = value { ("," | blanks) value }
    value  = ["+" | "-"] (digits ["." digits] | "." digits | digits "/" digits)

Numbers are integers where they are whole and :class:`fractions.Fraction` elsewhere, never
floats. Length, digits and sizes are limited, so that text from strangers can be read.
"""

import re
from collections.abc import Sequence
from math import lcm
from pathlib import Path
from typing import TYPE_CHECKING

from calculator.errors import CalculatorError

if TYPE_CHECKING:
    from fractions import Fraction

Matrix = tuple[tuple["int | Fraction", ...], ...]
Integers = tuple[tuple[int, ...], ...]

LONGEST_TEXT = 100_000
LONGEST_FILE = 4 * LONGEST_TEXT  # a character has at most four bytes
MOST_SIDE = 64
LARGEST = 10**12  # of numerators and denominators; a sum of products then has few digits
MOST_PLACES = 12  # a decimal that needs more is written as a fraction
FILES = (".txt", ".csv")
LETTERS = re.compile(r"[0-9\s.,;/+\-\u2212]*")  # U+2212 is the minus sign of printed books
VALUE = re.compile(r"[+-]?([0-9]{1,12}(\.[0-9]{0,9})?|\.[0-9]{1,9}|[0-9]{1,12}/[0-9]{1,12})")
EXAMPLE = "'1 0 -1; 2 0 -2; 1 0 -1'"


def parse_matrix(text: str, *, what: str = "matrix") -> Matrix:
    """Read a matrix.

    Args:
        text: rows between ``;`` or line ends, values between commas or blanks; integers,
            decimals or fractions such as ``-1/9``.
        what: the word for it in messages.

    Returns:
        1 to 64 rows of 1 to 64 values, all of one length.

    Raises:
        CalculatorError: the text is no such matrix.
    """
    if len(text) > LONGEST_TEXT:
        message = f"the {what} has {len(text)} characters; at most {LONGEST_TEXT} are read"
        raise CalculatorError(message)
    lines = [line.strip() for line in re.split(r"[;\n]", text.replace("\u2212", "-"))]
    lines = [line for line in lines if line]
    if not lines:
        message = f"the {what} is empty; write rows between semicolons, such as {EXAMPLE}"
        raise CalculatorError(message)
    return to_matrix([parse_row(line, i, what=what) for i, line in enumerate(lines)], what=what)


def parse_row(line: str, row: int, *, what: str) -> list["int | Fraction"]:
    """Read the values of one row.

    Raises:
        CalculatorError: one of them is no number, or missing between two commas.
    """
    return [parse_value(piece, row, what=what) for piece in re.split(r"\s*,\s*|\s+", line)]


def parse_value(piece: str, row: int, *, what: str) -> "int | Fraction":
    """Read ``-3``, ``0.25`` or ``1/9``, exactly.

    Raises:
        CalculatorError: the text is no such number.
    """
    top, _, bottom = piece.partition("/")
    if VALUE.fullmatch(piece) is None or (bottom and int(bottom) == 0):
        message = (
            f"{what}, row {row}: {piece!r:.40} is no number; write integers of at most 12 digits, "
            f"decimals of at most 9 places, or fractions, as in {EXAMPLE}"
        )
        raise CalculatorError(message)
    if "." not in piece and not bottom:
        return int(piece)
    from fractions import Fraction  # noqa: PLC0415 - most matrices hold integers only

    return simplify(Fraction(int(top), int(bottom)) if bottom else Fraction(piece))


def to_matrix(rows: Sequence[Sequence["int | Fraction"]], *, what: str = "matrix") -> Matrix:
    """Return rows as a matrix.

    Args:
        rows: integers or fractions.
        what: the word for it in messages.

    Raises:
        CalculatorError: rows differ in length, there are none, more than 64, or a value is
            a float or longer than 12 digits.
    """
    width = len(rows[0]) if rows else 0
    for i, row in enumerate(rows):
        if len(row) != width:
            message = f"{what}, row {i}: {len(row)} values, row 0 has {width}; give all as many"
            raise CalculatorError(message)
    if not 1 <= width <= MOST_SIDE or len(rows) > MOST_SIDE:
        message = f"the {what} is {len(rows)}x{width}; use 1x1 to {MOST_SIDE}x{MOST_SIDE}"
        raise CalculatorError(message)
    return tuple(tuple(check_value(value, what) for value in row) for row in rows)


def check_value(value: "int | Fraction", what: str) -> "int | Fraction":
    """Return an exact number of bounded length.

    Raises:
        CalculatorError: it is a float or too long.
    """
    if not isinstance(getattr(value, "denominator", None), int):
        message = f"{what}: {value!r:.40} is not exact; give an int or a Fraction"
        raise CalculatorError(message)
    value = simplify(value)
    if max(abs(value.numerator), value.denominator) > LARGEST:
        message = f"{what}: a value has more than 12 digits; give smaller numbers"
        raise CalculatorError(message)
    return value


def simplify(value: "int | Fraction") -> "int | Fraction":
    """Return a whole fraction as an integer."""
    return int(value.numerator) if value.denominator == 1 else value


def divide(top: int, bottom: int) -> "int | Fraction":
    """Return the exact quotient; ``bottom`` is positive."""
    if top % bottom == 0:
        return top // bottom
    from fractions import Fraction  # noqa: PLC0415 - most matrices hold integers only

    return Fraction(top, bottom)


def to_integers(matrix: Matrix, *, what: str = "matrix") -> tuple[Integers, int]:
    """Return a matrix as integers over one common denominator.

    Raises:
        CalculatorError: that denominator is longer than 12 digits.
    """
    common = 1
    for row in matrix:
        common = lcm(common, *(value.denominator for value in row))
        if common > LARGEST:
            message = (
                f"the {what}'s fractions have a common denominator of more than 12 digits; "
                "give coarser numbers"
            )
            raise CalculatorError(message)
    return tuple(tuple(int(value * common) for value in row) for row in matrix), common


def read_matrix_file(path: Path) -> Matrix:
    """Read a matrix from a ``.txt`` or ``.csv`` file.

    Raises:
        CalculatorError: the file cannot be read, or holds no matrix.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST_FILE)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"{str(path)!r:.200}: cannot be read ({reason}); give a file of numbers"
        raise CalculatorError(message) from None
    return parse_data(data, name=str(path), csv=path.suffix.lower() == ".csv")


def parse_data(data: bytes, *, name: str, csv: bool = False) -> Matrix:
    """Read a matrix from the bytes of a file.

    Args:
        data: UTF-8, with or without a mark in front.
        name: of the file, for messages.
        csv: ``;`` separates values, as some spreadsheets write them, and only line ends
            separate rows.

    Raises:
        CalculatorError: the bytes are no text, or no matrix.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        message = f"{name}: no text in UTF-8; save the numbers as plain text"
        raise CalculatorError(message) from None
    if csv and ";" in text:
        if "," in text:
            message = f"{name}: has both ; and , between numbers; write decimals with a point"
            raise CalculatorError(message)
        text = text.replace(";", ",")
    try:
        return parse_matrix(text)
    except CalculatorError as error:
        message = f"{name}: {error.message}"
        raise CalculatorError(message) from None


def render_number(value: "int | Fraction") -> str:
    """Return a finite decimal of at most 12 places as ``0.25``, other fractions as ``1/3``."""
    top, bottom = value.numerator, value.denominator
    for places in range(MOST_PLACES + 1):
        if 10**places % bottom == 0:
            digits = str(abs(top) * 10**places // bottom).rjust(places + 1, "0")
            whole, rest = digits[: len(digits) - places], digits[len(digits) - places :]
            return f"{'-' if top < 0 else ''}{whole}{'.' if rest else ''}{rest}"
    return f"{top}/{bottom}"


def render_factor(value: "int | Fraction") -> str:
    """Return a number as a factor of a product: ``(-3)`` and ``(1/3)`` in parentheses."""
    text = render_number(value)
    return f"({text})" if text.startswith("-") or "/" in text else text
