"""Tables with letters: every expression has the value that the table with numbers shows."""

import ast
import csv
import json
import operator
import re
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from io import StringIO

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calculator import CalculatorError, parse, parse_shape, summarize
from calculator.reading.networks import NETWORKS
from calculator.reports.rendering import render_csv, render_json
from calculator.symbolic.answers import answer_symbolic, is_symbolic
from calculator.symbolic.reports import summarize_symbolic

Values = dict[str, int]
# what a window that is the whole input has not, or what has no expression for all sizes
PARTIAL = {"window", "kernel", "stride", "padding", "dilation", "field", "jump", "start"}
SHARES = {"macs%", "params%"}


def compute(node: ast.expr, values: Values) -> Fraction:
    """Return the value of a parsed expression, exactly."""
    if isinstance(node, ast.Constant):
        return Fraction(str(node.value))
    if isinstance(node, ast.Name):
        return Fraction(values[node.id])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -compute(node.operand, values)
    if isinstance(node, ast.BinOp):
        a, b = compute(node.left, values), compute(node.right, values)
        signs = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}
        return Fraction((signs | {ast.Div: operator.truediv})[type(node.op)](a, b))
    assert isinstance(node, ast.Call), ast.dump(node)
    assert isinstance(node.func, ast.Name)
    arguments = [compute(argument, values) for argument in node.args]
    functions = {"floor": lambda v: v[0] // 1, "ceil": lambda v: -(-v[0] // 1)}
    return Fraction((functions | {"min": min, "max": max})[node.func.id](arguments))


@cache
def read(text: str) -> ast.expr:
    """Return a parsed expression, whose syntax is also Python's."""
    return ast.parse(re.sub(r"(?<=\d),(?=\d{3})", "", text).strip(), mode="eval").body


def evaluate(text: str, values: Values) -> int:
    """Return the integer that an expression stands for."""
    value = compute(read(text), values)
    assert value.denominator == 1, text
    return int(value)


def fill(shape: str, values: Values) -> str:
    """Return the shape with numbers for its letters: ``3x9x9`` for ``3x4H+1xW``."""
    sides = [re.sub(r"([0-9])([A-Z])", r"\1*\2", side) for side in shape.split("x")]
    return "x".join(str(evaluate(side, values)) for side in sides)


def same_cell(symbolic: str, numeric: str, values: Values) -> bool:
    """Return whether a cell, per axis, has the value of the cell of the numeric table."""
    if symbolic == numeric:
        return True
    sides = [str(evaluate(side, values)) for side in re.split("(?<!ma)x", symbolic)]
    if len(set(sides)) == 1 and "x" not in numeric:
        sides = sides[:1]
    return "x".join(sides) == numeric


def check(network: str, shape: str, *, inputs: Sequence[Values]) -> None:
    """Compare CSV and JSON with those of the numeric table, for several inputs."""
    line = network.split("|", 1)[1] if is_symbolic(network) else network
    text = answer_symbolic(network, shape, "N", form="csv")
    totals = json.loads(answer_symbolic(network, shape, "N", form="json"))["totals"]
    for values in inputs:
        sizes = parse_shape(fill(shape, values))
        report = summarize(parse(line, input_shape=sizes), batch=values["N"])
        rows = [csv.DictReader(StringIO(form)) for form in (text, render_csv(report))]
        for row, expected in zip(*rows, strict=True):
            check_row(row, expected, values)
        for name, known in json.loads(render_json(report))["totals"].items():
            assert totals[name] is None or evaluate(str(totals[name]), values) == known, name


def check_row(row: dict[str, str], expected: dict[str, str], values: Values) -> None:
    """Compare the cells of one layer."""
    for key, cell in row.items():
        known = expected[key]
        if (key in PARTIAL and (not cell or not known or "same" in cell)) or key == "window":
            continue
        if key in SHARES and not cell:
            continue
        assert same_cell(cell, known, values), (row["layer"], key, cell, known, values)


@pytest.mark.parametrize("name", NETWORKS)
def test_named_networks_expressions_have_the_tables_values(name: str) -> None:
    """At the smallest input, at the next sizes, and at large ones."""
    channels = parse(name).input[0]
    leasts = summarize_symbolic(name, f"{channels}xHxW").leasts
    more = ((0, 0, 1), (1, 2, 2), (3, 1, 3), (2, 3, 1), (190, 341, 7))
    inputs = [{"H": leasts["H"] + h, "W": leasts["W"] + w, "N": n} for h, w, n in more]
    check(name, f"{channels}xHxW", inputs=inputs)


@st.composite
def lines(draw: st.DrawFn) -> str:
    """Return a line of layers on 4 channels and two axes, with an end or without."""
    count, small = st.integers(1, 5), st.integers(1, 3)

    def window(kernel: int) -> str:
        edge = draw(st.sampled_from(["", " same", f" p{draw(st.integers(0, kernel // 2))}"]))
        return f"{kernel}x{draw(count)} s{draw(small)}x{draw(small)}{edge.replace('p', 'p0:')}"

    def layer() -> str:
        kernel = draw(count)
        both = draw(st.sampled_from(["", " p1", " same", " p1:0"]))
        return draw(
            st.sampled_from(
                [
                    f"conv 4@{window(kernel)} d{draw(small)}",
                    f"conv 4@{kernel} s{draw(small)}{both} g2 nobias",
                    f"maxpool {kernel + 1} s{draw(small)} p{draw(st.integers(0, 1))} ceil",
                    f"avgpool {window(kernel + 1)}".replace(" p0:1", ""),
                    f"dwconv {kernel}{both}",
                    f"tconv 4@{kernel} s{draw(small)}{both}",
                    f"subsample {draw(small)}",
                    f"upsample {draw(small)}",
                    f"pad {draw(small)}:0x{draw(small)} reflect",
                    f"crop {draw(small)}x0:{draw(small)}",
                    "batchnorm",
                    "[ conv 4@3 p1 || ] add",
                    "[ conv 2@3 s2 p1 || maxpool 1 s2 | conv 2@1 ] concat",
                ]
            )
        )

    body = [layer() for _ in range(draw(st.integers(1, 6)))]
    ends = ["relu", "flatten | fc 3", "globalavgpool | flatten | rbf 2", "adaptivemaxpool 2x3"]
    return " | ".join([*body, draw(st.sampled_from(ends))])


@settings(max_examples=150, deadline=None)
@given(
    lines(),
    st.sampled_from(["4xHxW", "4xSxS", "4x11xW", "4x2HxW+3"]),
    st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 5)),
)
def test_any_networks_expressions_have_the_tables_values(
    line: str, shape: str, more: tuple[int, int, int]
) -> None:
    """At and above the smallest input, wherever there is one."""
    try:
        leasts = summarize_symbolic(f"{shape} | {line}").leasts
    except CalculatorError as error:
        refused = error.message
        leasts = {}
    known = "no usual size|larger than|leaves nothing|undefined at|crops|not at every size"
    assert leasts or re.search(known, refused)
    assume(leasts)
    values = {name: least + n for (name, least), n in zip(leasts.items(), more, strict=False)}
    check(f"{shape} | {line}", shape, inputs=[{**values, "N": more[2]}])


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "style-fast"])
def test_names_stand_for_their_definitions(name: str) -> None:
    """The table's cells, with each name put in, are those of the CSV."""
    chosen = "layer,params,macs,activations"
    text = answer_symbolic(name, "3xHxW", "N", columns=chosen)
    values = {"H": 61, "W": 99, "N": 3}
    for definition in re.findall(r"(\w+) = (\S.*?)(?:    |$)", text, re.MULTILINE):
        values[definition[0]] = evaluate(definition[1], values)
    rows = list(
        csv.reader(StringIO(answer_symbolic(name, "3xHxW", "N", form="csv", columns=chosen)))
    )
    shown = text.split("---\n")[1].splitlines()[: len(rows) - 1]
    for line, expected in zip(shown, rows[1:], strict=True):
        cells = re.split(r" {2,}", line)
        assert cells[0] == expected[0]
        for cell, known in zip(cells[1:], expected[1:], strict=True):
            assert evaluate(cell, values) == evaluate(known, values)
