"""The convolution of small matrices against PyTorch's conv2d."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from calculator.errors import CalculatorError
from calculator.layers.windows import split_same
from calculator.teaching.convolution.convolving import convolve

Values = list[list[int]]
many = settings(deadline=None, database=None, max_examples=500)


def matrices(rows: int, columns: int) -> st.SearchStrategy[Values]:
    """Draw a matrix of integers with so many rows and columns at most."""
    return st.tuples(st.integers(1, rows), st.integers(1, columns)).flatmap(
        lambda size: st.lists(
            st.lists(st.integers(-99, 99), min_size=size[1], max_size=size[1]),
            min_size=size[0],
            max_size=size[0],
        )
    )


def to_tensor(values: Values) -> Tensor:
    """Return int64 ``[1, 1, H, W]``."""
    return torch.tensor(values)[None, None]


@many
@given(
    matrices(9, 8),
    matrices(5, 4),
    st.sampled_from((0, 1, 2, 3)),
    st.tuples(st.integers(1, 4), st.integers(1, 3)),
    st.integers(0, 1),
)
def test_output_is_that_of_conv2d(
    matrix: Values, kernel: Values, padding: int, steps: tuple[int, int], flip: int
) -> None:
    """Every value is PyTorch's, and what PyTorch refuses is refused."""
    stride, dilation = steps
    weights = to_tensor(kernel).flip(2, 3) if flip else to_tensor(kernel)
    try:
        mine = convolve(
            matrix, kernel, padding=padding, stride=stride, dilation=dilation, flip=bool(flip)
        )
    except CalculatorError as error:
        assert "is larger than the input" in error.message  # noqa: PT017 - both must refuse
        room = [size + 2 * padding for size in (len(matrix), len(matrix[0]))]
        reach = [dilation * (side - 1) + 1 for side in weights.shape[2:]]
        assert any(needed > size for needed, size in zip(reach, room, strict=True))
        return
    theirs = F.conv2d(to_tensor(matrix), weights, stride=stride, padding=padding, dilation=dilation)
    assert torch.equal(torch.tensor(mine.output), theirs[0, 0])


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@many
@given(matrices(9, 8), matrices(5, 4), st.integers(1, 3))
def test_same_padding_is_that_of_pytorch(matrix: Values, kernel: Values, dilation: int) -> None:
    """At stride 1, which is the only one that PyTorch has ``same`` for."""
    mine = convolve(matrix, kernel, padding="same", dilation=dilation)
    theirs = F.conv2d(
        to_tensor(matrix).double(), to_tensor(kernel).double(), padding="same", dilation=dilation
    )
    assert torch.equal(torch.tensor(mine.output).double(), theirs[0, 0])


@many
@given(matrices(9, 8), matrices(5, 4), st.integers(1, 4), st.integers(1, 3))
def test_same_padding_with_a_stride_is_that_of_the_layer_table(
    matrix: Values, kernel: Values, stride: int, dilation: int
) -> None:
    """The zeros lie where the layer table's rule puts them."""
    mine = convolve(matrix, kernel, padding="same", stride=stride, dilation=dilation)
    sizes, sides = (len(matrix), len(matrix[0])), (len(kernel), len(kernel[0]))
    rows, columns = split_same(sizes, (sides, (stride, stride), (dilation, dilation)))
    padded = F.pad(to_tensor(matrix), (*columns, *rows))
    theirs = F.conv2d(padded, to_tensor(kernel), stride=stride, dilation=dilation)
    assert torch.equal(torch.tensor(mine.output), theirs[0, 0])
