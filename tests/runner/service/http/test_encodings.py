"""gzip and deflate."""

import gzip
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.service.errors import BadRequest, TooLarge
from runner.service.http.encodings import (
    choose_encoding,
    compress,
    decompress,
    find_encoding,
)


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "deflate"]))
def test_what_is_compressed_comes_back(body: bytes, encoding: str) -> None:
    """Both encodings keep every byte, at exactly the limit too."""
    assert decompress(compress(body, encoding), encoding, len(body)) == body


@given(st.binary(max_size=500))
def test_both_kinds_of_deflate_are_read(body: bytes) -> None:
    """The standard's zlib frame, and the bare stream that some clients send."""
    bare = zlib.compressobj(wbits=-15)
    assert decompress(zlib.compress(body), "deflate", 500) == body
    assert decompress(bare.compress(body) + bare.flush(), "deflate", 500) == body


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate"]))
def test_no_bytes_break_it(body: bytes, encoding: str) -> None:
    """Any bytes give bytes within the limit or a refusal in words."""
    with suppress(BadRequest, TooLarge):
        assert len(decompress(body, encoding, 100)) <= 100


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_defused_at_the_limit(encoding: str) -> None:
    """One byte more than the limit is enough to stop."""
    bomb = compress(bytes(10_000_001), encoding)
    with pytest.raises(TooLarge, match="more than 10000000 bytes after decompression"):
        decompress(bomb, encoding, 10_000_000)


def test_a_bomb_never_unfolds() -> None:
    """What is held at any moment stays near the limit, not near what the bomb would become."""
    bomb = compress(bytes(50_000_000), "gzip")
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="more than 1000000 bytes"):
            decompress(bomb, "gzip", 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (gzip.compress(b"a") * 2, "something follows it"),
        (gzip.compress(b"a")[:-1], "it ends too early"),
        (b"", "it ends too early"),
        (b"ab", "no gzip"),
    ],
)
def test_damaged_streams_are_refused(body: bytes, message: str) -> None:
    """A body is one whole stream."""
    with pytest.raises(BadRequest, match=message):
        decompress(body, "gzip", 100)


@pytest.mark.parametrize(
    ("header", "encoding"),
    [(None, None), ("", None), ("identity", None), (" GZip ", "gzip"), ("deflate", "deflate")],
)
def test_known_encodings_are_found(header: str | None, encoding: str | None) -> None:
    """Names are read without regard to case."""
    assert find_encoding(header) == encoding


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        (None, None),
        ("", None),
        ("br", None),
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("gzip, deflate, br", "gzip"),
        ("gzip;q=0.2, deflate;q=0.7", "deflate"),
        ("gzip;q=0, identity", None),
        ("gzip;q=x", None),
        ("gzip;q=nan", None),
        ("GZIP", "gzip"),
    ],
)
def test_the_client_chooses(accept: str | None, encoding: str | None) -> None:
    """The heavier weight wins, gzip where both are equal, nothing where nothing is wished."""
    assert choose_encoding(accept, 10_000) == encoding
    assert choose_encoding(accept, 10) is None
