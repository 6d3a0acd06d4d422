"""The convolution of one small matrix with one kernel, in exact numbers.

Frameworks call ``out[r, c] = sum of in[r*s + i*d, c*s + j*d]*k[i, j]`` a convolution; it is
the cross-correlation. The mathematical convolution rotates ``k`` by 180 degrees first
(Goodfellow, Bengio and Courville 2016, "Deep Learning", section 9.1). Sizes and padding are
those of the layer table: Dumoulin and Visin 2016, section 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from calculator.arithmetic.expressions import Derivation, Folded, Formula, Name, Number, greatest
from calculator.arithmetic.formulas import AXES, D, K, S, window_size
from calculator.errors import CalculatorError
from calculator.layers.shapes import Borders
from calculator.layers.windows import Placement
from calculator.teaching.convolution.kernels import Kernel, check_kernel
from calculator.teaching.convolution.matrices import (
    Integers,
    Matrix,
    divide,
    to_integers,
    to_matrix,
)
from calculator.teaching.convolution.placing import check_work, place

if TYPE_CHECKING:
    from fractions import Fraction


@dataclass(frozen=True)
class Convolved:
    """A convolution with everything that it came from.

    Args:
        matrix: the input, ``H x W``.
        kernel: as it was given, not rotated.
        placement: stride, padding and dilation along both axes, and the derived sizes.
        same: whether the padding was asked for as ``same``.
        flip: whether the kernel was rotated by 180 degrees, the mathematical convolution.
        output: ``H_out x W_out``, exact.
    """

    matrix: Matrix
    kernel: Kernel
    placement: Placement
    same: bool
    flip: bool
    output: Matrix

    @property
    def applied(self) -> Matrix:
        """Return the kernel's values as they were laid over the input."""
        return self.kernel.rotate() if self.flip else self.kernel.values

    @cached_property
    def padded(self) -> Matrix:
        """Return the input with the zeros of the padding."""
        return pad(self.matrix, self.placement.window.padding)

    def list_terms(
        self, row: int, column: int
    ) -> tuple[tuple[tuple["int | Fraction", "int | Fraction"], ...], ...]:
        """Return the factors of every product of one output, one tuple per kernel row.

        Args:
            row: of the output, from 0.
            column: likewise.

        Returns:
            ``(input value, kernel value)``; the sum of their products, over the kernel's
            divisor, is ``output[row][column]``.
        """
        window = self.placement.window
        (top, left), (down, right) = self.find_corner(row, column), window.dilation
        return tuple(
            tuple(
                (self.padded[top + i * down][left + j * right], weight)
                for j, weight in enumerate(weights)
            )
            for i, weights in enumerate(self.applied)
        )

    def find_corner(self, row: int, column: int) -> tuple[int, int]:
        """Return where the window of one output begins in the padded input.

        Raises:
            CalculatorError: the output has no such position.
        """
        height, width = self.placement.output
        if not (0 <= row < height and 0 <= column < width):
            message = (
                f"position {row},{column} is outside the output {height}x{width}; "
                f"rows are 0 to {height - 1}, columns 0 to {width - 1}"
            )
            raise CalculatorError(message)
        down, right = self.placement.window.stride
        return row * down, column * right

    def derive_sizes(self) -> tuple[Derivation, ...]:
        """Derive each output size; under ``same`` padding, the padding before it."""
        derivations: list[Derivation] = []
        window, sizes = self.placement.window, (len(self.matrix), len(self.matrix[0]))
        for i, axis in enumerate(AXES[2]):
            before, after = window.padding[i]
            taps = {"d": window.dilation[i], "k": window.kernel[i], "s": window.stride[i]}
            if self.same:
                output = self.placement.sizes[i]
                made = {f"{axis}_out": output.result, axis: sizes[i], **taps}
                derivations += [output, same_padding(axis).derive(**made)]
            padding = {"p": before} if before == after else {"p_0": before, "p_1": after}
            formula = window_size(axis, symmetric=before == after)
            derivations.append(formula.derive(**{axis: sizes[i]}, **padding, **taps))
        return tuple(derivations)


