"""Checkpoints: what goes in comes out, and nothing else is taken for one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.errors import CheckpointError
from models.files import write_atomically
from models.style.architecture import Stage, StyleNetConfig
from models.style.checkpoint import (
    Checkpoint,
    collect_adam,
    read_checkpoint,
    restore_adam,
    write_checkpoint,
)
from models.style.style_net import StyleNet

CONFIG = StyleNetConfig(stem=(Stage(4, kernel=8, stride=4),), blocks=1, ends=(4,))


def train_briefly(net: StyleNet, optimizer: torch.optim.Adam, steps: int) -> None:
    """Move the parameters, so that Adam has something to remember."""
    for _ in range(steps):
        optimizer.zero_grad()
        photos = torch.linspace(0, 1, 3 * 32 * 32).reshape(1, 3, 32, 32)
        net(photos, torch.tensor([[0.5, 0.5]])).square().mean().backward()
        optimizer.step()


def name_parameters(net: StyleNet) -> dict[int, str]:
    """Map ``id(parameter)`` to its name."""
    return {id(parameter): name for name, parameter in net.named_parameters()}


@pytest.fixture
def checkpoint() -> Checkpoint:
    """Return a checkpoint of a tiny network after three steps of Adam."""
    torch.manual_seed(1)
    net = StyleNet(CONFIG, styles=2)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    train_briefly(net, optimizer, 3)
    return Checkpoint(
        config=CONFIG,
        styles=[{"name": "mill", "title": "Mühle", "year": 1648}, {"name": "waves"}],
        training={"settings": {"learning_rate": 0.1 + 0.2}},
        step=3,
        net=dict(net.state_dict()),
        adam=collect_adam(optimizer, name_parameters(net)),
    )


def test_checkpoint_survives_the_disk(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """Everything comes back bit for bit: weights, optimiser state, styles and settings."""
    write_checkpoint(tmp_path / "deep" / "run.safetensors", checkpoint)
    back = read_checkpoint(tmp_path / "deep" / "run.safetensors")
    assert (back.config, back.step) == (checkpoint.config, 3)
    assert (back.styles, back.training) == (checkpoint.styles, checkpoint.training)
    for mine, theirs in ((checkpoint.net, back.net), (checkpoint.adam, back.adam)):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    assert {name.rsplit("/", 1)[1] for name in back.adam} == {"step", "exp_avg", "exp_avg_sq"}


def test_training_goes_on_from_a_checkpoint_bit_for_bit(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    """Two more steps after restoring equal the two more steps of the run that went on."""
    path = tmp_path / "run.safetensors"
    write_checkpoint(path, checkpoint)
    nets = []
    for state in (checkpoint, read_checkpoint(path)):
        net = StyleNet(CONFIG, styles=2)
        net.load_state_dict(state.net)
        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        restore_adam(optimizer, state.adam, name_parameters(net))
        train_briefly(net, optimizer, 2)
        nets.append(net.state_dict())
    torch.manual_seed(1)
    unbroken = StyleNet(CONFIG, styles=2)
    train_briefly(unbroken, torch.optim.Adam(unbroken.parameters(), lr=0.01), 5)
    for name, tensor in unbroken.state_dict().items():
        assert torch.equal(nets[0][name], tensor)
        assert torch.equal(nets[1][name], tensor)


def test_checkpoint_builds_its_network(checkpoint: Checkpoint) -> None:
    """The network that a checkpoint builds holds its weights and is ready to paint."""
    net = checkpoint.build()
    assert not net.training
    assert net.styles == 2
    assert all(torch.equal(net.state_dict()[name], t) for name, t in checkpoint.net.items())


def test_checkpoint_of_another_shape_is_refused(checkpoint: Checkpoint) -> None:
    """Weights that do not fit the configuration are named, not forced into it."""
    wider = replace(checkpoint, config=replace(CONFIG, stem=(Stage(8, kernel=8, stride=4),)))
    message = r"not fit its own configuration: size mismatch for stem\.0\.conv.*\(11 differences in"
    with pytest.raises(CheckpointError, match=message):
        wider.build()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_damaged_checkpoint_is_refused(
    share: float, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    """A file that breaks off anywhere is refused with its name."""
    path = tmp_path / "run.safetensors"
    write_checkpoint(path, checkpoint)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CheckpointError, match=r"run\.safetensors: not a checkpoint of impasto"):
        read_checkpoint(path)


def test_missing_checkpoint_is_named(tmp_path: Path) -> None:
    """A path without a file, or with a folder, is an error with its name."""
    with pytest.raises(CheckpointError, match=r"run\.safetensors: no such checkpoint"):
        read_checkpoint(tmp_path / "run.safetensors")
    with pytest.raises(CheckpointError, match="not a checkpoint of impasto train"):
        read_checkpoint(tmp_path)


HEADER = {"schema": 1, "network": "style", "config": {}, "styles": [], "training": {}, "step": 1}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "but not a style checkpoint of impasto train"),
        ("[]", "but not a style checkpoint of impasto train"),
        ("{", r"not a checkpoint of impasto train, or one that was cut off \("),
        (json.dumps(HEADER | {"network": "vgg16-features"}), "but not a style checkpoint"),
        (json.dumps(HEADER | {"schema": 2}), "of schema 2, but this version reads schema 1"),
        (json.dumps(HEADER), "network description {} is not one of this version's"),
        ('{"schema": 1, "network": "style"}', "the checkpoint's header lacks 'config'"),
    ],
)
def test_foreign_safetensors_file_is_refused(
    header: str | None, message: str, tmp_path: Path
) -> None:
    """A safetensors file of another kind or version is told apart by its header."""
    metadata = None if header is None else {"impasto": header}
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors", metadata=metadata)
    with pytest.raises(CheckpointError, match=rf"other\.safetensors: .*{message}"):
        read_checkpoint(tmp_path / "other.safetensors")


@pytest.mark.parametrize("refusing", ["os.fsync", "pathlib.Path.replace"])
def test_failed_write_leaves_the_old_file(
    refusing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk refuses, the older file stays whole and nothing lies beside it."""
    path = tmp_path / "run.safetensors"
    write_atomically(path, b"old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(refusing, refuse)
    with pytest.raises(CheckpointError, match=r"cannot be written \(No space left on device\)"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_write_into_a_file_as_folder_is_one_error(tmp_path: Path) -> None:
    """A path that runs through a file is refused as unwritable."""
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="file/run: cannot be written"):
        write_atomically(tmp_path / "file" / "run", b"data")
