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
from calculator.reports.columns import COLUMNS
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
    sides = [str(evaluate(side, values)) for side in symbolic.split("x") if side]
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


def test_table_of_vgg16_is_the_expected_one() -> None:
    """Sizes have names, products their factors, totals stand below."""
    text = answer_symbolic("vgg16", "3xHxW", "N")
    lines = text.splitlines()
    assert lines[0] == "vgg16: input 3xHxW, batch N"
    assert lines[2] == "H2 = floor(H/2)      W2 = floor(W/2)"
    rows = {line.split()[0]: line for line in lines if line}
    assert rows["conv1_1"].split()[-3:] == ["64xHxW", "1,792", "1,728*H*W*N"]
    assert "512xH32xW32" in rows["pool5"]
    assert "4,096*(512*H32*W32 + 1)" in rows["fc1"]
    assert rows["parameters"].endswith(" 2,097,152*H32*W32 + 35,597,096")
    assert rows["smallest"].endswith(" 3x32x32")


def test_short_table_has_expressions_in_full() -> None:
    """Names are for what would not fit a terminal."""
    text = answer_symbolic("3xHx8 | conv 4@3 s2 p1 | relu", None, "1")
    assert "4xceil(H/2)x4" in text
    assert "432*ceil(H/2)" in text


@pytest.mark.parametrize("name", NETWORKS)
def test_tables_fit_eighty_characters(name: str) -> None:
    """No line of a named network's table is wider than a terminal."""
    text = answer_symbolic(name, f"{parse(name).input[0]}xHxW", "N")
    assert max(map(len, text.splitlines())) <= 80


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


def test_markdown_quotes_products() -> None:
    """An asterisk would begin emphasis."""
    text = answer_symbolic("lenet5", "1xHxW", "N", form="markdown")
    assert "| `150*(H - 4)*(W - 4)*N` |" in text
    assert "- smallest input: 1x16x16" in text
    assert "- `H4 = floor((H - 12)/4)`" in text


def test_json_keeps_numbers_and_adds_the_smallest_input() -> None:
    """What depends on no letter is a number still."""
    values = json.loads(answer_symbolic("alexnet-torchvision", "3xHxW", "N", form="json"))
    assert values["smallest_input"] == [3, 63, 63]
    assert (values["input"], values["batch"]) == ([3, "H", "W"], "N")
    assert values["layers"][0]["output_shape"] == [64, "floor((H - 3)/4)", "floor((W - 3)/4)"]
    assert values["layers"][0]["params"] == values["layers"][0]["kernel"][0] ** 2 * 192 + 64
    assert values["totals"]["params"] == 61_100_840


def test_csv_has_every_column() -> None:
    """As the numeric table has."""
    head = answer_symbolic("lenet5", None, "N", form="csv").splitlines()[0]
    assert head.split(",") == list(COLUMNS)


def test_padding_that_depends_on_the_size_is_called_same() -> None:
    """Before and after differ from size to size; the window says so, the field is known."""
    text = answer_symbolic("3xHxW | conv 4@3 s2 same | conv 4@3", None, "1")
    row = next(line for line in text.splitlines() if line.startswith("conv1"))
    assert "3x3 s2 same" in row
    assert row.endswith(" 3")


def test_bins_that_depend_on_the_size_have_no_field() -> None:
    """Adaptive pooling has no window for every size; a multiple of its bins has."""
    for shape, window in (("3xHxH", "-"), ("3x6Hx6H", "HxH sH")):
        text = answer_symbolic(f"{shape} | conv 4@1 | adaptiveavgpool 6 | conv 4@3", None, "1")
        row = next(line for line in text.splitlines() if line.startswith("pool1"))
        assert re.split(r" {2,}", row)[2] == window
        assert row.endswith(" -")


