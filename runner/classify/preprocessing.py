"""From an opened picture to the pixels of a classifier, exactly as in training.

Every step is Pillow's own on the whole picture, so that training, whose code follows the
same rule, arrives at the same bytes: depth, profiles and transparency are treated as in painting.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops

from runner.classify.rules import InputRule
from runner.color import DEEP_MODES, convert_to_rgb, split_alpha
from runner.errors import PictureError
from runner.images import Pixels, turn_upright

RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
MODES = {"grey": "L", "RGB": "RGB"}
UNUSUAL_MODES = DEEP_MODES | {"F", "LAB"}  # Pillow's own conversion clips or refuses them
PROFILED_MODES = frozenset({"L", "CMYK"})  # RGB keeps its numbers, as in painting
LARGEST_AREA = 2**26  # pixels of a resized picture before its centre is cut out
DRAFT_MARGIN = 2  # a picture decoded in reduced size keeps this many times the sides needed


def prepare(image: Image.Image, rule: InputRule) -> Pixels:
    """Return an opened picture as the network takes it.

    Args:
        image: of any mode and size; of an animation the current frame is taken.
        rule: of the network's file.

    Returns:
        uint8 ``[H, W, C]``.

    Raises:
        PictureError: its samples cannot be brought to 8 bits, or its sides differ too much.
    """
    colored = color(image, rule)
    if rule.resize == "fit" and colored.size == fitted_size(colored, rule):
        # Thousands of digits need no resampling, and so no way back from pixels to an image.
        pixels = as_pixels(colored)
        return center(~pixels if is_to_invert(pixels, rule) else pixels, rule)
    return RESIZES[rule.resize](invert(colored, rule), rule)


def normalize(image: Image.Image, rule: InputRule) -> Image.Image:
    """Return the picture upright, opaque, in the rule's colours, inverted where the rule says."""
    return invert(color(image, rule), rule)


def color(image: Image.Image, rule: InputRule) -> Image.Image:
    """Return the picture upright, opaque and in the rule's colours."""
    image.load()
    return convert(turn_upright(image), image.info.get("icc_profile"), rule)


def invert(image: Image.Image, rule: InputRule) -> Image.Image:
    """Invert a picture in the rule's colours where the rule says."""
    if rule.invert == "never":
        return image
    return ImageChops.invert(image) if is_to_invert(as_pixels(image), rule) else image


def is_to_invert(pixels: Pixels, rule: InputRule) -> bool:
    """Tell whether a picture is inverted; uint8 ``[H, W, C]``."""
    return rule.invert == "always" or (rule.invert == "auto" and has_light_border(pixels))


def convert(image: Image.Image, profile: bytes | None, rule: InputRule) -> Image.Image:
    """Return an upright picture without transparency in mode ``L`` or ``RGB``.

    Transparency is laid on what becomes the rule's background: on its inverse where the rule
    inverts.
    """
    mode = MODES[rule.color]
    if image.has_transparency_data:
        behind = rule.background if rule.invert == "never" else 255 - rule.background
        return cover(image, profile, behind).convert(mode)
    if image.mode in UNUSUAL_MODES or (profile and image.mode in PROFILED_MODES):
        return convert_to_rgb(image, profile)[0].convert(mode)
    return image if image.mode == mode else image.convert(mode)


def cover(image: Image.Image, profile: bytes | None, behind: int) -> Image.Image:
    """Lay a picture with transparency on an even grey; RGB."""
    colors, mask = split_alpha(image)
    layer, _ = convert_to_rgb(colors, profile)
    if mask is None:
        return layer
    layer = layer.copy() if layer is colors else layer
    layer.putalpha(mask)
    ground = Image.new("RGBA", layer.size, (behind, behind, behind, 255))
    return Image.alpha_composite(ground, layer).convert("RGB")


