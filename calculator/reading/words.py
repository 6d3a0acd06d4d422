"""The vocabulary of the one-line grammar: what each word builds and what may follow it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from calculator.layers.base import Layer
from calculator.layers.convolutions import Conv, DepthwiseConv, TransposedConv
from calculator.layers.dense import Dense, Flatten, RadialUnits
from calculator.layers.joins import Add, Concat
from calculator.layers.pointwise import (
    ACTIVATIONS,
    Activation,
    BatchNorm,
    Dropout,
    InstanceNorm,
    LocalResponseNorm,
)
from calculator.layers.pools import AdaptivePool, GlobalPool, Pool, Subsample
from calculator.layers.resizing import Crop, Pad, PixelShuffle, Upsample
from calculator.layers.shapes import Borders, Sides

DIGITS = "[0-9]{1,9}"
SIDES = re.compile(rf"{DIGITS}(x{DIGITS}){{0,2}}")
BORDERS = re.compile(rf"{DIGITS}(:{DIGITS})?(x{DIGITS}(:{DIGITS})?){{0,2}}")
FILTERS = re.compile(rf"({DIGITS})@({SIDES.pattern})")
SHAPE = re.compile(rf"{DIGITS}(x{DIGITS}){{0,3}}")

Settings = dict[str, object]
Reader = Callable[[str], Settings | None]  # None: the text is not of this form


def read_sides(text: str, *, least: int = 1) -> Sides | None:
    """Read ``3`` or ``3x3``; None for anything else and for values under ``least``."""
    if not SIDES.fullmatch(text):
        return None
    sides = tuple(int(side) for side in text.split("x"))
    return sides if min(sides) >= least else None


def read_borders(text: str) -> Borders | None:
    """Read ``2``, ``1x2``, or ``0:1x0:1`` with before and after of each axis."""
    if not BORDERS.fullmatch(text):
        return None
    pairs = [side.split(":") for side in text.split("x")]
    return tuple((int(pair[0]), int(pair[-1])) for pair in pairs)


def read_count(text: str) -> int | None:
    """Read one number of at least 1."""
    sides = read_sides(text)
    return sides[0] if sides is not None and len(sides) == 1 else None


def setting(name: str, read: Callable[[str], object]) -> Reader:
    """Return a reader that stores what ``read`` returns under ``name``."""

    def read_setting(text: str) -> Settings | None:
        value = read(text)
        return None if value is None else {name: value}

    return read_setting


def read_filters(text: str) -> Settings | None:
    """Read ``96@11x11``."""
    match = FILTERS.fullmatch(text)
    if match is None:
        return None
    filters, kernel = read_count(match[1]), read_sides(match[2])
    return None if filters is None or kernel is None else {"filters": filters, "kernel": kernel}


def read_rate(text: str) -> Settings | None:
    """Read a dropout rate from 0 to 1, which changes no number of the table."""
    return {} if re.fullmatch(r"0|0?\.[0-9]{1,9}|1(\.0{1,9})?", text) else None


def read_extra(text: str) -> Sides | None:
    """Read output padding, which may be 0."""
    return read_sides(text, least=0)


@dataclass(frozen=True)
class Word:
    """One word of the grammar.

    Args:
        build: makes the layer from the settings.
        example: a correct use.
        positional: reads the value that follows the word; None if there is none.
        required: whether that value must be there.
        options: letter or word in front of a value, such as ``s`` in ``s4``, and its reader.
        flags: words that stand alone, and what they set.
    """

    build: Callable[..., Layer]
    example: str
    positional: Reader | None = None
    required: bool = True
    options: dict[str, Reader] = field(default_factory=dict)
    flags: dict[str, Settings] = field(default_factory=dict)

    def describe_options(self) -> str:
        """Return what may follow, as one line."""
        words = [f"{letter}..." for letter in self.options] + list(self.flags)
        return f"{', '.join(words)}; for example: {self.example}" if words else self.example


STRIDE = setting("stride", read_sides)
PADDING = setting("padding", read_borders)
DILATION = setting("dilation", read_sides)
GROUPS = setting("groups", read_count)
KERNEL = setting("kernel", read_sides)
INPUTS: dict[str, Reader] = {"in": setting("inputs", read_count)}  # only a check
SLIDING: dict[str, Reader] = {"s": STRIDE, "p": PADDING, "d": DILATION}
EDGES: dict[str, Settings] = {"same": {"padding": "same"}, "valid": {"padding": ((0, 0),)}}
BIAS: dict[str, Settings] = {"bias": {"bias": True}, "nobias": {"bias": False}}
AFFINE: dict[str, Settings] = {"affine": {"affine": True}, "noaffine": {"affine": False}}
CEIL: dict[str, Settings] = {"ceil": {"ceil": True}, "floor": {"ceil": False}}
FILL: dict[str, Settings] = {mode: {"mode": mode} for mode in ("zeros", "reflect", "edge")}


def make_pool_words() -> dict[str, Word]:
    """Return the words for maximum and mean."""
    words = {}
    for mode in ("max", "avg"):
        fixed: Settings = {"mode": mode}
        options = {**SLIDING} if mode == "max" else {"s": STRIDE, "p": PADDING}
        words[f"{mode}pool"] = Word(
            bind(Pool, fixed),
            f"{mode}pool 3x3 s2",
            KERNEL,
            options=options,
            flags={**EDGES, **CEIL},
        )
        words[f"global{mode}pool"] = Word(bind(GlobalPool, fixed), f"global{mode}pool")
        words[f"adaptive{mode}pool"] = Word(
            bind(AdaptivePool, fixed), f"adaptive{mode}pool 6x6", setting("size", read_sides)
        )
    return words


def bind(build: Callable[..., Layer], fixed: Settings) -> Callable[..., Layer]:
    """Return ``build`` with some settings already given."""

    def build_bound(**settings: object) -> Layer:
        return build(**fixed, **settings)

    return build_bound


JOINS: dict[str, Callable[[], Layer]] = {"add": Add, "concat": Concat}
WORDS: dict[str, Word] = {
    "conv": Word(
        Conv,
        "conv 96@11x11 s4 p2",
        read_filters,
        options={**SLIDING, "g": GROUPS, "links": setting("links", read_count), **INPUTS},
        flags={**EDGES, **BIAS},
    ),
    "tconv": Word(
        TransposedConv,
        "tconv 64@3x3 s2 p1 o1",
        read_filters,
        options={**SLIDING, "g": GROUPS, "o": setting("output_padding", read_extra), **INPUTS},
        flags={**EDGES, **BIAS},
    ),
    "dwconv": Word(
        DepthwiseConv,
        "dwconv 3x3 p1 m2",
        KERNEL,
        options={**SLIDING, "m": setting("multiplier", read_count)},
        flags={**EDGES, **BIAS},
    ),
    **make_pool_words(),
    "subsample": Word(Subsample, "subsample 2x2", KERNEL),
    "batchnorm": Word(BatchNorm, "batchnorm", options=INPUTS, flags=AFFINE),
    "instancenorm": Word(InstanceNorm, "instancenorm", flags=AFFINE),
    "lrn": Word(LocalResponseNorm, "lrn 5", setting("size", read_count), required=False),
    **{name: Word(bind(Activation, {"function": name}), name) for name in ACTIVATIONS},
    "dropout": Word(Dropout, "dropout 0.5", read_rate, required=False),
    "upsample": Word(Upsample, "upsample 2", setting("factor", read_count)),
    "pixelshuffle": Word(PixelShuffle, "pixelshuffle 2", setting("factor", read_count)),
    "pad": Word(Pad, "pad 3 reflect", PADDING, flags=FILL),
    "crop": Word(Crop, "crop 3", PADDING),
    "flatten": Word(Flatten, "flatten"),
    "fc": Word(Dense, "fc 4096", setting("units", read_count), options=INPUTS, flags=BIAS),
    "rbf": Word(RadialUnits, "rbf 10", setting("units", read_count)),
}
ALIASES = {
    "pool": "maxpool",
    "bn": "batchnorm",
    "in": "instancenorm",
    "shuffle": "pixelshuffle",
    "dense": "fc",
    "linear": "fc",
}
EVERY_WORD = (*WORDS, *ALIASES)
