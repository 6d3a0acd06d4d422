"""The layer table of a network whose input or batch has letters."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from calculator.arithmetic.expressions import Derivation
from calculator.arithmetic.receptive import Field, Rule, Tracker
from calculator.errors import CalculatorError
from calculator.layers.joins import Add, Concat
from calculator.layers.shapes import Shape, render_shape
from calculator.reading.sources import read_any
from calculator.summary import LayerError, Report, list_rows
from calculator.symbolic.letters import Alphabet, find_head, read_batch, read_sides, settle_shape
from calculator.symbolic.quantities import Number, UndecidedError
from calculator.symbolic.smallest import find_smallest, fits
from calculator.symbolic.templates import Read, Template, read_template

MULTIPLES = (2, 4, 8, 16, 32, 64)  # of letters, that are tried where branches disagree
MOST_LAYERS_TRIED = 1_000  # of a network for which multiples are looked for


@dataclass(frozen=True)
class SymbolicReport:
    """A layer table with expressions, and where they hold.

    Args:
        report: integers, and quantities where they depend on letters. Fields, jumps and
            starts are those of inputs larger than every window.
        smallest: the smallest input that works; the table holds for it and for all with no
            side smaller.
        leasts: the values of the input's letters there.
    """

    report: Report
    smallest: Shape
    leasts: dict[str, int]

    @cached_property
    def params(self) -> Number:
        """Trainable numbers of all layers."""
        return self.report.params

    @cached_property
    def macs(self) -> Number:
        """Multiply-adds of the batch, all layers."""
        return self.report.macs

    @cached_property
    def forward(self) -> Derivation:
        """Bytes of all parameters and buffers, and of the largest set of values alive at once.

        Raises:
            OverlongError: too many layers may have the largest set.
        """
        return self.report.forward


class SymbolicTracker(Tracker):
    """Follow receptive fields as far as they do not depend on the size of the input."""

    def follow(
        self, inputs: Sequence[tuple[Field, ...] | None], rules: tuple[Rule, ...] | None
    ) -> tuple[Field, ...] | None:
        """Return the fields of a layer's units; None also where sizes would decide."""
        if rules is not None and not all(map(is_fixed, rules)):
            return None
        try:
            fields = super().follow(inputs, rules)
            known = fields is None or all(is_number(field.extent) for field in fields)
        except UndecidedError:
            return None
        return fields if known else None


def is_fixed(rule: Rule) -> bool:
    """Return whether a rule depends on sizes in nothing but where its window begins."""
    return all(is_number(value) for name, value in vars(rule).items() if name != "before")


def is_number(value: Number) -> bool:
    """Return whether a number is the same at every size."""
    return isinstance(value, int)


def summarize_symbolic(
    network: str,
    input_text: str | None = None,
    batch_text: str = "1",
    *,
    read: Read = read_any,
) -> SymbolicReport:
    """Count everything for an input or a batch with letters.

    Args:
        network: a name, a line of the grammar, or a file.
        input_text: such as ``3xHxW``; None for the network's own.
        batch_text: such as ``N`` or ``1``.
        read: ``calculator.parse`` for text from strangers, which opens no file.

    Raises:
        CalculatorError: a text cannot be read, no input works, or the layers fit at some
            sizes only.
    """
    shape_text = input_text if input_text is not None else find_head(network) or None
    alphabet = Alphabet()
    shape = None if shape_text is None else read_sides(shape_text, alphabet)
    template = read_template(network, shape, read=read)
    leasts = find_smallest(template)
    alphabet.restrict(leasts)
    batch = read_batch(batch_text, alphabet)
    try:
        rows = tuple(list_rows(template.network, batch, tracker=SymbolicTracker()))
    except LayerError as error:
        if shape_text is None or not isinstance(
            template.network.nodes[error.position].layer, Add | Concat
        ):
            raise
        raise describe_disagreement(error, template, leasts=leasts, text=shape_text) from error
    smallest = settle_shape(template.network.input, leasts)
    return SymbolicReport(Report(template.network, batch, rows), smallest, leasts)


def describe_disagreement(
    error: LayerError, template: Template, *, leasts: Mapping[str, int], text: str
) -> CalculatorError:
    """Return the error for branches that agree at some sizes only, with multiples that do.

    Args:
        error: of the layer where they meet.
        template: the network.
        leasts: values of the letters with which they agree.
        text: the input as it was given.
    """
    smallest = render_shape(settle_shape(template.network.input, leasts))
    multiples = find_multiples(template, leasts, text=text)
    remedy = f"; with --input {multiples} they are" if multiples else "; give numbers"
    message = f"{error.message}; they are equal at {smallest}, and not at every size{remedy}"
    return CalculatorError(message)


def find_multiples(template: Template, leasts: Mapping[str, int], *, text: str) -> str | None:
    """Return the input with letters multiplied so that the network works at every size."""
    if template.depends_on_sizes or len(template.network.nodes) > MOST_LAYERS_TRIED:
        return None
    for factor in MULTIPLES:
        multiplied = "x".join(multiply_side(side, factor) for side in text.split("x"))
        alphabet = Alphabet()
        shape = read_sides(multiplied, alphabet)
        alphabet.restrict(leasts)
        if fits(replace(template.network, input=shape)):
            return multiplied
    return None


def multiply_side(text: str, factor: int) -> str:
    """Return ``8H+1`` for ``4H+1`` and 2; a number as it is."""
    match = re.match("([0-9]*)([A-Z].*)", text)
    return f"{factor * int(match[1] or 1)}{match[2]}" if match else text
