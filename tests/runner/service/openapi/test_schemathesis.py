"""Schemathesis compares the document with what a running server does."""

import subprocess
import sys
from pathlib import Path

from tests.runner.service.http.conftest import RunningServer

CONFIG = Path(__file__).parent / "schemathesis.toml"
PROGRAM = "from schemathesis.cli import schemathesis; schemathesis()"


def test_schemathesis_finds_no_fault(server: RunningServer, tmp_path: Path) -> None:
    """Examples, borders and what is made up from the schemas get the answers that are described."""
    command = [sys.executable, "-I", "-c", PROGRAM, "--config-file", str(CONFIG), "run"]
    address = f"http://{server.url}/openapi.json"
    options = ["--no-color", "--phases", "examples,coverage,fuzzing", "--warnings", "off"]
    done = subprocess.run(
        [*command, address, *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "25 selected / 25 total" in done.stdout
    assert not [line for line in server.events() if line["level"] == "error"]
