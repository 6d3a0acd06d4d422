"""From whatever a picture file holds to opaque 8-bit colours: depths, profiles, transparency.

Whoever runs a network follows the same rules with code of its own:

- 16-bit grey is scaled, 65,535 to 255; Pillow's own conversion would clip it;
- RGB keeps its numbers; grey, CMYK and Lab with an ICC profile of their kind go to sRGB by it
  (perceptual intent), and plainly where the profile is damaged or of another kind;
- what is transparent is laid on an even grey, after that.
"""

import io

import numpy as np
from PIL import Image, ImageCms

from models.errors import DataError

DEEP_MODES = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N"})
GREY_MODES = frozenset({"1", "L", "LA", "La"})
DEEPEST = 65535


def flatten(picture: Image.Image, behind: int) -> Image.Image:
    """Return a picture of any mode without transparency, 8 bits deep; the same if it is so.

    Args:
        picture: loaded; its profile is taken from its ``info``.
        behind: grey value that shows where it is transparent, 0 to 255.

    Raises:
        DataError: the samples are floating-point, or integers beyond 16 bits.
    """
    profile = picture.info.get("icc_profile")
    if not picture.has_transparency_data:
        return convert_opaque(picture, profile)
    if picture.mode not in DEEP_MODES | GREY_MODES:
        layer = picture.convert("RGBA")
    else:
        colors, mask = split_grey(picture)
        layer = convert_opaque(colors, profile).convert("RGB")
        layer.putalpha(mask)
    ground = Image.new("RGBA", layer.size, (behind, behind, behind, 255))
    return Image.alpha_composite(ground, layer).convert("RGB")


def split_grey(picture: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Return the levels of a grey picture with transparency, and its mask of mode ``L``."""
    if picture.mode in DEEP_MODES:
        # One level is clear; Pillow would clip the others on the way to LA.
        clear = np.asarray(picture) == picture.info["transparency"]
        return picture, Image.fromarray(np.where(clear, 0, 255).astype(np.uint8))
    both = picture.convert("LA")
    return both.getchannel("L"), both.getchannel("A")


def convert_opaque(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return a picture without transparency 8 bits deep, in sRGB where a profile leads there.

    Args:
        picture: any of Pillow's modes.
        profile: the embedded ICC profile.

    Raises:
        DataError: see :func:`flatten`.
    """
    check_samples(picture)
    if picture.mode in DEEP_MODES:
        picture = reduce_depth(picture)
    described = profile and not (picture.mode == "L" and profile[16:20] == b"RGB ")
    if profile and described and picture.mode in {"L", "CMYK", "LAB"}:
        converted = convert_by_profile(picture, profile)
        if converted is not None:
            return converted
    if picture.mode == "LAB":  # which Pillow converts by profile only
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
        return convert_by_profile(picture, lab) or picture.convert("L")
    return picture


def convert_by_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """Convert to sRGB; None where the profile is damaged or does not fit the picture."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def reduce_depth(picture: Image.Image) -> Image.Image:
    """Scale integer grey of 0 to 65,535 to 8 bits, rounded to the nearest level."""
    deep = np.asarray(picture).astype(np.int64)
    return Image.fromarray(((deep * 255 + DEEPEST // 2) // DEEPEST).astype(np.uint8))


def check_samples(picture: Image.Image) -> None:
    """Refuse samples whose black and white nobody knows.

    Raises:
        DataError: see :func:`flatten`.
    """
    if picture.mode == "F":
        message = "its samples are floating-point numbers of unknown range"
        raise DataError(message + "; save it with 8 or 16 bits")
    if picture.mode in DEEP_MODES:
        samples = np.asarray(picture)
        lowest, highest = samples.min(), samples.max()
        if lowest < 0 or highest > DEEPEST:
            message = f"its samples reach from {lowest} to {highest}, beyond 16 bits"
            raise DataError(message + "; save it with 8 or 16 bits")
