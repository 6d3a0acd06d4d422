"""ONNX files: the same layer table that a name or a line gives for the same network."""

from pathlib import Path
from typing import TYPE_CHECKING

from calculator.errors import CalculatorError
from calculator.layers.shapes import Shape, render_shape
from calculator.network import Network
from calculator.reading.onnx_file import (
    einsums,
    placing,
    recurrent,
    reshaping,
    resizes,
    tables,
    weighted,
)
from calculator.reading.onnx_file.builder import Builder
from calculator.reading.onnx_file.fusions import fuse
from calculator.reading.onnx_file.inputs import Dim, Inputs, read_dims, read_inputs, render_dims
from calculator.reading.onnx_file.models import open_model
from calculator.reading.onnx_file.placing import place_operator
from calculator.reading.onnx_file.values import Operation, UnfitError
from calculator.reading.onnx_file.walking import survey_model
from calculator.summary import LayerError, summarize

if TYPE_CHECKING:
    import onnx

PLACES = {**placing.PLACES, **reshaping.PLACES, **weighted.PLACES}
PLACES |= {**resizes.PLACES, **recurrent.PLACES, **einsums.PLACES, **tables.PLACES}


def read_onnx(path: Path, *, input_shape: Shape | None = None) -> Network:
    """Read a network from an ONNX file; its weights are not loaded.

    Operations that are a layer of the grammar become that layer; exporters' ways to write
    one as several operations are put together again. Everything else is an ``Operator``
    with the shapes, parameters and matrix products that the file implies. Transpositions
    between layouts, changes of the element type, views of the same shape and the parts of a
    table of scales and shifts are no layers.

    Args:
        path: a file of opset 7 or later, whoever wrote it.
        input_shape: ``(channels, *sizes)`` of the picture, instead of the file's; needed
            where the file leaves sizes open.

    Returns:
        The network, with the file's stem as its name.

    Raises:
        CalculatorError: the package onnx is missing; the file cannot be read, is damaged,
            claims what it does not hold, or is too large; sizes are open or do not fit.
    """
    try:
        return convert_model(open_model(path), path.stem, input_shape=input_shape)
    except CalculatorError as error:
        # names in a file may hold anything
        shown = "".join(c if c.isprintable() else "?" for c in error.message)
        message = f"{path}: {shown}"
        raise CalculatorError(message) from error


def convert_model(
    model: "onnx.ModelProto", name: str, *, input_shape: Shape | None = None
) -> Network:
    """Return a model as a network.

    Args:
        model: without large values, functions written out.
        name: what to call it.
        input_shape: as for :func:`read_onnx`.

    Raises:
        CalculatorError: as for :func:`read_onnx`.
    """
    inputs = read_inputs(model.graph, input_shape)
    try:
        survey = survey_model(model, inputs)
        operations = tables.mark_parts(fuse(survey), survey)
        used = [name for operation in operations for name in operation.inputs]
        builder = Builder(survey, [*used, *survey.outputs])
        for operation in operations:
            place(builder, operation)
        network = Network(name, inputs.shape, builder.finish())
        summarize(network)
    except (UnfitError, LayerError) as error:
        dims = find_stated(model.graph, inputs)
        is_stated = bool(dims) and all(isinstance(dims[axis], int) for axis in inputs.order[1:])
        if input_shape is None or (is_stated and not inputs.is_replaced):
            raise
        raise blame_input(error, inputs, stated=dims) from error
    return network


def blame_input(error: CalculatorError, inputs: Inputs, *, stated: list[Dim]) -> CalculatorError:
    """Return the error for a file whose layers do not fit the input that the caller gave."""
    reason = error.message.removesuffix("; export the network again")
    shown = render_dims(stated) if stated else "without sizes"
    return CalculatorError(
        f"{reason}; the file's layers do not fit --input {render_shape(inputs.shape)}; "
        f"the file states the input {shown}"
    )


def find_stated(graph: "onnx.GraphProto", inputs: Inputs) -> list[Dim]:
    """Return the sizes of the picture as the file has them; empty where it has none."""
    named = (read_dims(value) for value in graph.input if value.name == inputs.main)
    return next(named, None) or []


def place(builder: Builder, operation: Operation) -> None:
    """Add what an operation is to the network."""
    if operation.kind in PLACES or operation.layer is None:
        PLACES.get(operation.kind, place_operator)(builder, operation)
    else:  # put together from several operations
        source = operation.inputs[0]
        builder.add(operation, operation.layer, inputs=[source], order=builder.locate(source).order)
