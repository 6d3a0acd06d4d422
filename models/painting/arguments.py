"""What the words of ``impasto paint`` mean: layers with shares, paintings with shares, sizes.

Nothing here needs PyTorch, so that wrong usage is answered at once.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import click

from models.errors import ModelsError, list_nearest

# models.style.perceptual says the same, and a test compares them.
LAYERS: tuple[str, ...] = tuple(
    f"relu{block}_{i}"
    for block, count in enumerate((2, 2, 3, 3, 3), start=1)
    for i in range(1, count + 1)
)
SIZES = (32, 4096)  # pixels of the long side
MOST_STAGES = 8
FIRST_STEPS, LATER_STEPS = 150, 75
MOST_STEPS = 100_000
SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
ANIMATED = {".webp": "WEBP", ".gif": "GIF"}

Shares = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Stage:
    """One size of the picture: its long side in pixels, and the steps taken at it."""

    size: int
    steps: int


def read_layers(text: str) -> Shares:
    """Read ``relu1_1=0.5,relu2_1``; a layer without a share counts 1.

    Raises:
        click.BadParameter: a layer is unknown or stands twice, or a share is no positive number.
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        layer, _, share = (word.strip() for word in part.partition("="))
        if layer not in LAYERS:
            message = f"layer {layer!r} is unknown; VGG-16 has {list_nearest(layer, LAYERS)}"
            raise click.BadParameter(message)
        if layer in shares:
            message = f"layer {layer!r} stands twice in {text!r}; give each one share"
            raise click.BadParameter(message)
        shares[layer] = read_share(share or "1", layer)
    return tuple(shares.items())


def read_painting(text: str) -> tuple[Path, float]:
    """Read ``FILE`` or ``FILE:0.7``; a file of exactly that name goes first.

    Raises:
        click.BadParameter: the share is no positive number.
    """
    name, colon, share = text.rpartition(":")
    if not colon or not is_number(share) or Path(text).exists():
        return Path(text), 1.0
    return Path(name), read_share(share, name)


def read_share(text: str, subject: str) -> float:
    """Read a positive, finite number.

    Raises:
        click.BadParameter: it is none.
    """
    number = float(text) if is_number(text) else math.nan
    if not (math.isfinite(number) and number > 0):
        message = f"{subject}: the share {text!r} must be a positive number, such as 0.5"
        raise click.BadParameter(message)
    return number


def is_number(text: str) -> bool:
    """Tell whether ``text`` is a number as Python reads them."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def plan_stages(sizes: str, steps: str | None) -> tuple[Stage, ...]:
    """Read ``128,256`` and ``300,100``, one number of steps for all sizes, or None.

    Args:
        sizes: long sides in pixels, growing.
        steps: of each size; None takes ``FIRST_STEPS``, then ``LATER_STEPS`` each.

    Raises:
        click.UsageError: not whole numbers in range, sizes that do not grow, too many of them,
            or neither one number of steps nor one for each size.
    """
    sides = _read_numbers("--sizes", sizes, *SIZES)
    usual = ",".join([str(FIRST_STEPS), *[str(LATER_STEPS)] * (len(sides) - 1)])
    counts = _read_numbers("--steps", steps or usual, 1, MOST_STEPS)
    if sides != sorted(set(sides)):
        message = f"--sizes {sizes}: each must be larger than the one before, such as 128,256,512"
        raise click.UsageError(message)
    if len(counts) not in {1, len(sides)}:
        message = (
            f"--steps {steps}: {len(counts)} numbers for {len(sides)} sizes; give one for all "
            "sizes, or one for each"
        )
        raise click.UsageError(message)
    counts = counts if len(counts) == len(sides) else counts * len(sides)
    return tuple(Stage(size, count) for size, count in zip(sides, counts, strict=True))


def _read_numbers(option: str, text: str, low: int, high: int) -> list[int]:
    words = text.split(",")
    if len(words) > MOST_STAGES:
        message = f"{option}: {len(words)} numbers; at most {MOST_STAGES} can be given"
        raise click.UsageError(message)
    # isdecimal and the length keep int() from odd digits and from long work
    numbers = [int(word) for word in map(str.strip, words) if word.isdecimal() and len(word) < 9]
    if len(numbers) < len(words) or not all(low <= number <= high for number in numbers):
        message = f"{option} {text[:60]!r}: must be whole numbers from {low} to {high}, with commas"
        raise click.UsageError(message)
    return numbers


def check_outputs(output: Path, frames: Path | None) -> None:
    """Refuse kinds of files that cannot be written.

    Raises:
        click.UsageError: a suffix that is no picture's or no animation's, or a folder.
    """
    _check_suffix(output, SUFFIXES, "the picture")
    if frames is not None:
        _check_suffix(frames, ANIMATED, "an animation")


def check_collisions(read: list[Path], written: list[Path]) -> None:
    """Refuse to write over an input, or two results into one file.

    Raises:
        click.UsageError: two of the files are one.
    """
    taken = [path.resolve() for path in read]
    for path in written:
        if path.resolve() in taken:
            message = f"{path}: is an input or another output too; choose another name"
            raise click.UsageError(message)
        taken.append(path.resolve())


def check_existing(written: list[Path], state: Path, *, overwrite: bool, resume: bool) -> None:
    """Refuse to destroy what exists, unless the user said so.

    Args:
        written: results; when there is a state, they may be its unfinished ones.
        state: where an unfinished painting waits.
        overwrite: the user allows it.
        resume: the user wants to go on.

    Raises:
        ModelsError: a result exists, or an unfinished painting does.
    """
    if state.exists() and not (resume or overwrite):
        message = (
            f"{state}: holds an unfinished painting; pass --resume to go on with it, "
            "or --overwrite to begin again"
        )
        raise ModelsError(message)
    for path in written:
        if path.exists() and not (overwrite or state.exists()):
            message = f"{path}: exists; pass --overwrite to replace it, or another name"
            raise ModelsError(message)


def _check_suffix(path: Path, known: dict[str, str], what: str) -> None:
    if path.suffix.lower() not in known:
        message = (
            f"{path}: {what} can be {', '.join(known)}, not {path.suffix or 'without suffix'!r}"
        )
        raise click.UsageError(message)
    if path.is_dir():
        message = f"{path}: is a folder; give the name of a file"
        raise click.UsageError(message)
