"""Kernels that have names: their numbers, their directions, their list."""

import re

import pytest
from click.testing import CliRunner

from calculator.cli.conv import conv
from calculator.teaching.convolution.convolving import convolve
from calculator.teaching.convolution.kernels import (
    ALIASES,
    KERNELS,
    PAIRS,
    Kernel,
    parse_kernel,
    parse_kernels,
    render_kernels,
)


def test_list_shows_every_kernel_within_80_columns() -> None:
    """Name, numbers and source of each; pairs and other names below."""
    text = CliRunner().invoke(conv, ["--list"]).output
    for kernel in KERNELS.values():
        assert f"{kernel.name}: {kernel.meaning}\n" in text
        assert kernel.source in " ".join(re.sub(r"\n[-0-9 /]*", " ", text).split())
    assert all(f"{name} (" in " ".join(text.split()) for name in (*PAIRS, *ALIASES))
    assert max(map(len, text.splitlines())) <= 80
    assert text == render_kernels() + "\n"


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=lambda kernel: kernel.name)
def test_named_kernel_is_what_its_numbers_say(kernel: Kernel) -> None:
    """Written out and read again it is the same; its weights sum to 0 or 1."""
    (again,) = parse_kernels(kernel.render())
    assert (again.values, again.divisor) == (kernel.values, kernel.divisor)
    assert sum(map(sum, kernel.weights)) == (0 if kernel.balanced else 1)


def test_directions_are_transposes_of_each_other() -> None:
    """The x and y kernels are one operator, and answer to 1 per step with 8, 32 and 6."""
    for name, answer in (("sobel", 8), ("scharr", 32), ("prewitt", 6)):
        x, y = parse_kernels(name)
        assert y.values == tuple(zip(*x.values, strict=True))
        assert convolve([[0, 1, 2]] * 3, x).output == ((answer,),)
    assert parse_kernel("sobel-vertical") is KERNELS["sobel-x"]
