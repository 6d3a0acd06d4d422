"""Kernels that have names, and kernels written as numbers.

All are given as they are laid over the input (cross-correlation). ``x`` kernels differentiate
along the rows and so answer to vertical edges, positive where the input becomes brighter to
the right; ``y`` kernels along the columns, positive where it becomes brighter downwards.
"""

import re
from dataclasses import dataclass

from calculator.errors import CalculatorError, list_nearest, suggest
from calculator.teaching.convolution.matrices import (
    EXAMPLE,
    LETTERS,
    Matrix,
    divide,
    parse_matrix,
    render_number,
    to_integers,
)

MOST_TAPS = 31  # per axis
DIVISOR = re.compile(r"[0-9]{1,9}")

NG = 'Ng 2017, course "Convolutional Neural Networks", week 1'
SOBEL = 'Sobel and Feldman 1968, "A 3x3 isotropic gradient operator for image processing"'
SCHARR = 'Scharr 2000, "Optimale Operatoren in der Digitalen Bildverarbeitung"'
PREWITT = 'Prewitt 1970, "Object enhancement and extraction"'
GONZALEZ = "Gonzalez and Woods 2008, Digital Image Processing"


@dataclass(frozen=True)
class Kernel:
    """The weights of a sliding window: ``values/divisor``.

    Args:
        name: what it is called.
        values: exact numbers, 1 to 31 rows and columns.
        divisor: common to all values and written once; at least 1.
        meaning: what it answers to.
        source: where it was published; empty for a user's own.
    """

    name: str
    values: Matrix
    divisor: int = 1
    meaning: str = ""
    source: str = ""

    @property
    def weights(self) -> Matrix:
        """Return ``values/divisor``, exact."""
        integers, common = to_integers(self.values, what="kernel")
        bottom = common * self.divisor
        return tuple(tuple(divide(value, bottom) for value in row) for row in integers)

    @property
    def balanced(self) -> bool:
        """Return whether the weights sum to 0, so that flat areas give 0."""
        return sum(sum(row) for row in self.values) == 0

    def rotate(self) -> Matrix:
        """Return the values rotated by 180 degrees."""
        return tuple(row[::-1] for row in self.values[::-1])

    def render(self) -> str:
        """Return the kernel in the form that :func:`parse_kernel` reads."""
        text = "; ".join(" ".join(map(render_number, row)) for row in self.values)
        return text if self.divisor == 1 else f"({text})/{self.divisor}"


def parse_values(text: str) -> tuple[Matrix, int]:
    """Read ``1 2 1; 2 4 2`` or ``(1 2 1; 2 4 2)/16`` as values and divisor.

    Raises:
        CalculatorError: the text is no such kernel.
    """
    body, _, tail = text.rpartition("/")
    body, digits, divisor = body.strip(), tail.strip(), 1
    if body.startswith("(") and body.endswith(")") and DIVISOR.fullmatch(digits):
        text, divisor = body[1:-1], int(digits)
    return parse_matrix(text, what="kernel"), divisor


def check_kernel(kernel: Kernel) -> None:
    """Refuse a kernel that would take long, or that divides by nothing.

    Raises:
        CalculatorError: it has more than 31 rows or columns, or a divisor below 1.
    """
    rows, columns = len(kernel.values), len(kernel.values[0])
    if max(rows, columns) > MOST_TAPS:
        message = f"the kernel is {rows}x{columns}; use at most {MOST_TAPS}x{MOST_TAPS}"
        raise CalculatorError(message)
    if kernel.divisor < 1:
        message = f"the kernel is divided by {kernel.divisor}; divide by 1 or more"
        raise CalculatorError(message)


def name_kernel(name: str, text: str, *, meaning: str, source: str) -> Kernel:
    """Return a named kernel from its numbers."""
    values, divisor = parse_values(text)
    return Kernel(name, values, divisor, meaning, source)


