"""The protocol's words for types of elements, and NumPy's types for them.

Open Inference Protocol, section "Tensor Data Types". On the wire every number is little-endian.
"""

import numpy as np

from runner.errors import list_nearest_first
from runner.service.errors import BadRequest, Unsupported

DTYPES: dict[str, np.dtype[np.generic]] = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
WORDS = {dtype: word for word, dtype in DTYPES.items()}
# words of the protocol that no model here takes: texts, and a type that NumPy has not
UNSERVED = ("BYTES", "BF16")


def find_dtype(word: object, subject: str) -> np.dtype[np.generic]:
    """Return NumPy's type for a word of the protocol.

    Args:
        word: as in the request.
        subject: whose datatype it is, for messages.

    Raises:
        BadRequest: there is no such word.
        Unsupported: the protocol has it, and no model here takes it.
    """
    if isinstance(word, str) and word in DTYPES:
        return DTYPES[word]
    if word in UNSERVED:
        message = f"{subject}: datatype {word} is not served here; send {', '.join(DTYPES)}"
        raise Unsupported(message)
    known = list_nearest_first(str(word)[:80], list(DTYPES))
    message = f"{subject}: datatype {str(word)[:80]!r} is unknown; send one of {known}"
    raise BadRequest(message)
