"""Views and transpositions against NumPy: which values stand where."""

from math import prod

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from calculator.reading.aten.orders import (
    Order,
    find_shuffle,
    flatten_order,
    is_alike,
    keeps_positions,
    permute_order,
    reshape_order,
    shuffle_order,
    start_order,
)

Steps = list[tuple[str, tuple[int, ...]]]


@st.composite
def chains(draw: st.DrawFn) -> tuple[tuple[int, ...], Steps]:
    """Draw a shape, and views and transpositions behind it."""
    shape = tuple(draw(st.lists(st.sampled_from((1, 2, 3, 4, 6)), min_size=1, max_size=4)))
    current, steps = list(shape), Steps()
    for _ in range(draw(st.integers(0, 4))):
        if draw(st.booleans()):
            axes = draw(st.permutations(range(len(current))))
            steps.append(("permute", tuple(axes)))
            current = [current[axis] for axis in axes]
        else:
            current = draw_view(draw, current)
            steps.append(("view", tuple(current)))
    return shape, steps


def draw_view(draw: st.DrawFn, shape: list[int]) -> list[int]:
    """Draw a shape of as many values."""
    rest, view = prod(shape), []
    while rest > 1:
        divisors = [size for size in range(2, rest + 1) if rest % size == 0]
        view.append(draw(st.sampled_from(divisors)))
        rest //= view[-1]
    return view or [1]


def apply(shape: tuple[int, ...], steps: Steps) -> tuple[Order | None, np.ndarray]:
    """Return the order after the steps, and the values of a counted array after them."""
    order: Order | None = start_order(shape)
    values = np.arange(prod(shape)).reshape(shape)
    for kind, numbers in steps:
        if kind == "permute":
            values = values.transpose(numbers)
            order = None if order is None else permute_order(order, list(numbers))
        else:
            values = values.reshape(numbers)
            order = None if order is None else reshape_order(order, numbers)
    return order, values


@given(chains())
def test_order_is_that_of_the_values(chain: tuple[tuple[int, ...], Steps]) -> None:
    """The atoms, counted through, give every value's place in the array one started from."""
    order, values = apply(*chain)
    assume(order is not None)
    assert order is not None
    places = np.zeros(1, dtype=int)
    for size, stride in flatten_order(order):
        places = (places[:, None] + stride * np.arange(size)).ravel()
    assert places.tolist() == values.ravel().tolist()


@given(chains())
def test_kept_positions_are_kept(chain: tuple[tuple[int, ...], Steps]) -> None:
    """Channels may change places; every value stays where it was in its picture."""
    shape, steps = chain
    behind = [
        (kind, (1, *numbers) if kind == "view" else (0, *(axis + 1 for axis in numbers)))
        for kind, numbers in steps
    ]
    order, values = apply((1, *shape), behind)
    assume(order is not None)
    assert order is not None
    before, after = (1, *shape), tuple(values.shape)
    positions = prod(shape[1:])
    same = values.ravel() % positions == np.arange(values.size) % positions
    expected = len(before) > 2 and before == after and bool(same.all())
    assert keeps_positions(before, after, order) == expected


def test_pixel_shuffle_is_known_by_its_order() -> None:
    """Its reshape, transposition and reshape have a factor; another order has none."""
    before, after = (1, 8, 3, 5), (1, 2, 6, 10)
    steps: Steps = [("view", (1, 2, 2, 2, 3, 5)), ("permute", (0, 1, 4, 2, 5, 3)), ("view", after)]
    order, _ = apply(before, steps)
    assert order is not None
    assert find_shuffle(before, after, order) == 2
    other, _ = apply(before, [steps[0], ("permute", (0, 1, 4, 3, 5, 2)), steps[2]])
    assert other is not None
    assert find_shuffle(before, after, other) is None
    assert find_shuffle(before, before, start_order(before)) is None


def test_shuffle_of_impossible_channels_is_none() -> None:
    """Too few channels for the factor make no order."""
    assert shuffle_order((1, 3, 2, 2), 2) is None


def test_transposition_back_and_forth_is_no_change() -> None:
    """A chain that ends as it began is the order that it started from."""
    order, _ = apply((2, 3, 4), [("permute", (2, 0, 1)), ("permute", (1, 2, 0))])
    assert order is not None
    assert is_alike(order, start_order((2, 3, 4)))
