"""The servers that `service.py` compares, as processes, and the requests that they are sent."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
from speed_peers import Peers

PEER = "litserve==0.2.19"
FAST = ("uvloop==0.23.0", "httptools==0.9.0")
PEER_SCRIPT = Path(__file__).with_name("service_peer.py")
LOAD_SCRIPT = Path(__file__).with_name("service_load.py")
NETWORKS = {"lenet5": "lenet5", "style": "style-fast"}  # ours by the name they are served under
SIDE = 256
SEED = 11
START_S, END_S = 120, 30
TYPE = "Content-Type: application/octet-stream"


@dataclass(frozen=True)
class PeerSettings:
    """How LitServe is set up.

    Attributes:
        workers: processes that run the network.
        servers: processes that speak HTTP.
        timeout_s: that a batch is waited for.
        fast_queue: between them ZeroMQ instead of a queue of multiprocessing.
    """

    workers: int
    servers: int
    timeout_s: float
    fast_queue: bool = True

    def __str__(self) -> str:
        """Return it in a few words."""
        return (
            f"{self.workers} workers, {self.servers} HTTP processes, "
            f"batch_timeout {1000 * self.timeout_s:g} ms"
        )


@dataclass(frozen=True)
class Contender:
    """A server of one network.

    Attributes:
        name: in the report.
        network: a key of ``NETWORKS``.
        max_batch: rows of one run.
        peer: how LitServe is set up; None for our own server.
    """

    name: str
    network: str
    max_batch: int
    peer: PeerSettings | None = None


@dataclass(frozen=True)
class Bench:
    """What all measurements share.

    Attributes:
        folder: for plans and requests.
        peers: environments of others.
        seconds: that each load lasts.
        warm_s: before it, not counted.
        rounds: turns of every contender.
        threads: of one run.
        processors: workers of our server.
    """

    folder: Path
    peers: Peers
    seconds: float
    warm_s: float
    rounds: int
    threads: int
    processors: int


class Server:
    """A server that runs.

    Args:
        process: the leader of its own group.
        port: of its HTTP.
        bench: that loads it.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, bench: Bench) -> None:
        self._process = process
        self._port = port
        self._bench = bench

    def await_ready(self, path: str) -> None:
        """Wait until it is ready.

        Raises:
            SystemExit: it ends, or takes too long.
        """
        end = time.monotonic() + START_S
        while self._process.poll() is None and time.monotonic() < end:
            try:
                with urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=5):
                    return
            except (URLError, OSError):
                time.sleep(0.1)
        message = f"{self._process.args!r} does not get ready"
        raise SystemExit(message)

    def load(self, *streams: dict[str, Any]) -> dict[str, Any]:
        """Load it, and return what the load generator found, with ``server_cpu_s``."""
        plan = self._bench.folder / "plan.json"
        numbers = {"warm_s": self._bench.warm_s, "seconds": self._bench.seconds}
        plan.write_text(json.dumps({"port": self._port, "streams": streams, **numbers}))
        before = read_cpu(self._process.pid)
        command = [sys.executable, "-I", str(LOAD_SCRIPT), str(plan)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found: dict[str, Any] = json.loads(done.stdout)
        share = self._bench.seconds / (self._bench.seconds + self._bench.warm_s)
        found["server_cpu_s"] = (read_cpu(self._process.pid) - before) * share
        return found

    def end(self) -> None:
        """End it, and all that it has started."""
        self._process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self._process.wait()


@contextmanager
def start_server(bench: Bench, contender: Contender, *options: object) -> Iterator[Server]:
    """Start a server on a free port, and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = build_command(bench, contender, port) + [str(option) for option in options]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        server = Server(process, port, bench)
        try:
            server.await_ready("/health" if contender.peer else "/v2/health/ready")
            yield server
        finally:
            server.end()


def build_command(bench: Bench, contender: Contender, port: int) -> list[str]:
    """Return the command that starts a server."""
    if contender.peer is None:
        command = [sys.executable, "-I", "-m", "impasto", "serve", "--port", str(port)]
        command += ["--max-batch", str(contender.max_batch), "--threads", str(bench.threads)]
        command += ["--precision", "fp32"]  # the file that the peer is given
        return [*command, "--workers", str(bench.processors)]
    options = {
        "port": port,
        "model": str(find_model(contender.network)),
        "max_batch": contender.max_batch,
        "threads": bench.threads,
        **asdict(contender.peer),
    }
    home = bench.peers.install("litserve", PEER, f"onnxruntime=={version('onnxruntime')}", *FAST)
    return [str(home / "bin" / "python"), str(PEER_SCRIPT), json.dumps(options)]


def find_model(network: str) -> Path:
    """Return the file of a network."""
    from runner.model import COLLECTION, SHIPPED

    return COLLECTION if network == "style" else SHIPPED / f"{network}.onnx"


def build_body(network: str) -> tuple[bytes, int]:
    """Return the body of a request, and how much of it is JSON: none where there is one input."""
    generator = np.random.default_rng(SEED)
    if network == "lenet5":
        return generator.integers(0, 256, 1024, dtype=np.uint8).tobytes(), 0
    from runner.model import read_card
    from runner.session import open_session

    path = find_model(network)
    styles = len(read_card(open_session(path, "cpu", 1), path).styles)
    image = generator.integers(0, 256, (1, SIDE, SIDE, 3), dtype=np.uint8)
    weights = np.eye(1, styles, dtype=np.float32)
    inputs = [
        {
            "name": name,
            "shape": list(array.shape),
            "datatype": word,
            "parameters": {"binary_data_size": array.nbytes},
        }
        for name, array, word in (("image", image, "UINT8"), ("style_weights", weights, "FP32"))
    ]
    asked = {"inputs": inputs, "parameters": {"binary_data_output": True}}
    head = json.dumps(asked, separators=(",", ":")).encode()
    return head + image.tobytes() + weights.tobytes(), len(head)


def write_request(bench: Bench, contender: Contender) -> str:
    """Write a request as bytes, the same body for all servers; return the file."""
    body, head = build_body(contender.network)
    if contender.peer:
        lines = ["POST /predict HTTP/1.1", TYPE]
    else:
        path = f"/v2/models/{NETWORKS[contender.network]}/infer"
        lines = [f"POST {path} HTTP/1.1", TYPE, f"Inference-Header-Content-Length: {head}"]
    lines += ["Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    target = bench.folder / f"{contender.network}-{'peer' if contender.peer else 'own'}.bin"
    target.write_bytes("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    return str(target)


def write_probe(bench: Bench, contender: Contender) -> str:
    """Write a health check as bytes; return the file."""
    path = "/health" if contender.peer else "/v2/health/live"
    target = bench.folder / "probe.bin"
    target.write_bytes(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return str(target)


def read_cpu(leader: int) -> float:
    """Return the seconds of processor time that a process and all its descendants have used."""
    parents: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has ended
            continue
        process = int(path.parent.name)
        parents.setdefault(int(fields[1]), []).append(process)
        ticks[process] = int(fields[11]) + int(fields[12])
    total, waiting = 0, [leader]
    while waiting:
        process = waiting.pop()
        total += ticks.get(process, 0)
        waiting += parents.get(process, [])
    return total / os.sysconf("SC_CLK_TCK")
