"""Photos in a folder, and models as they are run."""

from pathlib import Path

import pytest
from PIL import Image

from exporter.scenes import draw_scenes


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of ten scenes."""
    folder = tmp_path_factory.mktemp("photos")
    for number, scene in enumerate(draw_scenes(10, 48, 64, seed=5)):
        Image.fromarray(scene).save(folder / f"{number}.png")
    return folder
