"""The server that is hurt here, and the links over which that is done."""

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from runner.model import SHIPPED
from tests.runner.service.conftest import write_model, write_scale, write_table
from tests.runner.service.http.conftest import RunningServer, start

LIMIT = 2**20
PATIENCE = 60  # seconds that an answer may take on a busy machine
OPTIONS = ("--max-request-bytes", LIMIT, "--body-seconds", 2, "--max-queue", 64)


@dataclass(frozen=True)
class Answer:
    """One answer of the server."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Request:
    """The body of a request, where it goes and what is said of it."""

    model: str
    body: bytes
    headers: tuple[str, ...] = ()

    def encode(self, length: int | None = None) -> bytes:
        """Return the request as bytes; ``length`` is said to be that of the body."""
        size = len(self.body) if length is None else length
        lines = (
            f"POST /v2/models/{self.model}/infer HTTP/1.1",
            "Host: localhost",
            f"Content-Length: {size}",
            *self.headers,
        )
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


class Link:
    """A kept-alive connection that is opened anew where the server has closed it.

    Args:
        port: of the server.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection, if it is open."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            try:
                await writer.wait_closed()
            except OSError:
                return

    async def send(self, data: bytes) -> None:
        """Send bytes."""
        if self._writer is None:
            opened = asyncio.open_connection("127.0.0.1", self._port)
            self._reader, self._writer = await opened
        self._writer.write(data)
        await self._writer.drain()

    async def ask(self, data: bytes) -> Answer:
        """Send a request and return its answer."""
        async with asyncio.timeout(PATIENCE):
            await self.send(data)
            return await self.read()

    async def read(self) -> Answer:
        """Return the next answer."""
        async with asyncio.timeout(PATIENCE):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.lower().strip().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines)
            body = await self._reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            await self.close()
        return Answer(int(first.split()[1]), headers, body)


def describe_tensor(name: str, array: NDArray[Any]) -> dict[str, Any]:
    """Return the JSON of a binary input."""
    word = {"uint8": "UINT8", "float32": "FP32", "int64": "INT64"}[array.dtype.name]
    parameters = {"binary_data_size": array.nbytes}
    shape = list(array.shape)
    return {"name": name, "shape": shape, "datatype": word, "parameters": parameters}


def build_binary(model: str, inputs: dict[str, NDArray[Any]]) -> Request:
    """Return a request with binary tensors, whose answer shall be binary too."""
    tensors = [describe_tensor(name, array) for name, array in inputs.items()]
    head = json.dumps({"inputs": tensors, "parameters": {"binary_data_output": True}}).encode()
    body = head + b"".join(array.tobytes() for array in inputs.values())
    return Request(model, body, (f"Inference-Header-Content-Length: {len(head)}",))


def build_json(model: str, inputs: dict[str, NDArray[Any]]) -> Request:
    """Return a request as JSON."""
    tensors = []
    for name, array in inputs.items():
        tensor = describe_tensor(name, array) | {"data": array.ravel().tolist()}
        del tensor["parameters"]
        tensors.append(tensor)
    return Request(model, json.dumps({"inputs": tensors}).encode())


def read_outputs(answer: Answer) -> dict[str, NDArray[Any]]:
    """Return the tensors of an answer, JSON or binary."""
    dtypes = {"UINT8": np.uint8, "FP32": np.float32, "INT64": np.int64}
    size = int(answer.headers.get("inference-header-content-length", len(answer.body)))
    found, rest = {}, answer.body[size:]
    for output in json.loads(answer.body[:size])["outputs"]:
        dtype, shape = dtypes[output["datatype"]], output["shape"]
        if "data" in output:
            array = np.array(output["data"], dtype)
        else:
            count = output["parameters"]["binary_data_size"]
            array, rest = np.frombuffer(rest[:count], dtype), rest[count:]
        found[output["name"]] = array.reshape(shape)
    assert not rest
    return found


def read_memory(server: RunningServer) -> int:
    """Return the bytes of memory that the server has now."""
    pages = Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def open_session(path: Path) -> ort.InferenceSession:
    """Open a model without a server."""
    return ort.InferenceSession(path, providers=["CPUExecutionProvider"])


def write_brittle(path: Path) -> Path:
    """Write a model that fails in the middle of a run, unless it is sent a 4."""
    nodes = [helper.make_node("Reshape", ["four", "shape"], ["y"])]
    return write_model(
        path,
        nodes,
        [("shape", TensorProto.INT64, [1])],
        [("y", TensorProto.FLOAT, ["M"])],
        weights={"four": np.arange(4, dtype=np.float32)},
        task="",
    )


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder: ``scale``, ``table``, which takes 0 to 3, and ``brittle``."""
    folder = tmp_path_factory.mktemp("models")
    write_scale(folder / "scale.onnx")
    write_table(folder / "table.onnx")
    write_brittle(folder / "brittle.onnx")
    return folder


@pytest.fixture
def server(models: Path, tmp_path: Path) -> Iterator[RunningServer]:
    """Return a server with small limits."""
    yield from start(("--models", models, *OPTIONS), tmp_path)


@pytest.fixture(scope="session")
def digits() -> NDArray[np.uint8]:
    """Return ten pictures of noise as LeNet-5 takes them."""
    return np.random.default_rng(3).integers(0, 256, (10, 32, 32, 1), dtype=np.uint8)


@pytest.fixture(scope="session")
def probabilities(digits: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what LeNet-5 says of them without a server, one by one."""
    session = open_session(SHIPPED / "lenet5.onnx")
    return np.concatenate([session.run(None, {"image": digit[None]})[0] for digit in digits])
