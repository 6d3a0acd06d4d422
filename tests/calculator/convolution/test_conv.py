"""The convolution of small matrices: values, printed lines, kernels, the command."""

import ast
import json
import operator
import re
from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from calculator import parse, summarize
from calculator.cli.conv import conv
from calculator.teaching.convolution.convolving import Convolved, convolve
from calculator.teaching.convolution.kernels import KERNELS
from calculator.teaching.convolution.text import list_product_lines, render_convolved

COURSE = "3 0 1 2 7 4; 1 5 8 9 3 1; 2 7 2 5 1 3; 0 1 3 1 7 8; 4 2 1 6 2 8; 2 4 5 2 3 9"
STEP = [[0, 0, 0, 10, 10, 10]] * 5
Values = list[list[int]]
OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
CASES: tuple[tuple[str, ...], ...] = (
    (COURSE, "--kernel", "vertical"),
    (COURSE, "--kernel", "gaussian", "--padding", "same", "--stride", "2", "--flip"),
    (COURSE, "--kernel", "box", "--padding", "1", "--stride", "3"),
    (COURSE, "--kernel", "1 2; 3 .5", "--padding", "1", "--dilation", "2", "--stride", "3"),
    ("1/3 -2; 0.25 1000", "--kernel", "(-1/7 1; 2 -.125)/12", "--padding", "same"),
    ("1 2 3 4 5; 1 1 1 1 1; 0 0 0 0 0; 9 9 9 9 9; 1 2 1 2 1", "--kernel", "-1 -2 -3 -4 -5;" * 5),
    ("-12345 1; 2 3", "--kernel", "-1234567 1.5; 123456789012 -0.000000001", "--padding", "1"),
)


def matrices(low: int, high: int) -> st.SearchStrategy[Values]:
    """Draw a matrix of small integers with so many rows and columns at least and at most."""
    return st.integers(low, high).flatmap(
        lambda width: st.lists(
            st.lists(st.integers(-9, 9), min_size=width, max_size=width),
            min_size=low,
            max_size=high,
        )
    )


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(conv, arguments, prog_name="impasto conv")


def evaluate(text: str) -> Fraction:
    """Return the exact value of a printed expression."""
    return compute(ast.parse(text, mode="eval").body, text)


def compute(node: ast.expr, text: str) -> Fraction:
    """Return the exact value of a node of an expression."""
    if isinstance(node, ast.BinOp):
        left, right = compute(node.left, text), compute(node.right, text)
        return OPERATIONS[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp):
        return -compute(node.operand, text)
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        values = [compute(argument, text) for argument in node.args]
        if node.func.id == "max":
            return max(values)
        return Fraction({"floor": floor, "ceil": ceil}[node.func.id](values[0]))
    assert isinstance(node, ast.Constant)
    return Fraction(ast.get_source_segment(text, node) or "")


def join_lines(page: str) -> list[str]:
    """Return the equations of a page, those of several lines as one."""
    joined = re.sub(r"\n +([+=] |[(0-9])", r" \1", page)
    lines = (line for line in joined.splitlines() if "instead of" not in line)
    return [line for line in lines if re.match(r"(out\[|[HW]_out|p_0)", line)]


def test_course_example_has_its_known_output() -> None:
    """The 6x6 example of Ng's course gives the 4x4 output that the course prints."""
    convolved = convolve(
        [[int(v) for v in r.split()] for r in COURSE.split(";")], KERNELS["vertical"]
    )
    assert convolved.output == ((-5, -4, 0, 8), (-10, -2, 2, 3), (0, -2, -4, -7), (-3, -2, -3, -16))
    first, *_ = list_product_lines(convolved)
    assert first == ("out[0,0] = 3*1 + 0*0 + 1*(-1) + 1*1 + 5*0 + 8*(-1) + 2*1 + 7*0 + 2*(-1) = -5")


@pytest.mark.parametrize("arguments", CASES)
def test_every_line_evaluates_to_its_result(arguments: tuple[str, ...]) -> None:
    """Every printed part without names has the value of the last; the output shows that value."""
    equations = join_lines(run(*arguments).output)
    values = json.loads(run(*arguments, "--format", "json").output)
    assert len(equations) == len(values["products"]) + len(
        [line for line in equations if not line.startswith("out")]
    )
    for equation in equations:
        name, *parts = equation.split(" = ")
        result = evaluate(parts[-1])
        for part in parts:
            assert re.search(r"\b[HWpdks]\b|_", part) or evaluate(part) == result, equation
        if name.startswith("out"):
            row, column = ast.literal_eval(name.removeprefix("out"))
            assert Fraction(values["output"][row][column]) == result


