"""What is done to a picture beside its inference, all of it in threads."""

from dataclasses import dataclass

from PIL import Image

from runner.classify.decoding import prepare_bytes
from runner.classify.predictions import check_top, name_predictions, rank
from runner.classify.rules import InputRule
from runner.encoding import encode
from runner.errors import PictureError
from runner.images import Picture, Pixels, decode
from runner.service.engine.tensors import Array
from runner.service.errors import BadRequest, ServiceError, TooLarge
from runner.service.pictures.options import MEDIA_TYPES, Painting
from runner.stylize.painter import finish


@dataclass(frozen=True)
class Encoded:
    """A painting as a file.

    Attributes:
        data: its bytes.
        media_type: such as ``image/jpeg``.
        remarks: what the format could not keep, one sentence each.
    """

    data: bytes
    media_type: str
    remarks: tuple[str, ...]


def refuse_picture(error: PictureError) -> ServiceError:
    """Return a picture's error as the service's."""
    message = f"picture: {error.message}"
    # Pillow has a bound of its own, beyond which it does not even tell the size.
    bomb = isinstance(error.__context__, Image.DecompressionBombError)
    return TooLarge(message) if bomb else BadRequest(message)


def decode_photo(data: bytes, long_side: int | None, minimum_side: int) -> Picture:
    """Decode a picture that was examined.

    Args:
        data: the file.
        long_side: reduce larger pictures to this many pixels on their longer side.
        minimum_side: that the network needs.

    Raises:
        BadRequest: it is damaged, or too small for the network.
    """
    try:
        picture = decode(data, long_side)
    except PictureError as error:
        raise refuse_picture(error) from None
    height, width = picture.size
    if min(height, width) < minimum_side:
        message = (
            f"picture: {width}x{height} px is smaller than the {minimum_side} px this network "
            "needs on each side; send a larger picture (or a larger size)"
        )
        raise BadRequest(message)
    return picture


def encode_painting(picture: Picture, painted: list[Pixels], painting: Painting) -> Encoded:
    """Finish and encode what the network made of a picture's frames.

    Raises:
        BadRequest: the format cannot hold the picture.
    """
    frames = tuple(
        finish(photo, result, painting.effect)
        for photo, result in zip(picture.frames, painted, strict=True)
    )
    format_name = painting.choose_format(picture.format)
    try:
        data, remarks = encode(picture.with_frames(frames), format_name, painting.quality)
    except PictureError as error:
        raise refuse_picture(error) from None
    return Encoded(data, MEDIA_TYPES[format_name], picture.remarks + remarks)


def prepare_photo(data: bytes, rule: InputRule) -> Pixels:
    """Return a picture as a classifier takes it; uint8 ``[H, W, C]``.

    Raises:
        BadRequest: it is damaged, or its sides differ too much.
    """
    try:
        return prepare_bytes(data, rule)
    except PictureError as error:
        raise refuse_picture(error) from None


def choose_top(top: int | None, classes: int) -> int:
    """Return how many classes to tell.

    Raises:
        BadRequest: there are not so many.
    """
    try:
        return check_top(top, classes)
    except ValueError as error:
        message = f"parameter {error}"
        raise BadRequest(message) from None


def list_predictions(
    probabilities: Array, labels: tuple[str, ...], top: int
) -> list[dict[str, object]]:
    """Return the most probable classes as ``impasto classify --format json`` does.

    Args:
        probabilities: float32 ``[1, K]``.
        labels: of the K classes.
        top: how many.
    """
    (ranking,) = rank(probabilities, top)
    return [
        {
            "index": prediction.index,
            "label": prediction.label,
            "probability": float(f"{prediction.probability:.6g}"),
        }
        for prediction in name_predictions(ranking, labels)
    ]
