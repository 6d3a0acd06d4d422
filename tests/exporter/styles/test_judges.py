"""Photos that ranges are measured on, and photos that judge: never the same."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from PIL import Image

from exporter import cli
from exporter.errors import ExportError
from exporter.export import export_checkpoint
from exporter.scenes import draw_scenes
from exporter.styles.photos import divide_photos, gather_photos
from exporter.styles.settings import StyleSettings


def test_no_photo_both_calibrates_and_judges(photos: Path) -> None:
    """One of five is held back; single styles and blends are painted."""
    calibrated, judged = divide_photos(photos, 3)
    seen = {image.tobytes() for image in calibrated.images}
    assert (len(calibrated.images), len(judged.images)) == (8, 2)
    assert not seen & {image.tobytes() for image in judged.images}
    np.testing.assert_array_equal(judged.style_weights[:3], np.eye(3))
    assert ((judged.style_weights[3:] > 0).sum(axis=1) > 1).all()


def test_photos_of_their_own_may_judge(checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    """The ranges stay those of the first folder; the figures are of the second."""
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    for number, scene in enumerate(draw_scenes(3, 40, 40, seed=9)):
        Image.fromarray(scene).save(scenes / f"{number}.png")
    graphs, figures = [], []
    for judges in (None, scenes):
        path = tmp_path / f"{judges is None}.onnx"
        settings = StyleSettings("int8", photos, judges, max_difference=50)
        done = export_checkpoint(checkpoint, path, sizes=[(1, 32, 32)], settings=settings)
        graphs.append(onnx.load(path).graph)
        figures.append(done.difference)
    assert graphs[0] == graphs[1]
    assert figures[0] is not None
    assert figures[1] is not None
    assert (figures[0].pictures, figures[1].pictures) == (2, 3)
    assert figures[0].mean_grey_levels != figures[1].mean_grey_levels


def test_judges_are_needed_where_they_are_asked_for(tmp_path: Path) -> None:
    """An empty folder is named."""
    with pytest.raises(ExportError, match="holds no pictures"):
        gather_photos(tmp_path, 3)


def test_photos_do_not_judge_their_own_ranges(
    checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    """A folder that serves both is refused, and nothing is written."""
    settings = StyleSettings("int8", photos, photos, max_difference=50)
    with pytest.raises(ExportError, match=r"of its photos are those that ranges are measured on"):
        export_checkpoint(checkpoint, tmp_path / "x.onnx", sizes=[(1, 32, 32)], settings=settings)
    assert list(tmp_path.iterdir()) == []
    assert len(gather_photos(photos, 3).images) == 8


def test_judges_are_for_eight_bits(checkpoint: Path, photos: Path) -> None:
    """In float32 and sixteen bits no photo judges."""
    arguments = [str(checkpoint), "-o", "x.onnx", "--judge", str(photos)]
    result = CliRunner().invoke(cli.export, arguments)
    assert result.exit_code == 2
    assert "--judge is for --precision int8 only" in result.output


def test_too_few_photos_are_refused(tmp_path: Path, photos: Path) -> None:
    """A folder of one photo says nothing about ranges."""
    (tmp_path / "one.png").write_bytes((photos / "0.png").read_bytes())
    with pytest.raises(ExportError, match="holds 1 photos, too few to calibrate on"):
        divide_photos(tmp_path, 3)


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    """A folder that is not there is named."""
    with pytest.raises(ExportError, match="nowhere: cannot be listed"):
        divide_photos(tmp_path / "nowhere", 3)
