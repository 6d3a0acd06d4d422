"""Bodies that are too large, too slow, false or compressed, over real sockets."""

import gzip
import json
import socket
import zlib
from contextlib import closing

import pytest

from tests.runner.service.http.conftest import PATIENCE, RunningServer

INFER = "/v2/models/lenet5/infer"
LIMIT = 2**20


def connect(server: RunningServer) -> socket.socket:
    """Return a connection to the server."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)


def build_head(*headers: str, path: str = INFER, method: str = "POST") -> bytes:
    """Return the head of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_answer(link: socket.socket) -> tuple[int, dict[str, object]]:
    """Return the status and the JSON of one answer."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = link.recv(65536)
        assert piece, f"the connection was closed after {received!r}"
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    length = int(lengths[0].split(b":")[1])
    while len(body) < length:
        body += link.recv(65536)
    return int(head.split()[1]), json.loads(body)


def exchange(server: RunningServer, *parts: bytes) -> tuple[int, str]:
    """Send bytes and return the status and message of the answer."""
    with closing(connect(server)) as link:
        for part in parts:
            link.sendall(part)
        status, value = read_answer(link)
    return status, str(value.get("error", ""))


def test_a_body_that_says_it_is_too_large_is_not_read(server: RunningServer) -> None:
    """The announced length alone is enough to refuse a body."""
    status, message = exchange(server, build_head(f"Content-Length: {10 * LIMIT}"))
    assert status == 413
    assert message == "body: 10485760 bytes exceed the 1048576 that are taken; send less at once"


def test_a_body_without_a_length_is_counted(server: RunningServer) -> None:
    """A body in chunks that grows too large is refused before its end."""
    chunk = b"%x\r\n" % LIMIT + bytes(LIMIT) + b"\r\n"
    status, message = exchange(server, build_head("Transfer-Encoding: chunked"), chunk, b"1\r\na")
    assert status == 413
    assert "exceed the 1048576" in message


def test_the_rest_of_a_refused_body_is_swallowed(server: RunningServer) -> None:
    """After a refusal the same connection serves the next request."""
    with closing(connect(server)) as link:
        link.sendall(build_head(f"Content-Length: {2 * LIMIT}"))
        assert read_answer(link)[0] == 413
        link.sendall(bytes(2 * LIMIT))
        link.sendall(build_head(path="/v2/health/live", method="GET"))
        assert read_answer(link) == (200, {"live": True})


def test_a_slow_body_is_refused(server: RunningServer) -> None:
    """A body that stops arriving gets 408 when its time is over."""
    status, message = exchange(server, build_head("Content-Length: 100"), b'{"inp')
    assert status == 408
    assert message.startswith("body: 5 bytes arrived in 3 seconds and no end; send it faster")


def test_a_slow_head_is_refused(server: RunningServer) -> None:
    """A head that stops arriving gets 408, and the connection is closed."""
    with closing(connect(server)) as link:
        link.sendall(b"POST /v2/models/lenet5/infer HTTP/1.1\r\nHost: loc")
        status, value = read_answer(link)
        assert status == 408
        assert value == {"error": "head: not complete after 3 seconds; send it faster"}
        assert link.recv(1) == b""


def test_a_silent_connection_is_closed(server: RunningServer) -> None:
    """Who connects and says nothing is sent away without a word."""
    with closing(connect(server)) as link:
        assert link.recv(1) == b""


def test_a_second_head_must_arrive_in_time_too(server: RunningServer) -> None:
    """A connection that has served a request is closed when the next one never comes whole."""
    with closing(connect(server)) as link:
        link.sendall(build_head(path="/v2/health/live", method="GET"))
        assert read_answer(link)[0] == 200
        link.sendall(b"GET /v2 HT")
        assert link.recv(1) == b""


def test_a_head_without_end_is_refused(server: RunningServer) -> None:
    """A header that never ends is refused before it fills the memory."""
    with closing(connect(server)) as link:
        link.sendall(b"GET /v2 HTTP/1.1\r\nX: " + b"a" * 100_000)
        status, value = read_answer(link)
    assert status == 400
    assert "error" in value


@pytest.mark.parametrize(
    "head",
    [
        b"HELLO\r\n\r\n",
        b"GET /v2 HTTP/1.1\r\nbroken\r\n\r\n",
        b"GET /v2 HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n",
        b"GET /v2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_answered_in_json(server: RunningServer, head: bytes) -> None:
    """Bytes that are no request get 400 in the form of all errors."""
    status, message = exchange(server, head)
    assert status == 400
    assert message == "Invalid HTTP request received; send HTTP/1.1 with a complete head and body"


def test_a_body_that_breaks_off_is_no_error_of_the_server(server: RunningServer) -> None:
    """A client that goes away while it sends leaves a line in the log and nothing else."""
    with closing(connect(server)) as link:
        link.sendall(build_head("Content-Length: 100", "X-Request-Id: broken-off") + b"{")
    assert server.await_line(id="broken-off")["status"] == 499
    assert not [line for line in server.events() if line["level"] == "error"]


@pytest.mark.parametrize(
    ("encoding", "body", "status", "message"),
    [
        ("gzip", gzip.compress(bytes(4 * LIMIT)), 413, "more than 1048576 bytes after decompr"),
        ("deflate", zlib.compress(bytes(4 * LIMIT)), 413, "more than 1048576 bytes after"),
        ("gzip", gzip.compress(b"{}")[:-9], 400, "but it ends too early; send one whole stream"),
        ("deflate", zlib.compress(b"{}") + b"x", 400, "but something follows it"),
        ("gzip", gzip.compress(b"{}") + b"x", 400, "behind a member of gzip is no whole member"),
        ("gzip", 2 * gzip.compress(bytes(LIMIT)), 413, "more than 1048576 bytes after decompr"),
        ("gzip", b"{}", 400, "no gzip (Error -3"),
        ("br", b"{}", 400, "Content-Encoding 'br' is not understood"),
        ("gzip, gzip", b"{}", 400, "Content-Encoding 'gzip, gzip' is not understood"),
    ],
)
def test_bad_compression_is_refused(
    server: RunningServer, encoding: str, body: bytes, status: int, message: str
) -> None:
    """A bomb, a torn stream and an unknown encoding are each told apart."""
    answer = server.ask("POST", INFER, body, {"Content-Encoding": encoding})
    assert answer.status == status
    assert message in answer.error


def test_members_of_gzip_are_one_body(server: RunningServer) -> None:
    """A body that was compressed in parts is read whole."""
    body = gzip.compress(b'{"inputs": ') + gzip.compress(b'"all of it"}')
    answer = server.ask("POST", INFER, body, {"Content-Encoding": "gzip"})
    assert answer.status == 400
    assert "request: 'inputs' must be a list of at least one tensor" in answer.error


def test_a_client_that_waits_to_be_asked_is_asked(server: RunningServer) -> None:
    """``Expect: 100-continue`` gets its interim answer, or the refusal instead of it."""
    with closing(connect(server)) as link:
        link.sendall(build_head("Content-Length: 2", "Expect: 100-continue"))
        assert link.recv(65536).startswith(b"HTTP/1.1 100 ")
        link.sendall(b"{}")
        assert read_answer(link)[0] == 400
    head = build_head(f"Content-Length: {2 * LIMIT}", "Expect: 100-continue")
    assert exchange(server, head)[0] == 413
