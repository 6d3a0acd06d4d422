"""Where a kernel is laid: padding, stride and dilation within their bounds."""

from typing import Literal

from calculator.errors import CalculatorError, suggest
from calculator.layers.shapes import Padding, render_sides
from calculator.layers.windows import Placement, place_window
from calculator.teaching.convolution.kernels import Kernel

MOST_STEP = 64  # stride, dilation and padding
MOST_PADDED = 128  # rows or columns of the padded input
MOST_PRODUCTS = 1_000_000


def place(
    sizes: tuple[int, int],
    kernel: Kernel,
    *,
    padding: int | Literal["valid", "same"],
    stride: int,
    dilation: int,
) -> Placement:
    """Lay a kernel over an input, as the layer table does.

    Args:
        sizes: rows and columns of the input.
        kernel: whose rows and columns count.
        padding: as for :func:`calculator.teaching.convolution.convolving.convolve`.
        stride: likewise.
        dilation: likewise.

    Raises:
        CalculatorError: a setting is out of range, or the kernel does not fit.
    """
    for name, value in (("stride", stride), ("dilation", dilation)):
        check_step(name, value, least=1)
    sides = (len(kernel.values), len(kernel.values[0]))
    borders: Padding = "same" if padding == "same" else (to_border(padding),)
    if not isinstance(borders, str):
        check_fit(sizes, sides, padding=borders[0][0], dilation=dilation)
    return place_window((1, *sizes), sides, stride=(stride,), padding=borders, dilation=(dilation,))


def check_fit(
    sizes: tuple[int, int], sides: tuple[int, int], *, padding: int, dilation: int
) -> None:
    """Refuse a kernel that is larger than the padded input.

    Raises:
        CalculatorError: it is.
    """
    room = [size + 2 * padding for size in sizes]
    reach = [dilation * (side - 1) + 1 for side in sides]
    if any(r > size for r, size in zip(reach, room, strict=True)):
        spread = f" (dilated to {render_sides(tuple(reach))})" if dilation > 1 else ""
        padded = f" (padded to {render_sides(tuple(room))})" if padding else ""
        message = (
            f"kernel {render_sides(sides)}{spread} is larger than the input "
            f"{render_sides(sizes)}{padded}; use a smaller kernel, more padding, or a larger input"
        )
        raise CalculatorError(message)


def check_step(name: str, value: int, *, least: int) -> None:
    """Refuse a setting out of range.

    Raises:
        CalculatorError: it is below ``least`` or above 64.
    """
    if not least <= value <= MOST_STEP:
        message = f"{name} {value} is out of range; use {least} to {MOST_STEP}"
        raise CalculatorError(message)


def to_border(padding: int | str) -> tuple[int, int]:
    """Return the zeros on both sides of an axis; not for ``same``.

    Raises:
        CalculatorError: the padding is out of range, or an unknown word.
    """
    if isinstance(padding, str):
        if padding != "valid":
            known = ("valid", "same")
            message = (
                f"padding {padding[:40]!r} is none; use valid, same, or a number of zeros"
                f"{suggest(padding[:40], known)}"
            )
            raise CalculatorError(message)
        return 0, 0
    check_step("padding", padding, least=0)
    return padding, padding


def check_work(sizes: tuple[int, int], placement: Placement) -> None:
    """Refuse what would take long, or make more than anyone reads.

    Raises:
        CalculatorError: the padded input or the number of products is too large.
    """
    window, (height, width) = placement.window, placement.output
    padded = [size + sum(border) for size, border in zip(sizes, window.padding, strict=True)]
    if max(padded) > MOST_PADDED:
        message = (
            f"the padded input is {padded[0]}x{padded[1]}; at most {MOST_PADDED}x{MOST_PADDED} "
            "can be shown, use less padding or dilation"
        )
        raise CalculatorError(message)
    products = height * width * window.kernel[0] * window.kernel[1]
    if products > MOST_PRODUCTS:
        message = (
            f"{products:,} products are too many, at most {MOST_PRODUCTS:,} are formed; "
            "use a smaller kernel, a smaller input, or a stride"
        )
        raise CalculatorError(message)
