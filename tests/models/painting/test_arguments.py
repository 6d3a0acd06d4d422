"""The words of the command: what they mean and how wrong ones are answered."""

from pathlib import Path

import click
import pytest

from models.painting.arguments import (
    LAYERS,
    Stage,
    check_collisions,
    plan_stages,
    read_layers,
    read_painting,
)
from models.style.perceptual import list_convolutions


def test_layers_are_those_of_the_feature_network() -> None:
    """The names that are known without PyTorch are the network's own."""
    assert list(LAYERS) == [name.replace("conv", "relu") for name, _, _ in list_convolutions()]


def test_layers_have_shares() -> None:
    """A layer may have a share, and counts 1 without one."""
    assert read_layers("relu1_1=0.5, relu2_1") == (("relu1_1", 0.5), ("relu2_1", 1.0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("relu3_4", "layer 'relu3_4' is unknown; VGG-16 has relu3_"),
        ("", "layer '' is unknown"),
        ("relu1_1,relu1_1=2", "layer 'relu1_1' stands twice"),
        ("relu1_1=0", "relu1_1: the share '0' must be a positive number"),
        ("relu1_1=nan", "the share 'nan' must be a positive number"),
        ("relu1_1=inf", "the share 'inf' must be a positive number"),
        ("relu1_1=much", "the share 'much' must be a positive number"),
    ],
)
def test_wrong_layers_are_answered(text: str, message: str) -> None:
    """An unknown or repeated layer and a senseless share are refused by name."""
    with pytest.raises(click.BadParameter, match=message):
        read_layers(text)


def test_paintings_have_shares(tmp_path: Path) -> None:
    """``FILE:0.7`` is a share, unless a file of that very name exists."""
    assert read_painting("mill.png") == (Path("mill.png"), 1.0)
    assert read_painting("mill.png:0.7") == (Path("mill.png"), 0.7)
    assert read_painting("c:mill.png") == (Path("c:mill.png"), 1.0)
    named = tmp_path / "mill.png:2"
    named.touch()
    assert read_painting(str(named)) == (named, 1.0)
    with pytest.raises(click.BadParameter, match=r"mill\.png: the share '-1' must be a positive"):
        read_painting("mill.png:-1")


@pytest.mark.parametrize(
    ("sizes", "steps", "stages"),
    [
        ("64", "9", (Stage(64, 9),)),
        ("64,128", "9", (Stage(64, 9), Stage(128, 9))),
        ("64, 128", "9,3", (Stage(64, 9), Stage(128, 3))),
        ("64,128,256", None, (Stage(64, 150), Stage(128, 75), Stage(256, 75))),
    ],
)
def test_stages_pair_sizes_and_steps(
    sizes: str, steps: str | None, stages: tuple[Stage, ...]
) -> None:
    """One number of steps holds for all sizes; without one the first takes most."""
    assert plan_stages(sizes, steps) == stages


@pytest.mark.parametrize(
    ("sizes", "steps", "message"),
    [
        ("128,64", "9", "each must be larger than the one before"),
        ("64,64", "9", "each must be larger than the one before"),
        ("16", "9", "--sizes '16': must be whole numbers from 32 to 4096"),
        ("9999", "9", "--sizes '9999': must be whole numbers from 32 to 4096"),
        ("64px", "9", "--sizes '64px': must be whole numbers"),
        ("", "9", "--sizes '': must be whole numbers"),
        ("9" * 5000, "9", "must be whole numbers"),
        ("64,128", "1,2,3", "3 numbers for 2 sizes; give one for all sizes, or one for each"),
        ("64", "0", "--steps '0': must be whole numbers from 1 to 100000"),
        ("64", "1.5", "--steps '1.5': must be whole numbers"),
        (",".join(map(str, range(32, 50))), "9", "--sizes: 18 numbers; at most 8 can be given"),
    ],
)
def test_wrong_stages_are_wrong_usage(sizes: str, steps: str, message: str) -> None:
    """Sizes that shrink, odd numbers and lists of different lengths are refused."""
    with pytest.raises(click.UsageError, match=message):
        plan_stages(sizes, steps)


def test_inputs_are_never_written_over(tmp_path: Path) -> None:
    """A result may be neither an input nor another result, whatever way it is written."""
    photo = tmp_path / "photo.png"
    with pytest.raises(click.UsageError, match="is an input or another output too"):
        check_collisions([photo], [tmp_path / "." / "photo.png"])
    with pytest.raises(click.UsageError, match="is an input or another output too"):
        check_collisions([], [tmp_path / "a.webp", tmp_path / "a.webp"])
