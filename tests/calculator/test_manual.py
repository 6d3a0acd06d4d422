"""The manual shows what the commands really print.

``python tests/calculator/test_manual.py``, in the project's folder, writes it anew.
"""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from calculator import parse, summarize
from calculator.cli.compare import compare
from calculator.cli.conv import conv
from calculator.cli.doctor import doctor
from calculator.cli.quiz import quiz
from calculator.cli.shapes import shapes
from calculator.cli.solve import solve
from calculator.cli.why import why
from calculator.reading.networks import NETWORKS
from calculator.reading.words import ALIASES, JOINS, WORDS
from calculator.reports.columns import COLUMNS

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "docs" / "calculator.md"
COMMANDS = {
    "shapes": shapes,
    "compare": compare,
    "solve": solve,
    "why": why,
    "doctor": doctor,
    "quiz": quiz,
    "conv": conv,
}
BLOCK = re.compile(r"(?<=```console\n)(.*?)(?=```)", re.DOTALL)
BLOCKS = BLOCK.findall(MANUAL.read_text(encoding="utf-8"))


def run_block(block: str) -> str:
    """Run every command of a block and return the block as it should be."""
    shown = []
    for line in block.splitlines():
        if line.startswith("$ impasto "):
            name, *arguments = shlex.split(line.removeprefix("$ impasto "))
            result = CliRunner().invoke(COMMANDS[name], arguments, prog_name=f"impasto {name}")
            shown += [line, result.output.rstrip("\n")]
    return "\n".join(shown) + "\n"


@pytest.mark.parametrize("block", BLOCKS)
def test_manual_shows_real_output(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block is what the command prints today in the project's folder."""
    monkeypatch.chdir(ROOT)
    assert block == run_block(block)


def test_manual_runs_every_command() -> None:
    """No command is left out."""
    assert {line.split()[2] for block in BLOCKS for line in block.splitlines() if "$" in line} == {
        *COMMANDS
    }


def test_manual_names_everything() -> None:
    """Every network, word, alias and column is in the manual."""
    text = MANUAL.read_text(encoding="utf-8")
    for name in (*NETWORKS, *WORDS, *ALIASES, *JOINS, *COLUMNS):
        assert f"`{name}`" in text, name


def test_manuals_python_is_true() -> None:
    """The values in the comments are those of the code."""
    report = summarize(parse("vgg16"), batch=8)
    assert report.macs == 123_762_114_560
    derivation = report.rows[0].derived.params
    assert derivation is not None
    assert derivation.render() == "params = (k_H*k_W*C_in + 1)*C_out = (3*3*3 + 1)*64 = 1,792"


def write_manual() -> None:
    """Put into the manual what its commands print today."""
    text = MANUAL.read_text(encoding="utf-8")
    MANUAL.write_text(BLOCK.sub(lambda found: run_block(found[1]), text), encoding="utf-8")


if __name__ == "__main__":
    write_manual()