def has_light_border(pixels: Pixels) -> bool:
    """Tell whether the outermost pixels, each counted once, have a mean above 127.

    Args:
        pixels: uint8 ``[H, W, C]``.
    """
    height, width, channels = pixels.shape
    row, size = width * channels, height * width * channels
    # Summing bytes in Python beats NumPy's sum for the few that small pictures have.
    data = pixels.reshape(-1).data
    total = sum(data[:row]) + (sum(data[-row:]) if height > 1 else 0)
    for channel in range(channels):
        total += sum(data[row + channel : size - row : row])
        if width > 1:
            total += sum(data[2 * row - channels + channel : size - row : row])
    inner = max(0, height - 2) * max(0, width - 2) * channels
    return bool(total > 127 * (size - inner))


def stretch(image: Image.Image, rule: InputRule) -> Pixels:
    """Resize to the network's size, whatever the aspect."""
    height, width = rule.size
    return as_pixels(image.resize((width, height), RESAMPLING[rule.interpolation]))


def crop(image: Image.Image, rule: InputRule) -> Pixels:
    """Resize the shorter side to ``short_side`` and cut the centre out.

    Raises:
        PictureError: the longer side would become too long.
    """
    size = scale_short(image.size, rule.short_side)
    if size[0] * size[1] > LARGEST_AREA:
        message = (
            f"{image.width}x{image.height} px: with the shorter side at {rule.short_side} px the "
            f"longer one would be {max(size):,}; cut the picture first"
        )
        raise PictureError(message)
    resized = image.resize(size, RESAMPLING[rule.interpolation])
    height, width = rule.size
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return as_pixels(resized.crop((left, top, left + width, top + height)))


def fit(image: Image.Image, rule: InputRule) -> Pixels:
    """Resize just into the box and centre on the background, an odd rest behind."""
    size = fitted_size(image, rule)
    same = image.size == size
    return center(
        as_pixels(image if same else image.resize(size, RESAMPLING[rule.interpolation])), rule
    )


def fitted_size(image: Image.Image, rule: InputRule) -> tuple[int, int]:
    """Return the ``(width, height)`` that a picture has in the box of a rule."""
    return scale_into(image.size, (rule.box[1], rule.box[0]))


def center(fitted: Pixels, rule: InputRule) -> Pixels:
    """Lay pixels on the middle of the background, an odd rest behind."""
    height, width = rule.size
    box_height, box_width = fitted.shape[:2]
    if (box_height, box_width) == rule.size:
        return fitted
    pixels = np.full((height, width, rule.channels), rule.background, np.uint8)
    top, left = (height - box_height) // 2, (width - box_width) // 2
    pixels[top : top + box_height, left : left + box_width] = fitted
    return pixels


RESIZES: dict[str, Callable[[Image.Image, InputRule], Pixels]] = {
    "stretch": stretch,
    "crop": crop,
    "fit": fit,
}


def scale_short(size: tuple[int, int], short: int) -> tuple[int, int]:
    """Return ``(width, height)`` with the shorter side at ``short``, the other rounded half up."""
    smaller = min(size)
    width, height = (max(short, (2 * side * short + smaller) // (2 * smaller)) for side in size)
    return width, height


def scale_into(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """Return ``(width, height)`` just inside ``box``; the looser side is rounded half up."""
    (width, height), (box_width, box_height) = size, box
    if width * box_height >= height * box_width:
        return box_width, max(1, (2 * height * box_width + width) // (2 * width))
    return max(1, (2 * width * box_height + height) // (2 * height)), box_height


def draft(image: Image.Image, rule: InputRule) -> None:
    """Let Pillow decode a far larger JPEG in reduced size; any other picture stays as it is.

    At least twice the sides that the network needs remain (ITU-T T.81's DCT is decoded at 1/2,
    1/4 or 1/8). The bytes that :func:`prepare` returns differ a little from those of the whole.
    """
    if min(image.size) < 1 or image.mode not in {"L", "RGB"}:
        return
    if rule.resize == "crop":
        needed = scale_short(image.size, rule.short_side)
    else:
        # Whether the picture lies on its side is known only after decoding.
        needed = (max(rule.size),) * 2
    image.draft(image.mode, (DRAFT_MARGIN * needed[0], DRAFT_MARGIN * needed[1]))


def as_pixels(image: Image.Image) -> Pixels:
    """Return a picture of mode ``L`` or ``RGB`` as uint8 ``[H, W, C]``."""
    pixels = np.asarray(image)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
