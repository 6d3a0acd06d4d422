"""MNIST from the network, checked, into a cache folder."""

import hashlib
import os
import urllib.request
from pathlib import Path

from models.errors import CheckpointError, DataError
from models.files import write_atomically

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist"
LARGEST_BYTES = 16 * 2**20
PATIENCE_S = 30.0
# SHA-256 of the files as Yann LeCun published them.
FILES = {
    "train-images-idx3-ubyte.gz": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    "train-labels-idx1-ubyte.gz": (
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ),
}


def choose_cache() -> Path:
    """Return the folder for downloads: ``impasto/mnist`` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "impasto" / "mnist"


def fetch_mnist(mirror: str | None = None, cache: Path | None = None) -> Path:
    """Return a folder with MNIST's four files, downloading those that are not there.

    Args:
        mirror: address of the folder that holds the files; :data:`MIRROR` when None.
        cache: where to keep them; the user's cache folder when None.

    Raises:
        DataError: a file cannot be downloaded, or is not the published one.
    """
    folder = cache or choose_cache()
    for name, digest in FILES.items():
        path = folder / name
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            continue
        address = f"{mirror or MIRROR}/{name}"
        data = download(address, folder)
        found = hashlib.sha256(data).hexdigest()
        if found != digest:
            message = (
                f"{address}: SHA-256 begins {found[:12]}, not {digest[:12]}: not the published "
                f"file; {explain_manual_way(folder)}"
            )
            raise DataError(message)
        try:
            write_atomically(path, data)
        except CheckpointError as error:
            raise DataError(error.message) from None
    return folder


def download(address: str, folder: Path) -> bytes:
    """Return the bytes behind an address, :data:`LARGEST_BYTES` at most.

    Raises:
        DataError: there is no network, no such file, or it is too large.
    """
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE_S) as response:  # noqa: S310 - https above
            data: bytes = response.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        message = f"{address}: cannot be downloaded ({error}); {explain_manual_way(folder)}"
        raise DataError(message) from None
    if len(data) > LARGEST_BYTES:
        message = f"{address}: larger than {LARGEST_BYTES:,} bytes; {explain_manual_way(folder)}"
        raise DataError(message)
    return data


def explain_manual_way(folder: Path) -> str:
    """Return what to do without a network."""
    return (
        f"put {', '.join(FILES)} into {folder} by hand, or give the folder that holds them "
        "as --data"
    )
