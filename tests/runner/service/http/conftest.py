"""Servers that the tests of this folder talk to: real processes on free ports."""

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

COMMAND = (sys.executable, "-I", "-B", "-m", "impasto", "serve", "--port", "0")
PATIENCE = 120  # seconds, on a machine that has other work


@dataclass
class Answer:
    """What a server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def value(self) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON of the body."""
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """Return the message of an error, which is all that its body holds."""
        (key,) = self.value
        assert key == "error"
        return str(self.value[key])


@dataclass
class RunningServer:
    """A server's process, its port and its log."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)
    port: int = 0
    grown: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        """Return the address for clients."""
        return f"127.0.0.1:{self.port}"

    def listen(self) -> None:
        """Read the log until it ends."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self.grown:
                self.lines.append(line)
                self.grown.notify_all()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request over a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())
        finally:
            connection.close()

    def infer(self, request: dict[str, Any], model: str = "lenet5") -> Answer:
        """Send one inference request as JSON."""
        return self.ask("POST", f"/v2/models/{model}/infer", json.dumps(request).encode())

    def events(self) -> list[dict[str, Any]]:
        """Return the log so far."""
        return [json.loads(line) for line in list(self.lines)]

    def await_line(self, **fields: object) -> dict[str, Any]:
        """Wait for a line of the log with these fields, and return it."""

        def find() -> list[dict[str, Any]]:
            return [line for line in self.events() if fields.items() <= line.items()]

        with self.grown:
            assert self.grown.wait_for(find, PATIENCE), fields
        return find()[0]

    def end(self) -> int:
        """End the process in good order and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


StartServer = Callable[..., RunningServer]


def start(arguments: tuple[object, ...], folder: Path) -> Iterator[RunningServer]:
    """Start a server, yield it when it is ready, and end it."""
    command = [*COMMAND, *(str(argument) for argument in arguments)]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    server = RunningServer(process)
    log = threading.Thread(target=server.listen)
    log.start()
    try:
        assert process.stdout is not None
        listening = process.stdout.readline()
        found = re.fullmatch(r"Listening at http://127\.0\.0\.1:(\d+)\n", listening)
        assert found, server.lines
        server.port = int(found[1])
        assert process.stdout.readline().startswith("Ready: "), server.lines
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        log.join(PATIENCE)
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return the server that most tests share: small bodies, models may be unloaded."""
    options = ("--allow-control", "--max-request-bytes", 2**20, "--body-seconds", 3)
    yield from start(options, tmp_path_factory.mktemp("server"))


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Return a function that starts a server of the test's own."""
    running: list[Iterator[RunningServer]] = []

    def begin(*arguments: object) -> RunningServer:
        running.append(start(arguments, tmp_path))
        return next(running[-1])

    yield begin
    for server in running:
        next(server, None)


@pytest.fixture(scope="session")
def digits() -> NDArray[np.uint8]:
    """Return three pictures of noise as LeNet-5 takes them."""
    return np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), dtype=np.uint8)


@pytest.fixture(scope="session")
def probabilities(digits: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what LeNet-5 says of them without a server."""
    import onnxruntime as ort

    from runner.model import SHIPPED

    session = ort.InferenceSession(SHIPPED / "lenet5.onnx", providers=["CPUExecutionProvider"])
    answer: NDArray[np.float32] = session.run(None, {"image": digits})[0]
    return answer
