"""Counts and bytes as text, rounded from exact integers without floats."""

from typing import Literal, get_args

Unit = Literal["1", "K", "M", "G", "auto"]
UNITS: tuple[str, ...] = get_args(Unit)
SCALES = ("1", "K", "M", "G")


def divide_rounded(value: int, by: int, *, digits: int) -> str:
    """Return ``value/by`` with so many decimals, halves rounded up, in exact arithmetic."""
    scaled = (2 * value * 10**digits + by) // (2 * by)
    whole, rest = divmod(scaled, 10**digits)
    return f"{whole:,}.{rest:0{digits}}" if digits else f"{whole:,}"


def render_count(value: int, unit: Unit = "1") -> str:
    """Return ``1,234`` or, in thousands, millions, billions: ``1.23K``."""
    scale = choose_scale(value, unit, base=1000)
    if scale == 0:
        return f"{value:,}"
    return divide_rounded(value, 1000**scale, digits=2) + SCALES[scale]


def render_bytes(value: int, unit: Unit = "1") -> str:
    """Return ``1,234 B`` or, by powers of 1024: ``1.21 KiB``."""
    scale = choose_scale(value, unit, base=1024)
    if scale == 0:
        return f"{value:,} B"
    return f"{divide_rounded(value, 1024**scale, digits=2)} {SCALES[scale]}iB"


def choose_scale(value: int, unit: Unit, *, base: int) -> int:
    """Return the power of ``base``; for ``auto`` the largest that leaves at least 1."""
    if unit != "auto":
        return 0 if value == 0 else SCALES.index(unit)
    return max(i for i in range(len(SCALES)) if i == 0 or value >= base**i)


def render_share(part: int, whole: int) -> str:
    """Return ``12.3%``; a dash of nothing."""
    return f"{divide_rounded(100 * part, whole, digits=1)}%" if whole else "-"
