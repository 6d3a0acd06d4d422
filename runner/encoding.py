"""Painted pictures as bytes of a file."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from runner.color import convert_to_srgb
from runner.errors import PictureError
from runner.formats import ANIMATED
from runner.images import CODEC_ERRORS, Picture, join, register_heif

WITHOUT_ALPHA = frozenset({"JPEG", "BMP"})
WITHOUT_METADATA = frozenset({"BMP", "GIF"})  # neither a profile nor an EXIF block
JPEG_EXIF_BYTES = 65533  # one segment, less its length field


def encode(picture: Picture, format_name: str, quality: int = 90) -> tuple[bytes, tuple[str, ...]]:
    """Encode a picture, with its profile, EXIF block and timing where the format has room.

    Args:
        picture: what to write.
        format_name: Pillow's name of the format, such as ``JPEG``.
        quality: 1 to 100, for JPEG, WebP, HEIC and AVIF.

    Returns:
        The file's bytes, and one sentence for each thing that the format could not keep.

    Raises:
        PictureError: the format cannot hold the picture.
    """
    if len(picture.frames) > 1 and format_name not in ANIMATED:
        message = (
            f"{len(picture.frames)} frames do not fit into {format_name}, which holds one; "
            "use --format same, webp or png"
        )
        raise PictureError(message)
    if format_name == "HEIF":
        register_heif()
    picture, remarks = fit(picture, format_name)
    first, *others = [
        join(pixels, picture.masks[i] if picture.masks else None)
        for i, pixels in enumerate(picture.frames)
    ]
    target = io.BytesIO()
    try:
        options = _options(picture, format_name, quality)
        first.save(target, format_name, **options, **({"append_images": others} if others else {}))
    except CODEC_ERRORS as error:
        height, width = picture.size
        message = f"{width}x{height} px cannot be encoded as {format_name} ({error})"
        raise PictureError(message) from None
    data = target.getvalue()
    return (_flag_alpha(data) if format_name == "WEBP" and picture.masks else data), remarks


def fit(picture: Picture, format_name: str) -> tuple[Picture, tuple[str, ...]]:
    """Reduce a picture to what a format has room for, and say what that costs."""
    remarks: list[str] = []
    if picture.masks and format_name in WITHOUT_ALPHA:
        picture = flatten(picture)
        remarks.append(f"{format_name} has no transparency: flattened on white")
    if picture.profile and format_name in WITHOUT_METADATA:
        profile = picture.profile
        images = [convert_to_srgb(Image.fromarray(frame), profile) for frame in picture.frames]
        picture = picture.with_frames(tuple(np.asarray(image) for image in images))
    if format_name in WITHOUT_METADATA:
        picture = replace(picture, profile=None, exif=None)
    if picture.exif and format_name == "JPEG" and len(picture.exif) > JPEG_EXIF_BYTES:
        remarks.append(f"its EXIF block of {len(picture.exif):,} bytes is too long for JPEG")
        picture = replace(picture, exif=None)
    return picture, tuple(remarks)


def flatten(picture: Picture) -> Picture:
    """Return the picture on white, without a mask."""
    frames = []
    for pixels, mask in zip(picture.frames, picture.masks, strict=True):
        share = mask[:, :, None].astype(np.uint16)
        mixed = (pixels * share + 255 * (255 - share) + 127) // 255
        frames.append(mixed.astype(np.uint8))
    return replace(picture, frames=tuple(frames), masks=())


def _flag_alpha(webp: bytes) -> bytes:
    """Set the flag that says a WebP file has transparency.

    libwebp crops the frames of an animation to what is opaque, and where nothing clear is left
    inside it says that the file has none; then readers show what lies around as black.
    """
    if webp[12:16] != b"VP8X":
        return webp
    return webp[:20] + bytes([webp[20] | 0x10]) + webp[21:]


def _options(picture: Picture, format_name: str, quality: int) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if picture.profile:
        options["icc_profile"] = picture.profile
    if picture.exif:
        options["exif"] = picture.exif
    if format_name in {"JPEG", "WEBP", "HEIF", "AVIF"}:
        options["quality"] = quality
    if format_name == "TIFF":
        options["compression"] = "tiff_adobe_deflate"
    if picture.durations_ms:
        options |= {"save_all": True, "duration": list(picture.durations_ms)}
        # A GIF that says nothing plays once; the other formats must be told.
        if picture.loop is not None or format_name != "GIF":
            options["loop"] = 1 if picture.loop is None else picture.loop
        if format_name == "GIF" and picture.masks:
            options["disposal"] = 2  # each frame is whole: clear the one before
    return options
