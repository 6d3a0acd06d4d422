"""A server of LitServe for `benchmarks/service.py`, which runs this in LitServe's environment.

    python benchmarks/service_peer.py OPTIONS

OPTIONS is a JSON object: ``model`` (an ONNX file), ``port``, ``max_batch``, ``timeout_s``,
``workers``, ``fast_queue``. It takes a body of raw bytes, the last of which are the tensors of one
picture, and answers with the raw bytes of its output: nothing is parsed and nothing becomes JSON,
which is the fastest way that LitServe offers. Uvicorn runs on uvloop and httptools.
"""

import json
import math
import sys
from typing import Annotated, Any

import litserve  # type: ignore[import-not-found, unused-ignore]
import numpy as np
import onnxruntime as ort
from fastapi import Body, Response  # type: ignore[import-not-found, unused-ignore]

SIDE = 256
TYPES: dict[str, np.dtype[Any]] = {
    "tensor(uint8)": np.dtype(np.uint8),
    "tensor(float)": np.dtype(np.float32),
}
Bytes = Annotated[bytes, Body(media_type="application/octet-stream")]


class Peer(litserve.LitAPI):  # type: ignore[misc]
    """One ONNX file.

    Args:
        model: the file.
        threads: of one run.
        options: for LitServe.
    """

    def __init__(self, model: str, threads: int, **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self._model = model
        self._threads = threads
        self._joins = options["max_batch_size"] > 1

    def setup(self, device: str) -> None:
        """Open the file, in each worker."""
        del device
        options = ort.SessionOptions()
        options.intra_op_num_threads = self._threads
        self._session = ort.InferenceSession(self._model, options, ["CPUExecutionProvider"])
        self._inputs = [
            (tensor.name, TYPES[tensor.type], [place_side(side) for side in tensor.shape[1:]])
            for tensor in self._session.get_inputs()
        ]
        self._bytes = sum(math.prod(shape) * dtype.itemsize for _, dtype, shape in self._inputs)

    def decode_request(self, request: Bytes) -> dict[str, Any]:
        """Return the tensors of one request."""
        start = len(request) - self._bytes
        tensors = {}
        for name, dtype, shape in self._inputs:
            count = math.prod(shape)
            tensors[name] = np.frombuffer(request, dtype, count, start).reshape(1, *shape)
            start += count * dtype.itemsize
        return tensors

    def batch(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """Join requests."""
        return {name: np.concatenate([each[name] for each in inputs]) for name in inputs[0]}

    def predict(self, x: dict[str, Any]) -> Any:  # noqa: ANN401
        """Run the network."""
        return self._session.run(None, x)[0]

    def unbatch(self, output: Any) -> list[Any]:  # noqa: ANN401
        """Give each request its row."""
        return list(output)

    def encode_response(self, output: Any) -> Response:  # noqa: ANN401
        """Return the bytes of one output."""
        return Response(output.tobytes(), media_type="application/octet-stream")


def place_side(side: object) -> int:
    """Return a side of a tensor; free ones are those of the pictures that are sent."""
    return side if isinstance(side, int) else SIDE


def main() -> None:
    """Serve until ended."""
    asked = json.loads(sys.argv[1])
    peer = Peer(
        asked["model"],
        asked["threads"],
        max_batch_size=asked["max_batch"],
        batch_timeout=asked["timeout_s"],
    )
    server = litserve.LitServer(
        peer,
        accelerator="cpu",
        workers_per_device=asked["workers"],
        fast_queue=asked["fast_queue"],
        timeout=60,
    )
    server.run(
        host="127.0.0.1",
        port=asked["port"],
        num_api_servers=asked["servers"],
        generate_client_file=False,
        log_level="error",
        loop="uvloop",
        http="httptools",
    )


if __name__ == "__main__":
    main()
