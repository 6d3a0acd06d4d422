"""Picture files in and out: upright 8-bit RGB for the network, everything else kept beside it."""

import io
import struct
import zlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, ImageSequence, UnidentifiedImageError

from runner.color import convert_to_rgb, split_alpha
from runner.errors import PictureError
from runner.formats import ANIMATED

Pixels = NDArray[np.uint8]
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
# Decoders of damaged files raise nearly anything that is not a bug of ours.
DECODE_ERRORS = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, OverflowError,
    MemoryError, struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A decoded picture, or an animation.

    Attributes:
        frames: uint8 ``[H, W, 3]`` each, RGB, upright; one for a still picture.
        masks: transparency per frame, uint8 ``[H, W]``; empty where there is none.
        durations_ms: of the frames; empty for a still picture.
        loop: how often an animation repeats, 0 for ever; None when the file does not say.
        profile: ICC profile of the RGB numbers.
        exif: EXIF block without the orientation, which has been applied.
        format: Pillow's name of the file's format.
        remarks: what was left out, one sentence each.
    """

    frames: tuple[Pixels, ...]
    masks: tuple[Pixels, ...] = ()
    durations_ms: tuple[int, ...] = ()
    loop: int | None = None
    profile: bytes | None = None
    exif: bytes | None = None
    format: str = ""
    remarks: tuple[str, ...] = field(default=())

    @property
    def size(self) -> tuple[int, int]:
        """``(height, width)`` in pixels."""
        height, width = self.frames[0].shape[:2]
        return height, width

    def with_frames(self, frames: tuple[Pixels, ...]) -> "Picture":
        """Return this picture with other pixels of the same size."""
        return replace(self, frames=frames)

    def to_image(self) -> Image.Image:
        """Return the first frame as a Pillow image, ``RGBA`` when there is a mask."""
        return join(self.frames[0], self.masks[0] if self.masks else None)


def decode(data: bytes, long_side: int | None = None) -> Picture:
    """Decode the bytes of a picture file.

    Args:
        data: the file.
        long_side: reduce larger pictures to this many pixels on their longer side.

    Raises:
        PictureError: the bytes are no picture, a damaged one, or too large a one.
    """
    if not data:
        message = "the file is empty"
        raise PictureError(message)
    _prepare_heif(data)
    try:
        with Image.open(io.BytesIO(data)) as image:
            return from_image(image, long_side)
    except UnidentifiedImageError:
        message = "not a picture in a format that this installation reads"
        raise PictureError(message) from None
    except Image.DecompressionBombError as error:
        message = f"refused as a decompression bomb ({error})"
        raise PictureError(message) from None
    except DECODE_ERRORS as error:
        message = f"the picture is damaged ({error})"
        raise PictureError(message) from None


def from_image(image: Image.Image, long_side: int | None = None) -> Picture:
    """Take a Pillow image apart; see :func:`decode`.

    Raises:
        PictureError: its samples are of a kind that cannot be brought to 8 bits, or an
            animation has too many pixels.
    """
    count = getattr(image, "n_frames", 1)
    if count > 1 and image.format in ANIMATED:
        return _decode_animation(image, count, long_side)
    remarks: tuple[str, ...] = ()
    if count > 1 and image.format == "TIFF":
        remarks = (f"only the first of {count} pages was painted",)
    if long_side:
        image.draft("RGB", (long_side, long_side))
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    pixels, mask, profile = _take_apart(upright, profile, long_side)
    return Picture(
        frames=(pixels,),
        masks=() if mask is None else (mask,),
        profile=profile,
        exif=_read_exif(upright),
        format=image.format or "",
        remarks=remarks,
    )


def join(pixels: Pixels, mask: Pixels | None) -> Image.Image:
    """Return uint8 ``[H, W, 3]`` and an optional ``[H, W]`` mask as one Pillow image."""
    image = Image.fromarray(pixels)
    if mask is not None:
        image.putalpha(Image.fromarray(mask))
    return image


def _take_apart(
    image: Image.Image, profile: bytes | None, long_side: int | None
) -> tuple[Pixels, Pixels | None, bytes | None]:
    colors, mask = split_alpha(image)
    rgb, profile = convert_to_rgb(colors, profile)
    size = _cap(rgb.size, long_side)
    if size != rgb.size:
        rgb = rgb.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        mask = mask.resize(size, Image.Resampling.LANCZOS) if mask else None
    return np.asarray(rgb), np.asarray(mask) if mask else None, profile


def _cap(size: tuple[int, int], long_side: int | None) -> tuple[int, int]:
    if long_side is None or max(size) <= long_side:
        return size
    scale = long_side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _decode_animation(image: Image.Image, count: int, long_side: int | None) -> Picture:
    limit = 2 * (Image.MAX_IMAGE_PIXELS or 2**62)
    total = count * image.width * image.height
    if total > limit:
        message = (
            f"{count} frames of {image.width}x{image.height} px exceed {limit:,} pixels in all"
        )
        raise PictureError(message)
    profile = image.info.get("icc_profile")
    frames, masks, durations = [], [], []
    for frame in ImageSequence.Iterator(image):
        pixels, mask, _ = _take_apart(frame.convert("RGBA"), profile, long_side)
        frames.append(pixels)
        masks.append(np.full(pixels.shape[:2], 255, np.uint8) if mask is None else mask)
        durations.append(int(frame.info.get("duration", 0)))
    opaque = all(mask.min() == 255 for mask in masks)
    return Picture(
        frames=tuple(frames),
        masks=() if opaque else tuple(masks),
        durations_ms=tuple(durations),
        loop=image.info.get("loop"),
        profile=profile if profile and profile[16:20] == b"RGB " else None,
        format=image.format or "",
    )


def _read_exif(image: Image.Image) -> bytes | None:
    """Return the EXIF block without orientation, or None when nothing is left of it."""
    try:
        exif: Any = image.getexif()
        exif.pop(ExifTags.Base.Orientation, None)
        return exif.tobytes() if len(exif) else None
    except DECODE_ERRORS:
        return None  # damaged metadata must not cost the picture


def _prepare_heif(data: bytes) -> None:
    if data[4:8] != b"ftyp" or data[8:12] not in HEIF_BRANDS:
        return
    try:
        from pillow_heif import register_heif_opener  # noqa: PLC0415 - an optional decoder
    except ImportError:
        message = "a HEIC picture; to read these: pip install pillow-heif"
        raise PictureError(message) from None
    register_heif_opener()
