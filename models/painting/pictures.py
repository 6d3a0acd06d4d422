"""Pictures as tensors of one size, and back; light alone; a VGG that averages."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from models.errors import DataError
from models.painting.arguments import SUFFIXES
from models.style.perceptual import VGGFeatures
from models.style.photos import read_picture

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as JPEG's
QUALITY = 95


class AveragingVGG(VGGFeatures):
    """VGG-16 with average pooling, which Gatys et al. (2015) found to look slightly better."""

    def pool(self, x: Tensor) -> Tensor:
        """Halve both sides of ``[N, C, H, W]`` by the mean."""
        return F.avg_pool2d(x, 2)


def read_resized(path: Path, long_side: int, layers: tuple[str, ...]) -> Tensor:
    """Read a picture with its long side at ``long_side``, enlarged where it is smaller.

    Args:
        path: any picture; EXIF orientation is followed.
        long_side: pixels.
        layers: that the picture will be measured at; they set the least short side.

    Returns:
        float32 ``[1, 3, H, W]``, RGB in [0, 1].

    Raises:
        DataError: the file is no picture, or its short side becomes too small for ``layers``.
    """
    picture = read_picture(path)
    scale = long_side / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    least = find_least_side(layers)
    if min(width, height) < least:
        message = (
            f"{path}: {picture.width}x{picture.height} px becomes {width}x{height} px, but "
            f"{max(layers)} needs {least} px each way; use larger --sizes or shallower layers"
        )
        raise DataError(message)
    return to_tensor(picture.resize((width, height), Image.Resampling.LANCZOS))


def find_least_side(layers: tuple[str, ...]) -> int:
    """Return the least side, in pixels, that leaves the deepest block two to reflect."""
    return 1 << max((int(layer[4]) for layer in layers), default=1)


def to_tensor(picture: Image.Image) -> Tensor:
    """Return float32 ``[1, 3, H, W]`` in [0, 1] of an RGB picture."""
    pixels = torch.from_numpy(np.asarray(picture).copy())
    return pixels.permute(2, 0, 1)[None].contiguous().float() / 255.0


def to_image(picture: Tensor) -> Image.Image:
    """Return the RGB picture of float ``[1, 3, H, W]`` in [0, 1]."""
    pixels = picture[0].permute(1, 2, 0).clamp(0.0, 1.0) * 255.0
    return Image.fromarray(pixels.round().byte().cpu().numpy())


def enlarge(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Return float ``[1, C, H, W]`` in [0, 1] at ``size`` (height, width), bicubic."""
    large = F.interpolate(picture, size=size, mode="bicubic", align_corners=False)
    return large.clamp(0.0, 1.0)


def make_noise(like: Tensor, seed: int) -> Tensor:
    """Return white noise, uniform in [0, 1], of the shape of ``like``."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(like.shape, generator=generator).to(like)


def take_light(picture: Tensor) -> Tensor:
    """Return the luma of float ``[1, 3, H, W]`` as ``[1, 1, H, W]``."""
    weights = picture.new_tensor(LUMA).reshape(1, 3, 1, 1)
    return (picture * weights).sum(1, keepdim=True)


def match_light(light: Tensor, target: Tensor) -> Tensor:
    """Give ``light`` the mean and the deviation of ``target``, within [0, 1].

    Gatys, Bethge, Hertzmann and Shechtman 2016, "Preserving Color in Neural Artistic Style
    Transfer" (arXiv 1606.05897), section 3.2: else a dark painting could only darken the photo.
    """
    deviation = light.std().clamp_min(1e-6)
    return ((light - light.mean()) * (target.std() / deviation) + target.mean()).clamp(0.0, 1.0)


def change_light(photo: Tensor, light: Tensor) -> Tensor:
    """Return ``photo`` with another luma and its own chroma, within [0, 1].

    With chroma unchanged, red, green and blue all change by what luma changes.
    """
    return (photo + (light - take_light(photo))).clamp(0.0, 1.0)


def encode(picture: Image.Image, path: Path) -> bytes:
    """Return ``picture`` as a file of the kind that ``path`` names: PNG, JPEG or WebP."""
    kind = SUFFIXES[path.suffix.lower()]
    options = {} if kind == "PNG" else {"quality": QUALITY}
    if kind == "JPEG":
        options["subsampling"] = 0
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()
