"""What a file may say of its layers, and which of them are shown."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ModelError
from runner.look.command import name_files
from runner.look.layers import Box, Field, Layer
from runner.look.network import LayeredNetwork
from runner.look.selection import check_units, choose_layers, choose_units
from runner.model import COLLECTION

from .conftest import VGG, describe, square

LAYERS = tuple(Layer(step.name, step.kind, step.shape, step.field) for step in VGG)
GOOD = describe("conv1_1", "conv", (6, 24, 24), square(3, 1, -1))


def test_file_tells_its_layers(open_network: Callable[[str], LayeredNetwork]) -> None:
    """Names, kinds, shapes and fields are the file's, in its order."""
    network = open_network("vgg")
    assert network.layers == LAYERS
    assert (network.name, network.labels) == ("handmade", ())


def test_units_see_boxes_a_jump_apart() -> None:
    """A unit's box begins at start plus its position times the jump, axis by axis."""
    layer = Layer("conv", "conv", (4, 5, 7), Field((9, 5), (4, 2), (-4, -2)))
    assert layer.locate(0, (30, 30)) == Box(-4, -2, 5, 3)
    assert layer.locate(2 * 7 + 3, (30, 30)) == Box(4, 4, 13, 9)
    assert layer.find_position(2 * 7 + 3) == (2, 3)
    assert (layer.units, layer.values) == (4, 140)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"taps": None}, r"gives out none of its layers.*impasto export CHECKPOINT -o"),
        ({"taps": []}, r"impasto\.taps \[\] lists no outputs; export it with its layers"),
        ({"taps": {"outputs": []}}, r"lists no outputs"),
        ({"taps": {"outputs": [3]}}, r"its output 3 has no name"),
        ({"taps": {"outputs": [{**GOOD, "name": ""}]}}, r"has no name"),
        ({"taps": {"outputs": [GOOD, GOOD]}}, r"names a layer twice"),
        ({"taps": {"outputs": [{**GOOD, "shape": [6, 24]}]}}, r"shape \[6, 24\] of 'conv1_1'"),
        ({"taps": {"outputs": [{**GOOD, "shape": [6, 24, 0]}]}}, r"neither \[C, H, W\] nor"),
        ({"taps": {"outputs": [{**GOOD, "shape": [6, 24, 23]}]}}, r"is tensor\(float\) \['N', 6"),
        ({"taps": {"outputs": [{**GOOD, "name": "conv9"}]}}, r"'conv9' should be.* is missing"),
        ({"taps": {"outputs": [{**GOOD, "receptive_field": None}]}}, r"the receptive_field None"),
        ({"taps": {"outputs": [{**GOOD, "receptive_field": [9**9, 1]}]}}, r"from 1 to 4096"),
        ({"taps": {"outputs": [{**GOOD, "jump": [0, 1]}]}}, r"the jump \[0, 1\] of 'conv1_1'"),
        ({"taps": {"outputs": [{**GOOD, "start": [0.5, 1]}]}}, r"the start \[0\.5, 1\]"),
        ({"taps": {"outputs": [{**GOOD, "start": [True, 1]}]}}, r"the start \[True, 1\]"),
        ({"task": "stylize"}, r"made for 'stylize', and look shows classifiers"),
        ({"task": None}, r"without impasto metadata, and look shows classifiers"),
        ({"input": {}}, r"its input size None must be two sides"),
        ({"input": None}, r"impasto\.input is None, not an object"),
        ({"schema": 2}, r"metadata schema 2 is not 1"),
    ],
)
def test_metadata_that_cannot_be_used_are_refused(
    entries: dict[str, object], reason: str, alter: Callable[..., Path]
) -> None:
    """What is damaged, too large or no output of the file is refused, with a remedy."""
    with pytest.raises(ModelError, match=reason):
        LayeredNetwork(alter("vgg", **entries))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("lenet5", r"lenet5\.onnx: it gives out none of its layers.* --taps"),
        ("lenet", r"model 'lenet' is no file.*lenet5"),
        (COLLECTION, r"made for 'stylize'"),
        ("missing.onnx", r"missing\.onnx: no such model file"),
        (__file__, r"not an ONNX file"),
    ],
)
def test_other_files_are_refused(path: str | Path, reason: str) -> None:
    """A shipped classifier without layers, the styles, and what is no network."""
    with pytest.raises(ModelError, match=reason):
        LayeredNetwork(path)


def test_other_sides_than_the_file_s_are_refused(alter: Callable[..., Path]) -> None:
    """The input rule must fit the tensor that the file takes."""
    rule = {"size": [8, 8], "resize": {"rule": "stretch"}, "dtype": "uint8", "layout": "NHWC"}
    with pytest.raises(ModelError, match=r"are not image uint8 \[N, 8, 8, 3\] as its metadata"):
        LayeredNetwork(alter("vgg", input=rule))


def test_last_convolutions_of_blocks_are_shown() -> None:
    """Without a wish these are the convolutions that are followed by something else."""
    assert [layer.name for layer in choose_layers(LAYERS)] == ["conv1_2", "conv2_2"]
    assert choose_layers(LAYERS, ["all"]) == LAYERS
    assert choose_layers(LAYERS[-1:]) == LAYERS[-1:]  # no convolution: what there is
    wished = choose_layers(LAYERS, ["fc1", "conv1_1"])
    assert [layer.name for layer in wished] == ["conv1_1", "fc1"]


def test_unknown_layers_are_named_with_the_nearest() -> None:
    """A slip of the pen is answered by what was meant, as wrong usage."""
    with pytest.raises(click.UsageError, match=r"no layer 'conv12'; there are conv1_2"):
        choose_layers(LAYERS, ["conv12"])


@given(st.integers(1, 600), st.integers(1, 64))
def test_units_are_an_even_sample(total: int, count: int) -> None:
    """Rising, within the layer, as many as asked for, and at distances that differ by one."""
    units = choose_units(Layer("fc", "fc", (total,), None), count)
    assert len(units) == min(total, count)
    assert units[0] == 0
    assert units[-1] < total
    steps = {right - left for left, right in pairwise(units)}
    assert not steps or (min(steps) > 0 and max(steps) - min(steps) <= 1)


def test_missing_units_are_wrong_usage() -> None:
    """The message names the layer and what it has."""
    check_units(LAYERS[:2], [0, 5])
    with pytest.raises(click.UsageError, match=r"layer conv1_1 has no unit 6; it has 0 to 5"):
        check_units(LAYERS, [6])


def test_names_of_files_are_plain_and_different() -> None:
    """Whatever a layer is called, its sheets stay in the folder and have names of their own."""
    names = ["../../etc/passwd", "conv 1", "conv/1", "Conv_1", "...", "\n", "x" * 300]
    layers = [Layer(name, "fc", (1,), None) for name in names]
    assert list(name_files(layers).values()) == [
        "etc_passwd", "conv_1", "conv_1-2", "Conv_1-3", "layer", "layer-2", "x" * 100,
    ]  # fmt: skip
