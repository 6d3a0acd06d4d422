"""Sums of products over named axes.

Equations after the ONNX operator reference, Einsum.
"""

from collections.abc import Mapping, Sequence
from math import prod

from calculator.reading.onnx_file.builder import Builder
from calculator.reading.onnx_file.placing import Place, add_operator, split_inputs
from calculator.reading.onnx_file.values import Operation, Sizes


def place_einsum(builder: Builder, operation: Operation) -> None:
    """Add a sum of products: for two operands one product for every value of all letters.

    Raises:
        CalculatorError: there are more operands, or the equation does not fit them.
    """
    names = operation.inputs
    if len(names) > 2:
        message = (
            f"products of an Einsum of {len(names)} operands depend on their order and are not "
            "counted; write it as several of two"
        )
        raise operation.refuse(message)
    labels = read_labels(operation, [builder.values[name].sizes for name in names])
    active, constants = split_inputs(builder, operation)
    first = active[0]
    batch = find_batch(builder, first, labels=labels[names.index(first)])
    for name in active:
        builder.arrange(name)
    holding = builder.hold_stored(constants, as_weights=True)
    if len(names) == 2:
        extents = measure_letters(builder, operation, labels=labels)
        holding.products = prod(size for letter, size in extents.items() if letter != batch)
    add_operator(builder, operation, active=active, word="einsum", holding=holding)


def measure_letters(
    builder: Builder, operation: Operation, *, labels: Sequence[Sequence[str]]
) -> dict[str, int]:
    """Return the size of every letter; axes of size 1 are broadcast.

    Raises:
        CalculatorError: a letter stands for two sizes.
    """
    extents: dict[str, int] = {}
    for name, letters in zip(operation.inputs, labels, strict=True):
        for letter, size in zip(letters, builder.values[name].sizes, strict=True):
            known = extents.setdefault(letter, size)
            if size != known and 1 not in (size, known):
                message = f"its letter {letter!r} has the sizes {known} and {size}; export it again"
                raise operation.misfit(message)
            extents[letter] = max(size, known)
    return extents


def find_batch(builder: Builder, name: str, *, labels: Sequence[str]) -> str:
    """Return the letter of a tensor's batch; empty where it has none."""
    order, sizes = builder.locate(name).order, builder.values[name].sizes
    is_batch = bool(order) and sizes[order[0]] == builder.batch
    return labels[order[0]] if is_batch else ""


def read_labels(operation: Operation, sizes: Sequence[Sizes]) -> list[list[str]]:
    """Return the letter of every axis of every operand; axes under dots have numbers.

    Raises:
        CalculatorError: the equation does not fit the operands.
    """
    equation = operation.read_text("equation", "").replace(" ", "")
    terms = equation.partition("->")[0].split(",")
    labels = []
    for term, own in zip(terms, sizes, strict=False):
        before, dots, after = term.partition("...")
        covered = len(own) - len(before) - len(after) if dots else 0
        # numbers do: onnx wants the dots of all operands to stand for equally many axes
        labels.append([*before, *map(str, range(covered)), *after])
    if len(terms) != len(sizes) or [*map(len, labels)] != [*map(len, sizes)]:
        message = f"its equation {equation[:60]!r} does not fit its inputs; export it again"
        raise operation.misfit(message)
    return labels


PLACES: Mapping[str, Place] = {"Einsum": place_einsum}
