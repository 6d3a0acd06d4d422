"""``impasto train style`` as users run it: what it leaves, refuses, survives and keeps."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result
from PIL import Image
from safetensors.torch import save_file

from models.style import command
from models.style.checkpoint import read_checkpoint
from models.style.log import read_costs
from models.style.settings import Step
from models.style.training import StyleTraining

Invoke = Callable[..., Result]
Run = list[object]


def list_files(folder: Path) -> list[str]:
    """Return the names of the files in ``folder``."""
    return sorted(path.name for path in folder.iterdir())


def test_finished_run_leaves_its_results(finished: Path) -> None:
    """A run that ended leaves its weights, costs, plot and samples, and nothing to resume."""
    assert list_files(finished) == [
        "losses.csv",
        "losses.png",
        "sample-000002.jpg",
        "sample-000004.jpg",
        "sample-000006.jpg",
        "style.safetensors",
    ]
    rows = read_costs(finished / "losses.csv")
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert len({row["style"] for row in rows}) == 6
    for row in rows:
        weighted = row["content"] + 10 * row["style"] + row["variation"]
        assert row["total"] == pytest.approx(weighted, rel=1e-5)
    with Image.open(finished / "sample-000006.jpg") as sheet:
        assert sheet.size == (3 * 64, 48)  # the first photo and two styles


def test_finished_checkpoint_tells_what_it_is(finished: Path) -> None:
    """The finished checkpoint names its styles and settings and carries no optimiser state."""
    checkpoint = read_checkpoint(finished / "style.safetensors")
    assert [style["name"] for style in checkpoint.styles] == ["mill", "waves"]
    assert (checkpoint.step, checkpoint.adam) == (6, {})
    assert checkpoint.training["settings"]["crop"] == 32
    assert checkpoint.training["photos"] == 5
    assert checkpoint.training["versions"]["torch"] == str(torch.__version__)
    assert checkpoint.build().styles == 2


@pytest.mark.parametrize("resume", [[], ["--resume"]])
def test_finished_folder_is_refused(
    resume: Run, finished: Path, tiny_run: Run, invoke: Invoke
) -> None:
    """A run that has ended is neither continued nor overwritten."""
    before = (finished / "losses.csv").read_bytes()
    result = invoke(*tiny_run, "-o", finished, *resume)
    assert result.exit_code == 1
    assert "style.safetensors: this run has ended; choose another folder with -o" in result.stderr
    assert (finished / "losses.csv").read_bytes() == before


def test_non_finite_loss_names_the_last_good_checkpoint(
    tiny_run: Run, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loss that becomes NaN stops the run with status 1 and the checkpoint's path."""
    take_step = StyleTraining._take_step

    def spoil_and_take_step(training: StyleTraining, photos_u8: torch.Tensor) -> Step:
        if training.step == 5:
            training.objective.targets["relu1_2"].fill_(torch.nan)
        return take_step(training, photos_u8)

    monkeypatch.setattr(StyleTraining, "_take_step", spoil_and_take_step)
    result = invoke(*tiny_run, "-o", tmp_path / "run")
    kept = tmp_path / "run" / "checkpoint.safetensors"
    assert result.exit_code == 1
    assert "step 6: the loss is nan or its gradient is not finite" in result.stderr
    assert f"the last good checkpoint is {kept}" in result.stderr
    assert read_checkpoint(kept).step == 4
    assert len(read_costs(tmp_path / "run" / "losses.csv")) == 5


def test_non_finite_features_stop_the_first_step(
    tiny_run: Run,
    vgg_tensors: dict[str, torch.Tensor],
    tmp_path: Path,
    invoke: Invoke,
) -> None:
    """A feature network with a NaN in it stops the run before a weight has moved."""
    spoilt = vgg_tensors | {"conv1_1.bias": torch.full((64,), torch.nan)}
    save_file(spoilt, tmp_path / "vgg.safetensors")
    result = invoke(*tiny_run, "--vgg", tmp_path / "vgg.safetensors", "-o", tmp_path / "run")
    assert result.exit_code == 1
    assert "step 1: the loss is nan" in result.stderr
    assert "no checkpoint yet" in result.stderr


def test_exploding_learning_rate_is_one_line(tiny_run: Run, tmp_path: Path, invoke: Invoke) -> None:
    """A learning rate that throws the weights beyond float32 ends in words, not in NaN weights."""
    result = invoke(*tiny_run, "--learning-rate", 1e38, "-o", tmp_path / "run")
    assert result.exit_code == 1
    assert "start again with a lower --learning-rate" in result.stderr
    assert not (tmp_path / "run" / "style.safetensors").exists()


