"""The wire format of protocol buffers: numbered fields, one after another.

Reference: https://protobuf.dev/programming-guides/encoding. Only what is looked at is
decoded, so that a file of many megabytes costs as little as its structure does.
"""

from collections.abc import Iterator
from mmap import mmap
from typing import NamedTuple

from calculator.errors import CalculatorError

VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5  # how a field's value is written
FIXED_SIZES = {FIXED64: 8, FIXED32: 4}
LONGEST_VARINT = 10

Bytes = bytes | mmap


class Field(NamedTuple):
    """One field of a message.

    Args:
        number: which field of its message.
        wire: how the value is written.
        start: first byte of the field, its tag.
        begin: first byte of the value, behind tag and length.
        end: behind the last byte of the value.
        value: of a varint; 0 elsewhere.
    """

    number: int
    wire: int
    start: int
    begin: int
    end: int
    value: int

    @property
    def size(self) -> int:
        """Bytes of the value."""
        return self.end - self.begin


def read_varint(data: Bytes, position: int, *, end: int) -> tuple[int, int]:
    """Return a non-negative integer below 2**70 and the position behind it.

    Raises:
        CalculatorError: it is cut off or too long.
    """
    value = 0
    for shift in range(0, 7 * LONGEST_VARINT, 7):
        if position >= end:
            raise cut_off(position)
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    message = f"is no ONNX file: the number at byte {position} has no end; export the network again"
    raise CalculatorError(message)


def write_varint(value: int) -> bytes:
    """Return the bytes of a non-negative integer."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def list_fields(data: Bytes, start: int, *, end: int) -> Iterator[Field]:
    """Yield the fields of the message between two positions.

    Raises:
        CalculatorError: a field is cut off, or is none of this format.
    """
    position = start
    while position < end:
        first, tag = position, data[position]
        position += 1
        if tag >= 0x80:  # most tags and sizes are one byte
            tag, position = read_varint(data, first, end=end)
        number, wire = tag >> 3, tag & 7
        value, begin = 0, position
        if wire == VARINT:
            value, position = read_varint(data, position, end=end)
        elif wire == DELIMITED:
            size, begin = read_varint(data, position, end=end)
            position = begin + size
        elif wire in FIXED_SIZES:
            position += FIXED_SIZES[wire]
        if wire not in (VARINT, DELIMITED, *FIXED_SIZES) or not number:
            message = f"is no ONNX file: byte {first} starts no field; export the network again"
            raise CalculatorError(message)
        if position > end:
            raise cut_off(end)
        yield Field(number, wire, first, begin, position, value)


def read_integers(data: Bytes, field: Field) -> list[int]:
    """Return the value of a repeated integer field: one number, or several packed ones."""
    if field.wire == VARINT:
        return [field.value]
    numbers, position = [], field.begin
    while position < field.end:
        number, position = read_varint(data, position, end=field.end)
        numbers.append(number)
    return numbers


def read_text(data: Bytes, field: Field) -> str:
    """Return a text of at most 4096 bytes; what is no UTF-8 is replaced."""
    return bytes(data[field.begin : min(field.end, field.begin + 4096)]).decode("utf-8", "replace")


def cut_off(position: int) -> CalculatorError:
    """Return the error for a file that ends inside a field."""
    message = (
        f"is cut off or damaged: a field reaches beyond byte {position}; "
        "copy or export the file again"
    )
    return CalculatorError(message)
