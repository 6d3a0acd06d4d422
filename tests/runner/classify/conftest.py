"""What the tests of ``classify`` share: small classifiers, odd ones, and the command."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from runner.classify.executors import WORTHWHILE_FILES
from runner.classify.network import Network
from runner.cli import classify as command


def encode_varint(number: int) -> bytes:
    """Encode a number as Protocol Buffers do."""
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + encode_varint(rest) if rest else bytes([low])


def encode_field(number: int, data: bytes) -> bytes:
    """Encode a length-delimited field of Protocol Buffers."""
    return encode_varint(number << 3 | 2) + encode_varint(len(data)) + data


@pytest.fixture(scope="session")
def colors(data: Path) -> Path:
    """Return the classifier that tells red, green and blue; see data/make_classifiers.py."""
    return data / "colors.onnx"


@pytest.fixture(scope="session")
def strokes(data: Path) -> Path:
    """Return the classifier with LeNet-5's input rule and random weights."""
    return data / "strokes.onnx"


@pytest.fixture(scope="session")
def network(strokes: Path) -> Network:
    """Return ``strokes.onnx``, open on one CPU thread."""
    return Network(strokes, "cpu", 1)


@pytest.fixture
def alter(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies a model with other metadata: JSON values, or texts as they are.

    Messages of Protocol Buffers may be continued; of two entries with one key ONNX Runtime
    takes the last. ``metadata_props`` is field 14 of ``ModelProto``.
    """

    def write(model: Path, name: str = "altered.onnx", **entries: object) -> Path:
        added = b""
        for key, value in entries.items():
            text = value if isinstance(value, str) else json.dumps(value)
            pair = encode_field(1, f"impasto.{key}".encode()) + encode_field(2, text.encode())
            added += encode_field(14, pair)
        path = tmp_path / name
        path.write_bytes(model.read_bytes() + added)
        return path

    return write


@pytest.fixture
def classify(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Return a function that runs ``impasto classify`` in this process, in ``tmp_path``."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, stdin: bytes | None = None) -> Result:
        result = CliRunner().invoke(command, [str(argument) for argument in arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception  # a traceback is never an answer
        return result

    return run


@pytest.fixture
def start_classify(tmp_path: Path) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Return a function that starts ``impasto classify`` as a program of its own."""

    def start(
        *arguments: object,
        before: tuple[str, ...] = (),
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.PIPE,
    ) -> "subprocess.Popen[bytes]":
        code = "from runner.cli import classify; classify(prog_name='impasto classify')"
        command = [*before, sys.executable, "-I", "-B", "-c", code, *map(str, arguments)]
        return subprocess.Popen(
            command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
        )

    return start


@pytest.fixture
def tiles(tmp_path: Path) -> Path:
    """Return a folder of a red, a green and a blue picture, in three formats and sizes."""
    folder = tmp_path / "tiles"
    folder.mkdir()
    Image.new("RGB", (30, 20), (200, 0, 0)).save(folder / "a_red.png")
    Image.new("RGB", (20, 30), (0, 200, 0)).save(folder / "b_green.webp", lossless=True)
    Image.new("RGB", (10, 10), (0, 0, 200)).save(folder / "c_blue.bmp")
    return folder


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """Return a folder of 60 grey pictures of noise, 28x28."""
    folder = tmp_path / "digits"
    folder.mkdir()
    write_digits(folder, 60)
    return folder


def write_digits(folder: Path, count: int) -> None:
    """Write grey pictures of noise, 50 of them different."""
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28), dtype=np.uint8)
    for number in range(count):
        path = folder / f"{number:05}.png"
        if number < len(noise):
            Image.fromarray(noise[number]).save(path)
        else:
            os.link(folder / f"{number % len(noise):05}.png", path)


@pytest.fixture
def thousands(tmp_path: Path) -> Path:
    """Return a folder of as many small pictures as are worth processes of their own."""
    folder = tmp_path / "thousands"
    folder.mkdir()
    write_digits(folder, WORTHWHILE_FILES)
    return folder
