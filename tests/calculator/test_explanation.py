"""Derivations: every printed line evaluates to its own result."""

import re
from collections.abc import Iterator
from fractions import Fraction

import pytest
from click.testing import CliRunner

from calculator import CalculatorError, explain, parse, summarize
from calculator.cli.shapes import shapes
from calculator.reading.networks import NETWORKS

TOKEN = re.compile(r"\s*(\d{1,3}(?:,\d{3})+(?!\d)|\d+|[A-Za-z_][A-Za-z_0-9]*|[-+*/(),])")
LINES = (
    "3x20x14 | conv 4@3x2 s2x3 p1:0 d1 | dwconv 3 m2 same | tconv 6@3 s2 p1 o1 g2",
    "2x9x9x9 | conv 4@2 g2 nobias | maxpool 3 s2 p1 ceil | upsample 2 | conv 4@3 p1",
    "4x33 | tconv 2@3 s3 p1:0 | pad 1:2 | crop 2:1 | pixelshuffle 2 | flatten | fc 5 nobias",
    "1x8x8 | conv 6@3 links=3 | subsample 2 | flatten | rbf 3",
    "2x30x20 | upsample 3 | conv 2@3x2 s2 p1 | adaptiveavgpool 7x6",
)


class Evaluator:
    """A tiny reader of sums, products, quotients, floor, ceil, min and max.

    Args:
        text: an expression without names.
    """

    def __init__(self, text: str) -> None:
        self.tokens = self.split(text)
        self.next = next(self.tokens)

    def split(self, text: str) -> Iterator[str]:
        """Yield tokens, then an empty one."""
        position = 0
        while position < len(text):
            match = TOKEN.match(text, position)
            assert match is not None, text[position:]
            yield match[1]
            position = match.end()
        yield ""

    def take(self, *expected: str) -> str:
        """Step over the next token."""
        token = self.next
        assert not expected or token in expected, (token, expected)
        self.next = next(self.tokens, "")
        return token

    def evaluate(self) -> Fraction:
        """Return the value of the whole text."""
        value = self.read_sum()
        self.take("")
        return value

    def read_sum(self) -> Fraction:
        """Read terms."""
        value = self.read_product()
        while self.next in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            value += sign * self.read_product()
        return value

    def read_product(self) -> Fraction:
        """Read factors."""
        value = self.read_atom()
        while self.next in ("*", "/"):
            operation = self.take()
            factor = self.read_atom()
            value = value * factor if operation == "*" else value / factor
        return value

    def read_atom(self) -> Fraction:
        """Read a number, a sign, a parenthesis or a function."""
        piece = self.take()
        if piece == "-":
            return -self.read_atom()
        if piece == "(":
            value = self.read_sum()
            self.take(")")
            return value
        if piece[0].isdigit():
            return Fraction(piece.replace(",", ""))
        self.take("(")
        values = [self.read_sum()]
        while self.take(",", ")") == ",":
            values.append(self.read_sum())
        functions = {"floor": lambda v: v[0] // 1, "ceil": lambda v: -(-v[0] // 1)}
        functions |= {"min": min, "max": max}
        return Fraction(functions[piece](values))


def has_names(text: str) -> bool:
    """Return whether a part of a line is a formula with names."""
    return bool(re.sub(r"\b(floor|ceil|min|max)\(", "(", text).strip("0123456789,+-*/() "))


@pytest.mark.parametrize("text", [*NETWORKS, *LINES])
def test_every_line_evaluates_to_its_result(text: str) -> None:
    """Every part of a line without names has the value of the last part."""
    for explanation in explain(summarize(parse(text), batch=2)):
        for line in explanation.lines:
            if line.startswith("("):
                continue
            _, *parts = line.split(" = ")
            result = Evaluator(parts[-1]).evaluate()
            for part in parts:
                assert has_names(part) or Evaluator(part).evaluate() == result, line


@pytest.mark.parametrize("text", LINES)
def test_formula_with_its_values_evaluates_to_the_result(text: str) -> None:
    """The formula's text, with the names replaced, has the value of the result."""
    for explanation in explain(summarize(parse(text))):
        for derivation in explanation.derivations:
            formula = derivation.formula.body.render()
            for name, value in derivation.values:
                formula = re.sub(rf"\b{name}\b", f"({value})", formula)
            assert Evaluator(formula).evaluate() == derivation.result


def test_evaluator_finds_a_wrong_line() -> None:
    """The evaluator is no rubber stamp."""
    assert Evaluator("floor((227 + 0 - 10 - 1)/4) + 1").evaluate() == 55
    assert Evaluator("max(3, 1,234) - (-2)*ceil(1/2)").evaluate() == 1_236
    assert Evaluator("(11*11*3 + 1)*96").evaluate() != 34_945


def test_alexnets_first_layer_is_explained() -> None:
    """Formula, substitution, result, for size, counts and receptive field."""
    (explanation,) = explain(summarize(parse("alexnet")), "conv1")
    assert explanation.title == "conv1 (conv 11x11 s4): 3x227x227 -> 96x55x55"
    assert explanation.lines[0] == (
        "H_out = floor((H + 2*p - d*(k - 1) - 1)/s) + 1 = floor((227 + 0 - 10 - 1)/4) + 1 = 55"
    )
    assert "params = (k_H*k_W*C_in + 1)*C_out = (11*11*3 + 1)*96 = 34,944" in explanation.lines
    assert "field_out = field + d*(k - 1)*jump = 1 + 10*1 = 11" in explanation.lines


def test_dropped_remainder_is_told() -> None:
    """What floor dropped stands on the line below."""
    (explanation,) = explain(summarize(parse("3x226x227 | conv 8@11 s4")), "conv1")
    assert explanation.lines[1] == "(floor drops 3/4)"
    (explanation,) = explain(summarize(parse("3x10 | maxpool 3 s2 ceil")), "pool1")
    assert "(ceil adds 1/2)" in explanation.lines


def test_phases_behind_upsampling_are_told() -> None:
    """Where neighbouring units differ, the largest extent is chosen in sight."""
    (explanation,) = explain(summarize(parse("1x9 | upsample 4 | conv 1@3 p1")), "conv1")
    assert explanation.lines[-3:] == ("field = max(2, 1) = 2", "jump = 1/4", "start = -1")


def test_unknown_layer_is_refused() -> None:
    """The layers are listed, the nearest is named."""
    with pytest.raises(CalculatorError, match=r"lenet5 has no layer 'conv9'.*did you mean 'conv"):
        explain(summarize(parse("lenet5")), "conv9")


def test_command_explains_one_layer_or_all() -> None:
    """--explain takes a layer's name or stands alone behind the network."""
    one = CliRunner().invoke(shapes, ["lenet5", "--explain", "fc1"])
    everything = CliRunner().invoke(shapes, ["lenet5", "--explain"])
    assert "params = (F_in + 1)*F_out = (400 + 1)*120 = 48,120" in one.output
    assert "conv1" not in one.output
    assert one.output.splitlines()[1] in everything.output
    assert "params = 156 + 2,416 + 48,120 + 10,164 + 850 = 61,706" in everything.output


@pytest.mark.parametrize("options", [["--format", "json"], ["--columns", "all"], ["--unit", "M"]])
def test_command_refuses_options_of_the_table(options: list[str]) -> None:
    """An option that would do nothing is wrong usage."""
    result = CliRunner().invoke(shapes, ["lenet5", "--explain", *options])
    assert result.exit_code == 2
    assert "--explain goes with --input, --batch and --lang only" in result.output
