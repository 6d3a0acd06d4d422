"""One table for several normalisations: its parts are no layers of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from calculator.reading.onnx_file.builder import Builder, Home, keep_order
from calculator.reading.onnx_file.placing import Place
from calculator.reading.onnx_file.survey import Survey
from calculator.reading.onnx_file.values import Operation

PARTS = "parts of a table"  # no operator's name


def mark_parts(operations: Sequence[Operation], survey: Survey) -> list[Operation]:
    """Return the operations; splits that only hand out scales and shifts are marked as such.

    Such a split takes features apart, and instance normalisations are all that reads the
    parts, perhaps as views, as their scale or shift: no value is computed or moved.

    Args:
        operations: in an order in which they can run.
        survey: of the file.
    """
    read_otherwise = set(survey.outputs)
    marked = []
    for operation in reversed(operations):
        if operation.kind == "Split" and read_otherwise.isdisjoint(operation.outputs):
            marked.append(
                replace(operation, kind=PARTS) if is_flat(operation, survey) else operation
            )
        else:
            marked.append(operation)
        for position, name in enumerate(operation.inputs):
            if not hands_on(operation, position, read_otherwise=read_otherwise):
                read_otherwise.add(name)
    return marked[::-1]


def is_flat(split: Operation, survey: Survey) -> bool:
    """Return whether a split takes apart the features of every sample, which have no sizes."""
    sizes = survey.values[split.inputs[0]].sizes
    return len(sizes) == 2 and split.read_number("axis", 0) % 2 == 1


def hands_on(operation: Operation, position: int, *, read_otherwise: set[str]) -> bool:
    """Return whether an operation takes an input as a scale or shift, or hands it on as one."""
    if operation.kind == "Reshape":
        return position == 0 and operation.outputs[0] not in read_otherwise
    return operation.kind == "InstanceNormalization" and position > 0


def place_parts(builder: Builder, operation: Operation) -> None:
    """Let every part of a table be the table's own layer."""
    home = builder.arrange(operation.inputs[0])
    for name in operation.outputs:
        if name:
            builder.homes[name] = Home(home.position, keep_order(len(builder.values[name].sizes)))


PLACES: Mapping[str, Place] = {PARTS: place_parts}
