"""Runs the commands that the service's manual shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
MANUAL = ROOT / "docs" / "service.md"
SHOWN_URL = "http://127.0.0.1:8000"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def list_blocks() -> list[str]:
    """Return the blocks of commands and output."""
    return BLOCK.findall(MANUAL.read_text(encoding="utf-8"))


def list_commands(block: str) -> list[str]:
    """Return the commands of a block."""
    return [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]


def run_block(block: str, url: str, folder: Path) -> str:
    """Run the commands of a block against a server and return the block as it should be."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shown = []
    for command in list_commands(block):
        done = subprocess.run(
            ["bash", "-c", command.replace(SHOWN_URL, url)],
            cwd=folder,
            env=os.environ | {"PATH": path},
            capture_output=True,
            check=True,
            timeout=120,
        )
        shown += [f"$ {command}\n", done.stdout.decode()]
    return "".join(shown)
