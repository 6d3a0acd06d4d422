"""The service's manual shows what a server really answers."""

import re
from pathlib import Path

import pytest

from runner.service.cli import OPTIONS, build_option
from runner.service.http.metrics import FAMILIES
from runner.service.openapi.document import REASONS, build_document
from runner.service.settings import ServiceSettings
from tests.runner.service.clients.manual import MANUAL, ROOT, list_blocks, run_block
from tests.runner.service.http.conftest import RunningServer

PROBABILITY = re.compile(r"\d\.\d{3,}")
PRECISION = re.compile(r'"precision":"(int8|fp16)"')


def unify(text: str) -> str:
    """Return a text as any processor gives it.

    Probabilities have two digits, for they are rounded differently; the precision that suits
    the processor is fp32.
    """
    rounded = PROBABILITY.sub(lambda match: f"{float(match[0]):.2f}", text)
    return PRECISION.sub('"precision":"fp32"', rounded)


@pytest.mark.parametrize("block", list_blocks(), ids=lambda block: block.split("\n")[0][-40:])
def test_manual_shows_real_answers(block: str, server: RunningServer, tmp_path: Path) -> None:
    """Every block is what the commands print today."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    shown = run_block(block, f"http://{server.url}", tmp_path)
    assert unify(shown) == unify(block)


def test_manual_shows_every_page() -> None:
    """No page of the document is left out; the protocol's pages are shortened to their ends."""
    text = MANUAL.read_text(encoding="utf-8")
    for path in build_document("1", ServiceSettings())["paths"]:
        shown = path.replace("{model}", "NAME").replace("/versions/{version}", "")
        whole = shown in text
        assert whole or path.rpartition("/")[2] in ("infer", "config", "stats", "ready"), path


def test_manual_shows_every_error() -> None:
    """Every status of an error stands in the table."""
    text = MANUAL.read_text(encoding="utf-8")
    for status in REASONS:
        assert f"| {status} |" in text


def test_manual_shows_every_option_and_its_default() -> None:
    """Every option is named, and the limits with the default that they have."""
    text = MANUAL.read_text(encoding="utf-8")
    untold = {"--port", "--watch-seconds"}
    for option in (build_option(*line) for line in OPTIONS):
        assert option.opts[0] in text or option.opts[0] in untold, option.opts
    defaults = ServiceSettings()
    for name in ("max_queue", "max_pixels", "max_connections", "request_seconds", "body_seconds"):
        flag = "--" + name.replace("_", "-")
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{flag}`")]
        assert row.split("|")[3].strip().replace(",", "") == f"{getattr(defaults, name):.0f}"


def test_manual_shows_every_metric() -> None:
    """Every metric of the models is named."""
    text = MANUAL.read_text(encoding="utf-8")
    for family in FAMILIES:
        assert f"`{family.name}`" in text
