"""The manual of the classifiers shows what its commands really print."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MANUAL = ROOT / "docs" / "classifiers.md"
BLOCKS = re.findall(r"```console\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
PERCENT_POINTS = 3.0  # processors round differently, and training adds that up
RESULT = re.compile(r"(?P<number>\d+[.,][\d.,]*\d(?:e-\d+)?|\(\d+)(?P<unit>%?)[,;]?")
TIMED = re.compile(r" in [\d.,]+ s \([\d.,]+ pictures/s\)|  [\d.]+ min left")


def run_line(line: str, folder: Path) -> str:
    """Run one command of the manual; return what a terminal would show, errors included."""
    program, *arguments = shlex.split(line)
    if program == "python":
        command = [sys.executable, str(ROOT / arguments[0]), *arguments[1:]]
    else:
        assert program == "impasto"
        command = [sys.executable, "-Im", "impasto", *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def agree(shown: str, printed: str) -> bool:
    """Tell whether a line of the manual is one that was printed, up to rounding and time."""
    ours, theirs = (TIMED.sub("", line).split() for line in (shown, printed))
    return len(ours) == len(theirs) and all(map(agree_word, ours, theirs))


def agree_word(shown: str, printed: str) -> bool:
    """Tell whether two words are equal, or results that may differ a little from run to run.

    Such are percentages, counts in brackets, and numbers with a point or comma. A class, which
    may be a whole number, must be the same.
    """
    if shown == printed:
        return True
    first, second = (RESULT.fullmatch(word) for word in (shown, printed))
    if first is None or second is None or first["unit"] != second["unit"]:
        return False
    if first["unit"]:
        return abs(float(first["number"]) - float(second["number"])) <= PERCENT_POINTS
    return True


def find_missing(shown: str, printed: str) -> list[str]:
    """Return the lines of the manual that were not printed in this order; ``...`` skips some."""
    missing, rest, skipping = [], printed.splitlines(), False
    for line in shown.splitlines():
        if line == "...":
            skipping = True
            continue
        places = [place for place, other in enumerate(rest) if agree(line, other)]
        if not places or (places[0] > 0 and not skipping):
            missing.append(line)
            continue
        rest, skipping = rest[places[0] + 1 :], False
    return missing + ([] if skipping else rest)


def test_walk_prints_what_the_manual_shows(tmp_path: Path) -> None:
    """All commands, one after another in one folder, print what stands below them."""
    assert len(BLOCKS) >= 4
    for block in BLOCKS:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, shown = part.partition("\n")
            printed = run_line(line, tmp_path)
            assert find_missing(shown, printed) == [], f"$ {line}\n{printed}"


@pytest.mark.parametrize(
    ("shown", "printed", "missing"),
    [
        ("a 99.5%\n", "a 98.0%\n", []),
        ("a 99.5%\n", "a 90.0%\n", ["a 99.5%", "a 90.0%"]),
        ("a\n", "a\nb\n", ["b"]),
        ("...\nb 7.5\n", "a\nb 8.5\n", []),
        ("b\n", "a\nb\n", ["b", "a", "b"]),
        ("three\n", "3\n", ["three", "3"]),
        ("7 1.5e-07\n", "3 1.5e-07\n", ["7 1.5e-07", "3 1.5e-07"]),
        ("(359 of 360), loss 0.1162\n", "(357 of 360), loss 0.2\n", []),
    ],
)
def test_comparison_can_fail(shown: str, printed: str, missing: list[str]) -> None:
    """Other words, other percentages, and missing or further lines are found."""
    assert find_missing(shown, printed) == missing
