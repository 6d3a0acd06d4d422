"""``--resume``: a classifier's run that was cut off ends as the unbroken one, byte for byte."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from models.classifiers.checkpoint import read_classifier
from models.classifiers.runs import Run as RunFolder

Invoke = Callable[..., Result]
Write = Callable[[Path, np.ndarray], Path]
Run = list[object]

# Runs the command in a process that kills itself, as kill -9 would, once a step is taken.
KILLED = """
import os, signal, sys, torch
from models.classifiers import training
take_step = training.ClassifierTraining.take_step
def take_step_and_die(self, batch):
    if self.step == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
    return take_step(self, batch)
training.ClassifierTraining.take_step = take_step_and_die
torch.set_num_threads(1)
from impasto import main
main(sys.argv[1:])
"""


def kill_after(step: int, arguments: Run) -> None:
    """Run ``impasto`` in a process of its own that dies by SIGKILL after ``step``."""
    command = [sys.executable, "-c", KILLED.format(step=step), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def assert_equal_runs(one: Path, other: Path) -> None:
    """Check that two runs left the same files with the same bytes."""
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.parametrize(("killed", "kept"), [(13, 12), (17, 16)])
def test_killed_run_resumes_byte_for_byte(
    finished: Path, tiny_run: Run, tmp_path: Path, invoke: Invoke, *, killed: int, kept: int
) -> None:
    """After kill -9, in an epoch or past its end, --resume leaves the unbroken run's bytes."""
    folder = tmp_path / "run"
    kill_after(killed, [*tiny_run, "-o", folder])
    assert read_classifier(folder / "checkpoint.safetensors").step == kept
    assert not (folder / "classifier.safetensors").exists()

    refused = invoke(*tiny_run, "-o", folder)
    assert refused.exit_code == 1
    assert "holds an unfinished run; pass --resume or another -o" in refused.stderr

    result = invoke(*tiny_run, "-o", folder, "--resume")
    assert result.exit_code == 0, result.output
    assert f"resuming after step {kept} of 24" in result.stderr
    assert_equal_runs(folder, finished)


def test_run_killed_before_its_first_checkpoint_begins_anew(
    finished: Path, tiny_run: Run, tmp_path: Path, invoke: Invoke
) -> None:
    """A run that never reached a checkpoint starts over, with --resume too."""
    folder = tmp_path / "run"
    kill_after(2, [*tiny_run, "-o", folder])
    assert not folder.exists()
    result = invoke(*tiny_run, "-o", folder, "--resume")
    assert result.exit_code == 0, result.output
    assert f"{folder}: no checkpoint to resume from; beginning at step 1" in result.stderr
    assert_equal_runs(folder, finished)


def test_run_killed_while_it_ends_only_ends(
    finished: Path, tiny_run: Run, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off between the last epoch and the finished file, nothing is trained again."""
    folder = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "finish", lambda _: sys.exit(9))
        assert invoke(*tiny_run, "-o", folder).exit_code == 9
    result = invoke(*tiny_run, "-o", folder, "--resume")
    assert result.exit_code == 0, result.output
    assert "epoch" not in result.stderr
    assert_equal_runs(folder, finished)


def test_curvature_and_momentum_survive(digits: Path, tmp_path: Path, invoke: Invoke) -> None:
    """LeCun's optimiser and its curvature go on in the middle of a pass."""
    options: Run = [
        *("train", "lenet5", "--data", digits, "--preset", "paper", "--variant", "1998"),
        *("--epochs", 1, "--every", 10, "--validation", 0),
    ]
    assert invoke(*options, "-o", tmp_path / "whole").exit_code == 0
    kill_after(25, [*options, "-o", tmp_path / "cut"])
    assert read_classifier(tmp_path / "cut" / "checkpoint.safetensors").step == 20
    result = invoke(*options, "-o", tmp_path / "cut", "--resume")
    assert result.exit_code == 0, result.output
    assert_equal_runs(tmp_path / "cut", tmp_path / "whole")


def test_dropout_and_colours_go_on_where_they_were(
    classes: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """AlexNet drops the same units and shifts the same colours after --resume."""
    options: Run = [
        *("train", "alexnet", "--data", classes, "--hidden", 8, "--epochs", 1, "--batch", 4),
        *("--every", 1, "--validation", 0, "--precision", "fp32"),
    ]
    assert invoke(*options, "-o", tmp_path / "whole").exit_code == 0
    kill_after(2, [*options, "-o", tmp_path / "cut"])
    result = invoke(*options, "-o", tmp_path / "cut", "--resume")
    assert result.exit_code == 0, result.output
    assert_equal_runs(tmp_path / "cut", tmp_path / "whole")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (["--batch", 5], "the run was started with batch 4, not 5; repeat the options"),
        (["--seed", 1], "seed 0, not 1"),
        (["--variant", "1998"], "config {'variant': 'notes', 'classes': 10}"),
        (["--validation", 0.5], "other pictures"),
        (["--preset", "paper"], "preset modern, not paper"),
    ],
)
def test_other_options_are_refused(
    interrupted: Path, tiny_run: Run, invoke: Invoke, change: Run, match: str
) -> None:
    """A run goes on only with the options and the data that it was started with."""
    before = (interrupted / "checkpoint.safetensors").read_bytes()
    result = invoke(*tiny_run, *change, "-o", interrupted, "--resume")
    assert result.exit_code == 1
    assert match in result.stderr
    assert (interrupted / "checkpoint.safetensors").read_bytes() == before


def test_other_number_of_classes_is_refused(
    interrupted: Path, tiny_run: Run, classes: Path, invoke: Invoke
) -> None:
    """Other classes are named before anything else that differs."""
    result = invoke(*tiny_run, "--data", classes, "-o", interrupted, "--resume")
    assert result.exit_code == 1
    expected = "started with 10 classes (0, 1, 2, ...), not 3 (bar, cross, dot); repeat"
    assert expected in result.stderr


@pytest.fixture(scope="module")
def interrupted(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that was killed in its second epoch."""
    folder = tmp_path_factory.mktemp("runs") / "interrupted"
    kill_after(13, [*tiny_run, "-o", folder])
    return folder
