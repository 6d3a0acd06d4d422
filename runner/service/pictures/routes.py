"""The pages for pictures; the inference itself goes the way of all others, and batches with it."""

import asyncio
import logging
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.classify.network import read_input
from runner.errors import PictureError
from runner.images import Picture, Pixels
from runner.model import Style
from runner.service.engine.engine import Engine
from runner.service.engine.repository import Entry
from runner.service.engine.served import ServedModel
from runner.service.errors import ServiceError
from runner.service.http.answers import Endpoint, LongResponse, answer_json
from runner.service.http.bodies import Bodies
from runner.service.http.presence import Presence
from runner.service.parameters import read_query
from runner.service.pictures.examination import Examined, examine
from runner.service.pictures.options import (
    CLASSIFY,
    STYLES,
    STYLIZE,
    plan_painting,
    require_task,
)
from runner.service.pictures.uploads import extract_file
from runner.service.pictures.work import (
    choose_top,
    decode_photo,
    encode_painting,
    list_predictions,
    prepare_photo,
    refuse_picture,
)

REMARKS = "impasto-remarks"


class PictureRoutes:
    """``/v1/stylize``, ``/v1/classify``, ``/v1/styles`` and ``/v1/models``.

    Args:
        engine: that runs the models.
        bodies: that reads the requests' bodies.
    """

    def __init__(self, engine: Engine, bodies: Bodies) -> None:
        self._engine = engine
        self._bodies = bodies
        # All that is held is bounded; of that, one picture counts half at most, or a large one
        # could never be painted.
        self._most_held = engine.settings.max_waiting_bytes // 2
        silence_libraries()

    def list_routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/v1/stylize", Endpoint(self.stylize), methods=["POST"]),
            Route("/v1/classify", Endpoint(self.classify), methods=["POST"]),
            Route("/v1/styles", Endpoint(self.answer_styles), methods=["GET"]),
            Route("/v1/models", Endpoint(self.answer_models), methods=["GET"]),
        ]

    async def stylize(self, request: Request) -> Response:
        """Answer a picture with its painting."""
        end = self.set_deadline()
        values = read_query(request, STYLIZE)
        model = self._engine.require_room(values["model"])
        painting = plan_painting(model, values)
        hold = self._bodies.hold(request)
        body = await hold.read(request)
        async with Presence(request.receive):
            data = await self.take_file(request, body)
            found = await self.examine(data, still=False)
            hold.reserve(min(found.estimate_bytes(painting.long_side), self._most_held))
            picture = await self._engine.run_blocking(
                decode_photo, data, painting.long_side, model.card.minimum_side
            )
            painted = await self.paint(model, picture, painting.effect.weights, end)
            encoded = await self._engine.run_blocking(encode_painting, picture, painted, painting)
            hold.add(len(encoded.data))
        headers = {REMARKS: "; ".join(encoded.remarks)} if encoded.remarks else {}
        return LongResponse(encoded.data, 200, headers, encoded.media_type)

    async def classify(self, request: Request) -> Response:
        """Answer a picture with the most probable classes."""
        end = self.set_deadline()
        values = read_query(request, CLASSIFY)
        model = self._engine.require_room(values["model"])
        require_task(model, "classify")
        rule = read_input(model.card)
        top = choose_top(values["top"], len(model.labels))
        hold = self._bodies.hold(request)
        body = await hold.read(request)
        async with Presence(request.receive):
            data = await self.take_file(request, body)
            await self.examine(data, still=True)
            pixels = await self._engine.run_blocking(prepare_photo, data, rule)
            inference = await self._engine.infer(
                model,
                {"image": pixels[None]},
                outputs=("probabilities",),
                deadline_s=end - asyncio.get_running_loop().time(),
            )
        predictions = list_predictions(inference.outputs["probabilities"], model.labels, top)
        answer = {"model": model.name, "version": model.version, "predictions": predictions}
        return answer_json(answer)

    async def answer_styles(self, request: Request) -> Response:
        """Answer with the styles of a model."""
        model = self._engine.repository.find(read_query(request, STYLES)["model"])
        require_task(model, "stylize")
        styles = [describe_style(style) for style in model.card.styles]
        return answer_json({"model": model.name, "styles": styles})

    async def answer_models(self, request: Request) -> Response:
        """Answer with what each model is for."""
        read_query(request, ())
        entries = self._engine.repository.index()
        return answer_json({"models": [self.describe_entry(entry) for entry in entries]})

    def describe_entry(self, entry: Entry) -> dict[str, Any]:
        """Return what a model is for; of one that is not ready only its state."""
        known: dict[str, Any] = {"name": entry.name, "version": entry.version, "state": entry.state}
        try:
            model = self._engine.repository.find(entry.name)
        except ServiceError:
            return known
        return known | {
            "task": model.card.task or None,
            "precision": model.precision,
            "minimum_side": model.card.minimum_side if model.card.task == "stylize" else None,
            "styles": len(model.card.styles) or None,
            "classes": len(model.labels) or None,
        }

    def set_deadline(self) -> float:
        """Return when a request that begins now must be answered, in the event loop's seconds."""
        return asyncio.get_running_loop().time() + self._engine.settings.request_seconds

    async def take_file(self, request: Request, body: bytes | bytearray) -> bytes:
        """Return the file in a body.

        Raises:
            BadRequest: there is none.
        """
        kind = request.headers.get("content-type")
        return await self._engine.run_blocking(extract_file, body, kind)

    async def examine(self, data: bytes, *, still: bool) -> Examined:
        """Look at a picture's header.

        Raises:
            BadRequest: it is no picture.
            TooLarge: it has too many pixels.
        """
        most = self._engine.settings.max_pixels
        try:
            return await self._engine.run_blocking(examine, data, most, still=still)
        except PictureError as error:
            raise refuse_picture(error) from None

    async def paint(
        self,
        model: ServedModel,
        picture: Picture,
        weights: NDArray[np.float32],
        end: float,
    ) -> list[Pixels]:
        """Return the painted frames of a picture.

        They go one after the other: an animation must not keep the others' pictures waiting.

        Args:
            model: that stylizes.
            picture: decoded.
            weights: float32 ``[S]``, the shares of the styles.
            end: of the request's time, in the event loop's seconds.

        Raises:
            ServiceError: the engine cannot do it.
        """
        loop = asyncio.get_running_loop()
        painted: list[Pixels] = []
        for frame in picture.frames:
            inference = await self._engine.infer(
                model,
                {"image": frame[None], "style_weights": np.array(weights[None])},
                deadline_s=end - loop.time(),
            )
            painted.append(inference.outputs["stylized"][0])
        return painted


def silence_libraries() -> None:
    """Keep what libraries would print about clients' files out of the log of JSON lines."""
    warnings.filterwarnings("ignore", module="PIL")
    for name in ("PIL", "python_multipart"):
        logging.getLogger(name).addHandler(logging.NullHandler())


def describe_style(style: Style) -> dict[str, Any]:
    """Return a style as ``impasto styles --json`` does, and its licence."""
    return {
        "name": style.name,
        "title": style.title,
        "artist": style.artist,
        "year": style.year,
        "licence": style.licence,
    }
