"""Augmentation: what it may change, and how much."""

import math

import numpy as np
import pytest
from PIL import Image

from models.classifiers.augmentation import (
    AffineJitter,
    AlexNetAugmentation,
    VGGAugmentation,
    choose_augmentation,
    crop_randomly,
    find_components,
    invert_affine,
    shift_colors,
)
from models.classifiers.preprocessing import InputRule, prepare

DIGIT = InputRule((32, 32), "grey", {"rule": "fit", "box": [28, 28]}, "bilinear", "auto", 0)
PHOTO = InputRule((20, 20), "RGB", {"rule": "crop", "short_side": 24})


def noise(height: int, width: int) -> Image.Image:
    """Return random colours."""
    generator = np.random.default_rng(0)
    return Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_inverse_undoes_turning_scaling_and_shearing() -> None:
    """The closed form is the inverse of the product of the three matrices."""
    angle, scale, shear = 0.3, 1.2, 0.15
    rotation = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    forward = scale * rotation @ np.array([[1.0, shear], [0.0, 1.0]])
    assert np.allclose(np.array(invert_affine(angle, scale, shear)) @ forward, np.eye(2))


def test_jitter_of_nothing_changes_nothing() -> None:
    """With every range at zero a digit is what preparation makes of it."""
    digit = Image.fromarray(np.asarray(noise(28, 28))[:, :, 0].copy())
    still = AffineJitter(DIGIT, 0.0, 0.0, 1.0, 0.0)
    expected = prepare(digit, InputRule((32, 32), "grey", {"rule": "fit", "box": [28, 28]}))
    assert np.array_equal(still(digit, np.random.default_rng(0)), expected)


def test_shift_moves_the_centre_of_the_ink() -> None:
    """A blob moves by at most the shift, along both axes, and in both directions."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[12:16, 12:16] = 255
    jitter = AffineJitter(DIGIT, 0.0, 3.0, 1.0, 0.0)
    moves = []
    for seed in range(60):
        found = jitter(Image.fromarray(pixels), np.random.default_rng(seed))[:, :, 0].astype(float)
        rows, columns = np.mgrid[0:32, 0:32]
        moves.append([(found * axis).sum() / found.sum() - 15.5 for axis in (rows, columns)])
    farthest = np.abs(moves).max(0)
    assert (farthest <= 3.01).all()
    assert (farthest > 2.5).all()
    assert (np.min(moves, axis=0) < -2.5).all()


def test_rotation_turns_both_ways_within_its_range() -> None:
    """A vertical bar leans by at most the angle; seen over many draws, nearly that."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 13:15] = 255
    jitter = AffineJitter(DIGIT, 15.0, 0.0, 1.0, 0.0)
    angles = []
    for seed in range(60):
        found = jitter(Image.fromarray(pixels), np.random.default_rng(seed))[:, :, 0].astype(float)
        rows, columns = np.mgrid[0:32, 0:32] - 15.5
        angles.append(
            math.degrees(math.atan2((found * rows * columns).sum(), (found * rows**2).sum()))
        )
    assert 12.0 < max(angles) < 15.5
    assert -15.5 < min(angles) < -12.0


def test_principal_colours_are_those_of_the_covariance() -> None:
    """Along a known axis of known variance lies one component of that length over 255."""
    axis = np.array([2.0, 2.0, 1.0]) / 3.0
    components = find_components(2550.0 * np.outer(axis, axis))
    assert np.allclose(components[:, -1], 10.0 * axis)
    assert np.allclose(components[:, :2], 0.0, atol=1e-9)


def test_components_of_uncorrelated_colours_are_the_axes() -> None:
    """A diagonal covariance gives its own diagonal, over 255, signs positive."""
    components = find_components(np.diag([255.0, 510.0, 765.0]))
    assert np.allclose(components, np.diag([1.0, 2.0, 3.0]))


