"""Pictures and options that are refused, each with the reason, before work is spent on them."""

import io
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from runner.service.pictures.examination import MOST_FRAMES
from tests.runner.service.http.conftest import Answer, RunningServer, StartServer

MakePhoto = Callable[..., Image.Image]


def write_chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def claim_png(width: int, height: int) -> bytes:
    """Return the header of a PNG file of any size, and nothing of its pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + write_chunk(b"IHDR", header) + write_chunk(b"IDAT", b"")


def write_gif(frames: int, side: int = 32) -> bytes:
    """Return a GIF file of tiny frames on a screen of ``side`` pixels."""
    palette = b"\0\0\0\xff\xff\xff"
    head = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + palette
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frames * frame + b"\x3b"


def write_tiff(pages: int) -> bytes:
    """Return a TIFF file whose pages share their pixels."""
    entries = [
        (256, 3, 32), (257, 3, 32), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8),
        (278, 3, 32), (279, 4, 1024),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    size = len(directory) + 4
    starts = [8 + size * page for page in range(1, pages)] + [0]
    body = b"".join(directory + struct.pack("<I", start) for start in starts)
    return b"II*\0" + struct.pack("<I", 8) + body


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("style=starry", "style 'starry' is unknown; the model has starry_night, the_scream"),
        ("style=udnie:0", "share '0' of style 'udnie' must be a positive number"),
        ("style=", "parameter style has 0 characters; send 1 to 2000 characters"),
        ("strength=2", "parameter strength '2'; send a number from 0 to 1"),
        ("strength=nan", "parameter strength 'nan'; send a number from 0 to 1"),
        ("keep_color=yes", "parameter keep_color 'yes'; send one of 0, 1, false, true"),
        ("size=0", "parameter size '0'; send a whole number from 1 to 65535"),
        ("size=%EF%BC%91", "send a whole number from 1 to 65535"),
        ("format=gif", "parameter format 'gif'; send one of"),
        ("quality=101", "parameter quality '101'; send a whole number from 1 to 100"),
        ("styel=udnie", "parameter 'styel' is unknown; those of this page are: style"),
        ("size=1&size=2", "parameter size is given twice; give it once"),
        ("model=lenet5", "model 'lenet5' is made for 'classify', not 'stylize'"),
    ],
)
def test_options_are_checked_before_the_body(query: str, words: str, server: RunningServer) -> None:
    """A wrong option is refused with its value and what is allowed, whatever the body is."""
    answer = server.ask("POST", f"/v1/stylize?{query}", b"no picture")
    assert answer.status == 400
    assert words in answer.error


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "body: empty; send the bytes of a picture file"),
        (b"no picture", 400, "picture: not a picture in a format that this installation reads"),
        (claim_png(64, 64), 400, "picture: the picture is damaged"),
        (claim_png(12_000, 8000), 413, "12000x8000 px are 96000000 pixels; 50000000 are taken"),
        (claim_png(40_000, 30_000), 413, "picture: refused as a decompression bomb"),
        (write_gif(MOST_FRAMES + 1), 400, "picture: more than 500 frames or pages"),
        (write_gif(20, side=3000), 400, "picture: more than 5 frames or pages, the most that is"),
        (write_tiff(MOST_FRAMES + 1), 400, "picture: more than 500 frames or pages"),
        (write_gif(1, side=16), 400, "16x16 px is smaller than the 32 px this network needs"),
    ],
    ids=["empty", "text", "damaged", "large", "huge", "frames", "large frames", "pages", "small"],
)
def test_pictures_are_checked_by_their_header(
    body: bytes, status: int, words: str, server: RunningServer
) -> None:
    """What cannot be painted is refused with its size and the limit."""
    answer = server.ask("POST", "/v1/stylize", body)
    assert answer.status == status
    assert words in answer.error


@pytest.mark.parametrize("page", ["stylize", "classify"])
def test_formats_that_run_programs_are_refused(page: str, server: RunningServer) -> None:
    """PostScript, for which Pillow would start Ghostscript, is not even decoded."""
    body = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n"
    answer = server.ask("POST", f"/v1/{page}", body)
    assert answer.status == 400
    assert "picture: format EPS is not taken; send one of AVIF, BMP, GIF, HEIF" in answer.error


@pytest.mark.parametrize(
    ("kind", "form", "words"),
    [
        ("multipart/form-data", b"--b--", "a boundary of 0 characters"),
        ("multipart/form-data; boundary=" + 71 * "b", b"", "a boundary of 71 characters"),
        ("multipart/form-data; boundary=b", b"abc", "form: damaged"),
        ("multipart/form-data; boundary=b", b"--b\r\nA: b\r\n\r\nabc", "but its end is missing"),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nA: b\r\n\r\nx\r\n--b\r\nA: b\r\n\r\ny\r\n--b--\r\n",
            "form: more than one part; send one file, and the options in the query",
        ),
        ("multipart/form-data; boundary=b", b"--b\r\nA: b\r\n\r\n\r\n--b--\r\n", "body: empty"),
    ],
    ids=["no boundary", "long boundary", "damaged", "no end", "two parts", "empty part"],
)
def test_damaged_forms_are_refused(
    kind: str, form: bytes, words: str, server: RunningServer
) -> None:
    """A form that is none, or has not one file, is refused with the reason."""
    answer = server.ask("POST", "/v1/stylize", form, {"Content-Type": kind})
    assert answer.status == 400
    assert words in answer.error


def test_many_pages_cost_classification_nothing(server: RunningServer) -> None:
    """A classifier looks at the first page, however many there are."""
    answer = server.ask("POST", "/v1/classify", write_tiff(3 * MOST_FRAMES))
    assert answer.status == 200


def test_limits_are_those_of_the_options(start_server: StartServer, make_photo: MakePhoto) -> None:
    """The number of pixels and of bytes that are taken can be set."""
    server = start_server("--max-pixels", 2000, "--max-request-bytes", 20_000)
    target = io.BytesIO()
    make_photo(64, 48).save(target, "JPEG")
    answer = server.ask("POST", "/v1/stylize", target.getvalue())
    assert answer.status == 413
    assert "64x48 px are 3072 pixels; 2000 are taken" in answer.error
    answer = server.ask("POST", "/v1/classify", bytes(20_001))
    assert answer.status == 413
    assert "20001 bytes exceed the 20000" in answer.error


def test_a_picture_larger_than_the_memory_for_all_is_painted_alone(
    start_server: StartServer, make_photo: MakePhoto
) -> None:
    """What a picture counts is bounded, or a large one would be told for ever to come again."""
    server = start_server("--max-waiting-bytes", 1000, "--max-request-bytes", 50_000)
    target = io.BytesIO()
    make_photo(160, 120).save(target, "JPEG")
    assert server.ask("POST", "/v1/stylize", target.getvalue()).status == 200


def test_pictures_in_memory_are_bounded(start_server: StartServer) -> None:
    """Pictures that come together and are too much for the memory are refused, not the first."""
    server = start_server("--max-waiting-bytes", 400_000, "--max-request-bytes", 200_000)
    target = io.BytesIO()
    Image.new("RGB", (192, 128)).save(target, "JPEG")  # small as a file

    def ask(_: int) -> Answer:
        return server.ask("POST", "/v1/stylize", target.getvalue())

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(ask, range(32)))
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {200, 429}
    for refused in (answer for answer in answers if answer.status == 429):
        assert refused.error.startswith("body: the server holds ")
        assert int(refused.headers["retry-after"]) >= 1
    assert ask(0).status == 200


def test_the_first_frame_alone_counts_for_classifiers(server: RunningServer) -> None:
    """A picture is too large for a classifier too; an animation's frames are not counted."""
    answer = server.ask("POST", "/v1/classify", claim_png(12_000, 8000))
    assert answer.status == 413
    assert server.ask("POST", "/v1/classify", write_gif(20, side=3000)).status == 200


def test_odd_metadata_leaves_the_log_alone(server: RunningServer, make_photo: MakePhoto) -> None:
    """What a library would warn of in a client's file is no line of the log."""
    target = io.BytesIO()
    make_photo().save(target, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05broken")
    assert server.ask("POST", "/v1/stylize", target.getvalue()).status == 200
    assert not [line for line in server.lines if not line.startswith("{")]