def test_evaluator_finds_a_wrong_line() -> None:
    """The evaluator is no rubber stamp."""
    assert evaluate("(3*1 + 0.5*(-2))/16") == Fraction(1, 8)
    assert evaluate("floor((6 + 0 - 2 - 1)/2) + 1") == 2
    assert evaluate("(1/3)*2") != Fraction(1, 3)


@given(matrices(1, 6), matrices(1, 3), st.integers(0, 2), st.integers(1, 3), st.integers(0, 1))
def test_terms_add_up_to_the_output(
    matrix: Values, kernel: Values, extra: int, stride: int, flip: int
) -> None:
    """The factors that are printed are those that were multiplied."""
    padding = max(len(kernel), len(kernel[0])) // 2 + extra
    convolved = convolve(matrix, kernel, padding=padding, stride=stride, flip=flip == 1)
    for i, row in enumerate(convolved.output):
        for j, value in enumerate(row):
            terms = [pair for line in convolved.list_terms(i, j) for pair in line]
            assert sum(a * b for a, b in terms) == value


@given(matrices(3, 3), matrices(3, 3))
def test_convolution_commutes_and_cross_correlation_turns_round(a: Values, b: Values) -> None:
    """With full padding, swapping the two changes nothing, or rotates by 180 degrees."""
    assert (
        convolve(a, b, padding=2, flip=True).output == convolve(b, a, padding=2, flip=True).output
    )
    there, back = convolve(a, b, padding=2).output, convolve(b, a, padding=2).output
    assert there == tuple(row[::-1] for row in back[::-1])


@given(matrices(1, 5), matrices(3, 3))
def test_sum_of_the_output_is_the_product_of_the_sums(matrix: Values, kernel: Values) -> None:
    """With full padding every input value meets every weight once."""
    total = sum(map(sum, convolve(matrix, kernel, padding=2).output))
    assert total == sum(map(sum, matrix)) * sum(map(sum, kernel))