def test_colour_shift_has_the_papers_deviation() -> None:
    """Each picture is shifted as a whole, by a tenth of the eigenvalue on average."""
    grey = Image.new("RGB", (24, 24), (128, 128, 128))
    augment = AlexNetAugmentation(PHOTO, find_components(np.diag([0.0, 0.0, 255.0 * 100])))
    shifts = []
    for seed in range(300):
        found = augment(grey, np.random.default_rng(seed)).astype(int) - 128
        assert (found[:, :, :2] == 0).all()
        assert len(np.unique(found[:, :, 2])) == 1
        shifts.append(found[0, 0, 2])
    assert 9.0 < np.std(shifts) < 11.0
    assert abs(np.mean(shifts)) < 2.0


def test_shifted_colours_stay_bytes() -> None:
    """Values are rounded to the nearest and kept in 0..255."""
    pixels = np.array([[[0, 100, 250]]], np.uint8)
    found = shift_colors(pixels, np.array([-5.0, 0.6, 20.0]))
    assert found.tolist() == [[[0, 101, 255]]]


def test_crops_come_from_everywhere_and_are_mirrored_half_the_time() -> None:
    """Every offset occurs, the last included, and about half of the crops are mirror images."""
    pixels = np.arange(5 * 4, dtype=np.uint8).reshape(4, 5)
    seen = {True: 0, False: 0}
    corners = set()
    for seed in range(200):
        picture = Image.fromarray(pixels)
        found = np.asarray(crop_randomly(picture, (2, 3), np.random.default_rng(seed)))
        mirrored = bool(found[0, 0] > found[0, 1])
        seen[mirrored] += 1
        corners.add(int(found[0].min()))
    assert corners == {0, 1, 2, 5, 6, 7, 10, 11, 12}
    assert 70 < seen[True] < 130


def test_alexnet_crops_from_the_central_square() -> None:
    """What lies outside the central 24x24 of the scaled picture is never seen."""
    pixels = np.zeros((24, 60, 3), np.uint8)
    pixels[:, 18:42] = 200
    augment = AlexNetAugmentation(PHOTO, np.zeros((3, 3)))
    for seed in range(30):
        assert augment(Image.fromarray(pixels), np.random.default_rng(seed)).min() == 200


def test_vgg_changes_the_scale() -> None:
    """The shorter side becomes anything from 256 to 512 before the crop of 224."""
    rule = InputRule((224, 224), "RGB", {"rule": "crop", "short_side": 256})
    ramp = np.repeat(np.linspace(0, 255, 256).astype(np.uint8)[None, :, None], 256, 0)
    picture = Image.fromarray(np.repeat(ramp, 3, 2))
    augment = VGGAugmentation(rule, np.zeros((3, 3)))
    spans = []
    for seed in range(30):
        row = augment(picture, np.random.default_rng(seed))[0, :, 0].astype(int)
        spans.append(abs(row[-1] - row[0]))
    assert 105 <= min(spans) < 130
    assert 190 < max(spans) <= 224


@pytest.mark.parametrize("name", ["affine", "alexnet", "vgg"])
def test_augmentation_is_a_function_of_the_generator(name: str) -> None:
    """The same seed gives the same pixels, another seed others, always of the rule's size."""
    rule = (
        DIGIT
        if name == "affine"
        else InputRule((224, 224), "RGB", {"rule": "crop", "short_side": 256})
    )
    augment = choose_augmentation(name, rule, np.diag([900.0, 400.0, 100.0]))
    assert augment is not None
    picture = noise(70, 90).convert("L") if name == "affine" else noise(300, 280)
    first, again, other = (augment(picture, np.random.default_rng(s)) for s in (1, 1, 2))
    assert first.shape == (*rule.size, rule.channels)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_no_augmentation_is_none() -> None:
    """A preset without augmentation shows pictures as they are."""
    assert choose_augmentation("none", DIGIT, None) is None
