"""What the tests of this room share: photographs with structure, profiles, and the command."""

import json
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import IO, Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from impasto import main
from runner.stylize import Painter

# -I: neither the folder nor the environment may bring in other modules than the installed ones
COMMAND = (sys.executable, "-I", "-B", "-m", "impasto")


@pytest.fixture(scope="session")
def make_photo() -> Callable[..., Image.Image]:
    """Return a factory of photographs: gradients, a disc and noise; no two seeds are alike."""

    def make(width: int = 64, height: int = 48, seed: int = 0) -> Image.Image:
        noise = np.random.default_rng(seed).normal(0.0, 12.0, (height, width, 3))
        y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
        disc = np.hypot(x - 0.3 - 0.05 * (seed % 8), y - 0.6) < 0.25
        channels = [200 * x + 30, 180 * y + 40, 120 + 90 * disc - 60 * x]
        pixels = np.stack(channels, axis=-1) + noise
        return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))

    return make


@pytest.fixture
def photos(tmp_path: Path, make_photo: Callable[..., Image.Image]) -> Path:
    """Return a folder of four small photos in three formats and two sizes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    make_photo(64, 48, 1).save(folder / "a.jpg", quality=95)
    make_photo(64, 48, 2).save(folder / "b.png")
    make_photo(48, 64, 3).save(folder / "c.webp", lossless=True)
    make_photo(64, 48, 4).save(folder / "d.jpg", quality=95)
    return folder


@pytest.fixture
def impasto(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Return a function that runs ``impasto`` in this process, in the folder ``tmp_path``."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, stdin: bytes | None = None) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception  # a traceback is never an answer
        return result

    return run


@pytest.fixture
def start_impasto(tmp_path: Path) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Return a function that starts ``impasto`` as a program of its own in ``tmp_path``."""

    def start(
        *arguments: object,
        before: tuple[str, ...] = (),
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.PIPE,
    ) -> "subprocess.Popen[bytes]":
        command = [*before, *COMMAND, *(str(argument) for argument in arguments)]
        return subprocess.Popen(command, cwd=tmp_path, stdin=stdin, stdout=stdout, stderr=stderr)

    return start


@pytest.fixture(scope="session")
def read_rows() -> Callable[[str | bytes], list[dict[str, Any]]]:
    """Return a function that reads the lines of ``--json``; anything else among them fails."""
    return lambda text: [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="session")
def painter() -> Painter:
    """Return the shipped collection, open on one CPU thread."""
    return Painter(provider="cpu", threads=1)


@pytest.fixture(scope="session")
def write_variant() -> Callable[..., Path]:
    """Return a function that copies an ONNX file and adds properties, as ``precision="int8"``.

    A protobuf message is extended by appending to it: field 14 of ``ModelProto`` holds pairs.
    """

    def write(source: Path, target: Path, **properties: object) -> Path:
        data = source.read_bytes()
        for key, value in properties.items():
            entry = b"".join(
                head + encode_varint(len(text)) + text
                for head, text in (
                    (b"\x0a", f"impasto.{key}".encode()),
                    (b"\x12", json.dumps(value).encode()),
                )
            )
            data += b"\x72" + encode_varint(len(entry)) + entry
        target.write_bytes(data)
        return target

    return write


def encode_varint(value: int) -> bytes:
    """Return an integer in protobuf's seven bits a byte, the lowest first."""
    more = bytes([0x80 | value & 0x7F]) + encode_varint(value >> 7) if value > 0x7F else b""
    return more or bytes([value])


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of odd ONNX files."""
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def grey_profile() -> bytes:
    """Return a profile of grey with gamma 1: a level is an amount of light."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    linear = b"curv\0\0\0\0" + struct.pack(">I", 0)
    return build_profile(b"mntr", b"GRAY", b"XYZ ", {b"wtpt": white, b"kTRC": linear})


@pytest.fixture(scope="session")
def cmyk_profile() -> bytes:
    """Return a profile of inks that are all grey: the lightest ink takes half of the lightness.

    With K everything is black, with any of C, M and Y L* is 50, and paper is white.
    """
    identity = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    ramp = bytes(range(256))
    lab = np.full((2, 2, 2, 2, 3), 128, np.uint8)  # C, M, Y, K, then L*, a*, b*
    lab[0, 0, 0, 0, 0] = 255
    lab[..., 1, 0] = 0
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity
    table += 4 * ramp + lab.tobytes() + 3 * ramp
    return build_profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


def build_profile(kind: bytes, space: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return an ICC profile of version 2.4 (ICC.1:2001-04, sections 6 and 7)."""
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += name + struct.pack(">2I", offset + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    head = struct.pack(
        ">I4xI4s4s4s12x4s", offset + len(body), 0x02400000, kind, space, pcs, b"acsp"
    )
    illuminant = struct.pack(">3i", 63190, 65536, 54061)
    return head + bytes(68 - len(head)) + illuminant + bytes(48) + table + body


@pytest.fixture(scope="session")
def guard() -> Callable[[Callable[[], None]], None]:
    """Return what runs work in a thread and fails, instead of hanging for ever, if it stalls."""
    return run_guarded


def run_guarded(work: Callable[[], None]) -> None:
    """Run ``work`` in a thread; fail, instead of hanging for ever, when it stalls."""
    outcome: Queue[BaseException | None] = Queue()

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            outcome.put(error)
        else:
            outcome.put(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(120)
    assert not thread.is_alive(), "the pipeline stalls"
    error = outcome.get()
    if error is not None:
        raise error
