"""Networks that give out their layers: made by hand, and the shipped ones with tensors added."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from runner.look.layers import Field
from runner.look.network import LayeredNetwork, Values
from runner.model import SHIPPED

FIXED = {"dtype": "uint8", "layout": "NHWC", "interpolation": "bilinear", "background": 0}


def make_rule(side: int, color: str = "RGB") -> dict[str, Any]:
    """Return an input rule that stretches pictures to a square."""
    shape = {"size": [side, side], "color": color, "resize": {"rule": "stretch"}}
    return {**shape, "invert": "never", **FIXED}


@dataclasses.dataclass(frozen=True)
class Step:
    """One layer of a network made by hand; its receptive field is worked out on paper."""

    name: str
    kind: str
    shape: tuple[int, ...]
    field: Field | None
    attributes: dict[str, Any] = dataclasses.field(default_factory=dict)


def square(extent: int, jump: int, start: int) -> Field:
    """Return a receptive field that is the same on both axes."""
    return Field((extent, extent), (jump, jump), (start, start))


SAME = {"pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}  # VGG's convolution
HALF = {"kernel_shape": [2, 2], "strides": [2, 2]}  # and its pooling
VGG = (
    Step("conv1_1", "conv", (6, 24, 24), square(3, 1, -1), SAME),
    Step("conv1_2", "conv", (6, 24, 24), square(5, 1, -2), SAME),
    Step("pool1", "maxpool", (6, 12, 12), square(6, 2, -2), HALF),
    Step("conv2_1", "conv", (8, 12, 12), square(10, 2, -4), SAME),
    Step("conv2_2", "conv", (8, 12, 12), square(14, 2, -6), SAME),
    Step("pool2", "maxpool", (8, 6, 6), square(16, 4, -6), HALF),
    Step("fc1", "fc", (20,), None),
)
STRIDED = (
    Step(
        "tall", "conv", (5, 15, 30), Field((5, 3), (2, 1), (-2, -1)),
        {"kernel_shape": [5, 3], "strides": [2, 1], "pads": [2, 1, 2, 1]},
    ),
    Step(
        "padded", "avgpool", (5, 8, 15), Field((9, 5), (4, 2), (-4, -2)),
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
    ),
    Step(
        "dilated", "conv", (4, 4, 11), Field((25, 13), (4, 2), (-4, -2)),
        {"kernel_shape": [3, 3], "dilations": [2, 2]},
    ),
)  # fmt: skip
FILTERS = {"before": "filters/before", "after": "filters/after"}
OPERATORS = {"fc": "Gemm", "conv": "Conv", "maxpool": "MaxPool", "avgpool": "AveragePool"}


def describe(name: str, kind: str, shape: Sequence[int], seen: Field | None) -> dict[str, Any]:
    """Return an entry of ``impasto.taps``."""
    pairs = (seen.extent, seen.jump, seen.start) if seen else (None, None, None)
    keys = ("receptive_field", "jump", "start")
    lists = {key: list(pair) if pair else None for key, pair in zip(keys, pairs, strict=True)}
    return {"name": name, "kind": kind, **lists, "shape": list(shape)}


def sign(model: onnx.ModelProto, **entries: object) -> None:
    """Write metadata over those of a model."""
    kept = {entry.key: entry.value for entry in model.metadata_props}
    del model.metadata_props[:]
    added = {f"impasto.{key}": json.dumps(value) for key, value in entries.items()}
    helper.set_model_props(model, kept | added)


class Handmade:
    """A chain of rectified layers with random weights, as it grows.

    The last unit of each convolution can never be active.

    Args:
        channels: of the input.
    """

    def __init__(self, channels: int) -> None:
        self.generator = np.random.default_rng(1)
        self.nodes = [
            helper.make_node("Transpose", ["image"], ["planes"], perm=[0, 3, 1, 2]),
            helper.make_node("Cast", ["planes"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["floats", "scale"], ["in"]),
        ]
        self.weights: dict[str, Values] = {"scale": np.array(1 / 255, np.float32)}
        self.tensor = "in"
        self.shape: tuple[int, ...] = (channels, 0, 0)

    def append(self, step: Step) -> None:
        """Add one layer and its rectifier."""
        inputs, operator, given = [self.tensor], OPERATORS[step.kind], dict(step.attributes)
        if step.kind == "fc":
            self.nodes.append(helper.make_node("Flatten", inputs, [f"{step.name}.flat"]))
            matrix = self.draw(f"{step.name}.w", step.shape[0], int(np.prod(self.shape)))
            inputs, given = [f"{step.name}.flat", matrix], {"transB": 1}
        elif step.kind == "conv":
            kernel = self.draw(
                f"{step.name}.w", step.shape[0], self.shape[0], *given["kernel_shape"]
            )
            bias = self.generator.uniform(0, 0.1, step.shape[0]).astype(np.float32)
            bias[-1] = -1000
            self.weights[f"{step.name}.b"] = bias
            inputs += [kernel, f"{step.name}.b"]
        self.nodes.append(helper.make_node(operator, inputs, [f"{step.name}.out"], **given))
        self.nodes.append(helper.make_node("Relu", [f"{step.name}.out"], [step.name]))
        self.tensor, self.shape = step.name, step.shape

    def draw(self, name: str, *shape: int) -> str:
        """Draw weights that keep signals alive and return their name."""
        spread = (2 / np.prod(shape[1:])) ** 0.5
        self.weights[name] = self.generator.normal(0, spread, shape).astype(np.float32)
        return name

    def show_filters(self, first: str) -> None:
        """Give out the first weights, and others as those before training."""
        before = self.draw("old", *self.weights[first].shape)
        for source, name in ((first, "filters/after"), (before, "filters/before")):
            self.nodes.append(helper.make_node("Identity", [source], [name]))


def build(steps: Sequence[Step], side: int, color: str = "RGB") -> onnx.ModelProto:
    """Return a ``features`` network that gives out its layers and first filters."""
    chain = Handmade(1 if color == "grey" else 3)
    channels = chain.shape[0]
    for step in steps:
        chain.append(step)
    chain.show_filters(f"{steps[0].name}.w")
    shapes: dict[str, list[str | int | None]] = {step.name: ["N", *step.shape] for step in steps}
    shapes |= {name: list(chain.weights["old"].shape) for name in FILTERS.values()}
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", side, side, channels])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]
    stored = [numpy_helper.from_array(array, name) for name, array in chain.weights.items()]
    graph = helper.make_graph(chain.nodes, "features", [image], outputs, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    layers = [describe(step.name, step.kind, step.shape, step.field) for step in steps]
    taps = {"outputs": layers, "filters": FILTERS}
    about = {"schema": 1, "task": "features", "network": {"name": "handmade"}}
    sign(model, **about, input=make_rule(side, color), taps=taps)
    return model


def tap(name: str, layers: Sequence[Step]) -> onnx.ModelProto:
    """Return a classifier that ships, with tensors of its graph as further outputs."""
    model = onnx.load(SHIPPED / f"{name}.onnx")
    for step in layers:
        shape: list[str | int | None] = ["N", *step.shape]
        model.graph.output.append(
            helper.make_tensor_value_info(step.name, TensorProto.FLOAT, shape)
        )
    entries = [describe(step.name, step.kind, step.shape, step.field) for step in layers]
    sign(model, taps={"outputs": entries, "filters": None})
    return model


# The receptive fields of LeNet-5 and SimpleConvNet, neither of which pads.
LENET5 = (
    Step("tanh1/out", "conv", (6, 28, 28), square(5, 1, 0)),
    Step("pool1/out", "avgpool", (6, 14, 14), square(6, 2, 0)),
    Step("tanh2/out", "conv", (16, 10, 10), square(14, 2, 0)),
    Step("pool2/out", "avgpool", (16, 5, 5), square(16, 4, 0)),
    Step("tanh4/out", "fc", (84,), None),
)
SIMPLECONVNET = (
    Step("relu1/out", "conv", (30, 24, 24), square(5, 1, 0)),
    Step("pool1/out", "maxpool", (30, 12, 12), square(6, 2, 0)),
    Step("relu2/out", "fc", (100,), None),
)
BUILDERS: dict[str, Callable[[], onnx.ModelProto]] = {
    "vgg": lambda: build(VGG, 24),
    "strided": lambda: build(STRIDED, 30),
    "grey": lambda: build(VGG, 24, "grey"),
    "lenet5": lambda: tap("lenet5", LENET5),
    "simpleconvnet": lambda: tap("simpleconvnet", SIMPLECONVNET),
}


@pytest.fixture(scope="session")
def find_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function from a name of :data:`BUILDERS` to the network's file."""
    folder = tmp_path_factory.mktemp("models")

    def find(name: str) -> Path:
        path = folder / f"{name}.onnx"
        if not path.exists():
            onnx.save(BUILDERS[name](), path)
        return path

    return find


@pytest.fixture(scope="session")
def open_network(find_model: Callable[[str], Path]) -> Callable[[str], LayeredNetwork]:
    """Return a function from a name to the open network."""
    return lambda name: LayeredNetwork(find_model(name), "cpu")


@pytest.fixture
def alter(tmp_path: Path, find_model: Callable[[str], Path]) -> Callable[..., Path]:
    """Return a function that writes a network with other metadata; None takes an entry away."""

    def write(name: str, **entries: object) -> Path:
        model = onnx.load(find_model(name))
        sign(model, **entries)
        gone = {f"impasto.{key}" for key, value in entries.items() if value is None}
        kept = {entry.key: entry.value for entry in model.metadata_props if entry.key not in gone}
        del model.metadata_props[:]
        helper.set_model_props(model, kept)
        path = tmp_path / "altered.onnx"
        onnx.save(model, path)
        return path

    return write


@pytest.fixture
def scenes(tmp_path: Path, make_photo: Callable[..., Image.Image]) -> Path:
    """Return a folder of twelve small photos."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    for seed in range(12):
        make_photo(30, 30, seed).save(folder / f"{seed:02}.png")
    return folder
