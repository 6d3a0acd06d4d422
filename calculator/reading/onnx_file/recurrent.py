"""Recurrent layers: which axis is the sequence, and what a sample multiplies.

Axes and layouts after the ONNX operator reference, LSTM, GRU and RNN.
"""

from collections.abc import Mapping
from math import prod

from calculator.layers.operators import Operator
from calculator.reading.onnx_file.builder import NOTHING, Builder, keep_order
from calculator.reading.onnx_file.inputs import RECURRENT, SEQUENCE_FIRST
from calculator.reading.onnx_file.placing import Place, name_operator, split_inputs
from calculator.reading.onnx_file.values import Operation

# layout 0: steps, directions, batch, hidden; states have no steps
BATCH_FIRST = {4: (2, 0, 1, 3), 3: SEQUENCE_FIRST}


def place_recurrent(builder: Builder, operation: Operation) -> None:
    """Add a recurrent layer: every step multiplies the weights of the input and of the state.

    Raises:
        CalculatorError: the axis that the layer takes as the batch is not the network's.
    """
    active, constants = split_inputs(builder, operation)
    is_first = operation.read_number("layout", 0) == 1
    steps = count_steps(builder, operation, batch=0 if is_first else 1)
    orders = {} if is_first else BATCH_FIRST
    for name in active:
        rank = len(builder.values[name].sizes)
        if builder.locate(name).order != keep_order(rank):
            builder.arrange(name, orders.get(rank))
    holding = builder.hold_stored(constants, as_weights=True)
    weights = operation.inputs[1:3]  # of the input and of the state, without biases
    holding.products = steps * sum(prod(builder.values[name].sizes) for name in weights)
    for i, output in enumerate(name for name in operation.outputs if name in builder.used):
        sizes = builder.values[output].sizes
        order = orders.get(len(sizes), keep_order(len(sizes)))
        held = NOTHING if i else holding
        layer = Operator(
            name_operator(operation),
            builder.order_shape(sizes, order),
            params=held.params,
            buffers=held.buffers,
            products=held.products,
        )
        name = "" if i else operation.name
        one = Operation(operation.kind, name, (), (output,))
        builder.add(one, layer, inputs=active, order=order, holding=held)


def count_steps(builder: Builder, operation: Operation, *, batch: int) -> int:
    """Return the length of the sequence.

    Args:
        builder: knows the sizes.
        operation: the layer.
        batch: the axis of its input that it takes as the batch.

    Raises:
        CalculatorError: that axis has another size than the network's batch.
    """
    sizes = builder.values[operation.inputs[0]].sizes
    if len(sizes) != 3 or sizes[batch] != builder.batch:
        message = (
            f"takes axis {batch} of its input {list(sizes)} as the batch, and the batch of the "
            f"network's input is {builder.batch}; export it with a batch of 1, the batch first"
        )
        raise operation.refuse(message)
    return sizes[1 - batch]


PLACES: Mapping[str, Place] = dict.fromkeys(RECURRENT, place_recurrent)
