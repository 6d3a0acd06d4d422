"""MNIST by name, against a web server on this machine."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

from models.classifiers import download
from models.classifiers.download import FILES, choose_cache, fetch_mnist
from models.classifiers.sources import read_source
from models.errors import DataError


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def mirror(digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of a server with four small files under MNIST's names."""
    import gzip

    folder = tmp_path / "served"
    folder.mkdir()
    digests = {}
    for name in FILES:
        plain = digits / name.removesuffix(".gz")
        data = (
            plain.read_bytes() if plain.exists() else gzip.decompress((digits / name).read_bytes())
        )
        (folder / name).write_bytes(gzip.compress(data, mtime=0))
        digests[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    monkeypatch.setattr(download, "FILES", digests)
    server = HTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_files_are_fetched_once(
    mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four files arrive in the cache; the second time nothing is asked of the network."""
    cache = tmp_path / "cache"
    assert fetch_mnist(mirror, cache) == cache
    assert sorted(path.name for path in cache.iterdir()) == sorted(FILES)
    monkeypatch.setattr(download, "download", None)
    assert fetch_mnist("http://127.0.0.1:1", cache) == cache


def test_damaged_file_in_the_cache_is_fetched_again(mirror: str, tmp_path: Path) -> None:
    """What does not have its digest is not trusted, wherever it lies."""
    fetch_mnist(mirror, tmp_path)
    path = tmp_path / "t10k-labels-idx1-ubyte.gz"
    good = path.read_bytes()
    path.write_bytes(good[:-3])
    fetch_mnist(mirror, tmp_path)
    assert path.read_bytes() == good


def test_other_file_under_the_name_is_refused(
    mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with another digest is not kept, and the message says how to do without."""
    monkeypatch.setitem(download.FILES, "train-images-idx3-ubyte.gz", "0" * 64)
    match = r"not 000000000000: not the published file; put train-images.* by hand"
    with pytest.raises(DataError, match=match):
        fetch_mnist(mirror, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_too_large_a_file_is_refused(
    mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the server sends, no more than the limit is read."""
    monkeypatch.setattr(download, "LARGEST_BYTES", 10)
    with pytest.raises(DataError, match="larger than 10 bytes"):
        fetch_mnist(mirror, tmp_path / "cache")


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/none", "nonsense"])
def test_without_a_network_the_manual_way_is_told(address: str, tmp_path: Path) -> None:
    """The message names the files, the folder, and the option that takes another one."""
    match = r"cannot be downloaded .*; put train-images-idx3-ubyte.gz, .* or give the folder"
    with pytest.raises(DataError, match=match):
        fetch_mnist(address, tmp_path)


def test_mnist_is_a_source(mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The word mnist downloads into the user's cache and reads the digits."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(download, "MIRROR", mirror)
    data = read_source("mnist", share=0.0, seed=0, report=print)
    assert choose_cache() == tmp_path / "home" / "impasto" / "mnist"
    assert choose_cache().is_dir()
    assert np.array_equal(np.bincount(data.training.labels), [4] * 10)
