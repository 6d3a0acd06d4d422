"""The contracts that import-linter checks, one per room."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
# room -> the rooms it may import
ARROWS: dict[str, set[str]] = {
    "models": set(),
    "exporter": {"models"},
    "runner": {"calculator"},
    "calculator": set(),
}
EXTERNAL = {"torch", "onnx", "onnxscript", "safetensors"}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """Return the tables of pyproject.toml."""
    return tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))


def test_every_room_in_the_wheel_is_known(project: dict[str, Any]) -> None:
    """The wheel, import-linter and this test speak of the same rooms."""
    shipped = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])
    assert shipped == {"impasto.py", *ARROWS}
    assert set(project["tool"]["importlinter"]["root_packages"]) == set(ARROWS)


@pytest.mark.parametrize("room", ARROWS)
def test_every_room_has_its_contract(room: str, project: dict[str, Any]) -> None:
    """A room is forbidden every other room and the front door, save where an arrow leads."""
    contracts = project["tool"]["importlinter"]["contracts"]
    forbidden = {
        name
        for contract in contracts
        if contract["type"] == "forbidden" and room in contract["source_modules"]
        for name in contract["forbidden_modules"]
    }
    assert forbidden & {"impasto", *ARROWS} == {"impasto", *ARROWS} - {room} - ARROWS[room]


def test_the_runner_is_forbidden_the_training_libraries(project: dict[str, Any]) -> None:
    """PyTorch and its company are forbidden to the runner by name, and seen by import-linter.

    Only ONNX's own package may come in through the calculator, which reads a file with it.
    """
    linter = project["tool"]["importlinter"]
    strict, direct = [c for c in linter["contracts"] if c["source_modules"] == ["runner"]]
    assert {*strict["forbidden_modules"], *direct["forbidden_modules"]} >= EXTERNAL
    assert "allow_indirect_imports" not in strict
    assert direct["forbidden_modules"] == ["onnx", "safetensors"]
    assert linter["include_external_packages"] is True
    assert not any("ignore_imports" in contract for contract in linter["contracts"])
