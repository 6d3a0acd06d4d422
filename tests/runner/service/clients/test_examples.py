"""The example clients work, each as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from runner.service.openapi.document import build_document
from runner.service.settings import ServiceSettings
from tests.runner.service.clients.manual import ROOT
from tests.runner.service.http.conftest import RunningServer

CLIENTS = ROOT / "examples" / "clients"
PHOTO = ROOT / "examples" / "photos" / "coffee.jpg"
PAGE = (CLIENTS / "paint.html").read_text(encoding="utf-8")


def run(command: list[object], **environment: str) -> str:
    """Return what a client prints; its own failure fails the test."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tritons_client_paints(server: RunningServer, tmp_path: Path) -> None:
    """The Python client paints a photo of its size and tells by which model."""
    small, painting = tmp_path / "small.png", tmp_path / "painting.png"
    Image.open(PHOTO).resize((96, 64)).save(small)
    command = [sys.executable, CLIENTS / "paint.py", small, painting, "--server", server.url]
    assert run(command) == f"{painting}: painted by style-fast 1\n"
    with Image.open(painting) as painted, Image.open(small) as photo:
        assert painted.size == photo.size
        assert painted.tobytes() != photo.tobytes()


def test_curl_paints(server: RunningServer, tmp_path: Path) -> None:
    """The shell client asks five pages and writes a painting of the size it asked for."""
    painting = tmp_path / "painting.jpg"
    script: list[object] = ["sh", CLIENTS / "paint.sh", PHOTO, painting]
    printed = run(script, IMPASTO=f"http://{server.url}").splitlines()
    assert printed[0] == '{"ready":true}'
    assert printed[-1] == str(painting)
    assert len(printed) == 5
    with Image.open(painting) as painted:
        assert (max(painted.size), painted.format) == (512, "JPEG")


def find_operation(path: str) -> dict[str, Any]:
    """Return the only operation of a path."""
    (operation,) = build_document("1", ServiceSettings())["paths"][path].values()
    found: dict[str, Any] = operation
    return found


@pytest.mark.parametrize("path", sorted(set(re.findall(r"/v\d/[a-z/]+", PAGE))))
def test_the_page_asks_what_there_is(path: str) -> None:
    """Every address in the browser's page is one of the document."""
    assert find_operation(path)


def test_the_page_sends_known_options() -> None:
    """The query that the page builds has parameters of the document only."""
    known = {one["name"] for one in find_operation("/v1/stylize")["parameters"]}
    query = PAGE.split("URLSearchParams({")[1].split("})")[0]
    sent = set(re.findall(r"^\s+(\w+):", query, re.MULTILINE))
    sent |= set(re.findall(r'query\.set\("(\w+)"', PAGE))
    assert {"strength", "keep_color", "size", "format", "style"} == sent
    assert sent <= known


def test_the_page_needs_nothing_else() -> None:
    """The page loads nothing from anywhere but the server that it asks."""
    assert not re.findall(r"""(?:src|href)\s*=\s*["']|@import|url\(""", PAGE)


def test_the_page_may_ask_where_its_origin_is_allowed(start_page: RunningServer) -> None:
    """A browser may send a photo from the page's origin and read the remarks, and no other may."""
    origin = {"Origin": "http://127.0.0.1:8080"}
    asked = {"Access-Control-Request-Method": "POST"}
    answer = start_page.ask("OPTIONS", "/v1/stylize", headers=origin | asked)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == origin["Origin"]
    styles = start_page.ask("GET", "/v1/styles", headers=origin)
    assert styles.headers["access-control-allow-origin"] == origin["Origin"]
    assert "Impasto-Remarks" in styles.headers["access-control-expose-headers"]
    other = start_page.ask("POST", "/v1/stylize", b"x", {"Origin": "http://example.org"})
    assert other.status == 400
