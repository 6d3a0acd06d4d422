"""The collection that ships: complete, small, and still what its checkpoint says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from exporter.scenes import draw_scenes
from exporter.styles.settings import MAX_DIFFERENCES
from exporter.verify import measure_parity, open_session
from models.style.checkpoint import Checkpoint, read_checkpoint
from runner.model import COLLECTION
from runner.precision import choose_precision, find_fault, name_sibling

LOWER = ("int8", "fp16")
CHECKPOINT = Path(__file__).parents[2] / "runner" / "collection" / "style.safetensors"


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    """The checkpoint that lies beside the collection in the repository."""
    return read_checkpoint(CHECKPOINT)


@pytest.fixture(scope="module")
def metadata() -> dict[str, Any]:
    """The decoded metadata of the shipped file."""
    return read_metadata(COLLECTION)


def read_metadata(file: Path) -> dict[str, Any]:
    """Return the decoded metadata of a file."""
    props = onnx.load(str(file)).metadata_props
    return {entry.key.removeprefix("impasto."): json.loads(entry.value) for entry in props}


def test_collection_agrees_with_its_checkpoint(checkpoint: Checkpoint) -> None:
    """The shipped file paints what PyTorch paints from the checkpoint in the repository."""
    parity = measure_parity(
        checkpoint.build(), COLLECTION.read_bytes(), sizes=((2, 33, 47), (1, 256, 256))
    )
    assert parity.agrees


@pytest.mark.parametrize("precision", ["fp32", "int8", "fp16"])
def test_collection_is_small(precision: str) -> None:
    """Eleven styles are less than half a megabyte, in every precision."""
    provider = "cuda" if precision == "fp16" else "cpu"
    assert choose_precision(COLLECTION, provider, precision).path.stat().st_size < 500_000


@pytest.mark.parametrize("precision", LOWER)
def test_lower_precision_is_of_the_same_network(
    precision: str, checkpoint: Checkpoint, metadata: dict[str, Any]
) -> None:
    """A sibling names the styles and the training of the fp32 file, in the same order."""
    lowered = read_metadata(name_sibling(COLLECTION, precision))
    assert [style["name"] for style in lowered["styles"]] == [s["name"] for s in checkpoint.styles]
    assert find_fault(name_sibling(COLLECTION, precision), precision, metadata) == ""


@pytest.mark.parametrize("precision", LOWER)
def test_lower_precision_records_what_it_costs(precision: str) -> None:
    """Mean and largest difference stand in the file, and a quality within 0.01 of fp32's."""
    parity = read_metadata(name_sibling(COLLECTION, precision))["parity"]
    assert parity["mean_grey_levels"] <= parity["tolerance"]["mean_grey_levels"]
    assert 0 < parity["max_grey_levels"] <= 255
    assert len(parity["style_grey_levels"]) == 11
    assert parity["quality"]["value"] >= parity["quality"]["fp32"] - 0.01
    assert 0.5 < parity["quality"]["fp32"] < 1.2


@pytest.mark.parametrize("precision", LOWER)
def test_lower_precision_paints_like_float32(precision: str) -> None:
    """On a scene that nobody calibrated on, every style stays near its fp32 painting."""
    photo, eye = draw_scenes(1, 96, 128, seed=5), np.eye(11, dtype=np.float32)
    files = COLLECTION, name_sibling(COLLECTION, precision)
    exact, rough = (open_session(file.read_bytes(), styles=11) for file in files)
    for weights in eye:
        inputs = {"image": photo, "style_weights": weights[None]}
        pictures = [session.run(None, inputs)[0].astype(np.int16) for session in (exact, rough)]
        assert np.abs(pictures[0] - pictures[1]).mean() < MAX_DIFFERENCES[precision]


def test_collection_begins_with_the_starry_night(metadata: dict[str, Any]) -> None:
    """The default style is starry_night, and every style names its painting's rights."""
    styles = metadata["styles"]
    assert styles[0]["name"] == "starry_night"
    assert len(styles) == 11
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
