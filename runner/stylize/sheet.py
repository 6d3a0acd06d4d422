"""Contact sheets: one photo in every style, for the eye."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from runner.encoding import encode
from runner.errors import OutputError, PictureError
from runner.files import publish, write_atomically
from runner.formats import has_picture_suffix, name_format
from runner.images import Picture, from_image, join, read
from runner.stylize.painter import Painter

TILE_SIDE = 480  # long side of a tile in pixels
GAP = 12
CAPTION = 34
INK, PAPER = (34, 34, 34), (250, 249, 246)


def render_sheet(painter: Painter, picture: Picture) -> Image.Image:
    """Paint ``picture`` in every style and lay the results out with their names.

    Args:
        painter: an open ``stylize`` file.
        picture: its first frame is used, at full size.

    Raises:
        PictureError: it is smaller than the network needs.
    """
    painter.check(picture)
    photo = picture.frames[0]
    tiles = [("photo", _shrink(join(photo, None)))]
    for style in painter.card.styles:
        painted = painter.paint([photo], painter.choose(style.name))[0]
        about = ", ".join(str(part) for part in (style.artist, style.year) if part)
        tiles.append((f"{style.name}  {about}", _shrink(join(painted, None))))
    return arrange(tiles)


def arrange(tiles: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Lay captioned tiles of one size out in a grid about twice as wide as high."""
    width, height = tiles[0][1].size
    columns = max(1, round(np.sqrt(len(tiles) * height / width * 2.2)))
    rows = -(-len(tiles) // columns)
    step = (width + GAP, height + GAP + CAPTION)
    sheet = Image.new("RGB", (columns * step[0] + GAP, rows * step[1] + GAP), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=18)
    for place, (caption, tile) in enumerate(tiles):
        left = GAP + place % columns * step[0]
        top = GAP + place // columns * step[1]
        sheet.paste(tile, (left, top))
        draw.text((left + 2, top + height + 6), _fit(caption, width, font), INK, font)
    return sheet


def _shrink(image: Image.Image) -> Image.Image:
    image.thumbnail((TILE_SIDE, TILE_SIDE), Image.Resampling.LANCZOS)
    return image


def _fit(caption: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Cut a caption that is wider than its tile."""
    while len(caption) > 3 and font.getlength(caption) > width:
        caption = caption[:-2].rstrip() + "…"
    return caption


def write_sheet(painter: Painter, photo: Path, output: Path, *, overwrite: bool = False) -> None:
    """Render the sheet of one photo file into a picture file.

    Raises:
        PictureError: the photo cannot be read, or the sheet cannot be encoded.
        OutputError: ``output`` has no picture's suffix, exists, is the photo itself, or
            cannot be written.
    """
    if not has_picture_suffix(output):
        message = f"{output}: its suffix names no picture format; use .png or .jpg"
        raise OutputError(message)
    if output.exists() and photo.exists() and output.samefile(photo):
        message = f"{output}: the sheet would overwrite its own photo; choose another output"
        raise OutputError(message)
    if output.exists() and not overwrite:
        message = f"{output} exists; pass --overwrite to replace it"
        raise OutputError(message)
    picture = read(photo)
    try:
        sheet = render_sheet(painter, picture)
    except PictureError as error:
        message = f"{photo}: {error.message}"
        raise PictureError(message) from None
    data, _ = encode(from_image(sheet), name_format(output))
    write_atomically(output, data)
    publish(output)
