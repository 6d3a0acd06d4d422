"""Checkpoints of classifiers: what is written comes back, and what is damaged is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from models.classifiers.checkpoint import read_classifier, write_classifier
from models.errors import CheckpointError


def rewrite(source: Path, target: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Copy a checkpoint with another header."""
    with safe_open(source, framework="pt") as file:
        header = json.loads(file.metadata()["impasto"])
    change(header)
    save_file(load_file(source), target, metadata={"impasto": json.dumps(header)})
    return target


def test_checkpoint_survives_the_file(finished: Path, tmp_path: Path) -> None:
    """Every field and every bit come back, and writing again gives the same bytes."""
    checkpoint = read_classifier(finished / "classifier.safetensors")
    state = {"fc1.weight/step": torch.tensor(3.0)}
    whole = replace(checkpoint, optimizer=state, average={"w": torch.arange(4)})
    write_classifier(tmp_path / "a.safetensors", whole)
    again = read_classifier(tmp_path / "a.safetensors")
    assert replace(again, net={}, initial={}, optimizer={}, average={}) == replace(
        whole, net={}, initial={}, optimizer={}, average={}
    )
    for group in ("net", "initial", "optimizer", "average"):
        mine, theirs = getattr(whole, group), getattr(again, group)
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    write_classifier(tmp_path / "b.safetensors", again)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_tensors_are_named_by_their_groups(finished: Path) -> None:
    """Names are net/<parameter> and initial/<first weight>, nothing else when a run has ended."""
    names = load_file(finished / "classifier.safetensors").keys()
    assert {name.partition("/")[0] for name in names} == {"net", "initial"}
    assert "initial/features.conv1.weight" in names
    assert "net/classifier.fc3.bias" in names


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda h: h.update(network="style"), "but not a classifier of impasto train"),
        (lambda h: h.update(schema=2), "a classifier of schema 2, but this version reads schema 1"),
        (lambda h: h.pop("labels"), "the checkpoint's header lacks 'labels'"),
        (lambda h: h.update(labels=["a"]), "1 labels for a network of 10 classes"),
        (lambda h: h.update(name="lenet6"), "no classifier is called 'lenet6'; there are lenet5"),
        (lambda h: h["config"].update(classes=11), "11 classes"),
        (lambda h: h.update(config=[1]), "damaged"),
        (lambda h: h.update(pixels={"scale": [1, 2], "shift": [0]}), "one scale and one shift"),
        (lambda h: h.update(input={"size": [32, 32], "color": "red"}), "color 'red' must be"),
        (lambda h: h.update(input=7), "damaged"),
        (lambda h: h.update(step="many"), "damaged"),
    ],
)
def test_damaged_header_is_refused(
    finished: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], match: str
) -> None:
    """Whatever a header says that cannot be, the error names the file and the reason."""
    path = rewrite(finished / "classifier.safetensors", tmp_path / "c.safetensors", change)
    with pytest.raises(CheckpointError, match=match) as caught:
        read_classifier(path)
    assert caught.value.message.startswith(str(path))


def test_weights_of_another_shape_are_refused(finished: Path) -> None:
    """Nothing is built, and nothing large allocated, from weights that do not fit."""
    checkpoint = read_classifier(finished / "classifier.safetensors")
    config = replace(checkpoint.config, classes=10**9)
    match = r"classifier.fc3.weight has shape \[10, 84\] instead of \[1000000000, 84\]"
    with pytest.raises(CheckpointError, match=match):
        replace(checkpoint, config=config).build()
    fewer = {name: t for name, t in checkpoint.net.items() if name != "features.conv1.bias"}
    with pytest.raises(CheckpointError, match=r"features.conv1.bias is missing"):
        replace(checkpoint, net=fewer).build()
    more = checkpoint.net | {"extra": torch.zeros(1)}
    with pytest.raises(CheckpointError, match="extra is not of this network"):
        replace(checkpoint, net=more).build()


@pytest.mark.parametrize(
    ("data", "match"), [(b"", "not a checkpoint"), (b"\x80\x04pickle", "not a checkpoint")]
)
def test_other_files_are_refused(tmp_path: Path, data: bytes, match: str) -> None:
    """An empty file and a pickle are no checkpoints; a missing one is named."""
    path = tmp_path / "c.safetensors"
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=match):
        read_classifier(path)
    with pytest.raises(CheckpointError, match="nowhere: no such checkpoint"):
        read_classifier(tmp_path / "nowhere")