KERNELS = {
    kernel.name: kernel
    for kernel in (
        name_kernel(
            "vertical",
            "1 0 -1; 1 0 -1; 1 0 -1",
            meaning="vertical edges, positive where left is brighter; minus prewitt-x",
            source=NG,
        ),
        name_kernel(
            "horizontal",
            "1 1 1; 0 0 0; -1 -1 -1",
            meaning="horizontal edges, positive where above is brighter; minus prewitt-y",
            source=NG,
        ),
        name_kernel(
            "sobel-x",
            "-1 0 1; -2 0 2; -1 0 1",
            meaning="vertical edges; difference along rows, weights (1 2 1) along columns",
            source=SOBEL,
        ),
        name_kernel(
            "sobel-y",
            "-1 -2 -1; 0 0 0; 1 2 1",
            meaning="horizontal edges; difference along columns, weights (1 2 1) along rows",
            source=SOBEL,
        ),
        name_kernel(
            "scharr-x",
            "-3 0 3; -10 0 10; -3 0 3",
            meaning="as sobel-x; weighted so that the gradient's direction errs least",
            source=SCHARR,
        ),
        name_kernel(
            "scharr-y",
            "-3 -10 -3; 0 0 0; 3 10 3",
            meaning="as sobel-y; weighted so that the gradient's direction errs least",
            source=SCHARR,
        ),
        name_kernel(
            "prewitt-x",
            "-1 0 1; -1 0 1; -1 0 1",
            meaning="vertical edges; difference along rows, sum along columns",
            source=PREWITT,
        ),
        name_kernel(
            "prewitt-y",
            "-1 -1 -1; 0 0 0; 1 1 1",
            meaning="horizontal edges; difference along columns, sum along rows",
            source=PREWITT,
        ),
        name_kernel(
            "laplacian-4",
            "0 1 0; 1 -4 1; 0 1 0",
            meaning="edges of every direction, points; second differences, 4 sides",
            source=f"{GONZALEZ}, section 3.6.2",
        ),
        name_kernel(
            "laplacian-8",
            "1 1 1; 1 -8 1; 1 1 1",
            meaning="as laplacian-4, with the diagonals",
            source=f"{GONZALEZ}, section 3.6.2",
        ),
        name_kernel(
            "sharpen",
            "0 -1 0; -1 5 -1; 0 -1 0",
            meaning="identity - laplacian-4; makes edges steeper, keeps flat areas",
            source=f"{GONZALEZ}, section 3.6.2",
        ),
        name_kernel(
            "box",
            "(1 1 1; 1 1 1; 1 1 1)/9",
            meaning="mean of 9 values; blurs, reduces noise",
            source=f"{GONZALEZ}, section 3.5.1",
        ),
        name_kernel(
            "gaussian",
            "(1 2 1; 2 4 2; 1 2 1)/16",
            meaning="binomial mean, close to a Gaussian; blurs, most weight in the middle",
            source=f"{GONZALEZ}, section 3.5.1",
        ),
        name_kernel(
            "emboss",
            "-2 -1 0; -1 1 1; 0 1 2",
            meaning="input + difference along the diagonal; a relief lit from one corner",
            source='GIMP manual, "Convolution Matrix"',
        ),
        name_kernel(
            "identity",
            "0 0 0; 0 1 0; 0 0 0",
            meaning="leaves everything as it is",
            source="the unit impulse",
        ),
    )
}
ALIASES = {
    "sobel-vertical": "sobel-x",
    "sobel-horizontal": "sobel-y",
    "scharr-vertical": "scharr-x",
    "scharr-horizontal": "scharr-y",
    "prewitt-vertical": "prewitt-x",
    "prewitt-horizontal": "prewitt-y",
    "laplacian": "laplacian-4",
}
PAIRS = {name: (f"{name}-x", f"{name}-y") for name in ("sobel", "scharr", "prewitt")}


def parse_kernel(text: str) -> Kernel:
    """Read one kernel: a name or numbers.

    Args:
        text: ``sobel-x``, ``1 0 -1; 2 0 -2; 1 0 -1``, or ``(1 2 1; 2 4 2; 1 2 1)/16``.

    Raises:
        CalculatorError: there is no such name, it stands for a pair, or the numbers are no
            kernel.
    """
    kernels = parse_kernels(text)
    if len(kernels) > 1:
        names = " and ".join(kernel.name for kernel in kernels)
        message = (
            f"{text} is the pair {names}, whose gradient magnitude is for pictures; "
            "name one of the two for a matrix"
        )
        raise CalculatorError(message)
    return kernels[0]


def parse_kernels(text: str) -> tuple[Kernel, ...]:
    """Read what :func:`parse_kernel` reads, or the name of a pair of directions.

    Returns:
        One kernel; two for ``sobel``, ``scharr`` and ``prewitt``.

    Raises:
        CalculatorError: there is no such name, or the numbers are no kernel.
    """
    name = text.strip().lower()
    if name in PAIRS:
        return tuple(KERNELS[part] for part in PAIRS[name])
    name = ALIASES.get(name, name)
    if name in KERNELS:
        return (KERNELS[name],)
    if name and LETTERS.fullmatch(re.sub(r"[()]", "", name)) is not None:
        kernel = Kernel("custom", *parse_values(text))
        check_kernel(kernel)
        return (kernel,)
    name, names = name[:40], [*KERNELS, *PAIRS]
    message = (
        f"no kernel {name!r}; choose from {list_nearest(name, names)}, or write numbers such as "
        f"{EXAMPLE}{suggest(name, [*names, *ALIASES])}"
    )
    raise CalculatorError(message)


def render_kernels() -> str:
    """Return every named kernel: what it answers to, its numbers, its source."""
    from textwrap import wrap  # noqa: PLC0415 - only for the list

    blocks = [render_named(kernel) for kernel in KERNELS.values()]
    pairs = ", ".join(f"{name} ({' and '.join(parts)})" for name, parts in PAIRS.items())
    aliases = ", ".join(f"{alias} ({name})" for alias, name in ALIASES.items())
    tails = (f"Pairs, for pictures: {pairs}.", f"Also: {aliases}.")
    lines = [line for tail in tails for line in wrap(tail, 80, break_on_hyphens=False)]
    return "\n\n".join([*blocks, "\n".join(lines)])


def render_named(kernel: Kernel) -> str:
    """Return what a kernel answers to, then its numbers with their source beside them."""
    from textwrap import wrap  # noqa: PLC0415 - only for the list

    cells = [[render_number(value) for value in row] for row in kernel.values]
    width = max(len(cell) for row in cells for cell in row)
    rows = ["  ".join(cell.rjust(width) for cell in row) for row in cells]
    if kernel.divisor > 1:
        rows[len(rows) // 2] += f"  /{kernel.divisor}"
    notes = wrap(kernel.source, 56, break_on_hyphens=False)
    notes += [""] * (len(rows) - len(notes))
    lines = (f"    {a:<20}{b}".rstrip() for a, b in zip(rows, notes, strict=True))
    return "\n".join([f"{kernel.name}: {kernel.meaning}", *lines])
