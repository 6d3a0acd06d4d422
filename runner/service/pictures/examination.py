"""What a picture is before it is decoded: its format, its size, how many frames it has."""

from dataclasses import dataclass

from PIL import Image

from runner.formats import ANIMATED, FORMATS
from runner.images import open_picture
from runner.service.errors import BadRequest, TooLarge

# Pillow opens many more, some of them by starting other programs. MPO is JPEG with previews.
TAKEN = frozenset(FORMATS.values()) | {"MPO"}
COUNTED_BY_READING = frozenset({"GIF", "TIFF"})  # all others state the number in their header
MOST_FRAMES = 500
PIXEL_BYTES = 8  # RGB and a mask, of the photo and of the painting


@dataclass(frozen=True)
class Examined:
    """What the header says.

    Attributes:
        width: in pixels, as stored.
        height: the same.
        frames: that will be decoded; 1 for all but animations.
    """

    width: int
    height: int
    frames: int = 1

    @property
    def pixels(self) -> int:
        """Of all frames."""
        return self.width * self.height * self.frames

    def estimate_bytes(self, long_side: int | None) -> int:
        """Return what the picture and its painting will take in memory, at most.

        What decoding takes beside it is bounded by the number of threads that decode.

        Args:
            long_side: to which it will be reduced.
        """
        scale = 1.0 if long_side is None else min(1.0, long_side / max(self.width, self.height, 1))
        return int(PIXEL_BYTES * self.pixels * scale * scale)


def examine(data: bytes, most_pixels: int, *, still: bool) -> Examined:
    """Read the header of a picture file, and nothing of its pixels.

    Args:
        data: the file.
        most_pixels: of all frames.
        still: of an animation only the first frame will be decoded.

    Raises:
        PictureError: the bytes are no picture, or its header is damaged.
        BadRequest: its format is not taken, or it has too many frames.
        TooLarge: it has too many pixels.
    """
    with open_picture(data) as image:
        if image.format not in TAKEN:
            listed = ", ".join(sorted(TAKEN - {"MPO"}))
            message = f"picture: format {image.format} is not taken; send one of {listed}"
            raise BadRequest(message)
        found = Examined(*image.size)
        check_pixels(found, most_pixels)
        if not still:
            found = Examined(*image.size, count_frames(image, most_pixels))
            check_pixels(found, most_pixels)
        return found


def count_frames(image: Image.Image, most_pixels: int) -> int:
    """Return how many frames of a picture will be decoded.

    Pillow reads all of a GIF or TIFF file to count them, which takes minutes where a hostile file
    has millions. So it is first asked for the one that would be too many.

    Raises:
        BadRequest: they are too many.
    """
    most = max(1, min(MOST_FRAMES, most_pixels // max(1, image.width * image.height)))
    if image.format in COUNTED_BY_READING and getattr(image, "is_animated", False):
        try:
            image.seek(most)
        except EOFError:
            image.seek(0)
        else:
            raise refuse_frames(most)
    count = int(getattr(image, "n_frames", 1))
    if count > MOST_FRAMES:
        raise refuse_frames(MOST_FRAMES)
    return count if image.format in ANIMATED else 1


def refuse_frames(most: int) -> BadRequest:
    """Return the error about an animation that is too long."""
    return BadRequest(
        f"picture: more than {most} frames or pages, the most that is taken of this size; send "
        "fewer, or one of them"
    )


def check_pixels(examined: Examined, most_pixels: int) -> None:
    """Stop where a picture is too large.

    Raises:
        TooLarge: it is.
    """
    if examined.pixels > most_pixels:
        frames = f" in {examined.frames} frames" if examined.frames > 1 else ""
        message = (
            f"picture: {examined.width}x{examined.height} px{frames} are {examined.pixels} "
            f"pixels; {most_pixels} are taken: send a smaller picture"
        )
        raise TooLarge(message)
