"""Which photos count, and how they are cut."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from quality_grid import (
    Shown,
    as_pixels,
    as_tensor,
    choose_large,
    choose_photos,
    cut_photo,
    make_grid,
    read_paintings,
)

from models.errors import DataError
from models.style.photos import list_photos

Draw = Callable[..., Image.Image]


def make_shown(name: str) -> Shown:
    """Return a small picture of one colour."""
    return Shown(name, np.zeros((4, 4, 3), np.uint8))


def test_photos_are_held_out_and_large(photos: Path) -> None:
    """Of the last ones by name, those with a short side of 256 px count, in order."""
    assert [path.stem for path in choose_photos(photos, 3, 2)] == ["c", "e"]
    assert [path.stem for path in choose_photos(photos, 5, 1)] == ["a"]


def test_photos_are_not_those_of_training(photos: Path) -> None:
    """What training with the same option sees is disjoint from what is measured on."""
    assert not set(choose_photos(photos, 3, 2)) & set(list_photos(photos, 3))


def test_too_few_large_photos_are_counted(photos: Path) -> None:
    """The message says how many there are, how many are needed and what to do."""
    message = "2 of the last 3 photos have a short side of at least 256 px, 3 are needed"
    with pytest.raises(SystemExit, match=message):
        choose_photos(photos, 3, 3)


def test_folder_without_photos_is_named(tmp_path: Path) -> None:
    """A folder that is not there is an error in words."""
    with pytest.raises(DataError, match="cannot be listed"):
        choose_photos(tmp_path / "none", 3, 3)


@pytest.mark.parametrize("shape", [(300, 260), (260, 300), (256, 256), (401, 307)])
def test_photo_is_cut_to_the_square_in_its_middle(draw: Draw, shape: tuple[int, int]) -> None:
    """The short side becomes the square's side, and what is longer is cut off at both ends."""
    pixels = cut_photo(draw(*shape, 1), 64)
    assert pixels.shape == (64, 64, 3)
    mirrored = cut_photo(draw(*shape, 1).transpose(Image.Transpose.FLIP_LEFT_RIGHT), 64)
    difference = np.abs(mirrored[:, ::-1].astype(int) - pixels)
    assert difference.max() <= 8  # an odd number of columns cannot be halved


def test_photo_is_enlarged_where_it_must(draw: Draw) -> None:
    """A photo that is smaller than the square is enlarged."""
    assert cut_photo(draw(70, 60, 1), 128).shape == (128, 128, 3)


def test_pixels_survive_as_tensor() -> None:
    """All 256 levels come back from floats exactly."""
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    np.testing.assert_array_equal(as_pixels(as_tensor(pixels)), pixels)


def test_grid_pairs_every_photo_with_every_painting(photos: Path, paintings: Path) -> None:
    """Painting by painting, all at the sizes asked for."""
    grid = make_grid(choose_photos(photos, 3, 2), 64, read_paintings(paintings, 66, []))
    assert [pair.label for pair in grid.list_pairs()] == [
        "bold c 64 px",
        "bold e 64 px",
        "plain c 64 px",
        "plain e 64 px",
    ]
    assert min(grid.paintings[0].pixels.shape[:2]) == 66
    assert [painting.name for painting in grid.restrict({"plain"}).paintings] == ["plain"]


def test_unknown_style_lists_the_known(paintings: Path) -> None:
    """A painting that is not in the folder is an error with the names there."""
    with pytest.raises(DataError, match="no painting called 'blod'; there are bold, plain"):
        read_paintings(paintings, 66, ["blod"])


def test_large_grid_takes_the_first_three_or_the_named() -> None:
    """Names are for the user to choose; a wrong one lists the right ones."""
    shown = [make_shown(name) for name in "abcd"]
    assert [painting.name for painting in choose_large(shown, [])] == ["a", "b", "c"]
    assert [painting.name for painting in choose_large(shown, ["d", "a"])] == ["d", "a"]
    with pytest.raises(SystemExit, match="--large-styles: no painting 'e'; there are "):
        choose_large(shown, ["e"])
