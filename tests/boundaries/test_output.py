"""What happens where the answer cannot be written."""

import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")


@pytest.mark.parametrize(
    "arguments",
    [
        ("shapes", "resnet18"),
        ("quiz", "--seed", "1", "--show"),
        ("styles",),
        ("shapes", "lenet5", "--format", "svg"),
    ],
    ids=" ".join,
)
def test_full_disk_is_one_line(arguments: tuple[str, ...]) -> None:
    """The error says what happened; the exit status is 1."""
    command = [sys.executable, "-I", "-c", "from impasto import run; run()", *arguments]
    with FULL.open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the output cannot be written (No space left on device)")
    assert len(done.stderr.splitlines()) == 1
