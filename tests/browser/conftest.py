"""A browser, the page that it opens, and the server that the page asks.

Chromium and its driver come from the system: ``apt-get install chromium chromium-driver``.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.runner.service.http.conftest import RunningServer, StartServer, start

CLIENTS = Path(__file__).parents[2] / "examples" / "clients"
WINDOW = "900,900"
# A browser by itself asks its maker for updates and the like; here it talks to this machine only.
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
)


def find_program(*names: str) -> str:
    """Return the path of the first program that is installed."""
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, f"no {names[0]} here: apt-get install chromium chromium-driver"
    return found


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Return a browser without a window, and without a past."""
    options = ChromeOptions()
    options.binary_location = find_program("chromium", "google-chrome", "chrome")
    profile = tmp_path_factory.mktemp("profile")
    for flag in ("--headless=new", f"--window-size={WINDOW}", f"--user-data-dir={profile}", *QUIET):
        options.add_argument(flag)
    if os.geteuid() == 0:  # as in most containers, where the sandbox cannot be set up
        options.add_argument("--no-sandbox")
        options.add_argument("--disable-dev-shm-usage")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options, Service(find_program("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    """Return the origin of the page, served as its first lines say but at a free port."""
    serve = ("-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(CLIENTS))
    process = subprocess.Popen(
        [sys.executable, "-I", "-u", *serve],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        port = re.search(r"port (\d+)", process.stdout.readline())
        assert port, "the page is not served"
        yield f"http://127.0.0.1:{port[1]}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Return a function that starts a server in full precision, with options."""
    running: list[Iterator[RunningServer]] = []

    def begin(*arguments: object) -> RunningServer:
        running.append(start(("--precision", "fp32", *arguments), tmp_path))
        return next(running[-1])

    yield begin
    for server in running:
        next(server, None)
