"""Networks that were exported for one number of pictures, freed for any number."""

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper

from exporter.graph import find_constants, read_attribute


def free_batch(model: ModelProto, batch: int | None) -> ModelProto:
    """Return a model that takes any number of pictures, as far as its graph says how many.

    Inside a graph the number is fixed by reshapes to sizes that begin with it; there 0 says
    that the first size stays what it is. (Whether the result does what the model did is for
    :mod:`exporter.foreign.trials` to find out.)

    Args:
        model: the foreign network; left as it is.
        batch: what its input fixes; None where that is open.
    """
    freed = ModelProto()
    freed.CopyFrom(model)
    if batch is None:
        return freed
    constants, added = find_constants(freed.graph), []
    for node in freed.graph.node:
        sizes = constants.get(node.input[1]) if is_reshape(node) else None
        if sizes is not None and sizes.ndim == 1 and len(sizes) > 1 and sizes[0] == batch:
            name = f"{node.output[0]}/open_sizes"
            opened = numpy_helper.from_array(np.array([0, *sizes[1:].tolist()], np.int64))
            added.append(helper.make_node("Constant", [], [name], name, value=opened))
            node.input[1] = name
    for node in added:
        freed.graph.node.insert(0, node)
    return freed


def is_reshape(node: NodeProto) -> bool:
    """Return whether a node reshapes to sizes among which 0 copies one."""
    if node.op_type != "Reshape" or len(node.input) < 2:
        return False
    return read_attribute(node, "allowzero", 0) == 0
