"""ONNX files written for tests."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, parser

Weights = Mapping[str, tuple[int, ...] | np.ndarray]
Write = Callable[..., Path]


def fill(value: tuple[int, ...] | np.ndarray) -> np.ndarray:
    """Return an array as it is, or one of that shape with no two numbers alike."""
    if isinstance(value, np.ndarray):
        return value
    return np.linspace(0.1, 0.9, int(np.prod(value)), dtype=np.float32).reshape(value)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes operations in ONNX's text form as a file."""

    def write_one(
        body: str,
        weights: Weights | None = None,
        *,
        opset: int = 17,
        x: str = "float[N,3,8,8] x",
        y: str = "float y",
    ) -> Path:
        head = f'<ir_version: 8, opset_import: ["" : {opset}, "other" : 1]>'
        model = parser.parse_model(f"{head} net ({x}) => ({y}) {{ {body} }}")
        for name, value in (weights or {}).items():
            model.graph.initializer.append(numpy_helper.from_array(fill(value), name))
        onnx.save(model, tmp_path / "net.onnx")
        return tmp_path / "net.onnx"

    return write_one


HEAD = '<ir_version: 8, opset_import: ["" : 17]>'
SMALL = f"""{HEAD} net (float[N,3,8,8] x, float[4,3,3,3] w, float[4] s) => (float y) {{
    c = Conv<strides=[2,2], pads=[1,1,1,1]>(x, w)
    n = BatchNormalization(c, s, s, s, s)
    r = Relu(n)
    g = GlobalAveragePool(r)
    z = Constant<value = int64[2] {{0, -1}}>()
    f = Reshape(g, z)
    y = Softmax(f)
}}"""


def make_model(text: str = SMALL) -> onnx.ModelProto:
    """Return a small model with weights."""
    model: onnx.ModelProto = parser.parse_model(text)
    for name, shape in (("w", (4, 3, 3, 3)), ("s", (4,))):
        values = np.linspace(0.5, 1, int(np.prod(shape)), dtype=np.float32)
        model.graph.initializer.append(numpy_helper.from_array(values.reshape(shape), name))
    return model


GOOD = make_model().SerializeToString()


def save(folder: Path, model: onnx.ModelProto | bytes) -> Path:
    """Write a model and return its path."""
    path = folder / "net.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return path


def write_varint(value: int) -> bytes:
    """Return an integer in the wire format."""
    written = b""
    while value >= 0x80:
        written += bytes([value & 0x7F | 0x80])
        value >>= 7
    return written + bytes([value])
