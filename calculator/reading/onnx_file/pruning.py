"""A model copied without the values of its large tensors.

What is copied is what shapes and counts depend on. The numbers stand in onnx.proto, the
definition of the format (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from pathlib import Path

from calculator.errors import CalculatorError
from calculator.reading.onnx_file.tensors import (
    PAYLOADS,
    STRING_DATA,
    Claim,
    check_claim,
)
from calculator.reading.onnx_file.wire import (
    DELIMITED,
    Bytes,
    Field,
    list_fields,
    read_integers,
    read_text,
    write_varint,
)

LARGEST_VALUES = 16_384  # bytes of a tensor's values that are still copied
LARGEST_COPY = 32 * 1024**2
MOST_FIELDS = 250_000
DEEPEST_NESTING = 32
LONGEST_SHAPE = 160  # bytes of the sizes of one tensor

# message -> number of a field that is copied -> the message inside it, or None
MESSAGES: dict[str, dict[int, str | None]] = {
    "model": {1: None, 2: None, 3: None, 7: "graph", 8: "opset", 25: "function"},
    "opset": {1: None, 2: None},
    "graph": {
        1: "node",
        2: None,
        5: "tensor",
        11: "value",
        12: "value",
        13: "value",
        15: "sparse",
    },
    "node": {1: None, 2: None, 3: None, 4: None, 5: "attribute", 7: None, 8: None},
    "attribute": {
        **dict.fromkeys((1, 2, 3, 4, 7, 8, 9, 20, 21)),
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        22: "sparse",
        23: "sparse",
    },
    "sparse": {1: "tensor", 2: "tensor", 3: None},
    "function": {
        **dict.fromkeys((1, 4, 5, 6, 10, 13)),
        7: "node",
        9: "opset",
        11: "attribute",
    },
    "value": {1: None, 2: "type"},
    "type": {1: "tensor_type", 4: "unread", 5: "unread", 8: "unread", 9: "unread"},
    "unread": {},
    "tensor_type": {1: None, 2: "shape"},
    "shape": {1: "dimension"},
    "dimension": {1: None, 2: None},
}
TEXTS = {
    "model": (2, 3),
    "opset": (1,),
    "graph": (2,),
    "node": (1, 2, 3, 4, 7, 8),
    "attribute": (1, 21),
    "function": (1, 4, 5, 6, 10, 13),
    "value": (1,),
    "dimension": (2,),
    "tensor": (8,),
}
DIMS, ELEMENT, NAME, EXTERNAL, LOCATION = 1, 2, 8, 13, 14  # fields of a tensor
LARGE_LISTS = {"attribute": (7, 8)}  # long lists of numbers, as of decision trees, are left out


class Pruner:
    """One pass over a file.

    Args:
        data: the file.
        folder: where external data may lie.
    """

    def __init__(self, data: Bytes, folder: Path) -> None:
        self.data = data
        self.folder = folder
        self.fields = 0
        self.copied = 0

    def prune(self) -> bytes:
        """Return the model as a serialised ModelProto without large values.

        Raises:
            CalculatorError: the file is damaged, claims what it does not hold, or has more
                structure than is read.
        """
        return self.copy(0, len(self.data), message="model", depth=0)

    def copy(self, start: int, end: int, *, message: str, depth: int) -> bytes:
        """Return the message between two positions without what is not needed."""
        if depth > DEEPEST_NESTING:
            text = f"is nested deeper than {DEEPEST_NESTING} levels; no exporter writes such files"
            raise CalculatorError(text)
        known, chunks = MESSAGES[message], []
        for field in list_fields(self.data, start, end=end):
            self.spend(field)
            if field.number not in known:
                continue
            inner = known[field.number]
            if inner is None or field.wire != DELIMITED:
                if not self.is_long(field, message):
                    chunks.append(self.take(field, message))
            elif inner == "tensor":
                chunks.append(self.wrap(field, self.copy_tensor(field, depth)))
            else:
                body = self.copy(field.begin, field.end, message=inner, depth=depth + 1)
                chunks.append(self.wrap(field, body))
        return b"".join(chunks)

    def is_long(self, field: Field, message: str) -> bool:
        """Return whether a field is a list of numbers that is too long to be needed."""
        return field.number in LARGE_LISTS.get(message, ()) and field.size > LARGEST_VALUES

    def copy_tensor(self, tensor: Field, depth: int) -> bytes:
        """Return a tensor without its values if there are many; check that they are there."""
        claim, chunks, values = Claim(), [], []
        is_external = False
        for field in list_fields(self.data, tensor.begin, end=tensor.end):
            self.spend(field)
            if field.number in PAYLOADS:
                claim.held[field.number] += field.size
                claim.strings += field.number == STRING_DATA
                values.append(field)
            elif field.number == DIMS:
                claim.dims += read_integers(self.data, field) if field.size <= LONGEST_SHAPE else []
            elif field.number == ELEMENT:
                claim.element = field.value
            elif field.number == NAME:
                claim.name = read_text(self.data, field)
            elif field.number == LOCATION:
                is_external = field.value == 1
            elif field.number == EXTERNAL and field.wire == DELIMITED:
                claim.external.update(self.read_entry(field))
                continue
            else:
                continue
            if field.number not in PAYLOADS and field.number != LOCATION:
                chunks.append(self.take(field, "tensor"))
        claim.external = (claim.external or {"location": ""}) if is_external else {}
        check_claim(claim, self.folder)
        if claim.held.total() <= LARGEST_VALUES and not is_external and depth <= DEEPEST_NESTING:
            chunks += [self.take(field, "values") for field in values]
        return b"".join(chunks)

    def read_entry(self, entry: Field) -> dict[str, str]:
        """Return a key and its value."""
        texts = {1: "", 2: ""}
        for field in list_fields(self.data, entry.begin, end=entry.end):
            self.spend(field)
            texts[field.number] = read_text(self.data, field)
        return {texts[1]: texts[2]}

    def spend(self, field: Field) -> None:
        """Count a field.

        Raises:
            CalculatorError: there are more than ``MOST_FIELDS``.
        """
        self.fields += 1
        if self.fields > MOST_FIELDS:
            message = (
                f"has more than {MOST_FIELDS:,} fields up to byte {field.start}; "
                "networks of that many pieces are not read"
            )
            raise CalculatorError(message)

    def take(self, field: Field, message: str) -> bytes:
        """Return a field as it is.

        Raises:
            CalculatorError: it is a text and no UTF-8.
        """
        self.keep(field.end - field.start, field)
        if field.number in TEXTS.get(message, ()) and field.wire == DELIMITED:
            try:
                bytes(self.data[field.begin : field.end]).decode()
            except UnicodeDecodeError as error:
                text = f"is damaged: the name at byte {field.begin} is no text; copy it again"
                raise CalculatorError(text) from error
        return bytes(self.data[field.start : field.end])

    def wrap(self, field: Field, body: bytes) -> bytes:
        """Return a field with another body."""
        head = write_varint(field.number << 3 | DELIMITED) + write_varint(len(body))
        self.keep(len(head), field)
        return head + body

    def keep(self, size: int, field: Field) -> None:
        """Count bytes that are copied.

        Raises:
            CalculatorError: there are more than ``LARGEST_COPY``.
        """
        self.copied += size
        if self.copied > LARGEST_COPY:
            message = (
                f"has more than {LARGEST_COPY:,} bytes beside its weights up to byte "
                f"{field.start}; networks of that size are not read"
            )
            raise CalculatorError(message)
