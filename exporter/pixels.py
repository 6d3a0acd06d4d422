"""Bytes in, bytes out: the steps around a trunk, written as ONNX nodes.

Before the trunk: layout, cast, division by 255 (which :func:`fold_scale` takes into weights),
reflection to the margin and the next multiple of the stride. After it: layout, rounding to
bytes (half to even, as in torch), order of the last phases, crop. Four choices need a reason:

- The reflection acts on floats although bytes would be a little cheaper: ONNX Runtime's CUDA
  provider has no ``Pad`` for uint8.
- ``QuantizeLinear`` with a step of 1 / 255 is times 255, round and cast in one pass.
- Where the trunk ends in phases (:mod:`exporter.rewrite`), they are put in order as bytes, a
  quarter of what floats would move (:mod:`exporter.blocks`).
- The crop comes last, on interleaved bytes, where a row is one copy. No ``Clip``: a sigmoid does
  not leave [0, 1].
"""

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from exporter.blocks import INTERLEAVE, SEPARATE, make_node, order_blocks
from exporter.graph import add_constant, drop_dead, find_constants, replace_all
from exporter.tail import Layout
from exporter.trunk import INPUTS, OPSET, OUTPUT
from models.style.architecture import StyleNetConfig

IR_VERSION = 8  # what opset 17 needs; older runtimes refuse newer
WHITE = 255
FLOATS, SCALED = "pixels/floats", "pixels/scaled"  # grey levels; the same in [0, 1]
IMAGE, STYLE_WEIGHTS, STYLIZED = "image", INPUTS[1], "stylized"


def wrap_pixels(
    trunk: ModelProto, layout: Layout, *, styles: int, config: StyleNetConfig
) -> ModelProto:
    """Put the steps from and to pixels around a trunk.

    Args:
        trunk: as :func:`exporter.trunk.trace_trunk` returns it, or rewritten; left as it is.
        layout: where the picture stands in what it returns.
        styles: S.
        config: says the margin, and what the trunk's sides must be multiples of.

    Returns:
        A model with inputs ``image`` uint8 ``[N, H, W, 3]`` and ``style_weights`` float32
        ``[N, S]`` and output ``stylized`` uint8 ``[N, H, W, 3]``.
    """
    graph = helper.make_graph(
        [],
        "stylize",
        _describe_inputs(styles),
        [_describe_pixels(STYLIZED, "RGB bytes of the paintings, each as large as its photo.")],
        initializer=trunk.graph.initializer,
    )
    margin, first = config.margin, layout.first
    sizes = {"margin": [margin], "stride": [config.stride], "before": [0, 0, margin, margin, 0, 0]}
    sizes |= {"first": [first], "start": [first] * 2, "sides": [1, 2]}
    for name, values in sizes.items():
        add_constant(graph, f"pixels/{name}", np.array(values, np.int64))
    add_constant(graph, "pixels/white", np.array(WHITE, np.float32))
    add_constant(graph, "pixels/level", np.array(1 / WHITE, np.float32))
    add_constant(graph, "pixels/black", np.array(0, np.uint8))
    leaving = _leave(graph, layout.blocks)
    replace_all(graph.node, [*_enter(), *trunk.graph.node, *leaving])
    drop_dead(graph)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )


def fold_scale(model: ModelProto) -> bool:
    """Take the division by 255 into the weights of the convolutions that read the photo.

    Padding with zeros, reflection and bias stay what they were: 0 / 255 is 0.

    Args:
        model: as :func:`wrap_pixels` returns it; changed in place.

    Returns:
        Whether it could be done: everything that reads the photo is such a convolution.
    """
    graph, constants = model.graph, find_constants(model.graph)
    photos, weights = {SCALED}, []
    for node in graph.node:
        if node.input and node.input[0] in photos:
            if node.op_type == "Pad":
                photos.add(node.output[0])
            elif node.op_type == "Conv" and node.input[1] in constants:
                weights.append(node)
            else:
                return False
    for conv in weights:
        values = constants[conv.input[1]].astype(np.float64) / WHITE
        conv.input[1] = add_constant(graph, f"{conv.input[1]}/255", values.astype(np.float32))
    for node in graph.node:
        if node.input and node.input[0] == SCALED:
            node.input[0] = FLOATS
    drop_dead(graph)
    return True


def _enter() -> list[NodeProto]:
    """Return the nodes from ``image`` to the trunk's first input."""
    return [
        make_node("Shape", [IMAGE], "pixels/size", start=1, end=3),
        make_node("Neg", ["pixels/size"], "pixels/negative"),
        # ONNX's integer Mod takes the divisor's sign, as Python's does
        make_node("Mod", ["pixels/negative", "pixels/stride"], "pixels/missing"),
        make_node("Add", ["pixels/missing", "pixels/margin"], "pixels/after"),
        make_node("Concat", ["pixels/before", "pixels/after"], "pixels/pads", axis=0),
        make_node("Transpose", [IMAGE], "pixels/planes", perm=SEPARATE),
        make_node("Cast", ["pixels/planes"], FLOATS, to=TensorProto.FLOAT),
        make_node("Div", [FLOATS, "pixels/white"], SCALED),
        make_node("Pad", [SCALED, "pixels/pads"], INPUTS[0], mode="reflect"),
    ]


def _leave(graph: GraphProto, blocks: int) -> list[NodeProto]:
    """Return the nodes from the trunk's output, in blocks of that side, to ``stylized``."""
    paintings, ordering = "pixels/bytes", []
    if blocks > 1:
        paintings = "pixels/ordered"
        ordering = order_blocks(graph, "pixels/bytes", paintings, channels=3, side=blocks)
    return [
        make_node("Transpose", [OUTPUT], "pixels/interleaved", perm=INTERLEAVE),
        make_node(
            "QuantizeLinear", ["pixels/interleaved", "pixels/level", "pixels/black"], "pixels/bytes"
        ),
        *ordering,
        make_node("Add", ["pixels/size", "pixels/first"], "pixels/end"),
        make_node("Slice", [paintings, "pixels/start", "pixels/end", "pixels/sides"], STYLIZED),
    ]


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
