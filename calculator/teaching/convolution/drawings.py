"""Input, kernel and output of a convolution drawn beside each other."""

from collections.abc import Sequence
from itertools import zip_longest

from calculator.layers.shapes import render_borders
from calculator.reports.rendering import WIDTH
from calculator.teaching.convolution.convolving import Convolved
from calculator.teaching.convolution.matrices import Matrix, render_number

GAP = "    "
EMPTY = "."  # a zero of the padding, a place that dilation skips


def render_matrices(convolved: Convolved) -> str:
    """Return input, kernel and output, side by side where 80 characters allow."""
    blocks = [draw_input(convolved), *draw_kernel(convolved), draw_output(convolved)]
    widths = [max(map(len, block)) for block in blocks]
    if sum(widths) + len(GAP) * (len(blocks) - 1) > WIDTH:
        return "\n\n".join("\n".join(block) for block in blocks)
    return "\n".join(
        GAP.join(line.ljust(width) for line, width in zip(lines, widths, strict=True)).rstrip()
        for lines in zip_longest(*blocks, fillvalue="")
    )


def draw_input(convolved: Convolved) -> list[str]:
    """Return the input with dots for the zeros of the padding."""
    borders, size = convolved.placement.window.padding, render_size(convolved.matrix)
    if set(borders) == {(0, 0)}:
        return draw(f"input {size}", render_cells(convolved.matrix))
    (above, below), (left, right) = borders
    cells = [[EMPTY] * left + row + [EMPTY] * right for row in render_cells(convolved.matrix)]
    blank = [EMPTY] * len(cells[0])
    head = f"input {size}, padding {render_borders(borders)}"
    return draw(head, [*[blank] * above, *cells, *[blank] * below])


def draw_kernel(convolved: Convolved) -> list[list[str]]:
    """Return the kernel as given and, where it differs, as it was laid over the input."""
    kernel, dilation = convolved.kernel, convolved.placement.window.dilation
    over = "" if kernel.divisor == 1 else f" /{kernel.divisor}"
    blocks = [draw(f"{kernel.name}{over}", render_cells(kernel.values))]
    used = spread(render_cells(convolved.applied), dilation[0])
    if convolved.flip:
        blocks.append(draw(f"rotated{over}", used))
    elif dilation[0] > 1:
        blocks.append(draw(f"dilation {dilation[0]}{over}", used))
    return blocks


def draw_output(convolved: Convolved) -> list[str]:
    """Return the output under its size."""
    return draw(f"output {render_size(convolved.output)}", render_cells(convolved.output))


def spread(cells: list[list[str]], dilation: int) -> list[list[str]]:
    """Return a kernel's cells with dots in the places that dilation skips."""
    if dilation == 1:
        return cells
    rows, columns = (dilation * (len(axis) - 1) + 1 for axis in (cells, cells[0]))
    return [
        [
            EMPTY if i % dilation or j % dilation else cells[i // dilation][j // dilation]
            for j in range(columns)
        ]
        for i in range(rows)
    ]


def render_cells(matrix: Matrix) -> list[list[str]]:
    """Return every number as text."""
    return [[render_number(value) for value in row] for row in matrix]


def render_size(matrix: Matrix) -> str:
    """Return ``4x6``: rows, columns."""
    return f"{len(matrix)}x{len(matrix[0])}"


def draw(head: str, cells: Sequence[Sequence[str]]) -> list[str]:
    """Return aligned rows under a heading; what is too wide in several parts of columns."""
    width = max(len(cell) for row in cells for cell in row)
    fits = max(1, (WIDTH + 1) // (width + 1))
    columns = len(cells[0])
    lines: list[str] = []
    for first in range(0, columns, fits):
        last = min(first + fits, columns)
        part = "" if columns <= fits else f", columns {first} to {last - 1}"
        rows = (" ".join(cell.rjust(width) for cell in row[first:last]) for row in cells)
        lines += [*([""] if lines else []), head + part, *rows]
    return lines
