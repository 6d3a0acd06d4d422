"""Bytes in, bytes out: the steps around a trunk, written as ONNX nodes.

Before the trunk: layout, cast, division by 255, reflection to the margin and the next
multiple of the stride. After it: times 255, round (half to even, as in torch), cast,
layout, crop. Three choices need a reason:

- The reflection acts on floats although bytes would be a little cheaper (0.4 ms
  at 1024x1024): ONNX Runtime's CUDA provider has no ``Pad`` for uint8.
- Where the trunk ends in phases (:mod:`exporter.rewrite`), they are put in order as bytes,
  a quarter of what floats would move: from the phases to the picture, about half the time.
  Written as reshapes and transpositions: the CUDA provider has no ``DepthToSpace`` for uint8.
- The crop comes last, on interleaved bytes, where a row is one copy: 4.3 to 5.4 ms for these
  steps at 1024x1024, against 5.7 to 8.5 with a crop of the float planes in front. No ``Clip``:
  a sigmoid does not leave [0, 1].
"""

from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from exporter.graph import add_constant, drop_dead
from exporter.rewrite import CROP
from exporter.trunk import INPUTS, OPSET, OUTPUT

IR_VERSION = 8  # what opset 17 needs; older runtimes refuse newer
IMAGE, STYLE_WEIGHTS, STYLIZED = "image", INPUTS[1], "stylized"


def wrap_pixels(trunk: ModelProto, *, styles: int, margin: int, stride: int) -> ModelProto:
    """Put the steps from and to pixels around a trunk.

    Args:
        trunk: as :func:`exporter.trunk.trace_trunk` returns it; left as it is.
        styles: S.
        margin: reflected pixels around the picture.
        stride: what the trunk's sides must be multiples of.

    Returns:
        A model with inputs ``image`` uint8 ``[N, H, W, 3]`` and ``style_weights`` float32
        ``[N, S]`` and output ``stylized`` uint8 ``[N, H, W, 3]``.
    """
    body, in_phases = _sink_phases(list(trunk.graph.node))
    graph = helper.make_graph(
        [*_enter(), *body, *_leave(in_phases=in_phases)],
        "stylize",
        _describe_inputs(styles),
        [_describe_pixels(STYLIZED, "RGB bytes of the paintings, each as large as its photo.")],
        initializer=trunk.graph.initializer,
    )
    first = margin + in_phases  # phases begin one pixel early
    sizes = {"margin": [margin], "stride": [stride], "before": [0, 0, margin, margin, 0, 0]}
    sizes |= {"first": [first], "start": [first] * 2, "sides": [1, 2], "two": [2], "rgb": [3]}
    sizes |= {"blocks": [0, 0, 0, 2, 6], "rows": [0, -1]}
    for name, values in sizes.items():
        add_constant(graph, f"pixels/{name}", np.array(values, np.int64))
    add_constant(graph, "pixels/white", np.array(255, np.float32))
    drop_dead(graph)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )


def _enter() -> list[NodeProto]:
    """Return the nodes from ``image`` to the trunk's first input."""
    return [
        _node("Shape", [IMAGE], "pixels/size", start=1, end=3),
        _node("Neg", ["pixels/size"], "pixels/negative"),
        # ONNX's integer Mod takes the divisor's sign, as Python's does
        _node("Mod", ["pixels/negative", "pixels/stride"], "pixels/missing"),
        _node("Add", ["pixels/missing", "pixels/margin"], "pixels/after"),
        _node("Concat", ["pixels/before", "pixels/after"], "pixels/pads", axis=0),
        _node("Transpose", [IMAGE], "pixels/planes", perm=[0, 3, 1, 2]),
        _node("Cast", ["pixels/planes"], "pixels/floats", to=TensorProto.FLOAT),
        _node("Div", ["pixels/floats", "pixels/white"], "pixels/scaled"),
        _node("Pad", ["pixels/scaled", "pixels/pads"], INPUTS[0], mode="reflect"),
    ]


def _sink_phases(nodes: list[NodeProto]) -> tuple[list[NodeProto], bool]:
    """Take DepthToSpace and its crop out of a trunk that ends in them and a sigmoid.

    Returns:
        The trunk's nodes, and whether ``painted`` is now ``[N, 2 * 2 * 3, H / 2 + 1, W / 2 + 1]``.
    """
    blocks, crop, sigmoid = nodes[-3:]
    in_phases = (
        [node.op_type for node in nodes[-3:]] == ["DepthToSpace", "Slice", "Sigmoid"]
        and [*crop.input] == [*blocks.output, *CROP]
        and [*sigmoid.input] == [*crop.output]
    )
    if not in_phases:
        return nodes, False
    return [*nodes[:-3], helper.make_node("Sigmoid", blocks.input, sigmoid.output)], True


def _leave(*, in_phases: bool) -> list[NodeProto]:
    """Return the nodes from the trunk's output to ``stylized``."""
    paintings = "pixels/ordered" if in_phases else "pixels/interleaved"
    return [
        _node("Mul", [OUTPUT, "pixels/white"], "pixels/grey"),
        _node("Round", ["pixels/grey"], "pixels/rounded"),
        _node("Cast", ["pixels/rounded"], "pixels/bytes", to=TensorProto.UINT8),
        _node("Transpose", ["pixels/bytes"], "pixels/interleaved", perm=[0, 2, 3, 1]),
        *(_order_phases() if in_phases else []),
        _node("Add", ["pixels/size", "pixels/first"], "pixels/end"),
        _node("Slice", [paintings, "pixels/start", "pixels/end", "pixels/sides"], STYLIZED),
    ]


def _order_phases() -> list[NodeProto]:
    """Return the nodes from bytes ``[N, h, w, 2 * 2 * 3]`` to ``[N, 2 h, 2 w, 3]``."""
    return [
        _node("Reshape", ["pixels/interleaved", "pixels/blocks"], "pixels/pairs"),
        _node("Transpose", ["pixels/pairs"], "pixels/lines", perm=[0, 1, 3, 2, 4]),
        _node("Shape", ["pixels/interleaved"], "pixels/half", start=2, end=3),
        _node("Mul", ["pixels/half", "pixels/two"], "pixels/width"),
        _node("Concat", ["pixels/rows", "pixels/width", "pixels/rgb"], "pixels/shape", axis=0),
        _node("Reshape", ["pixels/lines", "pixels/shape"], "pixels/ordered"),
    ]


def _node(operator: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:  # noqa: ANN401
    return helper.make_node(operator, inputs, [output], output, **attributes)


def _describe_inputs(styles: int) -> list[ValueInfoProto]:
    weights = helper.make_tensor_value_info(
        STYLE_WEIGHTS,
        TensorProto.FLOAT,
        ["N", styles],
        doc_string="One row per photo: the share of each style in it; a row sums to 1.",
    )
    return [_describe_pixels(IMAGE, "RGB bytes of the photos."), weights]


def _describe_pixels(name: str, words: str) -> ValueInfoProto:
    return helper.make_tensor_value_info(
        name, TensorProto.UINT8, ["N", "H", "W", 3], doc_string=words
    )
