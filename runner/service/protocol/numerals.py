"""Arrays of numbers as JSON text, flat or nested, to NumPy and back, piece by piece.

One piece takes a few milliseconds, between which other threads run; the objects that Python's
parser makes exist for one piece at a time.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runner.service.errors import BadRequest, Failed

PIECE_BYTES = 128 * 1024
PIECE_ELEMENTS = 4096
CONTENT = bytes(set(range(256)) - set(b"[],"))
SPACES = b" \t\r\n"
BRACKETS_TO_SPACES = bytes.maketrans(b"[]", b"  ")
# whatever is neither bracket, comma nor space becomes a 0, to see what stands beside a bracket
CONTENT_TO_ZEROS = bytes(byte if byte in b"[]," else ord("0") for byte in range(256))
MISPLACED = (b"0[", b"]0", b"][")
ELEMENT = re.compile(rb"[^\[\],]*")
FOREIGN = {  # kind of NumPy's type: what is no such number, and the word for one
    "b": (re.compile(rb"[^a-z\s,\[\]]"), "true or false"),
    "u": (re.compile(rb"[^-0-9\s,\[\]]"), "an integer"),
    "i": (re.compile(rb"[^-0-9\s,\[\]]"), "an integer"),
    "f": (re.compile(rb"[^-+.0-9eE\s,\[\]]"), "a finite number"),
}


def read_numbers(
    text: memoryview, dtype: np.dtype[Any], shape: Sequence[int], *, subject: str
) -> NDArray[Any]:
    """Return the array that a JSON text holds.

    Nothing is allocated before the text is seen to hold as many elements as ``shape`` says.

    Args:
        text: one JSON array, flat in row-major order or nested as ``shape``.
        dtype: of the result.
        shape: every side at least 1.
        subject: whose data it is, for messages.

    Raises:
        BadRequest: the elements are fewer or more, otherwise nested, or no such numbers.
    """
    count = math.prod(shape)
    found = sum(piece.count(b",") + 1 for piece in split_text(text, subject))
    if found != count:
        check_count(found - count_empty(text, subject), count, shape, subject)
        raise BadRequest(complain_brackets(count, shape, subject))
    array = np.empty(count, dtype)
    skeleton: list[bytes] = []
    filled = 0
    for piece in split_text(text, subject):
        values = read_piece(piece, dtype, subject)
        array[filled : filled + len(values)] = values
        filled += len(values)
        skeleton.append(piece.translate(None, CONTENT))
    check_count(filled, count, shape, subject)  # one may miss between two pieces
    check_skeleton(b",".join(skeleton), count, shape, subject)
    return array.reshape(shape)


def check_count(found: int, count: int, shape: Sequence[int], subject: str) -> None:
    """Check how many elements there are.

    Raises:
        BadRequest: the shape needs fewer or more.
    """
    if found != count:
        message = f"{subject}: {found} elements where its shape {list(shape)} needs {count}"
        raise BadRequest(message)


def count_empty(text: memoryview, subject: str) -> int:
    """Return how many lists hold nothing: such a list has neither a comma nor an element."""
    pieces = split_text(text, subject)
    return sum(piece.translate(None, SPACES).count(b"[]") for piece in pieces)


def check_skeleton(skeleton: bytes, count: int, shape: Sequence[int], subject: str) -> None:
    """Check brackets and commas, which is all that the skeleton of an array holds.

    Raises:
        BadRequest: they are neither those of a flat array nor those of ``shape``.
    """
    nested = len(skeleton) == measure_skeleton(shape) and skeleton == build_skeleton(shape)
    if not nested and skeleton != build_skeleton([count]):
        raise BadRequest(complain_brackets(count, shape, subject))


def complain_brackets(count: int, shape: Sequence[int], subject: str) -> str:
    """Return the message for an array that is neither flat nor nested as its shape."""
    return (
        f"{subject}: brackets that fit neither its shape {list(shape)} nor a flat list; "
        f"send {count} numbers in one list, or nested as the shape"
    )


def measure_skeleton(shape: Sequence[int]) -> int:
    """Return the length of :func:`build_skeleton` without building it."""
    length = 0
    for side in reversed(shape):
        length = side * length + side - 1 + 2
    return length


def build_skeleton(shape: Sequence[int]) -> bytes:
    """Return the brackets and commas of an array nested as ``shape``."""
    skeleton = b""
    for side in reversed(shape):
        skeleton = b"[" + (skeleton + b",") * (side - 1) + skeleton + b"]"
    return skeleton


def split_text(text: memoryview, subject: str) -> Iterator[bytes]:
    """Yield the text in pieces, without the commas between them.

    Raises:
        BadRequest: a piece has no comma, so that one element fills it.
    """
    position = 0
    while len(text) - position > PIECE_BYTES:
        piece = bytes(text[position : position + PIECE_BYTES])
        comma = piece.rfind(b",")
        if comma < 0:
            message = f"{subject}: an element is longer than {PIECE_BYTES} bytes; send numbers"
            raise BadRequest(message)
        yield piece[:comma]
        position += comma + 1
    yield bytes(text[position:])


def read_piece(piece: bytes, dtype: np.dtype[Any], subject: str) -> NDArray[Any]:
    """Return the numbers of one piece.

    Raises:
        BadRequest: one is no number, or not one of this type.
    """
    foreign, kind = FOREIGN[dtype.kind]
    wrong = foreign.search(piece)
    if wrong:
        raise BadRequest(complain(subject, find_element(piece, wrong.start()), kind, dtype))
    outline = piece.translate(CONTENT_TO_ZEROS, SPACES)
    if any(pair in outline for pair in MISPLACED):
        message = f"{subject}: a comma is missing beside a bracket; send a JSON array of numbers"
        raise BadRequest(message)
    try:
        values = json.loads(b"[" + piece.translate(BRACKETS_TO_SPACES) + b"]")
    except ValueError as error:
        element = find_element(piece, getattr(error, "pos", 1) - 1)
        raise BadRequest(complain(subject, element, kind, dtype)) from None
    if dtype.kind == "f":
        return read_floats(values, dtype, subject)
    return read_integers(values, dtype, subject)


def read_integers(values: list[Any], dtype: np.dtype[Any], subject: str) -> NDArray[Any]:
    """Return integers or truth values as an array.

    Raises:
        BadRequest: one is out of the type's range, or no truth value.
    """
    if dtype.kind == "b":
        if not all(value is True or value is False for value in values):
            raise BadRequest(complain(subject, b"null", "true or false", dtype))
        return np.array(values, dtype)
    limits = np.iinfo(dtype)
    for value in (min(values, default=0), max(values, default=0)):
        if not limits.min <= value <= limits.max:
            shown = value if abs(value) < 10**30 else "a number of more than 30 digits"
            message = f"{subject}: {shown} is outside {limits.min} to {limits.max} of {dtype.name}"
            raise BadRequest(message)
    return np.array(values, dtype)


def read_floats(values: list[Any], dtype: np.dtype[Any], subject: str) -> NDArray[Any]:
    """Return numbers as an array of floats.

    Raises:
        BadRequest: one is too large for the type.
    """
    try:
        with np.errstate(over="ignore"):
            array = np.array(values, np.float64).astype(dtype)
    except OverflowError:
        array = np.array([np.inf], dtype)
    if not np.isfinite(array).all():
        message = f"{subject}: a number exceeds {np.finfo(dtype).max}, the largest {dtype.name}"
        raise BadRequest(message)
    return array


def find_element(piece: bytes, position: int) -> bytes:
    """Return the element of an array's text that holds a position."""
    start = max(piece.rfind(mark, 0, position) for mark in (b"[", b"]", b",")) + 1
    found = ELEMENT.match(piece, start)
    return found[0] if found else b""


def complain(subject: str, element: bytes, kind: str, dtype: np.dtype[Any]) -> str:
    """Return the message for text that is no element of this type."""
    shown = repr(element.strip()[:40].decode("ascii", "replace")) if element.strip() else "nothing"
    return f"{subject}: {shown} is not {kind}, as {dtype.name} needs; send plain JSON numbers"


def write_numbers(array: NDArray[Any], subject: str) -> bytes:
    """Return an array as one flat JSON array in row-major order.

    A float is written with the fewest digits that give the same float again.

    Raises:
        Failed: a number is not finite, which JSON cannot say.
    """
    flat = array.reshape(-1)
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        message = f"{subject}: not every number is finite, which JSON cannot say; ask for binary"
        raise Failed(message)
    pieces = range(0, flat.size, PIECE_ELEMENTS)
    texts = (write_piece(flat[start : start + PIECE_ELEMENTS]) for start in pieces)
    return b"[" + b",".join(texts) + b"]"


def write_piece(flat: NDArray[Any]) -> bytes:
    """Return some elements as JSON with commas between them."""
    if flat.dtype.kind == "f":
        return ",".join(flat.astype(np.str_).tolist()).encode()
    return json.dumps(flat.tolist(), separators=(",", ":"))[1:-1].encode()
