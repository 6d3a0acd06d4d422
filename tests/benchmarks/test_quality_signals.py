"""What stands beside Q, on pictures whose lattices, blotches and flicker are known."""

import numpy as np
import pytest
from numpy.typing import NDArray
from quality_signals import (
    LUMA,
    add_noise,
    find_luma,
    measure_blotches,
    measure_flicker,
    measure_lattice,
    measure_power,
    shift,
)

Pixels = NDArray[np.uint8]
SIDE = 128
QUIET = 3.0  # dB: the scatter of a spectrum that is the mean of a few blocks


def make_noise(sigma: float, seed: int = 0) -> NDArray[np.float64]:
    """Return grey noise around 128, ``[SIDE, SIDE, 1]``."""
    return 128.0 + np.random.default_rng(seed).normal(0.0, sigma, (SIDE, SIDE, 1))


def as_grey(values: NDArray[np.float64]) -> Pixels:
    """Return uint8 ``[H, W, 3]`` of ``[H, W, 1]``."""
    return np.rint(np.repeat(values, 3, axis=2)).clip(0, 255).astype(np.uint8)


def make_lattice(period: int, *, rows: bool = True, columns: bool = True) -> NDArray[np.float64]:
    """Return dots, or lines, of height 1 every ``period`` pixels, ``[SIDE, SIDE, 1]``."""
    there = np.arange(SIDE) % period == 0
    down = there if rows else np.ones(SIDE, bool)
    across = there if columns else np.ones(SIDE, bool)
    return np.outer(down, across)[..., None].astype(np.float64)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("period", [2, 4])
def test_lattice_is_quiet_on_white_noise(period: int, seed: int) -> None:
    """A spectrum that is flat has no peak, to within the scatter of its estimate."""
    assert abs(measure_lattice(as_grey(make_noise(20.0, seed)), period)) < QUIET


@pytest.mark.parametrize("period", [2, 4])
def test_lattice_is_quiet_on_smooth_gradients(period: int) -> None:
    """The ends of a gradient do not meet, and yet no lattice is seen.

    Faint noise comes first: without it a slope of 1/4 is rounded to steps of 4 px, a lattice.
    """
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    faint = make_noise(0.7)[..., 0] - 128.0
    for slope in np.linspace(0.0, 1.9, 20):
        for values in (slope * x, slope * y, slope / 2 * (x + y)):
            assert abs(measure_lattice(as_grey((values + faint)[..., None]), period)) < QUIET


@pytest.mark.parametrize("period", [2, 4])
def test_lattice_is_quiet_on_an_edge(period: int) -> None:
    """An edge brightens a whole axis of the spectrum, which is no lattice."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    for there in (x > 61, y > 50):
        values = make_noise(3.0) + 80.0 * there[..., None]
        assert abs(measure_lattice(as_grey(values), period)) < QUIET


@pytest.mark.parametrize("period", [2, 4])
def test_lattice_of_dots_is_found_in_noise(period: int) -> None:
    """Dots that rise above the noise by two of its standard deviations stand out."""
    values = make_noise(8.0) + 16.0 * make_lattice(period)
    assert measure_lattice(as_grey(values), period) > 10.0


@pytest.mark.parametrize("period", [2, 4])
def test_lattice_of_faint_dots_has_a_known_height(period: int) -> None:
    """Dots of height a on a flat ground have the amplitude a / period^2 in every harmonic."""
    height = 2.0
    # at 2 px all three points are one real bin; at 4 px each is one of a conjugate pair
    amplitude = height / period**2
    gain = (64.0 * 0.5 / np.sqrt(0.375 * 64.0)) ** 2  # along each axis, of a Hann window
    expected = 10.0 * np.log10(amplitude**2 * gain**2 + 1.0)
    values = 100.0 + height * make_lattice(period)
    assert measure_lattice(as_grey(values), period) == pytest.approx(expected, abs=0.1)


def test_period_of_four_is_not_taken_for_two() -> None:
    """A wave of 4 px is seen at 4 px only, one of 2 px at 2 px only."""
    across = np.arange(SIDE)[None, :, None] + np.zeros((SIDE, 1, 1))
    four = as_grey(make_noise(4.0) + 16.0 * np.cos(np.pi * across / 2))
    two = as_grey(make_noise(4.0) + 16.0 * np.cos(np.pi * across))
    assert measure_lattice(four, 4) > 15.0
    assert abs(measure_lattice(four, 2)) < QUIET
    assert measure_lattice(two, 2) > 15.0
    assert abs(measure_lattice(two, 4)) < QUIET


@pytest.mark.parametrize("direction", ["rows", "columns", "down", "up"])
def test_lattice_of_one_direction_is_found(direction: str) -> None:
    """Lines along each side and along both diagonals count."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    place = {"rows": y, "columns": x, "down": x + y, "up": x - y}[direction]
    values = make_noise(8.0) + 16.0 * (place % 4 == 0)[..., None]
    assert measure_lattice(as_grey(values), 4) > 10.0


