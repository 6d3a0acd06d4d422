"""``POST /v2/models/.../infer``: from the bytes of a request to the bytes of its answer."""

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.service.engine.engine import Engine, Inference
from runner.service.engine.served import ServedModel
from runner.service.http.answers import Endpoint, LongResponse, find_header
from runner.service.http.bodies import Bodies
from runner.service.http.encodings import choose_encoding, compress
from runner.service.http.presence import Presence
from runner.service.protocol.requests import InferenceRequest, read_header_length, read_request
from runner.service.protocol.responses import InferenceResponse, write_response

LENGTH = b"inference-header-content-length"
# What takes longer than a millisecond is done in a thread, so that the event loop never waits.
MOST_JSON_BYTES = 16 * 1024
MOST_BINARY_BYTES = 2**20
MOST_JSON_ELEMENTS = 1024


class InferenceRoutes:
    """The inference itself.

    Args:
        engine: that runs the models.
        bodies: that reads the requests' bodies.
    """

    def __init__(self, engine: Engine, bodies: Bodies) -> None:
        self._engine = engine
        self._bodies = bodies

    def list_routes(self) -> list[Route]:
        """Return the routes."""
        handler = Endpoint(self.answer)
        return [
            Route("/v2/models/{model}/infer", handler, methods=["POST"]),
            Route("/v2/models/{model}/versions/{version}/infer", handler, methods=["POST"]),
        ]

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._engine.settings.request_seconds
        path = request.path_params
        model = self._engine.require_room(path["model"], path.get("version"))
        hold = self._bodies.hold(request)
        body = await hold.read(request)
        async with Presence(request.receive):
            asked = await self.read(request, body, model)
            left = end - loop.time()
            if asked.timeout_us is not None:
                left = min(left, asked.timeout_us / 1_000_000)
            inference = await self._engine.infer(
                model,
                asked.inputs,
                outputs=[output.name for output in asked.outputs],
                deadline_s=left,
            )
            hold.add(sum(array.nbytes for array in inference.outputs.values()))
            written = await self.write(asked, inference, model.labels)
            return await self.encode(request, written)

    async def read(
        self, request: Request, body: bytes | bytearray, model: ServedModel
    ) -> InferenceRequest:
        """Read a body; a long one in a thread.

        Raises:
            ServiceError: it does not follow the protocol.
        """
        header_bytes = read_header_length(find_header(request.scope, LENGTH), len(body))
        json_bytes = len(body) if header_bytes is None else header_bytes
        if json_bytes > MOST_JSON_BYTES or len(body) > MOST_BINARY_BYTES:
            return await self._engine.run_blocking(read_request, body, header_bytes, model.inputs)
        return read_request(body, header_bytes, model.inputs)

    async def write(
        self, asked: InferenceRequest, inference: Inference, labels: Sequence[str]
    ) -> InferenceResponse:
        """Write an answer; a long one in a thread.

        Raises:
            ServiceError: it cannot be written as was asked.
        """

        def write() -> InferenceResponse:
            return write_response(
                asked,
                inference.outputs,
                model=inference.model,
                version=inference.version,
                labels=labels,
            )

        heavy = count_cost(asked, inference) > 1
        return await self._engine.run_blocking(write) if heavy else write()

    async def encode(self, request: Request, written: InferenceResponse) -> Response:
        """Return the answer, compressed where the client wishes it."""
        binary = written.header_bytes is not None
        headers = {"vary": "accept-encoding"}
        if written.header_bytes is not None:
            headers[LENGTH.decode()] = str(written.header_bytes)
        body = written.body
        encoding = choose_encoding(find_header(request.scope, b"accept-encoding"), len(body))
        if encoding:
            headers["content-encoding"] = encoding
            body = await self._engine.run_blocking(compress, body, encoding)
        media_type = "application/octet-stream" if binary else "application/json"
        return LongResponse(body, 200, headers, media_type)


def count_cost(asked: InferenceRequest, inference: Inference) -> float:
    """Return how long an answer takes to write, in milliseconds or so."""
    binary = {output.name: output.binary for output in asked.outputs}
    return sum(
        array.nbytes / MOST_BINARY_BYTES
        if binary.get(name, asked.binary)
        else array.size / MOST_JSON_ELEMENTS
        for name, array in inference.outputs.items()
    )
