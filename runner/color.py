"""From whatever a picture file holds to 8-bit RGB: modes, depths, transparency, profiles."""

import io

import numpy as np
from PIL import Image, ImageCms

from runner.errors import PictureError

DEEP_MODES = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N"})
RGB_MODES = frozenset({"RGB", "RGBA", "RGBX", "RGBa", "P", "PA", "L", "LA", "La", "1"})


def split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the picture without transparency, and its mask (mode ``L``) or None."""
    if not image.has_transparency_data:
        return image, None
    if image.mode in DEEP_MODES:
        # Pillow knows one clear level here, and clips the others when it converts.
        clear = np.asarray(image) == image.info["transparency"]
        return image, Image.fromarray(np.where(clear, 0, 255).astype(np.uint8))
    if image.mode in {"LA", "La", "L", "1"}:
        both = image.convert("LA")
        return both.getchannel("L"), both.getchannel("A")
    both = image.convert("RGBA")
    opaque = both.convert("RGB")
    opaque.info.pop("transparency", None)
    return opaque, both.getchannel("A")


def convert_to_rgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, bytes | None]:
    """Return 8-bit RGB and the profile that still describes it.

    Pictures in RGB keep their profile and their numbers. Others (CMYK, grey, Lab
    with a profile of their own kind) are converted to sRGB by that profile, or plainly when
    they have none or it is damaged.

    Args:
        image: any of Pillow's modes, without transparency.
        profile: the embedded ICC profile.

    Raises:
        PictureError: the samples are floating-point, or integers beyond 16 bits.
    """
    if image.mode in DEEP_MODES:
        image = reduce_depth(image)
    if image.mode == "F":
        message = (
            "its samples are floating-point numbers of unknown range; save it with 8 or 16 bits"
        )
        raise PictureError(message)
    space = profile[16:20] if profile else b""
    if space == b"RGB " and image.mode in RGB_MODES:
        return image.convert("RGB"), profile
    if profile and image.mode in {"CMYK", "L", "LAB"}:
        converted = _convert_by_profile(image, profile)
        if converted is not None:
            return converted, None
    if image.mode == "LAB":
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        return _convert_by_profile(image, lab.tobytes()) or image.convert("L").convert("RGB"), None
    return image.convert("RGB"), None


def convert_to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Return 8-bit RGB in sRGB, for formats without room for a profile.

    Args:
        image: mode ``RGB``.
        profile: of its numbers; when it is damaged they stay as they are.
    """
    return _convert_by_profile(image, profile) or image


def reduce_depth(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits: 65,535 becomes 255, nothing is clipped.

    Raises:
        PictureError: a sample lies outside 0 to 65,535.
    """
    deep = np.asarray(image).astype(np.int64)
    if deep.min(initial=0) < 0 or deep.max(initial=0) > 65535:
        message = (
            f"its samples reach from {deep.min()} to {deep.max()}, beyond 16 bits; "
            "save it with 8 or 16 bits"
        )
        raise PictureError(message)
    return Image.fromarray(((deep * 255 + 32767) // 65535).astype(np.uint8))


def _convert_by_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Convert to sRGB; None where the profile is damaged or does not fit the picture."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    if converted is not None:
        converted.info.pop("icc_profile", None)
    return converted
