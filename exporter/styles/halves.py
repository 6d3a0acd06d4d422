"""A style network's convolutions in float16, for processors that multiply halves faster.

Normalisation (its sums overflow float16), residual sums, the sigmoid and everything between
bytes and [0, 1] stay in float32.
"""

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto

from exporter.blocks import make_node
from exporter.graph import add_constant
from exporter.styles.lowering import Lowering, copy_model, copy_node


def halve_model(model: ModelProto) -> ModelProto:
    """Return a model whose convolutions compute in float16.

    Args:
        model: a ``stylize`` model in float32, whose division by 255 is not folded: divided by
            it, weights would leave the range in which float16 is precise. Left as it is.
    """
    result = copy_model(model)
    Halving(result.graph).run()
    return result


class Halving(Lowering):
    """Casts around convolutions; rectifiers behind them compute in float16, too."""

    def rewrite(self, node: NodeProto) -> None:
        """Add what stands for a node."""
        if node.op_type == "Relu" and node.input[0] in self.convolutions & set(self.rectifiers):
            self.move(node, [node.input[0]])
        else:
            super().rewrite(node)

    def lower(self, tensor: str) -> str:
        """Add a cast to float16."""
        return self.append(make_node("Cast", [tensor], f"{tensor}/half", to=TensorProto.FLOAT16))

    def restore(self, tensor: str) -> str:
        """Add a cast to float32."""
        source = self.lowered[tensor]
        return self.append(make_node("Cast", [source], f"{tensor}/float", to=TensorProto.FLOAT))

    def convolve(self, node: NodeProto) -> None:
        """Add a convolution of halves."""
        copy = copy_node(node)
        copy.input[0] = self.take_lowered(node.input[0])
        for place, name in enumerate(node.input[1:], 1):
            values = self.constants[name].astype(np.float16)
            copy.input[place] = add_constant(self.graph, f"{name}/half", values)
        copy.output[0] = self.lowered[node.output[0]] = f"{node.output[0]}/half"
        self.lost.add(node.output[0])
        self.nodes.append(copy)
