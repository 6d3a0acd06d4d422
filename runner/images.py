"""Picture files in and out: upright 8-bit RGB for the network, everything else kept beside it."""

import io
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, ImageSequence, UnidentifiedImageError

from runner.color import convert_to_rgb, split_alpha
from runner.errors import PictureError
from runner.formats import ANIMATED

Pixels = NDArray[np.uint8]
Source = Image.Image | str | Path
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
# Codecs raise nearly anything for damaged files, and none of it is a bug of ours.
CODEC_ERRORS = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, OverflowError,
    MemoryError, struct.error, zlib.error,
)  # fmt: skip
# Pillow reads a file that it has opened when the pixels are first needed, and two threads
# must not do that to one image.
LOADING = threading.Lock()


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
        """Return the first frame as a Pillow image, ``RGBA`` when there is a mask.

        Its ``info`` holds the profile and the EXIF block, as those of an opened file do.
        """
        image = join(self.frames[0], self.masks[0] if self.masks else None)
        kept = {"icc_profile": self.profile, "exif": self.exif}
        image.info |= {key: value for key, value in kept.items() if value}
        return image


def decode(data: bytes, long_side: int | None = None, *, still: bool = False) -> Picture:
    """Decode the bytes of a picture file.

    Args:
        data: the file.
        long_side: reduce larger pictures to this many pixels on their longer side.
        still: of an animation take the first frame only.

    Raises:
        PictureError: the bytes are no picture, a damaged one, or too large a one.
    """
    with open_picture(data) as image:
        return _dissect(image, long_side, still=still)


@contextmanager
def open_picture(data: bytes) -> Iterator[Image.Image]:
    """Open the bytes of a picture file with Pillow.

    Whatever the codec raises inside the context becomes a :class:`PictureError`, too.

    Raises:
        PictureError: the bytes are no picture, a damaged one, or too large a one.
    """
    if not data:
        message = "the file is empty"
        raise PictureError(message)
    if _is_heif(data):
        register_heif()
    with explain_damage(), Image.open(io.BytesIO(data)) as image:
        yield image


def from_image(image: Image.Image) -> Picture:
    """Take a Pillow image apart, of an animation the current frame; see :func:`decode`.

    Raises:
        PictureError: it cannot be loaded, or its samples cannot be brought to 8 bits.
    """
    with explain_damage():
        return _dissect(image, None, still=True)


def read(source: Source) -> Picture:
    """Decode a path, or take a Pillow image apart; of an animation, one frame.

    Raises:
        PictureError: the picture cannot be read; of a file, the message begins with its path.
    """
    if isinstance(source, Image.Image):
        with LOADING:
            return from_image(source)
    try:
        return decode(Path(source).read_bytes(), still=True)
    except OSError as error:
        message = f"{source}: cannot be read ({error.strerror})"
        raise PictureError(message) from None
    except PictureError as error:
        message = f"{source}: {error.message}"
        raise PictureError(message) from None


def register_heif() -> None:
    """Let Pillow read and write HEIC.

    Raises:
        PictureError: pillow-heif is not installed.
    """
    try:
        from pillow_heif import register_heif_opener  # noqa: PLC0415 - an optional codec
    except ImportError:
        message = "HEIC pictures need another package: pip install pillow-heif"
        raise PictureError(message) from None
    register_heif_opener()


def join(pixels: Pixels, mask: Pixels | None) -> Image.Image:
    """Return uint8 ``[H, W, 3]`` and an optional ``[H, W]`` mask as one Pillow image."""
    image = Image.fromarray(pixels)
    if mask is not None:
        image.putalpha(Image.fromarray(mask))
    return image


@contextmanager
def explain_damage() -> Iterator[None]:
    """Turn what a codec raises into a :class:`PictureError` with its words."""
    try:
        yield
    except UnidentifiedImageError:
        message = "not a picture in a format that this installation reads"
        raise PictureError(message) from None
    except Image.DecompressionBombError as error:
        message = f"refused as a decompression bomb ({error}); reduce it with another program first"
        raise PictureError(message) from None
    except CODEC_ERRORS as error:
        message = f"the picture is damaged ({error})"
        raise PictureError(message) from None


def _dissect(image: Image.Image, long_side: int | None, *, still: bool) -> Picture:
    count = getattr(image, "n_frames", 1)
    if count > 1 and image.format in ANIMATED and not still:
        return _decode_animation(image, count, long_side)
    remarks: tuple[str, ...] = ()
    if count > 1 and image.format == "TIFF":
        remarks = (f"only the first of {count} pages was painted",)
    if long_side:
        image.draft("RGB", (long_side, long_side))
    image.load()
    upright = turn_upright(image)
    pixels, mask, profile = _take_apart(upright, image.info.get("icc_profile"), long_side)
    return Picture(
        frames=(pixels,),
        masks=() if mask is None else (mask,),
        profile=profile,
        exif=_read_exif(upright),
        format=_name_format(image),
        remarks=remarks,
    )


def _name_format(image: Image.Image) -> str:
    # Phones append depth maps and previews to a JPEG; Pillow calls that by another name.
    return "JPEG" if image.format == "MPO" else image.format or ""


def turn_upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; damaged metadata must not cost the picture."""
    if not image.info and image.format != "TIFF":
        return image  # nothing but pixels: small pictures notice the search
    try:
        return ImageOps.exif_transpose(image)
    except CODEC_ERRORS:
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
    exif = None
    frames, masks, durations = [], [], []
    for frame in ImageSequence.Iterator(image):
        if image.info.get("default_image") and frame.tell() == 0:
            continue  # an APNG's picture for programs that cannot animate
        frame.load()
        upright = turn_upright(frame)
        exif = exif or _read_exif(upright)
        pixels, mask, _ = _take_apart(upright.convert("RGBA"), profile, long_side)
        frames.append(pixels)
        masks.append(np.full(pixels.shape[:2], 255, np.uint8) if mask is None else mask)
        durations.append(round(frame.info.get("duration", 0)))
    opaque = all(mask.min() == 255 for mask in masks)
    return Picture(
        frames=tuple(frames),
        masks=() if opaque else tuple(masks),
        durations_ms=tuple(durations),
        loop=image.info.get("loop"),
        profile=profile if profile and profile[16:20] == b"RGB " else None,
        exif=exif,
        format=image.format or "",
    )


def _read_exif(image: Image.Image) -> bytes | None:
    """Return the EXIF block without orientation, or None when nothing is left of it."""
    try:
        exif: Any = image.getexif()
        exif.pop(ExifTags.Base.Orientation, None)
        return exif.tobytes() if len(exif) else None
    except CODEC_ERRORS:
        return None  # damaged metadata must not cost the picture


def _is_heif(data: bytes) -> bool:
    # An AVIF may bear the same major brand and name itself among the compatible ones only.
    return data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS and b"avif" not in data[8:64]