def same_padding(axis: str) -> Formula:
    """Return what ``same`` padding adds along an axis in all; an odd rest goes behind."""
    reach = (Name(f"{axis}_out") - 1) * S + Folded(D * (K - 1)) + 1
    return Formula("p_0 + p_1", greatest(reach - Name(axis), Number(0)))


def convolve(
    matrix: Sequence[Sequence["int | Fraction"]],
    kernel: Kernel | Sequence[Sequence["int | Fraction"]],
    *,
    padding: int | Literal["valid", "same"] = "valid",
    stride: int = 1,
    dilation: int = 1,
    flip: bool = False,
) -> Convolved:
    """Slide a kernel over a matrix.

    Args:
        matrix: 1x1 to 64x64 integers or fractions.
        kernel: from ``parse_kernel`` (``kernels.py``), or rows of at most 31x31 integers or
            fractions.
        padding: zeros around the input, 0 to 64; ``valid`` is 0, ``same`` makes
            ``ceil(size/stride)`` outputs, an odd rest behind.
        stride: step of the window along both axes, 1 to 64.
        dilation: distance between taps along both axes, 1 to 64.
        flip: rotate the kernel by 180 degrees: the mathematical convolution instead of the
            cross-correlation.

    Raises:
        CalculatorError: a setting is out of range, the kernel does not fit into the padded
            input, or there are more than a million products.
    """
    matrix, kernel = to_matrix(matrix), to_kernel(kernel)
    sizes = (len(matrix), len(matrix[0]))
    placement = place(sizes, kernel, padding=padding, stride=stride, dilation=dilation)
    check_work(sizes, placement)
    output = slide(matrix, kernel, placement=placement, flip=flip)
    return Convolved(matrix, kernel, placement, padding == "same", flip, output)


def to_kernel(kernel: Kernel | Sequence[Sequence["int | Fraction"]]) -> Kernel:
    """Return rows of numbers as a kernel, a kernel as it is.

    Raises:
        CalculatorError: the rows are no matrix or more than 31x31, or the divisor is below 1.
    """
    if not isinstance(kernel, Kernel):
        kernel = Kernel("custom", to_matrix(kernel, what="kernel"))
    check_kernel(kernel)
    return kernel


def pad(matrix: Matrix, borders: Borders) -> Matrix:
    """Return a matrix with zeros around it, ``(before, after)`` per axis."""
    (above, below), (left, right) = borders
    blank = (0,) * (left + len(matrix[0]) + right)
    rows = ((0,) * left + row + (0,) * right for row in matrix)
    return (*(blank,) * above, *rows, *(blank,) * below)


def slide(matrix: Matrix, kernel: Kernel, *, placement: Placement, flip: bool) -> Matrix:
    """Return the sum of products at every position of the window.

    Both sides are brought to integers first: sums of fractions with many different
    denominators would take far longer.
    """
    inputs, input_bottom = to_integers(pad(matrix, placement.window.padding))
    weights, weight_bottom = to_integers(kernel.rotate() if flip else kernel.values, what="kernel")
    bottom = input_bottom * weight_bottom * kernel.divisor
    sums = sum_products(inputs, weights, placement=placement)
    return tuple(tuple(divide(value, bottom) for value in row) for row in sums)


def sum_products(inputs: Integers, weights: Integers, *, placement: Placement) -> Integers:
    """Return the cross-correlation of padded integers."""
    window, (height, width) = placement.window, placement.output
    (down, right), (row_step, column_step) = window.dilation, window.stride
    taps = [
        (i * down, j * right, weight)
        for i, row in enumerate(weights)
        for j, weight in enumerate(row)
        if weight
    ]
    return tuple(
        tuple(
            sum(inputs[top + i][left + j] * weight for i, j, weight in taps)
            for left in range(0, width * column_step, column_step)
        )
        for top in range(0, height * row_step, row_step)
    )
