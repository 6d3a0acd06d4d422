"""``impasto export`` and ``impasto verify`` as a user meets them."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from onnx import ModelProto

from exporter import cli
from exporter.verify import Case

SIZES = ((1, 32, 32), (2, 33, 47))


@pytest.fixture(autouse=True)
def few_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands compare small pictures only."""
    from exporter import export, verify

    defaults = {**(export.export_checkpoint.__kwdefaults__ or {}), "sizes": SIZES}
    monkeypatch.setattr(export.export_checkpoint, "__kwdefaults__", defaults)
    monkeypatch.setattr(verify.walk_cases, "__defaults__", (SIZES,))


@pytest.fixture
def traced(tiny_model: ModelProto, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trace the tiny network once for all tests."""
    copied = ModelProto.FromString(tiny_model.SerializeToString())
    monkeypatch.setattr("exporter.export.build_model", lambda _: copied)


@pytest.mark.usefixtures("traced")
def test_export_writes_a_file_and_tells_how_good(checkpoint: Path, tmp_path: Path) -> None:
    """One line says what was written and how closely it agrees."""
    output = tmp_path / "a" / "tiny.onnx"
    result = CliRunner().invoke(cli.export, [str(checkpoint), "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert f"{output}: {output.stat().st_size:,} bytes; differs from PyTorch" in result.output
    assert [path.name for path in output.parent.iterdir()] == ["tiny.onnx"]


@pytest.mark.usefixtures("traced")
def test_export_overwrites_only_when_told(checkpoint: Path, tmp_path: Path) -> None:
    """An existing file is replaced with --overwrite and kept without."""
    output = tmp_path / "tiny.onnx"
    output.write_bytes(b"old")
    arguments = [str(checkpoint), "-o", str(output), "--license", "CC0-1.0"]
    refused = CliRunner().invoke(cli.export, arguments)
    assert refused.exit_code == 1
    assert "exists already" in refused.output
    replaced = CliRunner().invoke(cli.export, [*arguments, "--overwrite"])
    assert replaced.exit_code == 0, replaced.output
    assert b"CC0-1.0" in output.read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"not safetensors at all"])
def test_export_refuses_what_is_no_checkpoint(content: bytes | None, tmp_path: Path) -> None:
    """A missing or foreign checkpoint gives one line and status 1."""
    path = tmp_path / "bad.safetensors"
    if content is not None:
        path.write_bytes(content)
    result = CliRunner().invoke(cli.export, [str(path), "-o", str(tmp_path / "out.onnx")])
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {path}: ")
    assert not (tmp_path / "out.onnx").exists()


def test_verify_prints_a_row_per_case(checkpoint: Path, exported: Path) -> None:
    """The table names each case and its verdict, within 80 columns."""
    result = CliRunner().invoke(cli.verify, [str(exported), str(checkpoint)])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert len(lines) == 1 + len(SIZES)
    assert lines[0].split()[:2] == ["N", "size"]
    assert lines[2].split()[:2] == ["2", "33x47"]
    assert all(line.endswith("agrees") for line in lines[1:])
    assert max(map(len, lines)) <= 80


def test_verify_fails_when_they_disagree(
    checkpoint: Path, dimmed_model: ModelProto, tmp_path: Path
) -> None:
    """A file of other weights gives the whole table, the reason and status 1."""
    path = tmp_path / "damaged.onnx"
    path.write_bytes(dimmed_model.SerializeToString())
    result = CliRunner().invoke(cli.verify, [str(path), str(checkpoint)])
    assert result.exit_code == 1
    assert result.output.count("DISAGREES") == len(SIZES)
    assert f"{path}: differs from PyTorch" in result.output


@pytest.mark.parametrize("content", [None, b"no model"])
def test_verify_refuses_what_is_no_model(
    content: bytes | None, checkpoint: Path, tmp_path: Path
) -> None:
    """A missing or foreign file gives one line and status 1."""
    path = tmp_path / "bad.onnx"
    if content is not None:
        path.write_bytes(content)
    result = CliRunner().invoke(cli.verify, [str(path), str(checkpoint)])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")


def test_rows_line_up_with_the_header() -> None:
    """Even large figures stay under their columns."""
    row = cli.format_case(Case(12, 511, 770, 255, 1.0, 255))
    assert row.index("DISAGREES") == cli.HEADER.index("verdict")


@pytest.mark.parametrize("command", ["export", "verify"])
def test_help_needs_no_torch(command: str) -> None:
    """Both commands explain themselves without importing PyTorch, ONNX or ONNX Runtime."""
    code = (
        f"import sys; from exporter.cli import {command} as c; "
        "c.main(['--help'], standalone_mode=False); "
        "sys.exit(bool({'torch', 'onnx', 'onnxruntime', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "CHECKPOINT" in done.stdout


@pytest.mark.parametrize("missing", ["torch", "onnxscript"])
def test_missing_extra_is_named(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without PyTorch or onnxscript the command says what to install."""
    monkeypatch.setitem(sys.modules, missing, None)
    result = CliRunner().invoke(cli.export, ["any.safetensors", "-o", str(tmp_path / "x.onnx")])
    assert result.exit_code == 1
    assert "pip install '.[train]'" in result.output
