"""Requests that are nearly right, made from right ones in a way that can be repeated."""

import gzip
import random
import zlib
from collections.abc import Callable

from tests.runner.service.faults.conftest import Request

WORDS = (
    b"NaN", b"-Infinity", b"1e999", b"-1", b"1.5", b"true", b"null", b'""', b"{}", b"[]", b"[[[",
    b"]", b"}", b'"', b"\\", b"\x00", b"\xff\xfe", b"99999999999999999999", b'"data"', b'"BYTES"',
    b'"FP64"', b"[" * 500, b"0" * 500, b',"data":[1]', b"\r\n\r\n",
)  # fmt: skip
LENGTH = "Inference-Header-Content-Length: "
Mutation = Callable[[random.Random, Request], Request]


def cut(chance: random.Random, request: Request) -> Request:
    """Leave out the end."""
    return Request(
        request.model, request.body[: chance.randrange(len(request.body))], request.headers
    )


def insert(chance: random.Random, request: Request) -> Request:
    """Put a word somewhere, in place of what stands there or beside it."""
    start = chance.randrange(len(request.body))
    end = start + chance.choice((0, 1, 4, 40))
    body = request.body[:start] + chance.choice(WORDS) + request.body[end:]
    return Request(request.model, body, request.headers)


def shuffle(chance: random.Random, request: Request) -> Request:
    """Move a part elsewhere."""
    first, second = sorted(chance.randrange(len(request.body)) for _ in range(2))
    body = request.body[second:] + request.body[:first] + request.body[first:second]
    return Request(request.model, body, request.headers)


def flip(chance: random.Random, request: Request) -> Request:
    """Change single bytes of the first hundred, where the words are."""
    body = bytearray(request.body)
    for _ in range(chance.randrange(1, 6)):
        body[chance.randrange(min(100, len(body)))] = chance.randrange(256)
    return Request(request.model, bytes(body), request.headers)


def mislead(chance: random.Random, request: Request) -> Request:
    """Say something else about where the JSON ends."""
    size = chance.choice(("0", "-1", "1", "99999999", "x", str(chance.randrange(400)), "0" * 50))
    return Request(request.model, request.body, (LENGTH + size,))


def compress(chance: random.Random, request: Request) -> Request:
    """Say that the body is compressed, which it is not, or not wholly."""
    packed = chance.choice((gzip.compress, zlib.compress, bytes))(request.body)
    damaged = packed[: chance.randrange(len(packed))] + chance.randbytes(chance.randrange(3))
    kind = chance.choice(("gzip", "deflate", "br", "gzip, gzip"))
    return Request(request.model, damaged, (*request.headers, f"Content-Encoding: {kind}"))


def scatter(chance: random.Random, request: Request) -> Request:
    """Send bytes that mean nothing."""
    return Request(request.model, chance.randbytes(chance.randrange(300)), request.headers)


def misdirect(chance: random.Random, request: Request) -> Request:
    """Send it to a model that takes something else, or that does not exist."""
    models = ("lenet5", "simpleconvnet", "style-fast", "scale", "table", "lenet6", "..%2f..", "%00")
    return Request(chance.choice(models), request.body, request.headers)


MUTATIONS: tuple[Mutation, ...] = (
    cut, insert, insert, shuffle, flip, mislead, compress, scatter, misdirect,
)  # fmt: skip


def mutate(seed: int, requests: list[Request]) -> Request:
    """Return one of the requests, changed once to three times; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated
    request = chance.choice(requests)
    for _ in range(chance.choice((1, 1, 2, 3))):
        if request.body:
            request = chance.choice(MUTATIONS)(chance, request)
    return request
