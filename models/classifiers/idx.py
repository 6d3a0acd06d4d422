"""IDX files, the form in which MNIST is published, read as strictly as they are written.

LeCun's page on MNIST defines it: two zero bytes, a type (8: unsigned bytes), the
number of dimensions, each as a 32-bit big-endian number, then the values.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError

LARGEST_BYTES = 2**31  # of values, 40 times MNIST
LARGEST_SIDE = 4096
CHUNK_BYTES = 2**20
UNSIGNED_BYTES = 8


def read_images(path: Path) -> NDArray[np.uint8]:
    """Read pictures, uint8 ``[N, H, W]``.

    Raises:
        DataError: the file cannot be read, is not IDX with three dimensions, is shorter or longer
            than its header says, or claims an absurd size.
    """
    images = read_idx(path, dimensions=3)
    if max(images.shape[1:]) > LARGEST_SIDE:
        message = f"{path}: pictures of {images.shape[1]}x{images.shape[2]} px are too large"
        raise DataError(message)
    return images


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Read labels, uint8 ``[N]``.

    Raises:
        DataError: see :func:`read_images`.
    """
    return read_idx(path, dimensions=1)


def read_pair(images_path: Path, labels_path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read pictures ``[N, H, W]`` with their labels ``[N]``.

    Raises:
        DataError: see :func:`read_images`; or the numbers of pictures and labels differ.
    """
    images, labels = read_images(images_path), read_labels(labels_path)
    if len(images) != len(labels):
        message = (
            f"{labels_path}: {len(labels)} labels for the {len(images)} pictures of "
            f"{images_path.name}; the two files do not belong together"
        )
        raise DataError(message)
    return images, labels


def read_idx(path: Path, *, dimensions: int) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, compressed if its name ends in ``.gz``.

    Nothing is allocated on the word of the header: it is read by the megabyte, one byte
    beyond what the header promises.

    Raises:
        DataError: see :func:`read_images`.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            shape = parse_header(file.read(4 + 4 * dimensions), path, dimensions)
            count = math.prod(shape)
            values = read_at_most(file, count + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        message = f"{path}: is not a whole gzip file ({error}); fetch it again"
        raise DataError(message) from None
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror or error})"
        raise DataError(message) from None
    if len(values) != count:
        found = f"only {len(values)}" if len(values) < count else "more"
        sizes = "x".join(map(str, shape))
        message = f"{path}: {found} values follow a header of {sizes} = {count}; fetch it again"
        raise DataError(message)
    return np.frombuffer(values, np.uint8).reshape(shape)


def read_at_most(file: BinaryIO | gzip.GzipFile, count: int) -> bytes:
    """Read ``count`` bytes, or fewer where the file ends, without reserving them first."""
    values = bytearray()
    while len(values) < count and (chunk := file.read(min(CHUNK_BYTES, count - len(values)))):
        values += chunk
    return bytes(values)


def parse_header(head: bytes, path: Path, dimensions: int) -> tuple[int, ...]:
    """Return the sizes that an IDX header states.

    Raises:
        DataError: it is cut short, of another kind, or the sizes are absurd.
    """
    expected = bytes([0, 0, UNSIGNED_BYTES, dimensions])
    if head[:4] != expected or len(head) < 4 + 4 * dimensions:
        what = "pictures" if dimensions == 3 else "labels"
        message = (
            f"{path}: begins with {head[:4].hex() or 'nothing'}, but IDX {what} begin with "
            f"{expected.hex()} and {dimensions} sizes; is this the right file?"
        )
        raise DataError(message)
    shape = struct.unpack(f">{dimensions}I", head[4:])
    if 0 in shape or math.prod(shape) > LARGEST_BYTES:
        sizes = "x".join(map(str, shape))
        message = f"{path}: the header states {sizes} values; at most {LARGEST_BYTES:,} are read"
        raise DataError(message)
    return shape
