"""From a picture file to the pixels that a network takes, by the rules its file states.

The rules travel in the checkpoint and in the exported file; whoever runs the network
follows them on its own. The same picture must give the same bytes everywhere.
"""

import struct
import zlib
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from models.classifiers.colors import flatten
from models.errors import ModelsError

Pixels = NDArray[np.uint8]
Inversion = Literal["never", "always", "auto"]
LARGEST_SIDE = 4096
# What Pillow's EXIF reader is known to raise on damaged blocks.
METADATA_ERRORS = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True)
class InputRule:
    """How a picture becomes uint8 ``[H, W, C]``.

    Attributes:
        size: ``(H, W)`` of the network's input.
        color: ``grey`` (Pillow's ``L``, ITU-R 601) or ``RGB``.
        resize: ``{"rule": "stretch"}``: to ``H x W``, aspect ignored;
            ``{"rule": "crop", "short_side": S}``: the shorter side to S, the other rounded half
            up, then the centre;
            ``{"rule": "fit", "box": [h, w]}``: just into ``h x w``, centred on ``background``,
            an odd row or column behind.
        interpolation: a key of :data:`INTERPOLATIONS`.
        invert: whether 255 - x is taken; ``auto``: where the border is light.
        background: grey value around a fitted picture and, after inversion, behind
            transparency, 0 to 255.

    Raises:
        ModelsError: a value that is none of these.
    """

    size: tuple[int, int]
    color: Literal["grey", "RGB"] = "RGB"
    resize: dict[str, Any] = field(default_factory=lambda: {"rule": "stretch"})
    interpolation: str = "bilinear"
    invert: Inversion = "never"
    background: int = 0

    def __post_init__(self) -> None:
        rules = {
            f"size {self.size} must be two sides": is_size(self.size),
            f"color {self.color!r} must be grey or RGB": self.color in ("grey", "RGB"),
            f"interpolation {self.interpolation!r} must be one of {', '.join(INTERPOLATIONS)}": (
                self.interpolation in INTERPOLATIONS
            ),
            f"invert {self.invert!r} must be never, always or auto": (
                self.invert in ("never", "always", "auto")
            ),
            f"background {self.background!r} must be in 0..255": self.background in range(256),
        }
        broken = [rule for rule, kept in rules.items() if not kept] or check_resize(self)
        if broken:
            message = "input rule: " + "; ".join(broken)
            raise ModelsError(message)

    @property
    def channels(self) -> int:
        """C: 1 for grey, 3 for RGB."""
        return 1 if self.color == "grey" else 3


def is_size(value: object) -> bool:
    """Tell whether ``value`` is two sides in pixels."""
    return (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(type(side) is int and 0 < side <= LARGEST_SIDE for side in value)
    )


def check_resize(rule: InputRule) -> list[str]:
    """Return what is wrong with ``rule.resize``; nothing if it is one of the three rules."""
    resize = rule.resize
    name = resize.get("rule")
    if name == "stretch" and set(resize) == {"rule"}:
        return []
    if name == "crop" and set(resize) == {"rule", "short_side"}:
        short = resize["short_side"]
        fits = type(short) is int and max(rule.size) <= short <= LARGEST_SIDE
        return [] if fits else [f"short_side {short!r} must be at least {max(rule.size)} pixels"]
    if name == "fit" and set(resize) == {"rule", "box"}:
        box = resize["box"]
        fits = is_size(box) and box[0] <= rule.size[0] and box[1] <= rule.size[1]
        return [] if fits else [f"box {box!r} must be two sides within {rule.size}"]
    return [f"resize {resize!r} is none of stretch, crop with short_side, fit with box"]


def rule_as_dict(rule: InputRule) -> dict[str, Any]:
    """Return the rule as the JSON that checkpoints and exported files carry."""
    values = asdict(rule)
    return values | {"size": list(rule.size), "dtype": "uint8", "layout": "NHWC"}


