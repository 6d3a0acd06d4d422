"""What a tensor of a file claims to hold, against what the file holds."""

from collections import Counter
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

from calculator.errors import CalculatorError
from calculator.layers.shapes import render_shape

# onnx.proto, TensorProto.DataType: bits of one element
BITS = {
    **dict.fromkeys((2, 3, 9, 17, 18, 19, 20, 24), 8),
    **dict.fromkeys((4, 5, 10, 16), 16),
    **dict.fromkeys((1, 6, 12), 32),
    **dict.fromkeys((7, 11, 13, 14), 64),
    **dict.fromkeys((21, 22, 23), 4),
    **dict.fromkeys((25, 26), 2),
    15: 128,
}
STRING, COMPLEX = 8, (14, 15)
FLOATS = {1, 10, 11, 16, *COMPLEX, 17, 18, 19, 20, 23, 24}
# onnx.proto, TensorProto: the fields that hold values
FLOAT_DATA, INT32_DATA, STRING_DATA, INT64_DATA, RAW_DATA, DOUBLE_DATA, UINT64_DATA = (
    *range(4, 8),
    *range(9, 12),
)
PAYLOADS = (
    FLOAT_DATA,
    INT32_DATA,
    STRING_DATA,
    INT64_DATA,
    RAW_DATA,
    DOUBLE_DATA,
    UINT64_DATA,
)
FIXED_BYTES = {FLOAT_DATA: 4, DOUBLE_DATA: 8}
HIGHEST_RANK = 16
LARGEST_SIZE = 2**63


@dataclass
class Claim:
    """What one TensorProto says about itself.

    Args:
        name: of the tensor, may be empty.
        dims: sizes.
        element: its DataType.
        held: bytes in every field that holds values.
        strings: number of texts.
        external: keys and values that say where the data lie; empty for data in the file.
    """

    name: str = ""
    dims: list[int] = field(default_factory=list)
    element: int = 0
    held: Counter[int] = field(default_factory=Counter)
    strings: int = 0
    external: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of elements."""
        return prod(self.dims)

    @property
    def size(self) -> int:
        """Bytes of the elements, tightly packed."""
        return -(-self.count * BITS[self.element] // 8)

    def describe(self) -> str:
        """Return the tensor's name and shape for a message."""
        return f"tensor {self.name!r:.80} of shape {render_shape(tuple(self.dims)) or 'scalar'}"


def check_claim(claim: Claim, folder: Path) -> None:
    """Refuse a tensor whose values the file does not hold.

    Args:
        claim: what it says.
        folder: of the file, in which external data must lie.

    Raises:
        CalculatorError: sizes, type and values disagree; the message names the tensor.
    """
    if len(claim.dims) > HIGHEST_RANK or any(side >= LARGEST_SIZE for side in claim.dims):
        message = (
            f"tensor {claim.name!r:.80} has sizes {claim.dims!s:.80} that no tensor has; "
            "export the network again"
        )
        raise CalculatorError(message)
    if claim.element not in BITS and claim.element != STRING:
        message = (
            f"{claim.describe()} has the unknown element type {claim.element}; "
            "update the package onnx, or export the network again"
        )
        raise CalculatorError(message)
    if claim.external:
        check_external(claim, folder)
    elif not holds_values(claim):
        message = (
            f"{claim.describe()} claims {claim.count:,} values and the file does not hold them; "
            "export the network with its weights"
        )
        raise CalculatorError(message)


def holds_values(claim: Claim) -> bool:
    """Return whether the bytes in the file fit the number of elements."""
    if claim.element == STRING:
        return claim.strings == claim.count
    if claim.held[RAW_DATA] or not claim.count:
        return claim.held[RAW_DATA] == (claim.size if claim.count else 0)
    fields = [number for number in PAYLOADS if claim.held[number]]
    if len(fields) != 1:
        return False
    (number,), values = fields, claim.count
    if claim.element in COMPLEX:
        values *= 2
    if BITS[claim.element] < 8:
        values = claim.size
    if number in FIXED_BYTES:
        return claim.held[number] == values * FIXED_BYTES[number]
    return values <= claim.held[number] <= 10 * values  # one varint each


def check_external(claim: Claim, folder: Path) -> None:
    """Refuse external data outside the file's folder, and data that are not there.

    Raises:
        CalculatorError: one of them.
    """
    location = claim.external.get("location", "")
    parts = Path(location.replace("\\", "/")).parts
    if not location or "\0" in location or Path(location).is_absolute() or ".." in parts:
        message = (
            f"{claim.describe()} lies in {location!r:.80}, outside the file's folder; "
            "only data beside the file are accepted"
        )
        raise CalculatorError(message)
    start, size = (read_number(claim, key) for key in ("offset", "length"))
    size = claim.size if size is None and claim.element != STRING else size
    if size is None or (claim.element != STRING and size != claim.size):
        message = (
            f"{claim.describe()} needs {claim.size:,} bytes and {size or 0:,} are said to lie in "
            f"{location!r:.80}; export the network again"
        )
        raise CalculatorError(message)
    available = measure_external(location, folder)
    if available is None or (start or 0) + size > available:
        message = (
            f"{claim.describe()} needs {size:,} bytes of {location!r:.80}, which is not there or "
            "is too short; keep the data file beside the .onnx file"
        )
        raise CalculatorError(message)


def read_number(claim: Claim, key: str) -> int | None:
    """Return ``offset`` or ``length`` of external data; None where it is not said."""
    text = claim.external.get(key)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        message = (
            f"{claim.describe()} has {key} {text!r:.40} in external data, which is no number; "
            "export the network again"
        )
        raise CalculatorError(message)
    return int(text)


def measure_external(location: str, folder: Path) -> int | None:
    """Return the bytes of a regular file inside the folder, links followed; None elsewhere."""
    try:
        path = (folder / location).resolve()
        inside = path.is_relative_to(folder.resolve())
        return path.stat().st_size if inside and path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # RuntimeError: a loop of links
        return None
