"""gzip and deflate."""

import gzip
import random
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.service.errors import BadRequest, TooLarge
from runner.service.http import encodings
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


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=5))
def test_members_of_gzip_are_joined(parts: list[bytes]) -> None:
    """A file of several members is the file of all their contents (RFC 1952, section 2.2)."""
    body, plain = b"".join(map(gzip.compress, parts)), b"".join(parts)
    assert decompress(body, "gzip", len(plain)) == plain == gzip.decompress(body)


@pytest.mark.parametrize("size", [511, 512, 513, 1536, 10_000, 2_000_000])
def test_a_member_ends_anywhere(size: int) -> None:
    """Members longer than what is looked at at once are read as they are."""
    noise = random.Random(size).randbytes(size)  # noqa: S311 - no secret
    body = gzip.compress(b"first") + gzip.compress(noise) + gzip.compress(b"last")
    assert decompress(body, "gzip", size + 9) == b"first" + noise + b"last"


def refuse_bomb(bomb: bytes) -> None:
    """Decompress up to a megabyte; what is held at any moment stays near that."""
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="more than 1000000 bytes"):
            decompress(bomb, "gzip", 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_members_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither many small members nor a bomb behind others get further than the limit."""
    body = gzip.compress(bytes(60)) * 2
    assert len(decompress(body, "gzip", 120)) == 120
    with pytest.raises(TooLarge, match="more than 119 bytes after decompression"):
        decompress(body, "gzip", 119)
    bomb = gzip.compress(b"a") + compress(bytes(50_000_000), "gzip")
    refuse_bomb(bomb)
    monkeypatch.setattr(encodings, "MOST_MEMBERS", 3)
    assert decompress(gzip.compress(b"") * 3, "gzip", 9) == b""
    with pytest.raises(TooLarge, match="more than 3 members of gzip; compress it in one piece"):
        decompress(gzip.compress(b"") * 4, "gzip", 9)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_defused_at_the_limit(encoding: str) -> None:
    """One byte more than the limit is enough to stop."""
    bomb = compress(bytes(10_000_001), encoding)
    with pytest.raises(TooLarge, match="more than 10000000 bytes after decompression"):
        decompress(bomb, encoding, 10_000_000)


def test_a_bomb_never_unfolds() -> None:
    """What is held at any moment stays near the limit, not near what the bomb would become."""
    bomb = compress(bytes(50_000_000), "gzip")
    refuse_bomb(bomb)


@pytest.mark.parametrize(
    ("body", "encoding", "message"),
    [
        (zlib.compress(b"a") * 2, "deflate", "something follows it"),
        (gzip.compress(b"a")[:-1], "gzip", "it ends too early"),
        (
            gzip.compress(b"a") * 2 + b"\x1f",
            "gzip",
            "behind a member of gzip is no whole member; send all",
        ),
        ((gzip.compress(b"a") * 2)[:-1], "gzip", "is no whole member"),
        (gzip.compress(b"a") + bytes(9), "gzip", "no gzip"),
        (b"", "gzip", "it ends too early"),
        (b"ab", "gzip", "no gzip"),
    ],
)
def test_damaged_streams_are_refused(body: bytes, encoding: str, message: str) -> None:
    """A body is whole, and nothing but it."""
    with pytest.raises(BadRequest, match=message):
        decompress(body, encoding, 100)


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
