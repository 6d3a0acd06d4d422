"""gzip and deflate, both ways: RFC 9110, section 8.4.1; deflate is zlib's format there."""

import zlib

from runner.service.errors import BadRequest, TooLarge

GZIP, ZLIB, RAW = 31, 15, -15  # zlib's words for the three formats
FORMATS = {"gzip": GZIP, "x-gzip": GZIP, "deflate": ZLIB}
LEAST_BYTES = 512  # below, compression saves less than its header costs
LEVEL = 1  # a service's time is worth more than the last tenth of the bytes


def find_encoding(header: str | None) -> str | None:
    """Return the encoding of a body, None where it is plain.

    Raises:
        BadRequest: it is none of those understood here.
    """
    encoding = (header or "identity").strip().lower()
    if encoding in ("identity", ""):
        return None
    if encoding not in FORMATS:
        message = (
            f"Content-Encoding {encoding[:40]!r} is not understood; send gzip, deflate or none"
        )
        raise BadRequest(message)
    return encoding


def decompress(body: bytes | bytearray, encoding: str, limit: int) -> bytes:
    """Return the plain bytes of a compressed body, and never hold more than ``limit`` of them.

    Args:
        body: compressed.
        encoding: as :func:`find_encoding` returns it.
        limit: bytes.

    Raises:
        BadRequest: it is not in that format, ends too early, or something follows it.
        TooLarge: it grows beyond ``limit``.
    """
    # Some clients send deflate without zlib's frame, whose first two bytes are such a multiple.
    framed = len(body) > 1 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0
    wbits = RAW if encoding == "deflate" and not framed else FORMATS[encoding]
    stream = zlib.decompressobj(wbits)
    try:
        plain = stream.decompress(body, limit + 1)
    except zlib.error as error:
        message = f"body: no {encoding} ({error}); compress it again or send it plain"
        raise BadRequest(message) from None
    if len(plain) > limit:
        message = (
            f"body: more than {limit} bytes after decompression, the most that is taken; send less"
        )
        raise TooLarge(message)
    if not stream.eof or stream.unused_data:
        what = "something follows it" if stream.eof else "it ends too early"
        message = f"body: {encoding} of {len(body)} bytes, but {what}; send one whole stream"
        raise BadRequest(message)
    return plain


def choose_encoding(accept: str | None, size: int) -> str | None:
    """Return how to compress an answer: the first of gzip and deflate that the client takes.

    Args:
        accept: the header ``Accept-Encoding``.
        size: bytes of the answer.
    """
    if not accept or size < LEAST_BYTES:
        return None
    taken = dict(read_preference(part) for part in accept.lower().split(",")[:20])
    best = max(("gzip", "deflate"), key=lambda name: taken.get(name, 0.0))
    return best if taken.get(best, 0.0) > 0 else None


def read_preference(part: str) -> tuple[str, float]:
    """Return an encoding and its weight, such as ``gzip;q=0.5``; 0 where it makes no sense."""
    name, _, weight = part.partition(";")
    value = weight.replace(" ", "").removeprefix("q=") if weight else "1"
    try:
        return name.strip(), float(value)
    except ValueError:
        return name.strip(), 0.0


def compress(body: bytes, encoding: str) -> bytes:
    """Return a body as gzip or deflate."""
    stream = zlib.compressobj(LEVEL, wbits=FORMATS[encoding])
    return stream.compress(body) + stream.flush()
