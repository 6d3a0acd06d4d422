"""The room's errors: one branch, printed as one line, and names listed by likeness."""

import click
import pytest

from models import errors
from models.errors import list_nearest


@pytest.mark.parametrize(
    "name", ["CheckpointError", "DataError", "DivergedError", "ModelsError", "WeightsError"]
)
def test_error_ends_the_command_with_status_1(name: str) -> None:
    """Every error of the room is a click exception of status 1 that carries its message."""
    error = getattr(errors, name)("photo.png: broken")
    assert isinstance(error, errors.ModelsError)
    assert isinstance(error, click.ClickException)
    assert (error.exit_code, error.message) == (1, "photo.png: broken")


def test_known_names_come_nearest_first() -> None:
    """The likeliest name stands first; equally unlike ones keep their order."""
    assert list_nearest("wavs", ["mill", "waves", "orchard"]).startswith("waves, ")
    assert list_nearest("", ["mill", "waves"]) == "mill, waves"
