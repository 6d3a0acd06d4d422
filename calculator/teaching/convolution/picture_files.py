"""Pictures from files and into files; Pillow and NumPy are imported when one is opened."""

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calculator.errors import CalculatorError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    Planes = tuple[NDArray[np.uint8], ...]

MOST_PIXELS = 50_000_000
FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
SAVED: dict[str, dict[str, int]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": 1},
}


def check_output(path: Path, source: Path) -> str:
    """Return the format of an output file.

    Args:
        path: where the picture is to be written.
        source: the picture that is read.

    Raises:
        CalculatorError: the format is unknown, there is no such folder, or the path is a
            folder or the source itself.
    """
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        message = f"{path}: files of type {path.suffix!r} are not written; use {', '.join(FORMATS)}"
        raise CalculatorError(message)
    try:
        if not path.parent.is_dir():
            message = f"{path}: there is no folder {path.parent}; make it first"
            raise CalculatorError(message)
        if path.is_dir():
            message = f"{path} is a folder; give the name of a file"
            raise CalculatorError(message)
        if is_file(source) and path.exists() and path.samefile(source):
            message = f"{path} is the input itself; give another name with -o"
            raise CalculatorError(message)
    except (OSError, ValueError) as error:
        message = f"{str(path)!r:.200}: no name of a file ({error}); give another with -o"
        raise CalculatorError(message) from None
    return form


def is_file(path: Path) -> bool:
    """Return whether there is such a file; False for what can be no name of one."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_planes(path: Path, *, color: bool) -> "Planes":
    """Read a picture upright, as EXIF says, without transparency.

    Args:
        path: any format that Pillow reads; of several frames the first.
        color: three planes, red, green, blue; otherwise one, the luminance
            ``0.299 R + 0.587 G + 0.114 B`` of ITU-R BT.601.

    Returns:
        One or three planes, uint8 ``[H, W]``.

    Raises:
        CalculatorError: the file is missing, no picture, damaged, or larger than 50
            megapixels.
    """
    import numpy as np  # noqa: PLC0415 - only for pictures
    from PIL import ImageOps  # noqa: PLC0415

    with open_picture(path) as image:
        upright = ImageOps.exif_transpose(image)
        plain = flatten(upright).convert("RGB" if color else "L")
        values = np.asarray(plain)
    if not color:
        return (values,)
    return tuple(np.ascontiguousarray(values[:, :, i]) for i in range(3))


@contextmanager
def open_picture(path: Path) -> "Iterator[Image.Image]":
    """Open a picture whose size is bounded; what its decoder raises becomes one error.

    Raises:
        CalculatorError: as :func:`read_planes`.
    """
    import struct  # noqa: PLC0415 - only for pictures
    import warnings  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    # decoders raise nearly anything for damaged files
    damage = (
        *(OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError),
        *(OverflowError, MemoryError, struct.error, zlib.error),
    )
    if not is_file(path):
        raise CalculatorError(describe_missing(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
        with image:
            check_pixels(path, image)
            yield image
    except UnidentifiedImageError:
        message = f"{path}: no picture in a format that is read; give for example a JPEG or PNG"
        raise CalculatorError(message) from None
    except Image.DecompressionBombError as error:
        message = f"{path}: too large ({error}); reduce it with another program first"
        raise CalculatorError(message) from None
    except damage as error:
        message = f"{str(path)!r:.200}: cannot be read ({error}); give a whole picture"
        raise CalculatorError(message) from None


def describe_missing(path: Path) -> str:
    """Return what to say where there is no such file; it may have been meant as a matrix."""
    return (
        f"{str(path)[:80]!r} is neither a file nor a matrix; give a picture, a .txt or .csv file, "
        "or numbers such as '3 0 1; 1 5 8; 2 7 2'"
    )


def check_pixels(path: Path, image: "Image.Image") -> None:
    """Refuse a picture that would take too much memory, or of which white is unknown.

    Raises:
        CalculatorError: it has more than 50 megapixels, or 32-bit integers or floats.
    """
    width, height = image.size
    if width * height > MOST_PIXELS:
        message = (
            f"{path}: {height}x{width} is {width * height:,} pixels, at most {MOST_PIXELS:,} are "
            "read; reduce it with another program first"
        )
        raise CalculatorError(message)
    if image.mode in ("I", "F"):
        message = f"{path}: 32 bits per value, of which white is unknown; save 8 or 16 bits"
        raise CalculatorError(message)


def flatten(image: "Image.Image") -> "Image.Image":
    """Return a picture of 8 bits per value, transparency laid on white."""
    from PIL import Image  # noqa: PLC0415 - only for pictures

    if image.mode.startswith("I;16"):
        return Image.fromarray(scale_down(image))
    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)


def scale_down(image: "Image.Image") -> "NDArray[np.uint8]":
    """Return 16-bit grey as 8-bit grey: white stays white."""
    import numpy as np  # noqa: PLC0415 - only for pictures

    return ((np.asarray(image).astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def write_planes(planes: "Planes", path: Path, *, form: str) -> None:
    """Write a picture under a temporary name in the same folder, then rename it.

    Args:
        planes: one plane of grey or three of colour, uint8 ``[H, W]``.
        path: where to.
        form: one of the values of ``FORMATS``.

    Raises:
        click.ClickException: the disk or the format refuses; nothing is left behind.
    """
    from io import BytesIO  # noqa: PLC0415 - only for pictures

    import numpy as np  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    values = planes[0] if len(planes) == 1 else np.stack(planes, axis=2)
    temporary, data = path.with_name(f".{path.name}.impasto-part"), BytesIO()
    try:
        Image.fromarray(values).save(data, form, **SAVED.get(form, {}))
        temporary.write_bytes(data.getvalue())
        temporary.replace(path)
    except (OSError, ValueError) as error:
        with suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)
        message = f"{path}: cannot be written ({error})"
        raise click.ClickException(message) from None
