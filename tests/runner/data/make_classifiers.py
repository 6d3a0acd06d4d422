"""Write ``colors.onnx`` and ``strokes.onnx``, the small classifiers that the tests run.

They were written once by ``python tests/runner/data/make_classifiers.py``, which needs the
package ``onnx``; the tests do not.

- ``colors.onnx``: RGB, 8x8 cut out of pictures whose shorter side is 10. The probabilities of
  red, green and blue are the softmax of 8 times the mean level (0 to 1) of each channel, so
  that a test can tell them. Its output does not state the number of classes.
- ``strokes.onnx``: grey, LeNet-5's input rule, one convolution and one dense layer with random
  weights, ten classes. Its answers mean nothing, and depend on every pixel.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper, save

FOLDER = Path(__file__).parent
FIXED = {"dtype": "uint8", "layout": "NHWC", "interpolation": "bilinear", "background": 0}
COLORS_INPUT = {
    "size": [8, 8], "color": "RGB", "resize": {"rule": "crop", "short_side": 10},
    "invert": "never", **FIXED,
}  # fmt: skip
STROKES_INPUT = {
    "size": [32, 32], "color": "grey", "resize": {"rule": "fit", "box": [28, 28]},
    "invert": "auto", **FIXED,
}  # fmt: skip


def begin(scale: float) -> list[NodeProto]:
    """Return what every classifier begins with: layout, cast and scale."""
    constant = helper.make_tensor("", TensorProto.FLOAT, [], [scale])
    return [
        helper.make_node("Transpose", ["image"], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["nchw"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], ["scale"], value=constant),
        helper.make_node("Mul", ["levels", "scale"], ["scaled"]),
    ]


def write(
    name: str,
    nodes: list[NodeProto],
    shape: list[str | int | None],
    classes: str | int,
    *,
    weights: dict[str, Any],
    metadata: dict[str, Any],
) -> None:
    """Write one file; ``nodes`` end in ``logits``."""
    graph = helper.make_graph(
        [*nodes, helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1)],
        "graph",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", classes])],
        [numpy_helper.from_array(array, key) for key, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    entries = {"schema": 1, "task": "classify", **metadata}
    helper.set_model_props(
        model, {f"impasto.{key}": json.dumps(value) for key, value in entries.items()}
    )
    save(model, FOLDER / name)


def write_colors() -> None:
    """Write ``colors.onnx``."""
    nodes = begin(8 / 255)
    nodes += [
        helper.make_node("ReduceMean", ["scaled"], ["means"], axes=[2, 3], keepdims=0),
        # 3, in a way that ONNX Runtime does not see through
        helper.make_node("Cast", ["image"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Mul", ["whole", "nothing"], ["zeros"]),
        helper.make_node("ReduceMax", ["zeros"], ["zero"], keepdims=0),
        helper.make_node("Add", ["zero", "classes"], ["end"]),
        helper.make_node("Slice", ["means", "first", "end", "axis"], ["logits"]),
    ]
    numbers = {"nothing": [0], "classes": [3], "first": [0], "axis": [1]}
    weights = {key: np.array(value, np.int64) for key, value in numbers.items()}
    metadata = {
        "network": {"name": "colors", "config": {}, "parameters": 0},
        "input": COLORS_INPUT,
        "labels": ["red", "green", "blue"],
        "precision": "fp32",
        "training": {"steps": 0},
        "parity": {"largest_difference": 0.0},
        "license": "MIT",
    }
    write("colors.onnx", nodes, ["N", 8, 8, 3], "K", weights=weights, metadata=metadata)


def write_strokes() -> None:
    """Write ``strokes.onnx``."""
    generator = np.random.default_rng(0)
    weights = {
        "filters": generator.normal(0, 0.3, (4, 1, 5, 5)).astype(np.float32),
        "matrix": generator.normal(0, 0.3, (10, 196)).astype(np.float32),
        "bias": np.zeros(10, np.float32),
    }
    nodes = [
        *begin(1 / 255),
        helper.make_node("Conv", ["scaled", "filters"], ["maps"], strides=[4, 4]),
        helper.make_node("Relu", ["maps"], ["active"]),
        helper.make_node("Flatten", ["active"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix", "bias"], ["logits"], transB=1),
    ]
    metadata = {"input": STROKES_INPUT, "labels": [str(digit) for digit in range(10)]}
    write("strokes.onnx", nodes, ["N", 32, 32, 1], 10, weights=weights, metadata=metadata)


if __name__ == "__main__":
    write_colors()
    write_strokes()
