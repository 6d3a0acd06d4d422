"""The convolution of a picture: from one file to another, and what was done in words."""

from fractions import Fraction
from pathlib import Path

from calculator.layers.shapes import render_borders
from calculator.teaching.convolution.filtering import Filtered, Sliding, Toning, filter_planes
from calculator.teaching.convolution.kernels import Kernel
from calculator.teaching.convolution.matrices import render_number
from calculator.teaching.convolution.picture_files import check_output, read_planes, write_planes


def convolve_picture(
    source: Path,
    kernels: tuple[Kernel, ...],
    *,
    output: Path,
    sliding: Sliding,
    color: bool | None = None,
    toning: Toning,
) -> str:
    """Read a picture, convolve it, write it, and tell what was done.

    Args:
        source: the picture.
        kernels: one, or both directions of a gradient.
        output: where to; not the source.
        sliding: padding, stride, dilation, rotation of the kernel.
        color: each of red, green and blue by itself; False: the luminance; None: the
            luminance for kernels that answer to differences, colour for others.
        toning: from responses to grey levels.

    Returns:
        Lines for the reader: sizes, range and scale.

    Raises:
        CalculatorError: a file or a setting is wrong.
        click.ClickException: the output cannot be written.
    """
    form = check_output(output, source)
    planes = read_planes(source, color=not kernels[0].balanced if color is None else color)
    filtered = filter_planes(planes, kernels, sliding=sliding, toning=toning)
    write_planes(filtered.planes, output, form=form)
    height, width = planes[0].shape
    grey = "luminance = 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)"
    channels = "red, green and blue, each by itself" if len(planes) > 1 else grey
    head = f"{source}: {height}x{width} (height x width)"
    return "\n".join(
        [head, channels, *describe_filtered(filtered, kernels, sliding=sliding, output=output)]
    )


def describe_filtered(
    filtered: Filtered, kernels: tuple[Kernel, ...], *, sliding: Sliding, output: Path
) -> list[str]:
    """Return what was done to a picture, one line each."""
    window = filtered.placement.window
    names = " and ".join(kernel.name for kernel in kernels)
    mode = "convolution (kernel rotated)" if sliding.flip else "cross-correlation"
    settings = f"stride {sliding.stride}, padding {render_borders(window.padding)}"
    settings += f", dilation {sliding.dilation}" if sliding.dilation > 1 else ""
    what = "gradient magnitude sqrt(x*x + y*y)" if len(kernels) > 1 else "response"
    ends = "white" if filtered.show == "absolute" else "black or white"
    values = sum(plane.size for plane in filtered.planes)
    zero = "grey 128 is 0" if filtered.show == "signed" else "black is 0"
    if filtered.show == "absolute" and len(kernels) == 1:
        zero += ", sign dropped"
    height, width = filtered.placement.output
    return [
        f"{mode} with {names}, {settings}",
        *(size.render() for size in filtered.placement.sizes),
        f"{what}: from {render_number(filtered.low)} to {render_number(filtered.high)}",
        f"{output}: {height}x{width}, {zero}, 1 grey level = {describe_unit(filtered.unit)}",
        f"{describe_share(filtered.beyond, values)} of the values are beyond {ends}",
    ]


def describe_unit(unit: Fraction) -> str:
    """Return ``1 unit``, ``2.5 units``."""
    return f"{render_number(unit)} {'unit' if unit == 1 else 'units'}"


def describe_share(part: int, whole: int) -> str:
    """Return ``0.5%``; what is there and less than half of 0.1% as ``less than 0.1%``."""
    share = 100 * part / whole
    return "less than 0.1%" if 0 < share < 0.05 else f"{share:.1f}%"
