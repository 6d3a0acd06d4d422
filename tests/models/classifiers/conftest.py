"""What the tests of classifiers share: tiny digits and pictures, a tiny run."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from impasto import main

Invoke = Callable[..., Result]
WriteIdx = Callable[..., Path]


@pytest.fixture(scope="session")
def write_idx() -> WriteIdx:
    """Return a function that writes an array as an IDX file."""
    return write_idx_file


def write_idx_file(path: Path, values: np.ndarray) -> Path:
    """Write uint8 values of any shape, compressed if the name ends in .gz."""
    head = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    data = head + values.astype(np.uint8).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of IDX files: 40 + 10 pictures of ten classes, each a bright row."""
    folder = tmp_path_factory.mktemp("digits")
    for start, each in (("train", 4), ("t10k", 1)):
        labels = np.tile(np.arange(10), each)
        images = np.zeros((len(labels), 28, 28), np.uint8)
        for i, label in enumerate(labels):
            images[i, 3 + 2 * label : 5 + 2 * label, 4:24] = 200 + i
        write_idx_file(folder / f"{start}-images-idx3-ubyte.gz", images)
        write_idx_file(folder / f"{start}-labels-idx1-ubyte", labels)
    return folder


@pytest.fixture(scope="session")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of three class folders with four small grey pictures each."""
    folder = tmp_path_factory.mktemp("classes")
    for number, name in enumerate(["bar", "cross", "dot"]):
        (folder / name).mkdir()
        for i in range(4):
            pixels = np.zeros((20, 20), np.uint8)
            pixels[4 + i : 8 + i, 5 * number : 5 * number + 8] = 220
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


@pytest.fixture(scope="session")
def invoke() -> Invoke:
    """Return a function that runs ``impasto`` with the given arguments, in this process."""
    return run_impasto


@pytest.fixture(scope="session")
def tiny_run(digits: Path) -> list[object]:
    """Return the arguments of a tiny run without its output folder: 3 epochs of 8 steps."""
    return [
        *("train", "lenet5", "--data", digits, "--epochs", 3, "--batch", 4, "--every", 3),
        *("--validation", 0.25),
    ]


@pytest.fixture(scope="session")
def finished(tiny_run: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny run that went to its end; do not write into it."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    result = run_impasto(*tiny_run, "-o", folder)
    assert result.exit_code == 0, result.output
    return folder


def run_impasto(*arguments: object) -> Result:
    """Run ``impasto`` with the given arguments, in this process, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])
    finally:
        torch.set_num_threads(threads)