@given(matrices(1, 9), matrices(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_same_padding_is_that_of_the_layer_table(
    matrix: Values, kernel: Values, stride: int, dilation: int
) -> None:
    """The output has the shape that the layer table gives, and the kernel's sizes lead there."""
    convolved = convolve(matrix, kernel, padding="same", stride=stride, dilation=dilation)
    sides = f"{len(kernel)}x{len(kernel[0])}"
    line = f"1x{len(matrix)}x{len(matrix[0])} | conv 1@{sides} s{stride} d{dilation} same"
    (row,) = summarize(parse(line)).rows
    assert row.derived.shape == (1, len(convolved.output), len(convolved.output[0]))
    derived = {d.formula.quantity: d.result for d in convolved.derive_sizes()}
    assert (derived["H_out"], derived["W_out"]) == row.derived.shape[1:]


def test_odd_rest_of_same_padding_lies_behind() -> None:
    """A 2x2 kernel sees zeros below and on the right, in the output as in the drawing."""
    assert convolve([[1, 2], [3, 4]], [[0, 0], [0, 1]], padding="same").output == ((4, 0), (0, 0))
    page = run("1 2; 3 4", "--kernel", "0 0; 0 1", "--padding", "same").output
    drawn = [line[:5] for line in page.splitlines()[4:7]]
    assert drawn == ["1 2 .", "3 4 .", ". . ."]
    assert page.count("(p_0 = 0 before, p_1 = 1 behind)") == 2


@pytest.mark.parametrize(
    ("kernel", "note"),
    [
        ("1 -1", "sum to 0: a flat area gives 0, only differences answer."),
        ("(1 1)/2", "sum to 1: a flat area keeps its value."),
        ("1/2 1", "sum to 1.5: a flat area is multiplied by it."),
    ],
)
def test_answer_of_a_flat_area_is_told(kernel: str, note: str) -> None:
    """The sum of the weights says whether a kernel differentiates or averages."""
    assert f"The kernel's weights {note}\n" in run("1 2 3", "--kernel", kernel).output


def test_edge_answers_in_its_column_only() -> None:
    """A step from 0 to 10 makes 30 where vertical sees it, and 0 elsewhere."""
    assert set(convolve(STEP, KERNELS["prewitt-x"]).output) == {(0, 30, 30, 0)}
    assert set(convolve(STEP, KERNELS["vertical"]).output) == {(0, -30, -30, 0)}
    assert set(convolve(STEP, KERNELS["sobel-y"]).output) == {(0, 0, 0, 0)}


def test_identity_and_mean_are_exact() -> None:
    """The unit impulse changes nothing; the box of 1 to 9 is 5, a third of 1 stays a third."""
    rows = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert convolve(rows, KERNELS["identity"], padding="same").output == (
        (1, 2, 3),
        (4, 5, 6),
        (7, 8, 9),
    )
    assert convolve(rows, KERNELS["box"]).output == ((5,),)
    assert convolve([[1]], [[Fraction(1, 3)]]).output == ((Fraction(1, 3),),)


@pytest.mark.parametrize(
    ("kernel", "note"),
    [
        ("laplacian", "the kernel is the same: convolution (--flip) gives the same output"),
        ("sobel-x", "the kernel changes its sign: convolution (--flip) gives the output"),
        ("emboss", "another one: convolution (--flip) gives out[0,0] = -19 instead of 29."),
        ("1 0 0; 0 0 0; 0 0 0", "another one: convolution (--flip) gives out[0,0] = 9 instead"),
    ],
)
def test_difference_between_the_modes_is_told(kernel: str, note: str) -> None:
    """The page says whether rotating the kernel changes anything, and what."""
    page = run("1 2 3; 4 5 6; 7 8 9", "--kernel", kernel).output
    assert page.startswith("Cross-correlation, which frameworks call convolution")
    assert note in " ".join(page.split())
    flipped = run("1 2 3; 4 5 6; 7 8 9", "--kernel", kernel, "--flip").output
    assert flipped.startswith("Convolution in the mathematical sense")
    assert "cross-correlation gives" in " ".join(flipped.split())


def test_page_draws_padding_dilation_and_what_floor_drops() -> None:
    """Zeros of the padding and places that dilation skips are dots, lost rows are named."""
    options = ("--padding", "1", "--stride", "2", "--dilation", "3")
    page = run("1 2 3; 4 5 6; 7 8 9", "--kernel", "1 2; 3 4", *options).output
    assert "\n. 1 2 3 .               3 4       . . . .\n" in page
    assert "\n. 7 8 9 .                         3 . . 4\n" in page
    assert "(floor drops 1/2: no window reaches the last row of the padded input)" in page
    assert "A dot is a 0 that padding adds or a place that dilation skips." in page
    page = run("1 2 3 4 5 6; 5 6 7 8 9 0", "--kernel", "1", "--stride", "4").output
    assert "(floor drops 1/4: no window reaches the last row)" in page
    assert "(floor drops 1/4: no window reaches the last column)" in page
    assert "A dot" not in page


@pytest.mark.parametrize("arguments", CASES[:4])
def test_page_fits_a_terminal(arguments: tuple[str, ...]) -> None:
    """Everything but derivations stays within 80 characters."""
    lines = run(*arguments).output.splitlines()
    assert all(len(line) <= 80 for line in lines if not re.match("[HWp]_", line))


def test_wide_matrix_is_drawn_in_parts() -> None:
    """Columns beyond the terminal's width follow below, under their numbers."""
    wide = Convolved(*vars(convolve([list(range(64))], [[1]])).values())
    page = render_convolved(wide)
    assert "input 1x64, columns 27 to 53" in page
    assert max(map(len, page.splitlines()[:12])) <= 80


def test_products_of_one_position_are_shown_on_demand() -> None:
    """More than 25 outputs or 625 products show none until one output is asked for."""
    rows = ";".join(["1 2 3 4 5 6"] * 6)
    page = run(rows, "--kernel", "2").output
    assert "36 outputs; --position ROW,COLUMN shows the products of one" in page
    assert "out[" not in page
    wide = ";".join(["1 2 3 4 5 6 7 8 9 8 7"] * 11)
    assert "25 outputs; --position" in run(wide, "--kernel", ";".join(["1 " * 7] * 7)).output
    assert "\nout[5,4] = 5*2 = 10\n" in run(rows, "--kernel", "2", "--position", "5,4").output


def test_json_holds_the_work() -> None:
    """Numbers that are no integers are exact text."""
    result = run("1 2; 3 5", "--kernel", "(1 .5; 0 1)/3", "--flip", "--format", "json")
    assert json.loads(result.output) == {
        "input": [[1, 2], [3, 5]],
        "kernel": {"name": "custom", "values": [[1, "0.5"], [0, 1]], "divisor": 3},
        "mode": "convolution",
        "applied": [[1, 0], ["0.5", 1]],
        "padding": [[0, 0], [0, 0]],
        "stride": [1, 1],
        "dilation": [1, 1],
        "output": [["2.5"]],
        "products": [
            {"position": [0, 0], "terms": [[1, 1], [2, 0], [3, "0.5"], [5, 1]], "result": "2.5"}
        ],
    }
