"""A convolution as text and JSON: matrices, sizes, every product and sum."""

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from calculator.reports.rendering import WIDTH
from calculator.teaching.convolution.convolving import Convolved, slide
from calculator.teaching.convolution.drawings import render_matrices
from calculator.teaching.convolution.matrices import render_factor, render_number, simplify

if TYPE_CHECKING:
    from fractions import Fraction

MOST_OUTPUTS = 25  # whose products are all shown
MOST_TERMS = 625


def render_convolved(convolved: Convolved, position: tuple[int, int] | None = None) -> str:
    """Return the matrices, the derivation of the sizes, and products and sums.

    Args:
        convolved: from :func:`calculator.teaching.convolution.convolving.convolve`.
        position: row and column of the one output to show; None for all of them, where
            there are at most 25 and 625 products.

    Raises:
        CalculatorError: the output has no such position.
    """
    columns = len(convolved.kernel.values[0])
    products = [wrap_sum(line, columns) for line in list_product_lines(convolved, position)]
    notes = [fill(note, WIDTH, break_on_hyphens=False) for note in list_notes(convolved)]
    blocks = [
        describe_mode(convolved),
        render_matrices(convolved),
        "\n".join(list_size_lines(convolved)),
    ]
    return "\n\n".join([*blocks, "\n".join(products), "\n".join(notes)])


def describe_mode(convolved: Convolved) -> str:
    """Return what was done, in one sentence of two lines."""
    if convolved.flip:
        return (
            "Convolution in the mathematical sense: the kernel is rotated by 180 degrees,\n"
            "then laid over the input at every position."
        )
    return (
        "Cross-correlation, which frameworks call convolution: the kernel is laid over\n"
        "the input as it is, at every position."
    )


def list_size_lines(convolved: Convolved) -> list[str]:
    """Return the derivation of both sizes, and what floor dropped."""
    lines: list[str] = []
    words = {"H": "row", "W": "column"}
    inside = " of the padded input" if is_padded(convolved) else ""
    for derivation in convolved.derive_sizes():
        lines.append(derivation.render())
        axis = derivation.formula.quantity.removesuffix("_out")
        if axis not in words:
            lines.append(describe_split(derivation.result))
            continue
        for direction, rest, bottom in derivation.list_rounding():
            if direction == "floor":  # ceil: of same padding, which reaches everything
                last = words[axis] if rest == 1 else f"{rest} {words[axis]}s"
                unseen = f"no window reaches the last {last}{inside}"
                lines.append(f"(floor drops {rest}/{bottom}: {unseen})")
    return lines


def is_padded(convolved: Convolved) -> bool:
    """Return whether padding adds anything."""
    return set(convolved.placement.window.padding) != {(0, 0)}


def describe_split(total: int) -> str:
    """Return how ``same`` padding is shared."""
    before = total // 2
    return f"(p_0 = {before} before, p_1 = {total - before} behind)"


def list_product_lines(convolved: Convolved, position: tuple[int, int] | None = None) -> list[str]:
    """Return ``out[0,0] = 3*1 + 0*0 + ... = -5`` for each shown output, one line each.

    Raises:
        CalculatorError: the output has no such position.
    """
    positions = list_positions(convolved, position)
    if positions:
        return [render_products(convolved, place) for place in positions]
    outputs = len(convolved.output) * len(convolved.output[0])
    return [f"{outputs} outputs; --position ROW,COLUMN shows the products of one, from 0,0"]


def list_positions(
    convolved: Convolved, position: tuple[int, int] | None
) -> tuple[tuple[int, int], ...]:
    """Return the outputs whose products are shown; none where there are too many.

    Raises:
        CalculatorError: the output has no such position.
    """
    if position is not None:
        convolved.find_corner(*position)
        return (position,)
    rows, columns = len(convolved.output), len(convolved.output[0])
    taps = len(convolved.kernel.values) * len(convolved.kernel.values[0])
    if rows * columns > MOST_OUTPUTS or rows * columns * taps > MOST_TERMS:
        return ()
    return tuple((row, column) for row in range(rows) for column in range(columns))


def render_products(convolved: Convolved, position: tuple[int, int]) -> str:
    """Return the sum of products of one output, every part of equal value."""
    row, column = position
    terms = [term for line in convolved.list_terms(row, column) for term in line]
    added = " + ".join(f"{render_factor(a)}*{render_factor(b)}" for a, b in terms)
    result, divisor = convolved.output[row][column], convolved.kernel.divisor
    parts = [added]
    if divisor > 1:
        total = render_factor(simplify(result * divisor))
        parts = [f"({added})/{divisor}", f"{total}/{divisor}"]
    parts.append(render_number(result))
    return " = ".join([f"out[{row},{column}]", *dict.fromkeys(parts)])