def test_power_of_white_noise_is_its_variance() -> None:
    """Every bin has the noise's variance on average, and the faint power that is added."""
    luma = find_luma(as_grey(make_noise(20.0)))
    # without the lowest bins, from which the mean was taken
    assert measure_power(luma)[2:-2, 2:-2].mean() == pytest.approx(401.0, rel=0.05)


def test_power_needs_a_block() -> None:
    """A picture smaller than a block is refused."""
    with pytest.raises(ValueError, match="smaller than a block of 64 px"):
        measure_power(np.zeros((63, 100)))


def test_luma_of_grey_is_grey() -> None:
    """The weights sum to 1."""
    assert LUMA.sum() == pytest.approx(1.0)


def plant(height: int, width: int, color: tuple[int, int, int]) -> Pixels:
    """Return a noisy picture with a rectangle of one colour at (20, 30)."""
    pixels = as_grey(make_noise(20.0)).clip(20, 235).astype(np.uint8)
    pixels[20 : 20 + height, 30 : 30 + width] = color
    return pixels


@pytest.mark.parametrize(("height", "width"), [(8, 8), (20, 20), (9, 40)])
@pytest.mark.parametrize("color", [(255, 100, 90), (90, 0, 100), (255, 255, 255), (0, 0, 0)])
def test_blotch_has_the_share_of_its_pixels(
    height: int, width: int, color: tuple[int, int, int]
) -> None:
    """A flat rectangle at 0 or 255 in one channel counts with exactly its pixels."""
    assert measure_blotches(plant(height, width, color)) == height * width / SIDE**2


@pytest.mark.parametrize(("height", "width"), [(7, 7), (7, 60), (1, 98)])
def test_small_and_thin_areas_are_no_blotches(height: int, width: int) -> None:
    """What no square of 8x8 px fits into does not count."""
    assert measure_blotches(plant(height, width, (255, 0, 0))) == 0.0


def test_unsaturated_and_textured_areas_are_no_blotches() -> None:
    """Neither a flat area short of the limits nor a saturated one with strokes counts."""
    assert measure_blotches(plant(20, 20, (254, 1, 100))) == 0.0
    stroked = plant(20, 20, (255, 60, 60))
    stroked[20:40:4, 30:50, 1] = 120
    assert measure_blotches(stroked) == 0.0


def test_both_ends_of_a_channel_are_no_blotch_together() -> None:
    """A square that is partly 0 and partly 255 in a channel is an edge."""
    pixels = plant(8, 4, (100, 100, 0))
    pixels[20:28, 34:38] = (89, 89, 255)  # the same luma to within a few levels
    assert measure_blotches(pixels) == 0.0


def test_flicker_of_the_identity_passes_noise_and_follows_motion() -> None:
    """The identity passes noise on exactly, and moves exactly with the photo."""
    photo = as_grey(make_noise(20.0))
    assert measure_flicker(lambda pixels: pixels, photo, photo) == (0.0, 1.0)


def test_flicker_of_a_constant_is_nothing() -> None:
    """A network that paints one colour does not tremble."""
    photo = as_grey(make_noise(20.0))
    constant = np.full_like(photo, 77)
    assert measure_flicker(lambda _: constant, photo, constant) == (0.0, 0.0)


def test_flicker_of_what_stays_in_place_is_one() -> None:
    """A network whose output does not move with the photo changes as much as the scene."""
    photo = as_grey(make_noise(20.0))
    by_shift, by_noise = measure_flicker(lambda _: photo, photo, photo)
    assert by_shift == pytest.approx(1.0, rel=0.01)
    assert by_noise == 0.0


def test_flicker_grows_with_gain() -> None:
    """A network that doubles contrast doubles noise."""
    photo = as_grey(make_noise(10.0))

    def double(pixels: Pixels) -> Pixels:
        return (2 * (pixels.astype(int) - 128) + 128).clip(0, 255).astype(np.uint8)

    assert measure_flicker(double, photo, double(photo))[1] == pytest.approx(2.0, rel=1e-6)


def test_flicker_of_a_photo_of_one_color_is_finite() -> None:
    """A photo that looks the same when it moves divides nothing by nothing."""
    photo = np.full((SIDE, SIDE, 3), 90, np.uint8)
    assert measure_flicker(lambda pixels: pixels, photo, photo) == (0.0, 1.0)


def test_shift_moves_down_and_right() -> None:
    """Moved back, the picture is the same but for one row and column."""
    photo = as_grey(make_noise(20.0))
    np.testing.assert_array_equal(shift(photo)[1:, 1:], photo[:-1, :-1])
    assert shift(photo).shape == photo.shape


def test_noise_has_two_grey_levels_and_repeats() -> None:
    """It is the same in every run, and of the size that is stated."""
    photo = as_grey(make_noise(5.0))
    difference = add_noise(photo).astype(float) - photo
    assert difference.std() == pytest.approx(2.0, rel=0.02)
    np.testing.assert_array_equal(add_noise(photo), add_noise(photo))
