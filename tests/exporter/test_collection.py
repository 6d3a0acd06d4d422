"""The collection that ships: complete, small, and still what its checkpoint says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from exporter.scenes import draw_scenes
from exporter.verify import measure_parity, open_session
from models.style.checkpoint import Checkpoint, read_checkpoint
from runner.model import COLLECTION

CHECKPOINT = Path(__file__).parents[2] / "runner" / "collection" / "style.safetensors"


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    """The checkpoint that lies beside the collection in the repository."""
    return read_checkpoint(CHECKPOINT)


@pytest.fixture(scope="module")
def metadata() -> dict[str, Any]:
    """The decoded metadata of the shipped file."""
    props = onnx.load(str(COLLECTION)).metadata_props
    return {entry.key.removeprefix("impasto."): json.loads(entry.value) for entry in props}


def test_collection_agrees_with_its_checkpoint(checkpoint: Checkpoint) -> None:
    """The shipped file paints what PyTorch paints from the checkpoint in the repository."""
    parity = measure_parity(
        checkpoint.build(), COLLECTION.read_bytes(), sizes=((2, 33, 47), (1, 256, 256))
    )
    assert parity.agrees


def test_collection_is_small() -> None:
    """The wheel carries less than 2 MB of network."""
    assert COLLECTION.stat().st_size < 2_000_000


def test_collection_begins_with_the_starry_night(metadata: dict[str, Any]) -> None:
    """The default style is starry_night, and every style names its painting's rights."""
    styles = metadata["styles"]
    assert styles[0]["name"] == "starry_night"
    assert len(styles) >= 2
    assert all(style["licence"] == "public domain" for style in styles)
    assert all({"title", "artist", "year"} <= set(style) for style in styles)


def test_collection_records_how_it_was_made(metadata: dict[str, Any]) -> None:
    """The file names its licence, its training and the parity that let it be written."""
    assert metadata["license"] == "MIT"
    assert metadata["training"]["step"] == metadata["training"]["settings"]["steps"]
    assert metadata["parity"]["max_grey_levels"] <= 1
    assert metadata["parity"]["exact_share"] >= 0.999


def test_collection_styles_differ(metadata: dict[str, Any]) -> None:
    """Any two styles paint one photo plainly differently, and none leaves it as it is."""
    styles = len(metadata["styles"])
    photo = draw_scenes(1, 64, 96, seed=3)
    session = open_session(COLLECTION.read_bytes(), styles=styles)
    pictures = [photo[0].astype(np.float32)]
    for weights in np.eye(styles, dtype=np.float32):
        painted = session.run(None, {"image": photo, "style_weights": weights[None]})[0]
        pictures.append(painted[0].astype(np.float32))
    distances = [np.abs(a - b).mean() for i, a in enumerate(pictures) for b in pictures[i + 1 :]]
    assert min(distances) > 10