def wrap_sum(line: str, columns: int) -> str:
    """Return a long sum over several lines, one per row of the kernel.

    Args:
        line: from :func:`render_products`.
        columns: of the kernel.
    """
    if len(line) <= WIDTH:
        return line
    head, added, *tail = line.split(" = ")
    head, end = f"{head} = ", f"\n    = {' = '.join(tail)}"
    if len(head + added) <= WIDTH:
        return head + added + end
    terms, indent = added.split(" + "), " " * (len(head) - 2)
    lines = [
        fill(
            " + ".join(terms[i : i + columns]),
            WIDTH,
            initial_indent=f"{indent}+ " if i else head,
            subsequent_indent=f"{indent}  ",
            break_on_hyphens=False,
        )
        for i in range(0, len(terms), columns)
    ]
    return "\n".join(lines) + end


def list_notes(convolved: Convolved) -> list[str]:
    """Return what the dots are, what flat areas give, and what the other mode would give."""
    window = convolved.placement.window
    dots = [
        *(["a 0 that padding adds"] if is_padded(convolved) else []),
        *(["a place that dilation skips"] if window.dilation[0] > 1 else []),
    ]
    notes = [f"A dot is {' or '.join(dots)}."] if dots else []
    return [*notes, describe_balance(convolved), describe_other(convolved)]


def describe_balance(convolved: Convolved) -> str:
    """Return what the kernel makes of an area of one value."""
    total = sum(sum(row) for row in convolved.kernel.weights)
    if total == 0:
        return "The kernel's weights sum to 0: a flat area gives 0, only differences answer."
    if total == 1:
        return "The kernel's weights sum to 1: a flat area keeps its value."
    return f"The kernel's weights sum to {render_number(total)}: a flat area is multiplied by it."


def describe_other(convolved: Convolved) -> str:
    """Return how convolution and cross-correlation differ for this kernel and input."""
    values, rotated = convolved.kernel.values, convolved.kernel.rotate()
    other = "cross-correlation" if convolved.flip else "convolution (--flip)"
    if rotated == values:
        return f"Rotated by 180 degrees the kernel is the same: {other} gives the same output."
    if rotated == tuple(tuple(-value for value in row) for row in values):
        return (
            f"Rotated by 180 degrees the kernel changes its sign: {other} gives the output "
            "with the opposite sign."
        )
    matrix, placement = convolved.matrix, convolved.placement
    there = slide(matrix, convolved.kernel, placement=placement, flip=not convolved.flip)
    for i, (mine, its) in enumerate(zip(convolved.output, there, strict=True)):
        for j, (a, b) in enumerate(zip(mine, its, strict=True)):
            if a != b:
                return (
                    f"Rotated by 180 degrees the kernel is another one: {other} gives "
                    f"out[{i},{j}] = {render_number(b)} instead of {render_number(a)}."
                )
    return f"Rotated by 180 degrees the kernel is another one, yet {other} gives this output too."


def render_convolved_json(convolved: Convolved, position: tuple[int, int] | None = None) -> str:
    """Return a convolution as JSON; :func:`to_values` documents its shape."""
    import json  # noqa: PLC0415 - only JSON needs it

    return json.dumps(to_values(convolved, position), ensure_ascii=False)


def to_values(convolved: Convolved, position: tuple[int, int] | None = None) -> dict[str, object]:
    """Return a convolution as plain values, in a shape that is kept stable.

    ``input``, ``kernel`` (``name``, ``values``, ``divisor``), ``mode``, ``applied`` (the
    kernel's values as they were laid over the input), ``padding`` ``[before, after]`` per
    axis, ``stride``, ``dilation``, ``output``, and ``products`` of the outputs that the text
    shows: ``position``, ``terms`` ``[input, kernel]``, ``result``. Integers are numbers,
    others exact text such as ``"0.25"`` or ``"1/3"``.

    Raises:
        CalculatorError: the output has no such position.
    """
    window, kernel = convolved.placement.window, convolved.kernel
    return {
        "input": to_plain(convolved.matrix),
        "kernel": {
            "name": kernel.name,
            "values": to_plain(kernel.values),
            "divisor": kernel.divisor,
        },
        "mode": "convolution" if convolved.flip else "cross-correlation",
        "applied": to_plain(convolved.applied),
        "padding": [list(border) for border in window.padding],
        "stride": list(window.stride),
        "dilation": list(window.dilation),
        "output": to_plain(convolved.output),
        "products": [
            {
                "position": [row, column],
                "terms": to_plain(
                    [pair for line in convolved.list_terms(row, column) for pair in line]
                ),
                "result": to_plain_number(convolved.output[row][column]),
            }
            for row, column in list_positions(convolved, position)
        ],
    }


def to_plain(rows: Sequence[Sequence["int | Fraction"]]) -> list[list[int | str]]:
    """Return rows of numbers for JSON."""
    return [[to_plain_number(value) for value in row] for row in rows]


def to_plain_number(value: "int | Fraction") -> int | str:
    """Return an integer as it is, another number as exact text."""
    return value if isinstance(value, int) else render_number(value)
