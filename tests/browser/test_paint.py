"""The browser's example, ``examples/clients/paint.html``, in a real browser."""

import base64
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from runner.stylize import Painter
from tests.runner.service.http.conftest import RunningServer, StartServer

PHOTO = Path(__file__).parents[2] / "examples" / "photos" / "chelsea.png"
PATIENCE = 120  # seconds, on a machine that has other work
TOKEN = "correct-horse-battery-staple"  # noqa: S105 - of this test
STYLES = 11
PIXELS = """
const image = document.getElementById("painting"), canvas = document.createElement("canvas");
canvas.width = image.naturalWidth;
canvas.height = image.naturalHeight;
canvas.getContext("2d").drawImage(image, 0, 0);
return canvas.toDataURL("image/png");
"""
Pixels = NDArray[np.int16]


class Page:
    """The page in the browser, used as a person would.

    Args:
        browser: that shows it.
        url: of the page.
    """

    def __init__(self, browser: Chrome, url: str) -> None:
        self._browser = browser
        browser.get(url)
        self.list_complaints()  # of an earlier page

    def find(self, name: str) -> WebElement:
        """Return an element by its id."""
        return self._browser.find_element(By.ID, name)

    def fill(self, name: str, text: str) -> None:
        """Type into a field, and leave it."""
        self.find(name).clear()
        self.find(name).send_keys(text, "\t")

    def press(self) -> None:
        """Press the button."""
        self._browser.find_element(By.TAG_NAME, "button").click()

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until something is so; the page's own words tell why it is not."""
        waiting = WebDriverWait(self._browser, PATIENCE)
        waiting.until(lambda _: condition(), f"the page says {self.find('status').text!r}")

    def ask(self, server: RunningServer) -> None:
        """Name the server."""
        self.fill("server", f"http://{server.url}")

    def await_words(self, words: str) -> None:
        """Wait until the page says something."""
        self.wait(lambda: words in self.find("status").text)

    def await_styles(self) -> Select:
        """Wait until the styles are listed, and return their field."""
        styles = Select(self.find("style"))
        self.wait(lambda: len(styles.options) == STYLES)
        return styles

    def read_painting(self) -> Pixels:
        """Wait for a painting, and return the pixels that the browser shows."""
        done = "return arguments[0].complete && arguments[0].naturalWidth > 0"
        image = self.find("painting")
        self.wait(lambda: image.is_displayed() and self._browser.execute_script(done, image))
        data = str(self._browser.execute_script(PIXELS))
        file = io.BytesIO(base64.b64decode(data.partition(",")[2]))
        return np.asarray(Image.open(file).convert("RGB")).astype(np.int16)

    def list_complaints(self) -> list[str]:
        """Return what the browser's console shows that was not returned before."""
        entries = self._browser.execute(Command.GET_LOG, {"type": "browser"})["value"]
        return [entry["message"] for entry in entries]


@pytest.fixture
def page(browser: Chrome, origin: str) -> Page:
    """Return the page, newly opened."""
    return Page(browser, f"{origin}/paint.html")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Return a photo of a cat."""
    with Image.open(PHOTO) as cat:
        cat.convert("RGB").resize((240, 160)).save(tmp_path / "cat.png")
    return tmp_path / "cat.png"


def paint(photo: Path, style: str) -> Pixels:
    """Return what the network makes of a photo without a server."""
    painter = Painter(provider="cpu", threads=1, precision="fp32")
    pixels = np.asarray(Image.open(photo))
    return painter.paint([pixels], painter.choose(style))[0].astype(np.int16)


def test_the_page_paints(page: Page, start_server: StartServer, origin: str, photo: Path) -> None:
    """A photo and a style are chosen, and the painting of that style appears, pixel by pixel."""
    page.ask(start_server("--origin", origin))
    styles = page.await_styles()
    assert "The Scream, Edvard Munch" in [option.text for option in styles.options]
    styles.select_by_value("the_scream")
    page.find("photo").send_keys(str(photo))
    page.list_complaints()  # of the server that nobody had named yet
    page.press()
    shown = page.read_painting()
    assert shown.shape == (160, 240, 3)
    assert abs(shown - paint(photo, "the_scream")).mean() < 4, "JPEG alone makes a difference"
    assert abs(shown - paint(photo, "starry_night")).mean() > 20
    alt = page.find("painting").get_attribute("alt")
    assert alt == "cat.png, painted in the style of The Scream, Edvard Munch"
    assert page.list_complaints() == []


def test_the_page_reduces_and_mixes(
    page: Page, start_server: StartServer, origin: str, tmp_path: Path
) -> None:
    """A large photo comes back with a long side of 1024; at strength 0 it is the photo."""
    large = tmp_path / "large.jpg"
    with Image.open(PHOTO) as cat:
        cat.convert("RGB").resize((1536, 768)).save(large, quality=95)
    page.ask(start_server("--origin", origin))
    page.await_styles()
    page.find("photo").send_keys(str(large))
    page.find("strength").send_keys(*["\ue012"] * 20)  # the left arrow key: 0.05 each
    page.press()
    shown = page.read_painting()
    assert shown.shape == (512, 1024, 3)
    wanted = np.asarray(Image.open(large).resize((1024, 512))).astype(np.int16)
    assert abs(shown - wanted).mean() < 4


def test_the_page_tells_what_the_server_refuses(
    page: Page, start_server: StartServer, origin: str, photo: Path, tmp_path: Path
) -> None:
    """The server's own words stand on the page: a token that is missing, a file that is none."""
    (tmp_path / "tokens").write_text(TOKEN)
    (tmp_path / "diary.png").write_text("Dear diary,")
    page.ask(start_server("--origin", origin, "--token-file", tmp_path / "tokens"))
    page.await_words("The styles cannot be listed: token: missing or wrong; send the header")
    page.fill("token", TOKEN)
    page.await_styles()
    page.find("photo").send_keys(str(tmp_path / "diary.png"))
    page.press()
    page.await_words("The photo was not painted: ")
    assert not page.find("painting").is_displayed()
    page.find("photo").send_keys(str(photo))
    page.press()
    assert page.read_painting().shape == (160, 240, 3)
    assert page.find("status").text == ""


def test_the_page_is_kept_out_where_its_origin_is_not_allowed(
    page: Page, start_server: StartServer
) -> None:
    """Without ``--origin`` the browser gives the page nothing to read."""
    page.ask(start_server())
    page.await_words("The styles cannot be listed: ")
    page.wait(lambda: any("CORS policy" in message for message in page.list_complaints()))
    assert not Select(page.find("style")).options