def rule_from_dict(values: dict[str, Any]) -> InputRule:
    """Read what :func:`rule_as_dict` wrote.

    Raises:
        ModelsError: a key is missing or unknown, or a value is not allowed.
    """
    fields = dict(values)
    dtype, layout = fields.pop("dtype", "uint8"), fields.pop("layout", "NHWC")
    try:
        rule = InputRule(**{**fields, "size": tuple(fields["size"])})
    except (KeyError, TypeError, AttributeError) as error:
        message = f"input rule {values!r} is not one of this version's: {error}"
        raise ModelsError(message) from None
    if (dtype, layout) != ("uint8", "NHWC"):
        message = f"input rule: {dtype} {layout} must be uint8 NHWC"
        raise ModelsError(message)
    return rule


def prepare(picture: Image.Image, rule: InputRule) -> Pixels:
    """Return the picture as the network takes it, uint8 ``[H, W, C]``.

    Raises:
        DataError: its samples cannot be brought to 8 bits.
    """
    return as_pixels(resize(normalize(picture, rule), rule))


def normalize(picture: Image.Image, rule: InputRule) -> Image.Image:
    """Return the picture upright, opaque, in the rule's colours, inverted where the rule says.

    Raises:
        DataError: its samples cannot be brought to 8 bits.
    """
    behind = rule.background if rule.invert == "never" else 255 - rule.background
    opaque = flatten(turn_upright(picture), behind)
    colored = opaque.convert("L" if rule.color == "grey" else "RGB")
    if rule.invert == "always" or (rule.invert == "auto" and has_light_border(colored)):
        return ImageOps.invert(colored)
    return colored


def turn_upright(picture: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; damaged metadata must not cost the picture."""
    picture.load()
    try:
        return ImageOps.exif_transpose(picture)
    except METADATA_ERRORS:
        return picture


def has_light_border(picture: Image.Image) -> bool:
    """Tell whether the outermost pixels, each counted once, have a mean above 127."""
    pixels = np.atleast_3d(np.asarray(picture)).astype(np.int64)
    inner = pixels[1:-1, 1:-1]
    total, count = pixels.sum() - inner.sum(), pixels.size - inner.size
    return bool(total > 127 * count)


def resize(picture: Image.Image, rule: InputRule) -> Image.Image:
    """Resize a normalised picture to exactly the rule's size."""
    height, width = rule.size
    method = INTERPOLATIONS[rule.interpolation]
    if rule.resize["rule"] == "stretch":
        return picture.resize((width, height), method)
    if rule.resize["rule"] == "crop":
        scaled = picture.resize(scale_short(picture.size, rule.resize["short_side"]), method)
        return crop_center(scaled, (width, height))
    box_h, box_w = rule.resize["box"]
    fitted = picture.resize(scale_into(picture.size, (box_w, box_h)), method)
    ground = Image.new(picture.mode, (width, height), (rule.background,) * rule.channels)
    ground.paste(fitted, ((width - fitted.width) // 2, (height - fitted.height) // 2))
    return ground


def scale_short(size: tuple[int, int], short: int) -> tuple[int, int]:
    """Return ``(width, height)`` with the shorter side at ``short``, the other rounded half up."""
    smaller = min(size)
    width, height = (max(short, (2 * side * short + smaller) // (2 * smaller)) for side in size)
    return width, height


def scale_into(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """Return ``(width, height)`` just inside ``box``; the looser side is rounded half up."""
    (width, height), (box_w, box_h) = size, box
    if width * box_h >= height * box_w:
        return box_w, max(1, (2 * height * box_w + width) // (2 * width))
    return max(1, (2 * width * box_h + height) // (2 * height)), box_h


def crop_center(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Cut the centre, ``size`` as (width, height); an odd rest is cut off behind."""
    left, top = ((has - wants) // 2 for has, wants in zip(picture.size, size, strict=True))
    return picture.crop((left, top, left + size[0], top + size[1]))


def as_pixels(picture: Image.Image) -> Pixels:
    """Return a grey or RGB picture as uint8 ``[H, W, C]``."""
    return np.atleast_3d(np.asarray(picture))
