"""How large tensors are drawn."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculator.drawing.scales import choose_scales, shape_solid

SIDES = st.integers(1, 10**9)


@given(st.lists(SIDES, min_size=2), st.booleans())
def test_larger_side_is_never_drawn_smaller(sides: list[int], flat: bool) -> None:  # noqa: FBT001
    """Along every direction the drawn length grows with the size, and none is lost or too long."""
    shapes = [(side,) if flat else (side, side, side) for side in sorted(sides)]
    scales = choose_scales(shapes)
    solids = [shape_solid(shape, scales) for shape in shapes]
    for less, more in pairwise(solids):
        assert less.front <= more.front
        assert less.height <= more.height
        assert less.side <= more.side
        assert less.rise <= more.rise
    assert min(solid.height for solid in solids) >= 4
    assert max(solid.height for solid in solids) <= 96


def test_sides_grow_with_the_square_root() -> None:
    """A picture four times as wide is drawn twice as wide; both sides have one scale."""
    scales = choose_scales([(3, 224, 224), (64, 56, 56), (1000,)])
    large, small = shape_solid((3, 224, 224), scales), shape_solid((64, 56, 56), scales)
    assert (large.height, small.height) == (96, 48)
    oblong = shape_solid((64, 56, 224), scales)
    assert (oblong.height, oblong.side) == (small.height, large.side)


@pytest.mark.parametrize(
    ("shape", "sheets"), [((1, 8, 8, 8), 0), ((4, 8, 8, 8), 1), ((512, 8, 8, 8), 3), ((9, 8, 8), 0)]
)
def test_channels_of_a_volume_are_sheets(shape: tuple[int, ...], sheets: int) -> None:
    """Three axes fill the solid, so the channels stand behind it."""
    assert shape_solid(shape, choose_scales([shape])).sheets == sheets


@pytest.mark.parametrize(
    "shape", [(5,), (5, 9), (2, 1, 900), (2, 900, 1), (64, 1, 1, 1), (9, 4, 4, 4)]
)
def test_arrows_touch_the_solid(shape: tuple[int, ...]) -> None:
    """At half the height the outline is where arrows start and end."""
    solid = shape_solid(shape, choose_scales([shape]))
    assert 0 <= solid.inlet < solid.outlet <= solid.width
