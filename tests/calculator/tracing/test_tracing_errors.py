"""Targets that name no module; none of these needs PyTorch."""

import sys
from pathlib import Path

import pytest

from calculator import CalculatorError
from calculator.reading.tracing import trace


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, in which modules may be written."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "target",
    [
        *("nets", "nets:", ":Net", "nets:Net()", "a b:Net", "nets:Net:x", "../nets:Net"),
        *("nets.py:Net", "nets:2", "", "C:\\nets", "https://example.com", "nets..a:Net"),
        *("nets:\x1b[2J", "a:" + "b" * 999),
    ],
)
def test_text_of_another_form_is_refused(target: str) -> None:
    """Nothing is imported for what is not two dotted names with a colon between."""
    with pytest.raises(CalculatorError, match="must be module:attribute, such as") as caught:
        trace(target, input_shape=(3, 8, 8))
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 150


def test_missing_input_is_asked_for() -> None:
    """A module does not say which shape it takes."""
    with pytest.raises(CalculatorError, match=r"nets:Net: .* give --input 3x224x224"):
        trace("nets:Net")


def test_impossible_input_is_refused() -> None:
    """The shape is checked before anything is imported."""
    with pytest.raises(CalculatorError, match=r"input 3x0x8 must have .* all at least 1"):
        trace("nets:Net", input_shape=(3, 0, 8))


def test_unknown_module_names_the_nearest(folder: Path) -> None:
    """The current folder's modules are suggested, and a package's own."""
    (folder / "near_nets.py").touch()
    package = folder / "near_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "models.py").touch()
    with pytest.raises(CalculatorError, match=r"no module 'near_netz' .* mean 'near_nets'"):
        trace("near_netz:Net", input_shape=(3,))
    with pytest.raises(CalculatorError, match="'model' in near_package; did you mean 'models'"):
        trace("near_package.model:Net", input_shape=(3,))


def test_file_is_no_package(folder: Path) -> None:
    """A dotted name through a plain module says so."""
    (folder / "plain_nets.py").touch()
    with pytest.raises(CalculatorError, match="no module 'inner' in plain_nets"):
        trace("plain_nets.inner:Net", input_shape=(3,))


def test_unknown_attribute_lists_others_nearest_first(folder: Path) -> None:
    """Public names only, eight at most."""
    names = [*(f"other{i}" for i in range(9)), "Net", "_Net2"]
    (folder / "many_nets.py").write_text("\n".join(f"{name} = 1" for name in names))
    with pytest.raises(CalculatorError, match="has no 'Nett'; choose from: Net, other") as caught:
        trace("many_nets:Nett", input_shape=(3,))
    assert caught.value.message.endswith(", ...")
    assert "_Net2" not in caught.value.message
    with pytest.raises(CalculatorError, match=r"many_nets:Net.a: many_nets.Net has no 'a'; choose"):
        trace("many_nets:Net.a", input_shape=(3,))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "x = 1\nraise ValueError('two\\nlines')",
            r"ValueError: two lines \(bad_nets.py, line 2\)",
        ),
        ("def f(:", r"importing it raised SyntaxError: .*bad_nets.py, line 1"),
        ("import sys\nsys.exit(3)", r"importing it raised SystemExit: 3 \(bad_nets.py, line 2\)"),
        (
            "import none_such",
            "importing it raised ModuleNotFoundError: No module named 'none_such'",
        ),
        ("raise ValueError('x' * 9999)", r"ValueError: x+\.\.\. \("),
        ("raise KeyError", r"importing it raised KeyError \(bad_nets.py, line 1\)"),
    ],
)
def test_module_that_raises_is_quoted_on_one_line(folder: Path, code: str, message: str) -> None:
    """The exception, and the line of the user's file that it came from."""
    (folder / "bad_nets.py").write_text(code)
    with pytest.raises(CalculatorError, match=message) as caught:
        trace("bad_nets:Net", input_shape=(3,))
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 400


def test_path_is_as_before_after_an_error(folder: Path) -> None:
    """The current folder is importable while a module is read, and no longer."""
    path = list(sys.path)
    with pytest.raises(CalculatorError, match="no module 'absent_nets'"):
        trace("absent_nets:Net", input_shape=(3,))
    assert sys.path == path
    assert str(folder) not in path


@pytest.mark.parametrize("code", ["Net = int", "import torch\nNet = torch.nn.ReLU"])
def test_missing_torch_names_the_extra(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Whoever imports it first, the error says what to install."""
    (folder / "torchless_nets.py").write_text(code)
    monkeypatch.delitem(sys.modules, "torchless_nets", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(CalculatorError, match=r"run pip install '\.\[train\]'"):
        trace("torchless_nets:Net", input_shape=(3,))
