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