def test_broken_photo_is_named_and_skipped(
    tiny_run: Run, photos: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """A broken photo, even the first by name, is named on standard error; training goes on."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in photos.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "a-broken.jpg").write_text("no picture")
    result = invoke(*tiny_run, "--photos", folder, "-o", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert result.stderr.count(f"{folder / 'a-broken.jpg'}: not a readable picture") == 1
    assert (tmp_path / "run" / "style.safetensors").exists()


def test_folder_without_a_readable_photo_is_one_line(
    tiny_run: Run, tmp_path: Path, invoke: Invoke
) -> None:
    """Where no photo can be read, the run ends with status 1 before it begins."""
    (tmp_path / "photo.jpg").write_text("no picture")
    result = invoke(*tiny_run, "--photos", tmp_path, "-o", tmp_path / "run")
    assert result.exit_code == 1
    assert f"{tmp_path / 'photo.jpg'}: not a readable picture" in result.stderr


def test_progress_tells_costs_and_time_left(tiny_run: Run, tmp_path: Path, invoke: Invoke) -> None:
    """Away from a terminal the first and the last step are a line each, with the time left."""
    result = invoke(*tiny_run, "-o", tmp_path / "run")
    lines = [line for line in result.stderr.splitlines() if line.startswith("step ")]
    assert lines[0].startswith("step 1/6  content ")
    assert lines[-1].startswith("step 6/6  content ")
    assert lines[-1].endswith("0.0 min left")


def test_sample_photo_can_be_chosen(
    tiny_run: Run, photos: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """The samples show the photo that was asked for, and a missing one stops before training."""
    sample = photos / "photo1.png"
    result = invoke(*tiny_run, "--every", 6, "--sample", sample, "-o", tmp_path / "run")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "run" / "sample-000006.jpg") as sheet:
        assert sheet.size == (3 * 48, 64)
    missing = invoke(*tiny_run, "--sample", tmp_path / "no.png", "-o", tmp_path / "other")
    assert missing.exit_code == 1
    assert "no.png: not a readable picture" in missing.stderr


def test_full_disk_is_one_line(
    tiny_run: Run, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that refuses in the middle of a run ends it in words and leaves what was written."""

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(command, "write_sheet", refuse)
    result = invoke(*tiny_run, "-o", tmp_path / "run")
    assert result.exit_code == 1
    assert "cannot be written (No space left on device); mend that, then" in result.stderr
    assert read_checkpoint(tmp_path / "run" / "checkpoint.safetensors").step == 2


def test_output_that_is_a_file_is_one_line(tiny_run: Run, tmp_path: Path, invoke: Invoke) -> None:
    """A file in place of the run's folder is refused with status 1."""
    (tmp_path / "run").touch()
    result = invoke(*tiny_run, "-o", tmp_path / "run")
    assert result.exit_code == 1
    assert "losses.csv: cannot be written" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--add", "mill.png"], "--add PAINTING and --from CHECKPOINT go together"),
        (["--from", "run"], "--add PAINTING and --from CHECKPOINT go together"),
        ([], "give either --paintings FOLDER or --add PAINTING with --from"),
        (
            ["--add", "mill.png", "--from", "run", "--paintings", "p"],
            "give either --paintings FOLDER or --add PAINTING with --from",
        ),
        (["--network", "huge"], "'huge' is not one of 'fast', 'paper'"),
        (["--learning-rate", "nan"], "nan is not a finite number"),
        (["--style-weight", "inf"], "inf is not a finite number"),
        (["--learning-rate", "0"], "0.0 is not in the range x>0"),
        (["--seed", "-1"], "-1 is not in the range"),
        (["--crop", "16"], "16 is not in the range x>=32"),
    ],
)
def test_conflicting_or_senseless_options_are_wrong_usage(
    options: list[str], message: str, tiny_options: Run, tmp_path: Path, invoke: Invoke
) -> None:
    """Options that contradict each other or mean nothing end with status 2."""
    result = invoke(*tiny_options, "-o", tmp_path / "run", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", [["train"], ["train", "style"], ["weights", "import"]])
def test_help_needs_no_torch(command: list[str]) -> None:
    """Help is printed by an interpreter in which PyTorch cannot be imported."""
    code = "import sys; sys.modules['torch'] = None; from impasto import main; main()"
    command = [sys.executable, "-c", code, *command, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage:")


def test_missing_torch_names_the_extra(tiny_run: Run, tmp_path: Path) -> None:
    """Without PyTorch the command says what to install, with status 1."""
    code = "import sys; sys.modules['torch'] = None; from impasto import main; main()"
    arguments = [*map(str, tiny_run), "-o", str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install '.[train]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert list_files(tmp_path) == []


@pytest.mark.parametrize(
    ("sizes", "message"),
    [("512,x", "'x' is not a valid integer"), ("16", "16 is not in the range x>=32"), ("", "''")],
)
def test_wrong_sizes_of_strokes_are_wrong_usage(
    sizes: str, message: str, invoke: Invoke, tiny_run: Run, tmp_path: Path
) -> None:
    """A size that is no whole number from 32 up is refused before anything is read."""
    result = invoke(*tiny_run, "-o", tmp_path / "run", "--style-size", sizes)
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "run").exists()


def test_sizes_and_steadiness_reach_the_run(invoke: Invoke, tiny_run: Run, tmp_path: Path) -> None:
    """Several sizes of strokes and the weight of steadiness stand in the checkpoint."""
    options = ("--style-size", "32, 40", "--steadiness-weight", 10)
    assert invoke(*tiny_run, "-o", tmp_path / "run", *options).exit_code == 0
    training = read_checkpoint(tmp_path / "run" / "style.safetensors").training
    assert training["settings"]["style_sizes"] == [32, 40]
    assert training["settings"]["weights"]["steadiness"] == 10.0
    assert all(row["steadiness"] > 0 for row in read_costs(tmp_path / "run" / "losses.csv"))
