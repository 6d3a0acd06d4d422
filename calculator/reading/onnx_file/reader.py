"""ONNX files: the same layer table that a name or a line gives for the same network."""

from pathlib import Path
from typing import TYPE_CHECKING

from calculator.errors import CalculatorError
from calculator.layers.shapes import Shape
from calculator.network import Network
from calculator.reading.onnx_file import placing, reshaping, weighted
from calculator.reading.onnx_file.builder import Builder
from calculator.reading.onnx_file.fusions import fuse
from calculator.reading.onnx_file.inputs import read_inputs
from calculator.reading.onnx_file.models import open_model
from calculator.reading.onnx_file.placing import place_operator
from calculator.reading.onnx_file.values import Operation
from calculator.reading.onnx_file.walking import survey_model
from calculator.summary import summarize

if TYPE_CHECKING:
    import onnx

PLACES = {**placing.PLACES, **reshaping.PLACES, **weighted.PLACES}


def read_onnx(path: Path, *, input_shape: Shape | None = None) -> Network:
    """Read a network from an ONNX file; its weights are not loaded.

    Operations that are a layer of the grammar become that layer; exporters' ways to write
    one as several operations are put together again. Everything else is an ``Operator``
    with the shapes, parameters and matrix products that the file implies. Transpositions
    between layouts, changes of the element type and views of the same shape are no layers.

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
    survey = survey_model(model, inputs)
    operations = fuse(survey)
    used = [name for operation in operations for name in operation.inputs]
    builder = Builder(survey, [*used, *survey.outputs])
    for operation in operations:
        place(builder, operation)
    network = Network(name, inputs.shape, builder.finish())
    summarize(network)
    return network


def place(builder: Builder, operation: Operation) -> None:
    """Add what an operation is to the network."""
    if operation.kind in PLACES or operation.layer is None:
        PLACES.get(operation.kind, place_operator)(builder, operation)
    else:  # put together from several operations
        source = operation.inputs[0]
        builder.add(operation, operation.layer, inputs=[source], order=builder.locate(source).order)
