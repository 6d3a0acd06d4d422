"""The convolution of the planes of a picture, and how responses become grey levels.

Responses are exact integers over the kernel's denominator; only the last step, from a
response to one of 256 grey levels, rounds.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Literal

from calculator.errors import CalculatorError
from calculator.layers.windows import Placement
from calculator.teaching.convolution.kernels import Kernel
from calculator.teaching.convolution.matrices import to_integers
from calculator.teaching.convolution.placing import place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Plane = NDArray[np.uint8]
    Response = NDArray[np.signedinteger] | NDArray[np.float32]

Show = Literal["absolute", "signed", "clip"]
WHITE, GREY = 255, 128
BEYOND = 0.005  # share of the values that may be whiter than white, so that edges are bright
SAMPLE = 1_000_000  # values that the scale is chosen from
BAND = 64  # rows at a time: they stay in the processor's cache
MOST_PRODUCTS = 20_000_000_000


@dataclass(frozen=True)
class Sliding:
    """How a kernel slides over a picture; the settings are those of ``convolve``."""

    padding: int | Literal["valid", "same"] = "valid"
    stride: int = 1
    dilation: int = 1
    flip: bool = False


@dataclass(frozen=True)
class Toning:
    """How responses become grey levels.

    Args:
        show: ``absolute``: black is 0, the sign is dropped; ``signed``: grey 128 is 0;
            ``clip``: the response is the grey level. None for ``absolute`` where the
            weights sum to 0, else ``clip``.
        unit: responses per grey level, more than 0; None for 1 with ``clip``, else for one
            at which at most about 0.5% of the responses are beyond black or white, rounded
            up to two digits.
    """

    show: Show | None = None
    unit: Fraction | None = None


@dataclass(frozen=True, eq=False)
class Filtered:
    """A filtered picture.

    Args:
        planes: one of grey or three of colour, uint8 ``[H_out, W_out]``.
        placement: the derived sizes.
        low: the least response; with a gradient magnitude rounded to tenths.
        high: the greatest, likewise.
        unit: responses per grey level.
        show: how responses became grey levels.
        beyond: how many responses were darker than black or whiter than white.
    """

    planes: "tuple[Plane, ...]"
    placement: Placement
    low: int | Fraction
    high: int | Fraction
    unit: Fraction
    show: Show
    beyond: int


def filter_planes(
    planes: "tuple[Plane, ...]",
    kernels: tuple[Kernel, ...],
    *,
    sliding: Sliding,
    toning: Toning,
) -> Filtered:
    """Convolve every plane with one kernel, or take the gradient magnitude of two.

    Args:
        planes: uint8 ``[H, W]``, one of grey or three of colour.
        kernels: one, or both directions of a gradient.
        sliding: padding, stride, dilation, rotation of the kernel.
        toning: from responses to grey levels.

    Raises:
        CalculatorError: the kernel does not fit, there is too much to compute, or a
            gradient magnitude is to be shown with a sign.
    """
    show, unit = choose_show(kernels, toning), toning.unit
    placement = place_picture(planes, kernels[0], sliding=sliding)
    parts = [
        respond_all(plane, kernels, placement=placement, flip=sliding.flip) for plane in planes
    ]
    responses, divisor = [response for response, _ in parts], parts[0][1]
    if unit is None:
        unit = Fraction(1) if show == "clip" else choose_unit(responses, divisor, show=show)
    low = min(response.min() for response in responses)
    high = max(response.max() for response in responses)
    shown = [to_grey(response, float(unit * divisor), show=show) for response in responses]
    return Filtered(
        planes=tuple(plane for plane, _ in shown),
        placement=placement,
        low=to_exact(low, divisor),
        high=to_exact(high, divisor),
        unit=unit,
        show=show,
        beyond=sum(beyond for _, beyond in shown),
    )


def choose_show(kernels: tuple[Kernel, ...], toning: Toning) -> Show:
    """Return ``absolute`` for kernels that answer to differences, ``clip`` for others.

    Raises:
        CalculatorError: a gradient magnitude is to be shown with a sign.
    """
    if len(kernels) > 1 and toning.show == "signed":
        message = "a gradient magnitude has no sign; use --show absolute, or one direction"
        raise CalculatorError(message)
    return toning.show or ("absolute" if kernels[0].balanced else "clip")


def place_picture(planes: "tuple[Plane, ...]", kernel: Kernel, *, sliding: Sliding) -> Placement:
    """Lay a kernel over a picture.

    Raises:
        CalculatorError: it does not fit, or there is too much to compute.
    """
    height, width = planes[0].shape
    placement = place(
        (height, width),
        kernel,
        padding=sliding.padding,
        stride=sliding.stride,
        dilation=sliding.dilation,
    )
    (rows, columns), window = placement.output, placement.window
    products = rows * columns * window.kernel[0] * window.kernel[1] * len(planes)
    if products > MOST_PRODUCTS:
        message = (
            f"{products:,} products are too many, at most {MOST_PRODUCTS:,} are formed; "
            "use a smaller kernel, a smaller picture, or a stride"
        )
        raise CalculatorError(message)
    return placement


def respond_all(
    plane: "Plane", kernels: tuple[Kernel, ...], *, placement: Placement, flip: bool
) -> "tuple[Response, int]":
    """Return the response to one kernel, or the length of the gradient of two.

    Returns:
        ``[H_out, W_out]`` and what it is to be divided by: integers for one kernel,
        float32 for ``sqrt(x*x + y*y)``.
    """
    import numpy as np  # noqa: PLC0415 - only for pictures

    if len(kernels) == 1:
        return respond(plane, kernels[0], placement=placement, flip=flip)
    (x, divisor), (y, _) = (respond(plane, k, placement=placement, flip=flip) for k in kernels)
    return np.hypot(x.astype(np.float32), y.astype(np.float32)), divisor


def respond(
    plane: "Plane", kernel: Kernel, *, placement: Placement, flip: bool
) -> "tuple[NDArray[np.signedinteger], int]":
    """Slide one kernel over one plane.

    Shifted copies of the plane are weighted and added, one per tap: the same sum as one
    window at a time, with the taps as the outer loop.

    Returns:
        Exact integers ``[H_out, W_out]`` in the narrowest type that holds every partial
        sum, and what they are to be divided by.

    Raises:
        CalculatorError: the weights have too many digits for 64-bit integers.
    """
    import numpy as np  # noqa: PLC0415 - only for pictures

    weights, bottom = to_integers(kernel.rotate() if flip else kernel.values, what="kernel")
    window, dtype = placement.window, choose_type(weights)
    padded = np.pad(plane, window.padding).astype(dtype)
    response = np.zeros(placement.output, dtype)
    (down, right), (row_step, column_step) = window.dilation, window.stride
    for top in range(0, len(response), BAND):
        band = response[top : top + BAND]
        for i, row in enumerate(weights):
            first = top * row_step + i * down
            rows = padded[first : first + (len(band) - 1) * row_step + 1 : row_step]
            for j, weight in enumerate(row):
                last = j * right + (band.shape[1] - 1) * column_step + 1
                if weight:
                    band += rows[:, j * right : last : column_step] * dtype(weight)
    return response, bottom * kernel.divisor


def choose_type(weights: tuple[tuple[int, ...], ...]) -> "type[np.signedinteger]":
    """Return the narrowest integer type in which no sum of products overflows.

    Raises:
        CalculatorError: there is none.
    """
    import numpy as np  # noqa: PLC0415 - only for pictures

    largest = WHITE * sum(abs(weight) for row in weights for weight in row)
    for dtype in (np.int16, np.int32, np.int64):
        if largest <= np.iinfo(dtype).max:
            return dtype
    message = "the kernel's numbers have too many digits for a picture; give coarser ones"
    raise CalculatorError(message)


def choose_unit(responses: "list[Response]", divisor: int, *, show: Show) -> Fraction:
    """Return how many responses one grey level is to stand for, with two digits."""
    import numpy as np  # noqa: PLC0415 - only for pictures

    step = max(1, sum(response.size for response in responses) // SAMPLE)
    sizes = np.concatenate([np.abs(response.ravel()[::step]) for response in responses])
    kept = round((1 - BEYOND) * (len(sizes) - 1))
    largest = float(np.partition(sizes, kept)[kept])
    if largest == 0:
        largest = float(max(np.abs(response).max() for response in responses))
    return round_up(largest / divisor / (WHITE if show == "absolute" else GREY - 1))


def round_up(value: float) -> Fraction:
    """Return a value with two significant digits that is not smaller; 1 for 0."""
    if value == 0:
        return Fraction(1)
    scale = Fraction(10) ** (floor(log10(value)) - 1)
    return ceil(Fraction(value) / scale - Fraction(1, 1000)) * scale


def to_grey(response: "Response", unit: float, *, show: Show) -> "tuple[Plane, int]":
    """Return grey levels, and how many responses lay beyond black or white.

    Args:
        response: ``[H, W]``.
        unit: of the response per grey level.
        show: as for :func:`filter_planes`.
    """
    import numpy as np  # noqa: PLC0415 - only for pictures

    levels = response.astype(np.float32)
    levels /= np.float32(unit)
    if show == "absolute":
        np.abs(levels, out=levels)
    elif show == "signed":
        levels += GREY
    np.rint(levels, out=levels)
    beyond = np.count_nonzero((levels < 0) | (levels > WHITE))
    return np.clip(levels, 0, WHITE, out=levels).astype(np.uint8), int(beyond)


def to_exact(value: "np.generic", divisor: int) -> int | Fraction:
    """Return an integer response as its exact value, a magnitude rounded to tenths."""
    number = value.item()
    return (
        Fraction(number, divisor) if isinstance(number, int) else Fraction(round(10 * number), 10)
    )
