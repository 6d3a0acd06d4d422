"""What a file must do at least: counted from its own shapes, weights and precision."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, parser
from speed_bounds import count_file, find_bound

HEAD = '<ir_version: 8, opset_import: ["" : 17]>'
ENDS = "(float[N,3,H,W] x) => (float y)"


def write(path: Path, body: str, weights: np.ndarray) -> Path:
    """Write a file of one convolution."""
    model = parser.parse_model(f"{HEAD} net {ENDS} {{ {body} }}")
    model.graph.initializer.append(numpy_helper.from_array(weights, "w"))
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(("form", "positions"), [("Conv", 4 * 4), ("ConvTranspose", 9 * 9)])
def test_every_weight_but_zero_counts_at_every_position(
    form: str, positions: int, tmp_path: Path
) -> None:
    """Of a convolution positions are those of its output, of a transposed one of its input."""
    weights = np.ones((3, 3, 2, 2), np.float32)
    body = f"y = {form}<strides=[2,2]>(x, w)"
    full = count_file(write(tmp_path / "full.onnx", body, weights), 9)
    weights[1, 2] = 0
    some = count_file(write(tmp_path / "some.onnx", body, weights), 9)
    assert (full["fp32"], full["int8"]) == (positions * 36, 0)
    assert (some["fp32"], some["int8"]) == (positions * 32, 0)


def test_convolutions_behind_integers_count_as_integers(tmp_path: Path) -> None:
    """Their rate is another one, and their maps are a quarter as large."""
    steps = "s = Constant<value = float {0.5}>() z = Constant<value = int8 {0}>() "
    steps += "v = Constant<value = uint8 {0}>() q = QuantizeLinear(x, s, v) "
    body = steps + "u = DequantizeLinear(q, s, v) f = DequantizeLinear(w, s, z) y = Conv(u, f)"
    found = count_file(write(tmp_path / "net.onnx", body, np.ones((5, 3, 1, 1), np.int8)), 9)
    assert (found["fp32"], found["int8"]) == (0, 81 * 15)
    assert found["layer_bytes"] < 81 * 8 + 100


def test_slower_of_arithmetic_and_traffic_is_the_bound() -> None:
    """Either may set it."""
    work = {"fp32": 1000, "int8": 4000, "bytes": 100, "layer_bytes": 500}
    rates = {"fp32": 1e6, "int8": 4e6}
    assert find_bound(work, rates, 1e6)["ms"] == pytest.approx(2)
    assert find_bound(work, rates, 1e4)["ms"] == pytest.approx(10)
