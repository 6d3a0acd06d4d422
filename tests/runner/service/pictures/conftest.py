"""The server that the tests of this folder talk to."""

from collections.abc import Iterator

import pytest

from tests.runner.service.http.conftest import RunningServer, StartServer, start


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return a server as it is without options."""
    yield from start((), tmp_path_factory.mktemp("server"))


@pytest.fixture
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Return a function that starts a server of the test's own."""
    running: list[Iterator[RunningServer]] = []

    def begin(*arguments: object) -> RunningServer:
        running.append(start(arguments, tmp_path_factory.mktemp("server")))
        return next(running[-1])

    yield begin
    for server in running:
        next(server, None)
