"""``impasto paint`` as users run it: what it writes, refuses and keeps."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result
from PIL import Image

from models.painting import work
from models.painting.command import read_order
from models.painting.pictures import take_light, to_tensor

Invoke = Callable[..., Result]
Run = list[object]


def read_pixels(path: Path) -> torch.Tensor:
    """Return a picture as float32 ``[1, 3, H, W]``."""
    with Image.open(path) as picture:
        return to_tensor(picture.convert("RGB"))


def list_files(folder: Path) -> list[str]:
    """Return the names of the files in ``folder``."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, in which the command is run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_painting_has_the_last_size_and_leaves_nothing_else(
    tiny: Run, tmp_path: Path, invoke: Invoke
) -> None:
    """The picture stands there alone, its name on standard output, the costs on the other."""
    output = tmp_path / "out.png"
    result = invoke(*tiny, "-o", output)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{output}\n"
    assert list_files(tmp_path) == ["out.png"]
    assert read_pixels(output).shape == (1, 3, 30, 40)
    lines = result.stderr.splitlines()
    assert lines[0].startswith("32 px  step 1/4  content ")
    assert lines[-1].startswith("40 px  step 3/3  content ")
    assert "  style " in lines[-1]
    assert lines[-1].endswith("0.0 min left")


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--init", "noise", "--seed", 5],
        ["--optimizer", "adam"],
        ["--pooling", "avg"],
        ["--normalization", "notes"],
        ["--normalization", "gatys"],
        ["--variation-weight", 3],
        ["--style-scale", 2],
        ["--content-weight", 0, "--init", "noise"],
        ["--style-weight", 0, "--init", "noise"],
        ["--keep-color"],
    ],
)
def test_equal_commands_paint_equal_pictures(
    options: Run, tiny: Run, tmp_path: Path, invoke: Invoke
) -> None:
    """The same command twice gives the same bytes; each option gives others."""
    for name in ("one.png", "two.png"):
        result = invoke(*tiny, *options, "-o", tmp_path / name)
        assert result.exit_code == 0, result.output
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    if options:
        assert invoke(*tiny, "-o", tmp_path / "plain.png").exit_code == 0
        assert (tmp_path / "one.png").read_bytes() != (tmp_path / "plain.png").read_bytes()


def test_another_seed_gives_other_noise(tiny: Run, tmp_path: Path, invoke: Invoke) -> None:
    """Two seeds lead to two pictures."""
    for seed in (1, 2):
        invoke(*tiny, "--init", "noise", "--seed", seed, "-o", tmp_path / f"{seed}.png")
    assert (tmp_path / "1.png").read_bytes() != (tmp_path / "2.png").read_bytes()


def test_kept_colours_are_the_photos(
    tiny: Run, photo: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """With --keep-color only light differs from the photo."""
    output = tmp_path / "out.png"
    assert invoke(*tiny, "--keep-color", "-o", output).exit_code == 0
    with Image.open(photo) as picture:
        original = to_tensor(picture.convert("RGB").resize((40, 30), Image.Resampling.LANCZOS))
    painted = read_pixels(output)
    inside = ((painted > 0.01) & (painted < 0.99)).all(1, keepdim=True).expand(-1, 3, -1, -1)
    chroma = painted - take_light(painted) - (original - take_light(original))
    assert float(chroma[inside].abs().max()) < 2.5 / 255
    assert float((take_light(painted) - take_light(original)).abs().max()) > 0.05


def test_several_paintings_blend(tiny: Run, photo: Path, tmp_path: Path, invoke: Invoke) -> None:
    """A second painting changes the picture, and its share decides how much."""
    plain = tmp_path / "plain.png"
    assert invoke(*tiny, "-o", plain).exit_code == 0
    distances = []
    for share in ("0.01", "1", "100"):
        output = tmp_path / f"{share}.png"
        assert invoke(*tiny, f"{photo}:{share}", "-o", output).exit_code == 0
        distances.append(float((read_pixels(output) - read_pixels(plain)).abs().mean()))
    assert distances == sorted(distances)
    assert distances[0] < 0.01 < distances[1]


@pytest.mark.parametrize("suffix", ["webp", "gif"])
def test_frames_show_the_way(suffix: str, tiny: Run, tmp_path: Path, invoke: Invoke) -> None:
    """The animation has the start and every step, and ends with the picture."""
    frames = tmp_path / f"frames.{suffix}"
    result = invoke(*tiny, "-o", tmp_path / "out.png", "--frames", frames)
    assert result.exit_code == 0, result.output
    with Image.open(frames) as animation:
        assert animation.size == (40, 30)
        animation.seek(getattr(animation, "n_frames", 1) - 1)
        last = np.asarray(animation.convert("RGB"), np.int16)
    with Image.open(tmp_path / "out.png") as picture:
        assert abs(last - np.asarray(picture, np.int16)).mean() < 12


def test_existing_picture_is_kept(tiny: Run, tmp_path: Path, invoke: Invoke) -> None:
    """A picture that exists is replaced only on --overwrite."""
    output = tmp_path / "out.png"
    output.write_bytes(b"precious")
    result = invoke(*tiny, "-o", output)
    assert result.exit_code == 1
    assert "out.png: exists; pass --overwrite to replace it" in result.stderr
    assert output.read_bytes() == b"precious"
    assert invoke(*tiny, "-o", output, "--overwrite").exit_code == 0
    assert read_pixels(output).shape == (1, 3, 30, 40)


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["-o", "out.tif"], 2, "the picture can be .png, .jpg, .jpeg, .webp, not '.tif'"),
        (["-o", "out"], 2, "not 'without suffix'"),
        (["--frames", "a.png"], 2, "an animation can be .webp, .gif, not '.png'"),
        (["--frames", "out.webp", "-o", "out.webp"], 2, "is an input or another output too"),
        (["--content-layers", "relu9_9"], 2, "layer 'relu9_9' is unknown"),
        (["--style-layers", "relu1_1=0"], 2, "relu1_1: the share '0' must be a positive"),
        (["--content-weight", 0, "--style-weight", 0], 2, "leave nothing to paint"),
        (["--style-weight", "nan"], 2, "nan is not a finite number"),
        (["--learning-rate", 0], 2, "0.0 is not in the range x>0"),
        (["--style-scale", "nan"], 2, "nan is not a finite number"),
        (["--sizes", "10"], 2, "must be whole numbers from 32 to 4096"),
        (["missing.png"], 1, "missing.png: not a readable picture (FileNotFoundError"),
        (["--vgg", "no.safetensors"], 1, "no.safetensors: no such file; make it with"),
        (["--style-layers", "relu5_1"], 1, "px, but relu5_1 needs 32 px each way"),
    ],
)
def test_wrong_words_are_answered_in_one_line(
    options: Run,
    status: int,
    message: str,
    tiny: Run,
    invoke: Invoke,
    empty_folder: Path,
) -> None:
    """Bad options end with status 2, bad files with 1, in words, and nothing is written."""
    output = [] if "-o" in options else ["-o", "out.png"]
    result = invoke(*tiny, *output, *options)
    assert (result.exit_code, message in result.stderr) == (status, True), result.stderr
    assert list_files(empty_folder) == []


