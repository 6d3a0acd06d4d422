"""The trunk of a style network as an ONNX graph: float32 NCHW in, float32 NCHW out.

Only the trunk crosses ``torch.onnx.export``: convolutions, normalisations and
upsamplings of pictures whose sides are multiples of the stride. Everything around it
(pixels, padding to the stride, cropping) is written as ONNX by :mod:`exporter.pixels`.

Of torch's two exporters this uses the one built on ``torch.export`` (``dynamo=True``).
Both give one ``InstanceNormalization`` per layer and dynamic N, H and W. The older one
writes opset 17 at once, but is deprecated since torch 2.9, warns in every call, and
leaves each padding as a chain of nine nodes to be folded. The newer one has no opset
below 18 and, asked for 17, silently stays at 18 where it meets a ``Pad``. So it is
asked for 18, and :func:`lower_opset` takes the last step, strictly: ONNX Runtime's CPU
layout optimiser knows ``Resize`` up to opset 17's, and the CUDA provider long lacked
newer ``Pad`` and ``Resize``.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from onnx import AttributeProto, ModelProto, NodeProto, defs, helper
from torch import Tensor, nn

from exporter.errors import ExportError
from exporter.graph import replace_all
from exporter.norms import fix_norm_shapes
from models.style.style_net import StyleNet

OPSET = 17
TRACED_OPSET = 18  # the lowest that torch's exporter writes
INPUTS = ("padded", "style_weights")
OUTPUT = "painted"
CHATTERS = ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")


class Trunk(nn.Module):
    """:meth:`StyleNet.trunk` as a module of its own, which is what exporters take."""

    def __init__(self, net: StyleNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, padded: Tensor, style_weights: Tensor) -> Tensor:
        """Map float32 ``[N, 3, H, W]`` in [0, 1] to the same shape and range."""
        return self.net.trunk(padded, style_weights)


def trace_trunk(net: StyleNet) -> ModelProto:
    """Export the trunk with dynamic N, H and W at opset 17, constant shapes around its norms.

    Args:
        net: on the CPU.

    Returns:
        A model with inputs ``padded`` float32 ``[N, 3, H, W]`` (H and W multiples of the
        stride) and ``style_weights`` float32 ``[N, S]``, output ``painted`` as ``padded``.

    Raises:
        ExportError: torch's exporter failed, or wrote something newer than opset 17.
    """
    side = 8 * net.config.stride
    padded = torch.rand(2, 3, side, side + net.config.stride)
    style_weights = torch.full((2, net.styles), 1 / net.styles)
    dynamic = torch.export.Dim.DYNAMIC
    with _silence():
        try:
            program = torch.onnx.export(
                Trunk(net).eval(),
                (padded, style_weights),
                dynamo=True,
                opset_version=TRACED_OPSET,
                input_names=INPUTS,
                output_names=[OUTPUT],
                dynamic_shapes=({0: dynamic, 2: dynamic, 3: dynamic}, {0: dynamic}),
                verbose=False,
            )
        except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
            message = f"torch {torch.__version__} cannot export this network: {error}"
            raise ExportError(message) from error
    model: ModelProto = program.model_proto  # type: ignore[union-attr]
    _strip(model)
    lower_opset(model)
    fix_norm_shapes(model)
    return model


def lower_opset(model: ModelProto) -> None:
    """Rewrite an opset 18 graph as opset 17 where both mean the same.

    Args:
        model: changed in place.

    Raises:
        ExportError: a node uses what opset 17 has not, or the graph is not of opset 18.
    """
    versions = {entry.domain: entry.version for entry in model.opset_import}
    if versions.get("") != TRACED_OPSET:
        message = (
            f"torch's exporter wrote opset {versions}, not {TRACED_OPSET} as it was asked to; "
            "use a torch release that still writes it"
        )
        raise ExportError(message)
    for node in model.graph.node:
        _lower_node(node)
    # onnxscript's own domains may be listed without a node of theirs
    replace_all(model.opset_import, [helper.make_opsetid("", OPSET)])


def _lower_node(node: NodeProto) -> None:
    """Drop attributes that opset 17 does not know and that hold opset 18's default."""
    if node.domain:
        message = f"node {node.name!r} is {node.domain}::{node.op_type}, not a standard operator"
        raise ExportError(message)
    newer = defs.get_schema(node.op_type, TRACED_OPSET)
    if newer.since_version < TRACED_OPSET:
        return
    older = defs.get_schema(node.op_type, OPSET)
    kept = [a for a in node.attribute if a.name in older.attributes]
    dropped = [a for a in node.attribute if a.name not in older.attributes]
    faults = [a.name for a in dropped if not _holds_default(a, newer)]
    if faults or len(node.input) > older.max_input:
        message = (
            f"{node.op_type} node {node.name!r} with {len(node.input)} inputs and {faults} cannot "
            f"be written at opset {OPSET}; use a torch release whose exporter writes it plainly"
        )
        raise ExportError(message)
    replace_all(node.attribute, kept)


def _holds_default(attribute: AttributeProto, schema: defs.OpSchema) -> bool:
    default = schema.attributes[attribute.name].default_value
    value = helper.get_attribute_value(attribute)
    return bool(default.type and value == helper.get_attribute_value(default))


def _strip(model: ModelProto) -> None:
    """Remove what torch notes down about its own source files."""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
        del value.metadata_props[:]


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the exporter's warnings about its own insides from the user, for one call."""
    loggers = [logging.getLogger(name) for name in CHATTERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
