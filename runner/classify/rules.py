"""How a picture becomes what a classifier takes: the rules that its file states.

The file may come from anywhere, so every value is checked and bounded before it is used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LARGEST_SIDE = 4096  # of an input or of what is cut from, in pixels
COLORS = {"grey": 1, "RGB": 3}
INTERPOLATIONS = ("bilinear", "bicubic", "lanczos", "nearest")
INVERSIONS = ("never", "always", "auto")
CONSTANTS = {"dtype": "uint8", "layout": "NHWC"}
NAMES = {"stretch": (), "crop": ("short_side",), "fit": ("box",)}


@dataclass(frozen=True)
class InputRule:
    """How a picture becomes uint8 ``[H, W, C]``.

    Attributes:
        size: ``(H, W)`` of the network's input.
        color: ``grey`` (Pillow's ``L``, ITU-R BT.601) or ``RGB``.
        resize: ``stretch`` (to the size, whatever the aspect), ``crop`` (the shorter side to
            ``short_side``, then the centre) or ``fit`` (just into ``box``, centred on
            ``background``).
        short_side: of ``crop``, in pixels; else 0.
        box: of ``fit``, ``(height, width)``; else the size.
        interpolation: one of :data:`INTERPOLATIONS`.
        invert: ``never``, ``always``, or ``auto``: where the outermost pixels are light.
        background: grey value around a fitted picture and, after inversion, behind
            transparency, 0 to 255.
    """

    size: tuple[int, int]
    color: str = "RGB"
    resize: str = "stretch"
    short_side: int = 0
    box: tuple[int, int] = (0, 0)
    interpolation: str = "bilinear"
    invert: str = "never"
    background: int = 0

    @property
    def channels(self) -> int:
        """C: 1 for grey, 3 for RGB."""
        return COLORS[self.color]

    @property
    def input_bytes(self) -> int:
        """Bytes of one prepared picture."""
        return self.size[0] * self.size[1] * self.channels

    def describe(self) -> str:
        """Return the rule as one line of words."""
        height, width = self.size
        ways = {
            "stretch": "stretched to that size",
            "crop": f"shorter side to {self.short_side}, centre cut out",
            "fit": f"fitted into {self.box[0]}x{self.box[1]} on background {self.background}",
        }
        inversions = {
            "never": "",
            "always": ", inverted",
            "auto": ", inverted where the border is light",
        }
        way = ways[self.resize] + inversions[self.invert]
        return f"{height}x{width} {self.color}, {way}, {self.interpolation}"


def read_rule(values: Any) -> InputRule:  # noqa: ANN401 - any JSON value
    """Read the entry ``impasto.input`` of a ``classify`` file.

    Raises:
        ValueError: a value is missing or not allowed; the message names it.
    """
    if not isinstance(values, dict):
        message = f"impasto.input is {shorten(values)}, not an object"
        raise ValueError(message)  # noqa: TRY004 - whatever is wrong with a file is one error
    for key, constant in CONSTANTS.items():
        take(values, key, constant, (constant,).__contains__, constant)
    height, width = take(values, "size", None, is_size, f"two sides of 1 to {LARGEST_SIDE}")
    size = (height, width)
    color = take(values, "color", "RGB", tuple(COLORS).__contains__, "grey or RGB")
    return InputRule(
        size=size,
        color=color,
        interpolation=take(
            values,
            "interpolation",
            "bilinear",
            INTERPOLATIONS.__contains__,
            " or ".join(INTERPOLATIONS),
        ),
        invert=take(values, "invert", "never", INVERSIONS.__contains__, " or ".join(INVERSIONS)),
        background=take(values, "background", 0, is_level, "0 to 255"),
        **read_resize(values.get("resize"), size),
    )


def read_resize(values: Any, size: tuple[int, int]) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Read the entry ``resize`` of an input rule as fields of :class:`InputRule`.

    Raises:
        ValueError: it is none of the three rules.
    """
    name = values.get("rule") if isinstance(values, dict) else None
    if not isinstance(name, str) or name not in NAMES:
        message = f"its resize rule {shorten(values)} is none of {', '.join(NAMES)}"
        raise ValueError(message)
    fields: dict[str, Any] = {"resize": name, "box": size}
    if name == "crop":
        least = max(size)
        fields["short_side"] = take(
            values,
            "short_side",
            None,
            lambda side: is_side(side) and side >= least,
            f"{least} to {LARGEST_SIDE}",
        )
    if name == "fit":
        box = take(
            values,
            "box",
            None,
            lambda box: is_size(box) and box[0] <= size[0] and box[1] <= size[1],
            f"two sides within {size[0]}x{size[1]}",
        )
        fields["box"] = (box[0], box[1])
    return fields


def take(
    values: dict[str, Any],
    key: str,
    default: Any,  # noqa: ANN401 - any JSON value
    allows: Callable[[Any], bool],
    constraint: str,
) -> Any:  # noqa: ANN401
    """Return ``values[key]``, or the default where there is none.

    Raises:
        ValueError: ``allows`` refuses it.
    """
    value = values.get(key, default)
    if not allows(value):
        message = f"its input {key} {shorten(value)} must be {constraint}"
        raise ValueError(message)
    return value


def is_side(value: object) -> bool:
    """Tell whether ``value`` is a side in pixels; True and False are none."""
    return type(value) is int and 0 < value <= LARGEST_SIDE


def is_size(value: object) -> bool:
    """Tell whether ``value`` is a list of two sides in pixels."""
    return isinstance(value, list) and len(value) == 2 and all(is_side(side) for side in value)


def is_level(value: object) -> bool:
    """Tell whether ``value`` is a grey value."""
    return type(value) is int and 0 <= value <= 255


def shorten(value: object) -> str:
    """Return a foreign value for a message, never a page of it."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
