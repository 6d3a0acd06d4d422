"""What a file must do at least: multiply-adds of its convolutions, and bytes that must move.

The bound of a machine is max(multiply-adds / its peak rate, bytes / its bandwidth), where

- multiply-adds are those of every convolution and transposed convolution, from the shapes that
  the file itself has when it runs; behind a DequantizeLinear, or written as QLinearConv, they
  are int8 and count at the int8 rate, all others at the fp32 rate; products with a weight of
  zero do not count, since nobody has to do them, be it zero by design or by rounding;
- bytes that must move are the input picture, the output picture and the weights, each once:
  what no implementation can do without, however much it fuses;
- the peak rate is that of a 2048 x 2048 x 2048 matrix product in ONNX Runtime with the same
  threads, in fp32 and as MatMulInteger of uint8 with int8;
- the bandwidth is that of a copy of half a gigabyte with the same threads, counting what
  is read and what is written.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

CONVOLUTIONS = {"Conv", "ConvTranspose", "ConvInteger", "QLinearConv"}
OPSET = 17


def build_product(precision: str, side: int) -> bytes:
    """Return a model that multiplies a matrix by a constant one.

    Args:
        precision: ``fp32`` or ``int8``.
        side: of both matrices.
    """
    generator = np.random.default_rng(0)
    whole = precision == "int8"
    kind = TensorProto.UINT8 if whole else TensorProto.FLOAT
    values = generator.integers(-100, 100, (side, side))
    constant = numpy_helper.from_array(values.astype(np.int8 if whole else np.float32), "b")
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger" if whole else "MatMul", ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", kind, [side, side])],
        [helper.make_tensor_value_info("c", TensorProto.INT32 if whole else kind, [side, side])],
        [constant],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 8
    data: bytes = model.SerializeToString()
    return data


def count_file(path: Path, side: int) -> dict[str, int]:
    """Return the work of a file on one square picture.

    Returns:
        ``fp32`` and ``int8`` multiply-adds, ``bytes`` that must move, and ``layer_bytes``, which
        is what moves where every convolution reads its input and writes its output.
    """
    model = onnx.load(path)
    nodes = [node for node in model.graph.node if node.op_type in CONVOLUTIONS]
    tensors, moved = run_with_taps(path, model, nodes, side)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    counts = {"fp32": 0, "int8": 0}
    layer_bytes = 0
    for node in nodes:
        source, target = tensors[data_input(node)], tensors[node.output[0]]
        spread = source if node.op_type == "ConvTranspose" else target
        positions = spread.size // spread.shape[1]  # every weight has one product at each
        precision = name_precision(node, model)
        counts[precision] += positions * int(np.count_nonzero(find_kernel(node, model, weights)))
        layer_bytes += (source.size + target.size) * (1 if precision == "int8" else 4)
    held = sum(len(numpy_helper.to_array(t).tobytes()) for t in model.graph.initializer)
    return counts | {"bytes": moved + held, "layer_bytes": layer_bytes + held}


def run_with_taps(
    path: Path, model: ModelProto, nodes: list[NodeProto], side: int
) -> tuple[dict[str, np.ndarray], int]:
    """Return inputs and outputs of convolutions, and the bytes of the file's inputs and outputs."""
    from speed_parts import make_feeds, open_plain

    feeds = make_feeds(open_plain(str(path), 1), side)
    tapped = ModelProto()
    tapped.CopyFrom(model)
    known = {tensor.name for tensor in [*tapped.graph.output, *tapped.graph.input]}
    names = {name for node in nodes for name in (data_input(node), node.output[0])}
    tapped.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(names - known))
    session = open_plain(tapped.SerializeToString(), 1)
    found = dict(
        zip([t.name for t in session.get_outputs()], session.run(None, feeds), strict=True)
    )
    ends = [*feeds.values(), *(found[tensor.name] for tensor in model.graph.output)]
    return {**found, **feeds}, sum(array.nbytes for array in ends)


def data_input(node: NodeProto) -> str:
    """Return the name of what a convolution slides over."""
    return str(node.input[0])


def find_kernel(node: NodeProto, model: ModelProto, weights: dict[str, TensorProto]) -> np.ndarray:
    """Return a convolution's kernel, also from before a DequantizeLinear.

    Raises:
        SystemExit: it is no constant.
    """
    name = node.input[3] if node.op_type == "QLinearConv" else node.input[1]
    while name not in weights:
        makers = [maker for maker in model.graph.node if name in maker.output and maker.input]
        if not makers:
            message = f"{node.name}: its weights are not in the file"
            raise SystemExit(message)
        name = makers[0].input[0]
    return numpy_helper.to_array(weights[name])


def name_precision(node: NodeProto, model: ModelProto) -> str:
    """Return ``int8`` for a convolution of integers, else ``fp32``."""
    if node.op_type in {"QLinearConv", "ConvInteger"}:
        return "int8"
    makers = {maker.op_type for maker in model.graph.node if data_input(node) in maker.output}
    return "int8" if "DequantizeLinear" in makers else "fp32"


def find_bound(work: dict[str, int], rates: dict[str, float], bandwidth: float) -> dict[str, Any]:
    """Return the bound in milliseconds and what sets it.

    Args:
        work: of :func:`count_file`.
        rates: multiply-adds per second, ``fp32`` and ``int8``.
        bandwidth: bytes per second.
    """
    arithmetic = 1000 * sum(work[name] / rates[name] for name in ("fp32", "int8"))
    traffic = 1000 * work["bytes"] / bandwidth
    return {
        "ms": max(arithmetic, traffic),
        "arithmetic_ms": arithmetic,
        "traffic_ms": traffic,
        "layer_traffic_ms": 1000 * work["layer_bytes"] / bandwidth,
        **work,
    }
