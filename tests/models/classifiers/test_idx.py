"""IDX files: what is read, and everything that is refused before it can do harm."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.classifiers.idx import read_images, read_labels, read_pair
from models.errors import DataError

Write = Callable[[Path, np.ndarray], Path]
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 3, 4), dtype=np.uint8)
HEAD = bytes([0, 0, 8, 3]) + struct.pack(">3I", 5, 3, 4)


@pytest.mark.parametrize("name", ["a-ubyte", "a-ubyte.gz"])
def test_values_are_read_as_written(tmp_path: Path, write_idx: Write, name: str) -> None:
    """Compressed or not, the array comes back with its shape."""
    assert np.array_equal(read_images(write_idx(tmp_path / name, IMAGES)), IMAGES)
    labels = np.arange(7)
    assert np.array_equal(read_labels(write_idx(tmp_path / f"l{name}", labels)), labels)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "begins with nothing, but IDX pictures begin with 00000803"),
        (b"\x89PNG\r\n", "begins with 89504e47"),
        (HEAD[:10], "begins with 00000803"),
        (bytes([0, 0, 9, 3]) + HEAD[4:], "begins with 00000903"),
        (bytes([0, 0, 8, 1]) + HEAD[4:], "begins with 00000801"),
        (HEAD + bytes(59), "only 59 values follow a header of 5x3x4 = 60"),
        (HEAD, "only 0 values follow"),
        (HEAD + bytes(61), "more values follow a header of 5x3x4"),
        (HEAD[:4] + struct.pack(">3I", 0, 3, 4), "the header states 0x3x4 values"),
        (HEAD[:4] + struct.pack(">3I", *[2**32 - 1] * 3), "at most 2,147,483,648 are read"),
        (HEAD[:4] + struct.pack(">3I", 1, 5000, 1) + bytes(5000), "5000x1 px are too large"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_damaged_file_is_refused(tmp_path: Path, data: bytes, match: str, suffix: str) -> None:
    """A false header, a short or long file and absurd sizes are each named."""
    path = tmp_path / f"train-images-idx3-ubyte{suffix}"
    path.write_bytes(gzip.compress(data) if suffix else data)
    with pytest.raises(DataError, match=match):
        read_images(path)


def test_claimed_size_is_not_reserved(tmp_path: Path) -> None:
    """A header that promises two gigabytes costs no more memory than the file has bytes."""
    import tracemalloc

    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(HEAD[:4] + struct.pack(">3I", 2**19, 64, 64) + bytes(100))
    tracemalloc.start()
    with pytest.raises(DataError, match="only 100 values follow"):
        read_images(path)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 8 * 2**20


@pytest.mark.parametrize("kept", [12, 30])
def test_gzip_cut_short_is_refused(tmp_path: Path, kept: int) -> None:
    """An unfinished download is named as such."""
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(HEAD + IMAGES.tobytes())[:kept])
    with pytest.raises(DataError, match=r"is not a whole gzip file .*; fetch it again"):
        read_images(path)


def test_file_that_is_not_gzip_is_refused(tmp_path: Path) -> None:
    """A web page saved under the name of the data is not read."""
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_text("<html>404</html>")
    with pytest.raises(DataError, match="is not a whole gzip file"):
        read_images(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is an error with its path."""
    with pytest.raises(DataError, match=r"nowhere: cannot be read \(No such file"):
        read_labels(tmp_path / "nowhere")


def test_pictures_and_labels_must_be_as_many(tmp_path: Path, write_idx: Write) -> None:
    """Five pictures with four labels do not belong together."""
    images = write_idx(tmp_path / "images-ubyte", IMAGES)
    labels = write_idx(tmp_path / "labels-ubyte", np.arange(4))
    with pytest.raises(DataError, match="4 labels for the 5 pictures of images-ubyte"):
        read_pair(images, labels)
