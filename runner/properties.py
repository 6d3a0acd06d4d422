"""The properties of an ONNX file, read without opening it in a runtime.

Which of several files to open is decided by what they say of themselves, and opening one
costs a tenth of a second. Here the weights are skipped, not read: an ONNX file is a
``ModelProto`` in protobuf's wire format, whose field 14 holds ``metadata_props``
(onnx/onnx.proto; protobuf, Encoding).
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

METADATA_PROPS = 14  # of ModelProto
KEY, VALUE = 1, 2  # of StringStringEntryProto
VARINT, FIXED_64, LENGTH, FIXED_32 = 0, 1, 2, 5
LONGEST_VARINT = 10
LARGEST_ENTRY = 2**24


def read_properties(path: Path) -> dict[str, Any]:
    """Return the decoded ``impasto.*`` properties of a file, without the prefix.

    Nothing is refused here: of a missing, damaged or foreign file comes what can be read of it,
    mostly nothing, and whoever opens it tells what is wrong.
    """
    found: dict[str, Any] = {}
    if not path.is_file():  # a pipe would be waited for
        return found
    try:
        with path.open("rb") as file:
            for key, text in walk_entries(file, path.stat().st_size):
                if key.startswith("impasto."):
                    found[key.removeprefix("impasto.")] = json.loads(text)
    except (OSError, ValueError, OverflowError, RecursionError):
        return found
    return found


def walk_entries(file: BinaryIO, size: int) -> Iterator[tuple[str, str]]:
    """Yield key and value of every property.

    Args:
        file: at its beginning.
        size: of the file in bytes.

    Raises:
        ValueError: it is not in protobuf's wire format.
    """
    while file.tell() < size:
        number, wire = divmod(read_varint(file), 8)
        if wire != LENGTH:
            skip(file, wire)
            continue
        length = read_varint(file)
        if number != METADATA_PROPS:
            file.seek(length, 1)
        elif length <= LARGEST_ENTRY:
            yield split_entry(file.read(length))
        else:
            message = f"a property of {length:,} bytes"
            raise ValueError(message)


def split_entry(data: bytes) -> tuple[str, str]:
    """Return key and value of one ``StringStringEntryProto``.

    Raises:
        ValueError: it is not in protobuf's wire format.
    """
    texts = {KEY: "", VALUE: ""}
    file = io.BytesIO(data)
    while file.tell() < len(data):
        number, wire = divmod(read_varint(file), 8)
        if wire == LENGTH:
            texts[number] = file.read(read_varint(file)).decode("utf-8")
        else:
            skip(file, wire)
    return texts[KEY], texts[VALUE]


def skip(file: BinaryIO, wire: int) -> None:
    """Move behind a value that has no length in front.

    Raises:
        ValueError: there is no such kind of value.
    """
    if wire == VARINT:
        read_varint(file)
    elif wire in {FIXED_64, FIXED_32}:
        file.seek(8 if wire == FIXED_64 else 4, 1)
    else:
        message = f"wire type {wire}"
        raise ValueError(message)


def read_varint(file: BinaryIO) -> int:
    """Read an integer of seven bits a byte, the lowest first.

    Raises:
        ValueError: the file ends in it, or it is longer than 64 bits.
    """
    value = 0
    for place in range(LONGEST_VARINT):
        byte = file.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << (7 * place)
        if byte[0] < 0x80:
            return value
    message = "an integer without end"
    raise ValueError(message)
