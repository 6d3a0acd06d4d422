"""What `benchmarks/service.py` loads servers with: requests over raw sockets, in a process alone.

    python benchmarks/service_load.py PLAN

PLAN is a JSON file: ``port``, ``warm_s``, ``seconds``, and ``streams``. A stream has a ``name``, a
file ``request`` of the bytes to send, and one of

    clients  connections that each send a request as soon as the last one is answered (closed loop)
    rate     requests per second that arrive whether or not others are answered (open loop): at
             random (Poisson), or evenly where ``even`` is true

The latency of an open loop counts from the moment at which a request was due, not from that at
which a busy client got round to sending it. It prints one JSON object with the counts by status
and the latencies of each stream, and the processor time that sending and counting took. Nothing
beyond the standard library: no client of a framework would keep up with the server on one core.
"""

import asyncio
import json
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST_CONNECTIONS = 1000  # of an open loop; what is due beyond them is counted as missed
BUFFER_BYTES = 2**18
SEED = 7
HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length: "
Done = Callable[["Connection", int, float], None]


class Connection:
    """One kept-alive connection, with at most one request on its way.

    Args:
        port: of the server on this machine.
        request: bytes of head and body.
        done: called with this, the status (0 where the connection broke) and the moment at which
            the request was due.
    """

    def __init__(self, port: int, request: bytes, done: Done) -> None:
        self._loop = asyncio.get_running_loop()
        self._port = port
        self._request = memoryview(request)
        self._done = done
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._filled = self._sent = self._whole = self._status = 0
        self._due = 0.0
        self.open()

    def open(self) -> None:
        """Connect; on one machine that takes no time."""
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(0)
        self._loop.add_reader(self._socket, self.read)

    def send(self, due: float) -> None:
        """Send the request that is due at a moment of the loop's clock."""
        self._due = due
        self._filled = self._sent = self._whole = self._status = 0
        self.write()

    def write(self) -> None:
        """Send what the system takes of the rest."""
        try:
            self._sent += self._socket.send(self._request[self._sent :])
        except BlockingIOError:
            pass
        except OSError:
            self.fail()
            return
        if self._sent < len(self._request):
            self._loop.add_writer(self._socket, self.write)
        else:
            self._loop.remove_writer(self._socket)
            self.finish()

    def read(self) -> None:
        """Take what has arrived of the answer."""
        try:
            count = self._socket.recv_into(self._buffer[self._filled :])
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if not count:
            self.fail()
            return
        self._filled += count
        if not self._whole:
            self.read_head()
        self.finish()

    def read_head(self) -> None:
        """Find out how long the answer is, once its head is there."""
        head = bytes(self._buffer[: min(self._filled, 4096)])
        end = head.find(HEAD_END)
        if end >= 0:
            place = head.lower().index(LENGTH, 0, end) + len(LENGTH)
            self._status = int(head[9:12])
            self._whole = end + len(HEAD_END) + int(head[place:].split(b"\r", 1)[0])

    def finish(self) -> None:
        """Report, when all is sent and all has arrived."""
        if self._whole and self._filled >= self._whole and self._sent == len(self._request):
            self._whole = 0
            self._done(self, self._status, self._due)

    def fail(self) -> None:
        """Report a broken connection, and open another one."""
        self.close()
        self.open()
        if self._due:
            self._done(self, 0, self._due)

    def close(self) -> None:
        """Close the connection."""
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()


class Stream:
    """Requests of one kind, and what became of them.

    Args:
        plan: of the stream; see the top of this file.
        port: of the server.
        begin: moment from which answers count.
        end: moment until which they do.
    """

    def __init__(self, plan: dict[str, Any], port: int, begin: float, end: float) -> None:
        self._plan = plan
        self._port = port
        self._request = Path(plan["request"]).read_bytes()
        self._begin, self._end = begin, end
        self._loop = asyncio.get_running_loop()
        self._random = random.Random(SEED)  # noqa: S311 - arrivals, no secrets
        self._connections: list[Connection] = []
        self._idle: list[Connection] = []
        self._due = self._loop.time()
        self._latencies: list[float] = []
        self._statuses: Counter[int] = Counter()
        self._missed = 0

    def start(self) -> None:
        """Begin to send."""
        if "rate" in self._plan:
            self.arrive()
            return
        for _ in range(self._plan["clients"]):
            self.open(self.repeat).send(self._loop.time())

    def open(self, done: Done) -> Connection:
        """Open one more connection."""
        self._connections.append(Connection(self._port, self._request, done))
        return self._connections[-1]

    def repeat(self, connection: Connection, status: int, due: float) -> None:
        """Send the next request of a closed loop."""
        now = self.count(status, due)
        if now < self._end:
            connection.send(now)

    def arrive(self) -> None:
        """Send the requests of an open loop that are due, and wait for the next."""
        now = self._loop.time()
        while self._due <= now:
            if self._idle:
                self._idle.pop().send(self._due)
            elif len(self._connections) < MOST_CONNECTIONS:
                self.open(self.rest).send(self._due)
            else:
                self._missed += 1
            rate = self._plan["rate"]
            self._due += 1 / rate if self._plan.get("even") else self._random.expovariate(rate)
        if self._due < self._end:
            self._loop.call_at(self._due, self.arrive)

    def rest(self, connection: Connection, status: int, due: float) -> None:
        """Keep a connection for the next request of an open loop."""
        self.count(status, due)
        self._idle.append(connection)

    def count(self, status: int, due: float) -> float:
        """Note an answer, and return the time."""
        now = self._loop.time()
        if self._begin <= now < self._end:
            self._statuses[status] += 1
            if status == 200:
                self._latencies.append(now - due)
        return now

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections:
            connection.close()

    def report(self) -> dict[str, Any]:
        """Return the counts, and the latencies of the answers with status 200 in milliseconds."""
        ordered = sorted(self._latencies)
        parts = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
        found = {
            name: 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))]
            for name, part in parts.items()
            if ordered
        }
        return {
            "per_second": len(ordered) / (self._end - self._begin),
            "statuses": {str(status): count for status, count in sorted(self._statuses.items())},
            "missed": self._missed,
            "ms": found,
        }


async def load(plan: dict[str, Any]) -> dict[str, Any]:
    """Send all streams at once, and report."""
    loop = asyncio.get_running_loop()
    begin = loop.time() + plan["warm_s"]
    end = begin + plan["seconds"]
    streams = {each["name"]: Stream(each, plan["port"], begin, end) for each in plan["streams"]}
    for stream in streams.values():
        stream.start()
    await asyncio.sleep(begin - loop.time())
    before = time.process_time()
    await asyncio.sleep(end - loop.time())
    cpu_s = time.process_time() - before
    for stream in streams.values():
        stream.close()
    reports = {name: stream.report() for name, stream in streams.items()}
    return {"streams": reports, "client_cpu_s": cpu_s, "seconds": plan["seconds"]}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(json.loads(Path(sys.argv[1]).read_text())))))
