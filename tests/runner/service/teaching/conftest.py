"""The server that the tests of this folder talk to."""

from collections.abc import Iterator

import pytest

from tests.runner.service.http.conftest import RunningServer, start


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return a server as it is without options."""
    yield from start((), tmp_path_factory.mktemp("server"))
