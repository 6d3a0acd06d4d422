"""A painting from the coarsest size to the finest, step by step, and its state in between."""

from collections.abc import Iterator
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from models.optimize import Optimization, PictureObjective, Step
from models.painting.frames import Frames
from models.painting.order import Order
from models.painting.pictures import (
    AveragingVGG,
    change_light,
    enlarge,
    make_noise,
    match_light,
    read_resized,
    take_light,
    to_image,
)
from models.style.perceptual import VGGFeatures, read_vgg


class Painting:
    """One order on its way; after :meth:`restore_state`, one that goes on.

    Args:
        order: what to paint.
        device: where to paint.

    Raises:
        ModelsError: a file is missing or wrong, or a picture is too small.
    """

    def __init__(self, order: Order, device: torch.device) -> None:
        self.order = order
        self.device = device
        self.stage = 0
        make = AveragingVGG if order.pooling == "avg" else VGGFeatures
        layers = order.recipe.list_layers()
        # zeros around a picture would paint a frame into it
        self.vgg: VGGFeatures = make(read_vgg(order.vgg), layers, padding_mode="reflect").to(device)
        self.photo = self._read_photo()
        self.optimization = self._begin(None)
        height, width = self._read_photo(-1).shape[2:]
        self.frames = Frames(order.steps if order.frames else 0, (width, height))

    @property
    def step(self) -> int:
        """Steps taken at all sizes together."""
        return sum(s.steps for s in self.order.stages[: self.stage]) + self.optimization.step

    @property
    def best(self) -> Image.Image:
        """The best picture so far, of the size that has been reached."""
        return self._show(self.optimization.best.pictures)

    def run(self) -> Iterator[Step]:
        """Paint to the end, yielding every step.

        Raises:
            DivergedError: a cost is no finite number.
        """
        if self.order.frames and not self.step:
            self.frames.add(0, self.best)
        while True:
            for step in self.optimization.run(self.order.stages[self.stage].steps):
                if self.order.frames:
                    self.frames.add(self.step, self._show(step.pictures))
                yield step
            if self.stage + 1 == len(self.order.stages):
                return
            self.stage += 1
            self.photo = self._read_photo()
            self.optimization = self._begin(self.optimization.best.pictures)

    def collect_state(self) -> dict[str, Any]:
        """Return where the painting stands, for ``write_state``."""
        return {
            "order": self.order.describe(),
            "stage": self.stage,
            "optimization": self.optimization.collect_state(),
            "frames": self.frames.frames,
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was collected."""
        self.stage = state["stage"]
        self.photo = self._read_photo()
        kept = state["optimization"]
        self.optimization = self._begin(kept["canvases"][0]["best"].to(self.device))
        self.optimization.restore_state(kept)
        self.frames.frames = state["frames"]

    def _begin(self, start: Tensor | None) -> Optimization:
        photo = take_light(self.photo) if self.order.keep_color else self.photo
        objective = PictureObjective(
            self.vgg,
            self.order.recipe,
            content=photo,
            styles=[self._read_style(i) for i in range(len(self.order.styles))],
            shares=[share for _, share in self.order.styles],
        )
        if start is not None:
            height, width = photo.shape[2:]
            start = enlarge(start, (height, width))
        elif self.order.init == "noise":
            start = make_noise(photo, self.order.seed)
        return Optimization(
            objective,
            photo if start is None else start,
            solver=self.order.solver,
            learning_rate=self.order.learning_rate,
        )

    def _read_photo(self, stage: int | None = None) -> Tensor:
        size = self.order.stages[self.stage if stage is None else stage].size
        return read_resized(self.order.content, size, self.vgg.layers).to(self.device)

    def _read_style(self, i: int) -> Tensor:
        size = round(self.order.stages[self.stage].size * self.order.style_scale)
        style = read_resized(self.order.styles[i][0], size, self.vgg.layers).to(self.device)
        if self.order.keep_color:
            return match_light(take_light(style), take_light(self.photo))
        return style

    def _show(self, picture: Tensor) -> Image.Image:
        return to_image(change_light(self.photo, picture) if self.order.keep_color else picture)
