"""The server's life: it listens, loads its models, serves, drains and ends."""

import asyncio
import contextlib
import logging
import math
import signal
import socket
import sys
from collections.abc import Callable, Generator

import uvicorn

from runner.errors import ImpastoError
from runner.service.engine.engine import Engine
from runner.service.http.app import Application
from runner.service.http.connections import build_protocol
from runner.service.http.entrance import Entrance
from runner.service.settings import ServiceSettings
from runner.signals import end_at_once

logger = logging.getLogger("impasto.service")
SIGNALS = (signal.SIGINT, signal.SIGTERM)
KEEP_ALIVE_SECONDS = 75
MOST_HEADER_BYTES = 32 * 1024
SWITCH_S = 0.001  # for which the event loop may wait whenever a thread runs Python beside it
BACKLOG = 2048  # connections that the system holds until they are taken
Announce = Callable[[str], None]


class Server(uvicorn.Server):
    """Uvicorn, ended by :class:`Service` instead of by signals of its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to :class:`Service`: uvicorn would die of them in the end."""
        yield


class Service:
    """One server with its engine.

    Args:
        settings: of both.

    Raises:
        SettingsError: the settings cannot be used.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._engine = Engine(settings)
        self._entrance = Entrance(self._engine)
        application = Application(self._engine, self._entrance)
        self._config = uvicorn.Config(
            application,
            http=build_protocol(settings, application.crowded),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=max(1, math.ceil(settings.drain_seconds)),
            backlog=BACKLOG,
            h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        )
        self._server = Server(self._config)
        self._ending: asyncio.Task[None] | None = None

    def run(self, announce: Announce) -> None:
        """Serve until a signal ends it.

        Args:
            announce: called with a sentence when the server listens, and when it is ready.

        Raises:
            ImpastoError: the address cannot be used, or no model can be loaded.
        """
        sys.setswitchinterval(SWITCH_S)
        with open_socket(self._settings) as listener:
            factory = self._config.get_loop_factory()
            with asyncio.Runner(loop_factory=factory) as runner:
                runner.run(self.serve(listener, announce))

    async def serve(self, listener: socket.socket, announce: Announce) -> None:
        """Answer what comes to a socket, also while the models are loaded.

        Raises:
            ModelError: no model can be loaded.
        """
        self.catch_signals()
        announce(f"Listening at {name_address(listener)}")
        loading = asyncio.create_task(self.load(announce))
        try:
            await self._server.serve([listener])
        finally:
            if not loading.cancel():  # it had come to its end
                await loading
                await self._engine.stop()
        logger.info("ended")

    async def load(self, announce: Announce) -> None:
        """Load the models; where none can be, the server ends.

        Raises:
            ModelError: no model can be loaded.
        """
        try:
            await self._engine.start()
        except BaseException:
            self._server.should_exit = True
            raise
        names = list(self._engine.repository.names())
        announce(f"Ready: {', '.join(names)}")
        logger.info("ready", extra={"fields": {"models": names}})

    def catch_signals(self) -> None:
        """Let Ctrl-C and SIGTERM end the server in good order; the second one ends it at once."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            # what the shell lets a job in the background ignore stays ignored
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.end, number)

    def end(self, number: int) -> None:
        """Begin to drain, or give up draining."""
        if self._ending is not None:
            end_at_once(number)
        self._entrance.close()
        self._ending = asyncio.create_task(self.drain())

    async def drain(self) -> None:
        """Wait until requests inside are answered, then let uvicorn end.

        What is left of ``drain_seconds`` is for clients that still read their answers.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._settings.drain_seconds
        logger.info("draining", extra={"fields": {"seconds": self._settings.drain_seconds}})
        drained = await self._entrance.wait_until_empty(self._settings.drain_seconds)
        left = max(0, math.ceil(end - loop.time())) if drained else 0
        self._config.timeout_graceful_shutdown = left
        logger.info("drained" if drained else "not drained in time")
        self._server.should_exit = True


def open_socket(settings: ServiceSettings) -> socket.socket:
    """Return a socket that listens at the settings' address.

    Raises:
        ImpastoError: it cannot.
    """
    host, port = settings.host, settings.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # socket.create_server would leave the protocol out, and without it asyncio does not
        # switch Nagle's algorithm off: every answer would come 40 ms late
        listener = socket.socket(*found[0][:3])
    except (OSError, UnicodeError) as error:
        raise ImpastoError(complain(host, port, error)) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(found[0][4])
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ImpastoError(complain(host, port, error)) from None
    return listener


def complain(host: str, port: int, error: Exception) -> str:
    """Return the message for an address that cannot be listened at, in the system's words."""
    reason = getattr(error, "strerror", None) or str(error)
    return f"{host}:{port}: cannot listen there ({reason}); choose --host and --port"


def name_address(listener: socket.socket) -> str:
    """Return the URL of a socket that listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
