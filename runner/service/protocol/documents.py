"""JSON of strangers: arrays of numbers are lifted out unparsed, and the rest is small.

Python's parser makes an object of every number, up to twenty times the text in memory, and lets
nothing else run until it is done. The numbers of a tensor are therefore kept as text here;
:mod:`runner.service.protocol.numerals` turns them into an array piece by piece.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from runner.service.errors import BadRequest

STRUCTURE_BYTES = 256 * 1024  # of a document without its arrays
MAX_ARRAYS = 1024
KEY = b'"data"'
Text = bytes | bytearray
OPENING = re.compile(rb'"data"\s*:\s*(?=\[)')
BEHIND = re.compile(rb'\s*(?:\}|,\s*"(?:[^"\\]|\\.){0,256}"\s*:)')
PLACEHOLDER = b"NaN"  # no JSON, so no document can hold one of its own


@dataclass(frozen=True)
class NumberText:
    """The text of one JSON array, brackets included, that holds no string and no object.

    Attributes:
        text: a part of the request's body, not a copy.
    """

    text: memoryview = field(repr=False)


def read_document(text: Text, subject: str) -> dict[str, Any]:
    """Read a JSON object; arrays of numbers under the key ``data`` stay :class:`NumberText`.

    Args:
        text: UTF-8.
        subject: what it is, for messages.

    Raises:
        BadRequest: it is no JSON object, too deep, or too large besides its arrays.
    """
    rest, arrays = lift_arrays(text, subject)
    document = parse(rest, iter(arrays), subject)
    if not isinstance(document, dict):
        message = f"{subject}: a JSON {type(document).__name__} must be an object in braces"
        raise BadRequest(message)
    return document


def parse(text: bytes, arrays: Iterator[NumberText], subject: str) -> object:
    """Parse a small JSON text, and put each lifted array where its placeholder stands.

    Raises:
        BadRequest: it is no JSON.
    """

    def replace(constant: str) -> NumberText:
        array = next(arrays, None) if constant == "NaN" else None
        if array is None:
            message = f"{subject}: {constant} is no JSON; send finite numbers"
            raise BadRequest(message)
        return array

    try:
        return json.loads(text.decode(), parse_constant=replace)
    except RecursionError:
        message = f"{subject}: lists or objects are nested too deeply; send a tensor flat"
    except ValueError as error:
        message = f"{subject}: no JSON ({error}); send a JSON object in UTF-8"
    raise BadRequest(message)


def lift_arrays(text: Text, subject: str) -> tuple[bytes, list[NumberText]]:
    """Return the text with placeholders, and the arrays that stood there, in order.

    What looks like an array and is none stays where it is, for the parser to judge.

    Raises:
        BadRequest: the arrays are too many, or the rest is too large.
    """
    kept: list[bytes] = []
    arrays: list[NumberText] = []
    whole = memoryview(text).toreadonly()
    position = brace = size = 0
    while (key := text.find(KEY, position)) >= 0:
        opening = OPENING.match(text, key)
        start = opening.end() if opening else key + len(KEY)
        if brace < start:  # looked for once per object, or many arrays in one would be quadratic
            brace = text.find(b"}", start) % (len(text) + 1)
        end = find_end(text, start, brace) if opening else start
        size = check_rest(size + start - position, len(arrays), subject)
        kept.append(bytes(whole[position:start]))
        if end > start:
            kept.append(PLACEHOLDER)
            arrays.append(NumberText(whole[start:end]))
        position = end
    check_rest(size + len(text) - position, len(arrays), subject)
    return b"".join([*kept, bytes(whole[position:])]), arrays


def check_rest(size: int, arrays: int, subject: str) -> int:
    """Return the bytes of a document besides its arrays.

    Raises:
        BadRequest: they are too many, or the arrays are.
    """
    if arrays > MAX_ARRAYS:
        message = f"{subject}: more than {MAX_ARRAYS} fields 'data' are not read; send fewer"
        raise BadRequest(message)
    if size > STRUCTURE_BYTES:
        message = (
            f"{subject}: {size} bytes besides arrays of numbers exceed the {STRUCTURE_BYTES} that "
            "are read; send texts and parameters that are shorter"
        )
        raise BadRequest(message)
    return size


def find_end(text: Text, start: int, brace: int) -> int:
    """Return where the array of numbers that opens at ``start`` ends; ``start`` if it is none.

    Numbers hold neither quotes nor braces, so the array's last bracket is the last one before
    the next of these; behind it the object of the array ends, or goes on with another key.
    """
    stop = brace
    for mark in (b'"', b"{"):
        found = text.find(mark, start, stop)
        stop = found if found >= 0 else stop
    end = text.rfind(b"]", start, stop) + 1
    return end if end > start and BEHIND.match(text, end) else start
