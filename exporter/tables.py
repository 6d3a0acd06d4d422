"""The tables of scales and shifts side by side, so that one product serves every normalisation."""

import numpy as np
from onnx import ModelProto, helper

from exporter.graph import add_constant, drop_dead, find_constants, replace_all

TABLES, ROWS = "styles/tables", "styles/rows"


def merge_tables(model: ModelProto, source: str) -> int:
    """Replace the products of a matrix with several constants by one product and a ``Split``.

    Args:
        model: changed in place; every number is computed as before.
        source: the matrix's name, float32 ``[N, S]``; the constants are ``[S, C]``.

    Returns:
        How many products there were; fewer than two stay.
    """
    graph, constants = model.graph, find_constants(model.graph)
    products = [
        node
        for node in graph.node
        if node.op_type == "MatMul" and node.input[0] == source and node.input[1] in constants
    ]
    if len(products) < 2:
        return len(products)
    tables = [constants[node.input[1]] for node in products]
    widths = np.array([table.shape[1] for table in tables], np.int64)
    inputs = [source, add_constant(graph, TABLES, np.concatenate(tables, axis=1))]
    parts = [ROWS, add_constant(graph, "styles/widths", widths)]
    merged = [
        helper.make_node("MatMul", inputs, [ROWS], ROWS),
        helper.make_node("Split", parts, [node.output[0] for node in products], TABLES, axis=1),
    ]
    replaced = {node.output[0] for node in products}
    kept = [node for node in graph.node if node.output[0] not in replaced]
    replace_all(graph.node, merged + kept)
    drop_dead(graph)
    return len(products)
