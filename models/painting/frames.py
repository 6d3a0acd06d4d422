"""The steps of a painting as an animation."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.painting.arguments import ANIMATED

MOST_FRAMES = 48
LARGEST_SIDE = 512  # pixels; frames wait in memory and in the state file
FRAME_MS = 80
LAST_FRAME_MS = 2000


class Frames:
    """Pictures of chosen steps, all of one size.

    Args:
        steps: of the whole painting; frames lie close together at its beginning, where most
            happens, and thin out as squares do.
        size: (width, height) of the finished picture.
    """

    def __init__(self, steps: int, size: tuple[int, int]) -> None:
        scale = min(1.0, LARGEST_SIDE / max(size))
        self.size = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
        last = MOST_FRAMES - 1
        self.marks = {round(steps * (i / last) ** 2) for i in range(MOST_FRAMES)}
        self.frames: list[Tensor] = []

    def add(self, step: int, picture: Image.Image) -> None:
        """Keep ``picture`` if a frame is due at ``step``."""
        if step in self.marks:
            small = picture.resize(self.size, Image.Resampling.LANCZOS)
            self.frames.append(torch.from_numpy(np.asarray(small).copy()))

    def encode(self, path: Path) -> bytes:
        """Return the animation as a file of the kind that ``path`` names: WebP or GIF."""
        first, *others = [Image.fromarray(frame.numpy()) for frame in self.frames]
        kind = ANIMATED[path.suffix.lower()]
        options = {"quality": 85} if kind == "WEBP" else {}
        target = io.BytesIO()
        durations = [FRAME_MS] * len(others) + [LAST_FRAME_MS]
        first.save(
            target,
            kind,
            save_all=True,
            append_images=others,
            duration=durations if others else LAST_FRAME_MS,
            loop=0,
            **options,
        )
        return target.getvalue()
