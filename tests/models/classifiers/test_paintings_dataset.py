"""The example that cuts paintings into a data set keeps training and validation apart."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SCRIPT = Path(__file__).parents[3] / "examples" / "paintings_dataset.py"


def test_no_pixel_is_in_both_parts(tmp_path: Path) -> None:
    """Pieces of a painting whose red tells the column come from the regions that they should."""
    (tmp_path / "paintings").mkdir()
    columns = np.arange(200, dtype=np.uint8)
    pixels = np.zeros((150, 200, 3), np.uint8)
    pixels[:, :, 0] = pixels[:, :, 1] = pixels[:, :, 2] = columns
    for name in ("mill", "waves"):
        Image.fromarray(pixels).save(tmp_path / "paintings" / f"{name}.png")
    command = [sys.executable, str(SCRIPT), str(tmp_path / "paintings"), str(tmp_path / "data")]
    options = ["--training", "8", "--validation", "4"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    assert done.stdout == f"{tmp_path / 'data'}: 2 paintings, 8 + 4 pieces each\n"
    for part, count in (("train", 8), ("val", 4)):
        files = sorted((tmp_path / "data" / part / "mill").iterdir())
        assert len(files) == count
        for path in files:
            seen = np.asarray(Image.open(path))[:, :, 0] / 200
            inside = (seen > 0.35) & (seen < 0.65)
            assert inside.all() if part == "val" else not inside[:, 8:-8].any()
