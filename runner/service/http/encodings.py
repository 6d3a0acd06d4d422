"""gzip and deflate, both ways: RFC 9110, section 8.4.1; deflate is zlib's format there."""

import zlib

from runner.service.errors import BadRequest, TooLarge

GZIP, ZLIB, RAW = 31, 15, -15  # zlib's words for the three formats
FORMATS = {"gzip": GZIP, "x-gzip": GZIP, "deflate": ZLIB}
LEAST_BYTES = 512  # below, compression saves less than its header costs
MOST_MEMBERS = 65_536  # of one body; each costs time, however little it holds
LEAST_PART, MOST_PART = 512, 2**18  # bytes that are looked at at once for a member's end
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


def decompress(body: bytes | bytearray, encoding: str, limit: int) -> bytes | bytearray:
    """Return the plain bytes of a compressed body, and never hold more than ``limit`` of them.

    Args:
        body: compressed; gzip may have several members (RFC 1952, section 2.2).
        encoding: as :func:`find_encoding` returns it.
        limit: bytes.

    Raises:
        BadRequest: it is not in that format, ends too early, or something follows it.
        TooLarge: it grows beyond ``limit``, or has too many members.
    """
    stream = zlib.decompressobj(choose_format(body, encoding))
    try:
        plain = stream.decompress(body, limit + 1)
        check_plain(len(plain), limit)
        if stream.eof and stream.unused_data and FORMATS[encoding] == GZIP:
            rest = memoryview(body)[len(body) - len(stream.unused_data) :]
            return decompress_members(rest, bytearray(plain), limit)
    except zlib.error as error:
        message = f"body: no {encoding} ({error}); compress it again or send it plain"
        raise BadRequest(message) from None
    if not stream.eof or stream.unused_data:
        what = "something follows it" if stream.eof else "it ends too early"
        message = f"body: {encoding} of {len(body)} bytes, but {what}; send one whole stream"
        raise BadRequest(message)
    return plain


def choose_format(body: bytes | bytearray, encoding: str) -> int:
    """Return zlib's word for the format of a body.

    Some clients send deflate without zlib's frame, whose first two bytes are such a multiple.
    """
    framed = len(body) > 1 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return RAW if encoding == "deflate" and not framed else FORMATS[encoding]


def decompress_members(rest: memoryview, plain: bytearray, limit: int) -> bytearray:
    """Decompress the members of a gzip file that follow its first.

    Args:
        rest: of the body.
        plain: what the first member gave; the others are added to it.
        limit: bytes of all together.

    Raises:
        BadRequest: the last one ends too early.
        TooLarge: they grow beyond ``limit``, or are too many.
        zlib.error: one is no gzip.
    """
    for _ in range(MOST_MEMBERS):
        if not rest:
            return plain
        rest = rest[decompress_member(rest, plain, limit) :]
    message = f"body: more than {MOST_MEMBERS} members of gzip; compress it in one piece"
    raise TooLarge(message)


def decompress_member(data: memoryview, plain: bytearray, limit: int) -> int:
    """Add what one member of a gzip file holds to ``plain``.

    It is read in parts that grow: zlib copies what lies behind a member's end, and with many
    small members before a long rest that would take for ever.

    Returns:
        its compressed bytes.

    Raises:
        BadRequest: it ends too early.
        TooLarge: ``plain`` grows beyond ``limit``.
        zlib.error: it is no gzip.
    """
    stream = zlib.decompressobj(GZIP)
    read, part = 0, LEAST_PART
    while read < len(data):
        piece = data[read : read + part]
        plain += stream.decompress(piece, limit + 1 - len(plain))
        check_plain(len(plain), limit)
        read += len(piece)
        if stream.eof:
            return read - len(stream.unused_data)
        part = min(2 * part, MOST_PART)
    message = "body: behind a member of gzip is no whole member; send all of it, and nothing else"
    raise BadRequest(message)


def check_plain(size: int, limit: int) -> None:
    """Check the bytes that a body has grown to.

    Raises:
        TooLarge: they are too many.
    """
    if size > limit:
        message = (
            f"body: more than {limit} bytes after decompression, the most that is taken; send less"
        )
        raise TooLarge(message)


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
