"""From a file to probabilities: PyTorch behind the reader of training, and the runner."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from exporter.classifiers.export import export_classifier
from models.classifiers.pictures import FilePictures, NormalizedPictures, decode
from models.classifiers.preprocessing import as_pixels, prepare, resize
from runner import Classifier

from .conftest import Draw, ask_torch

PHOTOS = Path(__file__).parents[3] / "examples" / "photos"
TOLERANCE = 1e-4


def write_odd_files(folder: Path) -> None:
    """Write what is neither 8-bit RGB nor grey, or does not lie as it stands."""
    with Image.open(PHOTOS / "coffee.jpg") as opened:
        photo = opened.convert("RGB").resize((60, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = np.asarray(photo.convert("L")).astype(np.uint16) * 257
    mask = Image.linear_gradient("L").resize(photo.size)
    clear = photo.copy()
    clear.putalpha(mask)
    Image.fromarray(deep).save(folder / "deep.png")
    Image.fromarray(deep).save(folder / "deep.tiff")
    Image.fromarray(deep.astype(np.int32)).save(folder / "deeper.tiff")
    photo.convert("CMYK").save(folder / "inks.jpg")
    photo.convert("P").save(folder / "palette.png", transparency=bytes(range(256)))
    photo.convert("1").save(folder / "bits.tiff", compression="group4")
    clear.save(folder / "clear.png")
    clear.convert("LA").save(folder / "clear_grey.png")
    photo.save(folder / "animation.gif", save_all=True, append_images=[photo.rotate(180)])
    photo.save(folder / "pages.tiff", save_all=True, append_images=[photo.rotate(180)])
    for suffix in ("jpg", "png", "tiff"):
        photo.save(folder / f"turned.{suffix}", exif=exif)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the example photographs and a dozen odd files."""
    folder = tmp_path_factory.mktemp("odd")
    write_odd_files(folder)
    photos = [path for path in PHOTOS.iterdir() if path.suffix in {".jpg", ".png"}]
    return sorted(photos) + sorted(folder.iterdir())


@pytest.mark.parametrize("name", ["lenet5", "simpleconvnet", "alexnet"])
def test_training_and_runner_see_the_same(
    name: str, draw: Draw, saved: Callable[[str], Path], files: list[Path], tmp_path: Path
) -> None:
    """The bytes are equal, and so to 1e-4 are the probabilities of every class of every file."""
    checkpoint, model = draw(name), tmp_path / "it.onnx"
    export_classifier(saved(name), model)
    classifier = Classifier(model, "cpu")
    pixels = np.stack([prepare(decode(path), checkpoint.input) for path in files])
    np.testing.assert_array_equal([classifier.prepare(path) for path in files], pixels)
    found = [classifier.probabilities(path) for path in files]
    np.testing.assert_allclose(found, ask_torch(checkpoint, pixels), rtol=0, atol=TOLERANCE)
    assert len(files) == 18
    assert np.ptp(found, axis=0).max() > 100 * TOLERANCE  # the pictures do differ


def test_pictures_kept_in_memory_are_the_same(draw: Draw, files: list[Path]) -> None:
    """What training keeps of a file becomes the bytes of the file, the second time, too."""
    rule = draw("lenet5").input
    kept = NormalizedPictures(FilePictures(tuple(files), np.zeros(len(files), np.int64)), rule)
    for number, path in enumerate([*files, *files]):
        found = as_pixels(resize(kept.read(number % len(files)), rule))
        np.testing.assert_array_equal(found, prepare(decode(path), rule), err_msg=path.name)
