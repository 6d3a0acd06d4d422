"""The file of an unfinished painting."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.errors import CheckpointError
from models.painting.state import name_state, read_state, write_state

STATE = {
    "stage": 1,
    "scale": 0.1,
    "lists": [torch.arange(3), torch.tensor(2.5)],
    "nested": {"pixels": torch.rand(1, 3, 4, 4), "costs": {"total": 1e-9}},
}


def test_state_comes_back_as_it_was(tmp_path: Path) -> None:
    """Numbers, tensors and lists of tensors return, nested as they were, to the last bit."""
    write_state(tmp_path / "state", STATE)
    read = read_state(tmp_path / "state")
    assert (read["stage"], read["scale"]) == (1, 0.1)
    assert read["nested"]["costs"] == {"total": 1e-9}
    assert torch.equal(read["nested"]["pixels"], STATE["nested"]["pixels"])  # type: ignore[index]
    assert [tensor.tolist() for tensor in read["lists"]] == [[0, 1, 2], 2.5]
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_state_waits_beside_its_picture() -> None:
    """The state is named after the picture, in the same folder."""
    assert name_state(Path("a/b.png")) == Path("a/b.png.unfinished.safetensors")


@pytest.mark.parametrize("content", [b"", b"not tensors", b"\x00" * 100])
def test_damaged_state_names_the_remedy(content: bytes, tmp_path: Path) -> None:
    """A file that is no safetensors file is refused, and the way out told."""
    (tmp_path / "state").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"not an unfinished painting .*pass --overwrite"):
        read_state(tmp_path / "state")


def test_foreign_tensors_are_no_state(tmp_path: Path) -> None:
    """Another safetensors file is refused in words."""
    save_file({"mean": torch.zeros(3)}, tmp_path / "state")
    with pytest.raises(CheckpointError, match="not an unfinished painting of this version"):
        read_state(tmp_path / "state")


def test_state_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """Where a folder is in the way, the older state stays and nothing else is left."""
    (tmp_path / "state").mkdir()
    with pytest.raises(CheckpointError, match="state: cannot be written"):
        write_state(tmp_path / "state", STATE)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
