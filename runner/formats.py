"""Picture files by suffix: what can be read from a folder and what can be written."""

from pathlib import Path

# suffix -> Pillow's name of the format; the first suffix of a format is its own
FORMATS: dict[str, str] = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".apng": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".heic": "HEIF",
    ".heif": "HEIF",
    ".avif": "AVIF",
}
ANIMATED = frozenset({"GIF", "WEBP", "PNG"})
CHOICES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}  # of --format, besides "same"


def has_picture_suffix(path: Path) -> bool:
    """Tell whether ``path`` is called like a picture."""
    return path.suffix.lower() in FORMATS


def name_format(path: Path) -> str:
    """Return Pillow's name of the format that ``path`` is called after.

    Raises:
        KeyError: it has no picture's suffix.
    """
    return FORMATS[path.suffix.lower()]


def choose_suffix(source: Path, choice: str) -> str:
    """Return the suffix of the picture painted from ``source`` under ``--format choice``."""
    if choice == "same":
        return source.suffix if has_picture_suffix(source) else ".png"
    suffix = CHOICES[choice]
    # photo.JPEG stays photo.JPEG when it becomes a JPEG
    same = has_picture_suffix(source) and name_format(source) == FORMATS[suffix]
    return source.suffix if same else suffix