def test_unreadable_pictures_are_named(tiny: Run, tmp_path: Path, invoke: Invoke) -> None:
    """A painting that is no picture is named, and a folder in place of one too."""
    (tmp_path / "text.png").write_text("no picture")
    result = invoke(*tiny, tmp_path / "text.png", "-o", tmp_path / "out.png")
    assert result.exit_code == 1
    assert "text.png: not a readable picture" in result.stderr
    folder = invoke(*tiny, tmp_path, "-o", tmp_path / "out.png")
    assert folder.exit_code == 1
    assert f"{tmp_path}: " in folder.stderr
    assert list_files(tmp_path) == ["text.png"]


@pytest.mark.parametrize("option", ["-o", "--frames"])
def test_folder_that_cannot_be_written_stops_before_the_first_step(
    option: str, tiny: Run, tmp_path: Path, invoke: Invoke
) -> None:
    """A file in place of a folder is told before any work is done."""
    (tmp_path / "file").touch()
    result = invoke(*tiny, "-o", tmp_path / "out.png", option, tmp_path / "file" / "a.webp")
    assert result.exit_code == 1
    assert "a.webp: cannot be written" in result.stderr
    assert "step" not in result.stderr
    assert list_files(tmp_path) == ["file"]


def test_output_may_not_be_the_photo(tiny: Run, photo: Path, invoke: Invoke) -> None:
    """Not even --overwrite replaces the photo that is painted."""
    before = photo.read_bytes()
    result = invoke(*tiny, "-o", photo, "--overwrite")
    assert result.exit_code == 2
    assert "is an input or another output too" in result.stderr
    assert photo.read_bytes() == before


def test_missing_memory_is_one_line(
    tiny: Run, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where memory does not suffice, the answer is to take smaller sizes."""

    def refuse(*_: object, **__: object) -> None:
        message = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        raise RuntimeError(message)

    monkeypatch.setattr(work, "read_resized", refuse)
    result = invoke(*tiny, "-o", tmp_path / "out.png")
    assert result.exit_code == 1
    assert "40 px need more memory than there is; pass smaller --sizes" in result.stderr


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [("relative", (1, 10)), ("notes", (1, 5e-4)), ("gatys", (1, 1e3))],
)
def test_each_normalization_has_usual_weights(
    normalization: str, expected: tuple[float, float]
) -> None:
    """Weights that are not given are the normalisation's, and those that are given stay."""
    names = ("content", "styles", "vgg", "stages", "learning_rate", "init", "pooling", "optimizer")
    options = dict.fromkeys(names) | dict.fromkeys(("keep_color", "style_scale", "seed", "frames"))
    options |= {"content_layers": (), "style_layers": (), "variation_weight": 0.0}
    options |= {"normalization": normalization, "content_weight": None, "style_weight": None}
    weights = read_order(options).recipe.weights
    assert (weights.content, weights.style) == expected
    given = read_order(options | {"style_weight": 7.0}).recipe.weights
    assert (given.content, given.style) == (expected[0], 7.0)


def test_finer_size_begins_with_the_coarser_picture(
    tiny: Run, tmp_path: Path, invoke: Invoke
) -> None:
    """One step at the second size already has what was painted at the first."""
    result = invoke(*tiny, "--steps", "9,1", "-o", tmp_path / "out.png")
    last = result.stderr.splitlines()[-1]
    assert last.startswith("40 px  step 1/1  content ")
    assert float(last.split()[5]) > 0.01  # a step from the photo itself leaves 1e-6


def test_missing_torch_names_the_extra(tiny: Run, tmp_path: Path) -> None:
    """Without PyTorch the help is printed, and the command says what to install."""
    code = "import sys; sys.modules['torch'] = None; from impasto import main; main()"
    command = [sys.executable, "-c", code]
    shown = subprocess.run(
        [*command, "paint", "--help"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith("Usage:")
    arguments = [*map(str, tiny), "-o", str(tmp_path / "out.png")]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install '.[train]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert list_files(tmp_path) == []
