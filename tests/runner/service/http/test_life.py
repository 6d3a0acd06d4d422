"""A server's life: starting, draining, ending, and the log of it."""

import json
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from runner.service.http.server import name_address, open_socket
from runner.service.settings import ServiceSettings
from tests.runner.service.http.conftest import (
    COMMAND,
    PATIENCE,
    RunningServer,
    StartServer,
)
from tests.runner.service.http.test_bodies import build_head, connect, read_answer

REQUEST = json.dumps(
    {
        "inputs": [
            {"name": "image", "shape": [1, 32, 32, 1], "datatype": "UINT8", "data": [0] * 1024}
        ]
    }
).encode()


def begin_request(server: RunningServer) -> socket.socket:
    """Return a connection whose request is inside and lacks its last byte."""
    link = connect(server)
    head = build_head(f"Content-Length: {len(REQUEST)}", "Expect: 100-continue")
    link.sendall(head)
    assert link.recv(65536).startswith(b"HTTP/1.1 100 ")  # so it is inside
    link.sendall(REQUEST[:-1])
    return link


def test_draining_finishes_what_is_inside(start_server: StartServer) -> None:
    """After SIGTERM new work gets 503, work in flight its answer, and the exit status is 0."""
    server = start_server("--body-seconds", 60)
    with closing(begin_request(server)) as link, closing(connect(server)) as other:
        server.process.send_signal(signal.SIGTERM)
        server.await_line(event="draining")
        ready = server.ask("GET", "/v2/health/ready")
        assert (ready.status, ready.value) == (503, {"ready": False})
        assert server.ask("GET", "/v2/health/live").status == 200
        assert server.ask("GET", "/metrics").status == 200
        refused = server.ask("POST", "/v2/models/lenet5/infer", REQUEST)
        assert refused.status == 503
        assert refused.error.startswith("server: drains and takes no more requests")
        assert refused.headers["retry-after"] == "1"
        other.sendall(build_head(path="/v2", method="GET"))
        assert read_answer(other)[0] == 503
        link.sendall(REQUEST[-1:])
        status, answer = read_answer(link)
        assert status == 200
        assert answer["model_name"] == "lenet5"
    assert server.process.wait(PATIENCE) == 0


def test_draining_does_not_take_for_ever(start_server: StartServer) -> None:
    """What is not done in time gets 503, and the exit status is 0."""
    server = start_server("--body-seconds", 60, "--drain-seconds", 0.5)
    with closing(begin_request(server)) as link:
        server.process.send_signal(signal.SIGTERM)
        status, answer = read_answer(link)
    assert status == 503
    assert "could not finish this request in time" in str(answer["error"])
    assert server.process.wait(PATIENCE) == 0
    assert "not drained in time" in [line["event"] for line in server.events()]


def test_a_second_signal_ends_at_once(start_server: StartServer) -> None:
    """Who cannot wait sends the signal again."""
    server = start_server("--body-seconds", 60, "--drain-seconds", 3600)
    with closing(begin_request(server)):
        server.process.send_signal(signal.SIGINT)
        server.await_line(event="draining")
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(PATIENCE) == -signal.SIGINT


def test_an_idle_server_ends_with_its_connections(start_server: StartServer) -> None:
    """Connections that are only kept alive do not keep the server alive."""
    server = start_server()
    with closing(connect(server)) as link:
        link.sendall(build_head(path="/v2/health/live", method="GET"))
        assert read_answer(link)[0] == 200
        assert server.end() == 0
        assert link.recv(1) == b""


def test_a_port_in_use_is_one_line(server: RunningServer, tmp_path: Path) -> None:
    """The message names the address and the remedy; the exit status is 1."""
    command = [*COMMAND[:-1], str(server.port)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: 127.0.0.1:{server.port}: cannot listen there (Address already in use); "
        "choose --host and --port\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--max-batch", "0"), "max_batch 0 must lie between 1 and"),
        (("--models", "nowhere"), "models nowhere: no such folder"),
        (("--token-file", "nowhere"), "token file nowhere: cannot be read"),
        (("--rate", "nan"), "rate nan must lie between"),
        (("--preferred-size", "99"), "preferred size 99 must lie between 1 and the largest batch"),
    ],
)
def test_wrong_settings_are_wrong_usage(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """The exit status is 2, and nothing listens before."""
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_that_is_no_address_is_one_line(tmp_path: Path) -> None:
    """A host that cannot be listened at is failed work, told in one line."""
    command = [*COMMAND, "--host", "203.0.113.1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: 203.0.113.1:0: cannot listen there (")
    assert len(done.stderr.splitlines()) == 1


def test_answers_do_not_wait_for_more() -> None:
    """The socket names its protocol, or asyncio would leave Nagle's algorithm on."""
    with open_socket(ServiceSettings(port=0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP
        assert name_address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_connections_are_bounded(start_server: StartServer) -> None:
    """Beyond the last connection work gets 503, a probe its answer, and far beyond nothing."""
    server = start_server("--max-connections", 2, "--body-seconds", 60)
    links = [connect(server) for _ in range(2)]
    for link in links:
        link.sendall(build_head(path="/v2/health/live", method="GET"))
        assert read_answer(link)[0] == 200
    answer = server.ask("GET", "/v2")
    assert answer.status == 503
    assert answer.error == "server: 2 connections are open, the most it takes; try again soon"
    assert server.ask("GET", "/v2/health/live").status == 200
    more = [connect(server) for _ in range(3)]
    assert more[-1].recv(1) == b""
    for link in (*links, *more):
        link.close()


def test_a_reader_that_sleeps_is_dropped(start_server: StartServer) -> None:
    """A client that asks for much and reads nothing does not keep its connection."""
    server = start_server("--body-seconds", 0.5)
    picture = json.dumps(
        {
            "parameters": {"binary_data_output": True},
            "inputs": [
                {
                    "name": "image",
                    "shape": [1, 1500, 1500, 3],
                    "datatype": "UINT8",
                    "parameters": {"binary_data_size": 6_750_000},
                },
                {
                    "name": "style_weights",
                    "shape": [1, 11],
                    "datatype": "FP32",
                    "data": [1] + [0] * 10,
                },
            ],
        }
    ).encode()
    with closing(socket.socket()) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect(("127.0.0.1", server.port))
        link.settimeout(PATIENCE)
        length = len(picture) + 6_750_000
        header = f"Inference-Header-Content-Length: {len(picture)}"
        path = "/v2/models/style-fast/infer"
        link.sendall(build_head(f"Content-Length: {length}", header, path=path))
        link.sendall(picture + bytes(6_750_000))
        server.await_line(event="client reads too slowly")
        received = 0
        while piece := link.recv(2**20):
            received += len(piece)
        assert received < 6_750_000
    server.await_line(event="request", path=path)


def test_the_log_is_lines_of_json(server: RunningServer) -> None:
    """A request's line tells who, what and how; its id is the client's own or a new one."""
    answer = server.ask("GET", "/v2?secret=1", headers={"X-Request-Id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    line = server.await_line(id="mine-1")
    assert line["event"] == "request"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v2", 200)
    assert line["bytes"] == len(answer.body)
    assert line["client"] == "127.0.0.1"
    assert line["ms"] > 0
    assert "secret" not in json.dumps(line)
    forged = server.ask("GET", "/v2", headers={"X-Request-Id": 'x"}{"event":"forged'})
    assert len(forged.headers["x-request-id"]) == 16