@pytest.mark.parametrize(
    ("network", "shape", "batch", "message"),
    [
        ("vgg16", "3xHxw", "1", r"input '3xHxw' must be .* a capital letter, a multiple"),
        ("vgg16", "3x0HxW", "1", "input '3x0HxW' must be"),
        ("vgg16", "3xHxWxDxE", "1", "must be channels x height x width such as 3xHxW"),
        ("vgg16", "x".join(["H"] * 1000), "1", "must be channels x height x width"),
        ("vgg16", "3xHxW", "0", "batch '0' must be a number from 1 to 1000000000 or a capital"),
        ("vgg16", "3xHxW", "NN", "batch 'NN' must be"),
        ("vgg16", "3xHx16", "1", r"pool5 .*kernel 2 is larger than the input 512x14x1"),
        ("vgg16", "3xL", "1", "kernel 3x3 has 2 sides, the input has 1 spatial axis"),
        ("vgg61", "3xHxW", "1", "there is no network 'vgg61'; choose from: vgg16"),
        ("conv 8@3x3 | pol 2", "3xHxW", "1", "did you mean 'pool'"),
        ("3xHxW | conv 8@3x3 | pol 2", None, "1", "did you mean 'pool'"),
        (
            "3xHxW | [ maxpool 4 | upsample 4 || ] add",
            None,
            "1",
            r"3x4\*floor\(H/4\)x4\*floor\(W/4\), 3xHxW .* with --input 3x4Hx4W they are",
        ),
        ("CxH | conv 4@3 g2", None, "1", "C input channels do not divide into 2 groups"),
        ("3xH | " + " | ".join(["relu"] * 1001), None, "1", "has 1001 layers, and .* at most 1000"),
        ("no/such.yaml", "3xHxW", "1", "no/such.yaml: cannot be read"),
    ],
)
def test_wrong_questions_are_refused(
    network: str, shape: str | None, batch: str, message: str
) -> None:
    """The error says what was given and what to give."""
    with pytest.raises(CalculatorError, match=message):
        answer_symbolic(network, shape, batch)


def test_options_that_do_nothing_are_refused() -> None:
    """Columns go with tables, and a drawing needs numbers."""
    with pytest.raises(CalculatorError, match="--columns does not go with --format json"):
        answer_symbolic("lenet5", None, "N", form="json", columns="layer")
    with pytest.raises(CalculatorError, match="--format svg does not go with letters; use table"):
        answer_symbolic("lenet5", None, "N", form="svg")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (("vgg16", "3xHxW", "1"), True),
        (("vgg16", None, "N"), True),
        (("3xHxW | relu", None, "1"), True),
        (("3x8x8 | A: relu", None, "1"), False),
        (("vgg16", "3x224x224", "8"), False),
        (("Net.yaml", None, "1"), False),
    ],
)
def test_capital_letters_make_a_question_symbolic(
    question: tuple[str, str | None, str],
    answer: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """In the shape and the batch, not in names of layers and files."""
    assert is_symbolic(*question) is answer


@pytest.mark.parametrize(
    "line",
    [
        "3xHxW | " + " | ".join(["conv 8@3x3"] * 1990),
        "1xHxW | [ "
        + " || ".join(f"maxpool {n} s1 p{n // 2}" for n in range(1, 900, 2))
        + " ] concat",
        "1xHxW | [ "
        + " || ".join(f"conv 1@1 s{n} | globalavgpool" for n in range(1, 490))
        + " ] concat",
        "1x1xL | " + " | ".join(["globalavgpool", *["upsample 999999999"] * 90]),
        "1xL | " + " | ".join(f"conv 1@{n} s{n} same" for n in range(2, 60)),
        "1xL | " + " | ".join(f"conv 1@1 s{n} | upsample {n + 1}" for n in range(2, 60)),
    ],
)
def test_hostile_lines_end(line: str) -> None:
    """A long line is answered or refused; no expression grows without bound."""
    try:
        text = answer_symbolic(line, None, "N")
    except CalculatorError as error:
        text = error.message
    assert len(text) < 500_000
