"""Formats by suffix."""

from pathlib import Path

import pytest
from PIL import Image

from runner.formats import CHOICES, FORMATS, choose_suffix, has_picture_suffix, name_format


def test_formats_are_names_that_pillow_knows() -> None:
    """Every suffix names a format that Pillow can write, HEIC with pillow-heif."""
    Image.init()
    assert set(FORMATS.values()) - {"HEIF"} <= set(Image.SAVE)


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.b.Png", "ü.webp"])
def test_has_picture_suffix_ignores_case(name: str) -> None:
    """The suffix decides, in upper or lower case."""
    assert has_picture_suffix(Path(name))


@pytest.mark.parametrize("name", ["a.txt", "jpg", ".jpg", "a.jpg.part", "a."])
def test_has_picture_suffix_refuses_others(name: str) -> None:
    """Other suffixes, and names that only look like one, are no pictures."""
    assert not has_picture_suffix(Path(name))


def test_name_format_knows_no_other_suffix() -> None:
    """Asking for the format of anything else is an error of the program."""
    with pytest.raises(KeyError, match=r"\.txt"):
        name_format(Path("a.txt"))


@pytest.mark.parametrize(
    ("name", "choice", "suffix"),
    [
        ("a.JPG", "same", ".JPG"),
        ("a.heic", "same", ".heic"),
        ("notes", "same", ".png"),
        ("a.JPEG", "jpeg", ".JPEG"),
        ("a.png", "jpeg", ".jpg"),
        ("a.jpg", "png", ".png"),
        ("a.apng", "png", ".apng"),
        ("a.gif", "webp", ".webp"),
    ],
)
def test_choose_suffix_changes_only_what_it_must(name: str, choice: str, suffix: str) -> None:
    """A file that has the chosen format already keeps its suffix as it is written."""
    assert choose_suffix(Path(name), choice) == suffix


def test_choices_name_formats_of_their_own_suffix() -> None:
    """Each choice of --format leads to a suffix of that very format."""
    assert {FORMATS[suffix].lower() for suffix in CHOICES.values()} == set(CHOICES)
