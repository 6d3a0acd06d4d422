"""The server that the tests of this folder talk to."""

from collections.abc import Iterator

import pytest

from tests.runner.service.http.conftest import RunningServer, start


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return a server as it is without options."""
    yield from start((), tmp_path_factory.mktemp("server"))


@pytest.fixture
def start_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return a server that a page of another origin may use."""
    options = ("--origin", "http://127.0.0.1:8080")
    yield from start(options, tmp_path_factory.mktemp("server"))
