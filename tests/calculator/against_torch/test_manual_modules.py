"""The manual shows what tracing a module really prints."""

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from calculator.cli.shapes import shapes

MANUAL = Path(__file__).parents[3] / "docs" / "calculator.md"
SECTION = re.search(
    r"## A PyTorch module\n.*?```python\n(.*?)```.*?\n## ",
    MANUAL.read_text(encoding="utf-8"),
    re.DOTALL,
)
BLOCKS = re.findall(
    r"```text\n\$ impasto shapes (.*?)\n(.*?)```", SECTION[0] if SECTION else "", re.DOTALL
)


@pytest.mark.parametrize(("arguments", "shown"), BLOCKS)
def test_manual_shows_what_tracing_prints(
    arguments: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module above the block, traced from the folder it lies in."""
    assert SECTION is not None
    (tmp_path / "nets.py").write_text(SECTION[1])
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "nets", raising=False)
    result = CliRunner().invoke(shapes, arguments.split(), prog_name="impasto shapes")
    assert result.output.rstrip() == shown.rstrip()


def test_manual_traces_a_table_and_a_mistake() -> None:
    """Both blocks are found."""
    assert len(BLOCKS) == 2
