"""What all tests need of the process that runs them."""

import signal


def pytest_configure() -> None:
    """Heed Ctrl-C, which shells let background jobs ignore; programs under test inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
