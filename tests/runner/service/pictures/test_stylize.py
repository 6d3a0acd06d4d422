"""``POST /v1/stylize`` against a real server: the same paintings as from the command."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from runner.stylize import Painter
from runner.stylize.painter import finish
from tests.runner.service.http.conftest import Answer, RunningServer

MakePhoto = Callable[..., Image.Image]
ROTATED = 6  # EXIF: the top of the picture is at its right


def write(image: Image.Image, format_name: str = "PNG", **options: Any) -> bytes:  # noqa: ANN401
    """Return a picture as the bytes of a file."""
    target = io.BytesIO()
    image.save(target, format_name, **options)
    return target.getvalue()


def stylize(server: RunningServer, body: bytes, query: str = "", **headers: str) -> Answer:
    """Send a picture to be painted."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.ask("POST", f"/v1/stylize?{query}", body, named)


def read(answer: Answer) -> Image.Image:
    """Return the painting of an answer."""
    assert answer.status == 200, answer.body
    return Image.open(io.BytesIO(answer.body))


def paint(painter: Painter, photo: Image.Image, **options: Any) -> NDArray[np.int16]:  # noqa: ANN401
    """Return what the network makes of a photo without a server."""
    pixels = np.asarray(photo.convert("RGB"))
    effect = painter.choose(**options)
    return finish(pixels, painter.paint([pixels], effect)[0], effect).astype(np.int16)


def differ(answer: Answer, wanted: NDArray[np.int16]) -> int:
    """Return the largest difference of a painting from what it should be, in grey levels."""
    return int(abs(np.asarray(read(answer).convert("RGB")).astype(np.int16) - wanted).max())


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", {}),
        ("style=the_scream", {"style": "the_scream"}),
        ("style=udnie:0.7,the_scream:0.3", {"style": "udnie:0.7,the_scream:0.3"}),
        ("strength=0.4&keep_color=1", {"strength": 0.4, "keep_color": True}),
        ("strength=0", {"strength": 0.0}),
    ],
)
def test_paintings_are_those_of_the_command(
    query: str,
    options: dict[str, Any],
    server: RunningServer,
    painter: Painter,
    make_photo: MakePhoto,
) -> None:
    """Style, blend, strength and colour mean the same as on the command line."""
    photo = make_photo(96, 64)
    answer = stylize(server, write(photo), query)
    assert answer.headers["content-type"] == "image/png"
    assert "content-disposition" not in answer.headers
    assert differ(answer, paint(painter, photo, **options)) <= 1


def test_many_at_once_are_each_right(
    server: RunningServer, painter: Painter, make_photo: MakePhoto
) -> None:
    """Photos of one size and several styles that come together are not mixed up."""
    photos = [make_photo(64, 48, seed) for seed in range(24)]
    styles = [painter.names[number % len(painter.names)] for number in range(24)]

    def ask(photo: Image.Image, style: str) -> Answer:
        return stylize(server, write(photo), f"style={style}")

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(ask, photos, styles))
    for photo, style, answer in zip(photos, styles, answers, strict=True):
        assert differ(answer, paint(painter, photo, style=style)) <= 1


@pytest.mark.parametrize("kind", ["", "image/png", "application/x-www-form-urlencoded", "x"])
def test_the_body_is_the_file_whatever_its_type(
    kind: str, server: RunningServer, make_photo: MakePhoto
) -> None:
    """The Content-Type of a body that is no form is not looked at."""
    answer = stylize(server, write(make_photo()), Content_Type=kind)
    assert read(answer).size == make_photo().size


def test_a_form_is_its_file(server: RunningServer, make_photo: MakePhoto) -> None:
    """A form with one file gets the painting of the file."""
    data = write(make_photo())
    head = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'
    form = head + data + b"\r\n--b--\r\n"
    answer = stylize(server, form, Content_Type="multipart/form-data; boundary=b")
    assert answer.body == stylize(server, data).body


def test_orientation_and_profile_are_kept(server: RunningServer, make_photo: MakePhoto) -> None:
    """A photo that lies on its side is painted upright, and keeps its colour profile."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[274] = ROTATED
    data = write(make_photo(96, 64), "JPEG", exif=exif, icc_profile=profile)
    painted = read(stylize(server, data))
    assert painted.size == (64, 96)
    assert painted.getexif().get(274) is None
    assert painted.info["icc_profile"] == profile


def test_transparency_is_kept_or_missed(server: RunningServer, make_photo: MakePhoto) -> None:
    """PNG keeps transparency; JPEG cannot, and the answer says so."""
    photo = make_photo()
    mask = Image.linear_gradient("L").resize(photo.size)
    photo.putalpha(mask)
    kept = stylize(server, write(photo))
    assert read(kept).getchannel("A").tobytes() == mask.tobytes()
    assert "impasto-remarks" not in kept.headers
    flat = stylize(server, write(photo), "format=jpeg")
    assert read(flat).mode == "RGB"
    assert flat.headers["impasto-remarks"] == "JPEG has no transparency: flattened on white"


@pytest.mark.parametrize(
    ("source", "query", "wanted"),
    [
        ("PNG", "format=jpeg&quality=50", "JPEG"),
        ("JPEG", "format=webp", "WEBP"),
        ("WEBP", "format=same", "WEBP"),
        ("BMP", "", "BMP"),
        ("TIFF", "", "TIFF"),
        ("GIF", "format=png", "PNG"),
        ("AVIF", "", "AVIF"),
    ],
)
def test_formats(
    source: str, query: str, wanted: str, server: RunningServer, make_photo: MakePhoto
) -> None:
    """The painting has the format that was asked for, or the picture's, and says which."""
    answer = stylize(server, write(make_photo(), source), query)
    assert read(answer).format == wanted
    assert answer.headers["content-type"] == f"image/{wanted.lower()}"


def test_size_reduces_and_never_enlarges(server: RunningServer, make_photo: MakePhoto) -> None:
    """The long side is at most that of the query."""
    data = write(make_photo(160, 80))
    assert read(stylize(server, data, "size=64")).size == (64, 32)
    assert read(stylize(server, data, "size=1000")).size == (160, 80)


def test_animations_move_on(server: RunningServer, make_photo: MakePhoto) -> None:
    """Every frame of an animation is painted, and keeps its time."""
    frames = [make_photo(seed=seed) for seed in range(3)]
    options = {"save_all": True, "append_images": frames[1:], "duration": [70, 80, 90], "loop": 0}
    painted = read(stylize(server, write(frames[0], "WEBP", lossless=True, **options)))
    durations = []
    for number in range(3):
        painted.seek(number)
        painted.load()
        durations.append(painted.info["duration"])
    assert (getattr(painted, "n_frames", 1), durations) == (3, [70, 80, 90])
