"""``impasto train style --resume``: a run that was cut off ends as the unbroken one."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result
from safetensors.torch import load_file

from models.style.checkpoint import read_checkpoint
from models.style.log import CostLog, read_costs

Invoke = Callable[..., Result]
Run = list[object]

# Runs the command in a process that kills itself, as kill -9 would, once a step is logged.
KILLED = """
import os, signal, sys, torch
from models.style import log
add = log.CostLog.add
def add_and_die(log, step):
    add(log, step)
    if step.step == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
log.CostLog.add = add_and_die
torch.set_num_threads(1)
from impasto import main
main(sys.argv[1:])
"""


class StoppedError(Exception):
    """Stands for whatever ends a process in the middle of a run."""


def kill_after(step: int, arguments: Run) -> None:
    """Run ``impasto`` in a process of its own that dies by SIGKILL after ``step``."""
    command = [sys.executable, "-c", KILLED.format(step=step), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def stop_after(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the next run in this process stop once ``step`` is logged."""
    add = CostLog.add

    def add_and_stop(log: CostLog, taken: object) -> None:
        add(log, taken)  # type: ignore[arg-type]
        if taken.step == step:  # type: ignore[attr-defined]
            raise StoppedError

    monkeypatch.setattr(CostLog, "add", add_and_stop)


def list_files(folder: Path) -> list[str]:
    """Return the names of the files in ``folder``."""
    return sorted(path.name for path in folder.iterdir())


def assert_equal_runs(one: Path, other: Path) -> None:
    """Check that two runs logged the same costs and ended with the same weights, bit for bit."""
    assert (one / "losses.csv").read_bytes() == (other / "losses.csv").read_bytes()
    mine, theirs = (load_file(folder / "style.safetensors") for folder in (one, other))
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_same_options_give_the_same_run(
    finished: Path, tiny_run: Run, tmp_path: Path, invoke: Invoke
) -> None:
    """Two runs with equal options are equal, whatever is saved on the way."""
    result = invoke(*tiny_run, "--every", 6, "-o", tmp_path / "again")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'again' / 'style.safetensors'}\n"
    assert_equal_runs(tmp_path / "again", finished)


def test_killed_run_resumes_bit_for_bit(
    finished: Path, tiny_run: Run, tmp_path: Path, invoke: Invoke
) -> None:
    """After kill -9 past a checkpoint, --resume ends as the unbroken run, in every bit."""
    folder = tmp_path / "run"
    kill_after(5, [*tiny_run, "-o", folder])
    assert len(read_costs(folder / "losses.csv")) == 5
    assert read_checkpoint(folder / "checkpoint.safetensors").step == 4
    assert not (folder / "style.safetensors").exists()

    refused = invoke(*tiny_run, "-o", folder)
    assert refused.exit_code == 1
    assert "holds an unfinished run; pass --resume or another -o" in refused.stderr

    result = invoke(*tiny_run, "-o", folder, "--resume")
    assert result.exit_code == 0, result.output
    assert "resuming after step 4" in result.stderr
    assert_equal_runs(folder, finished)
    assert list_files(folder) == list_files(finished)


def test_run_killed_before_its_first_checkpoint_begins_anew(
    finished: Path, tiny_run: Run, tmp_path: Path, invoke: Invoke
) -> None:
    """A run that never reached a checkpoint starts over, with or without --resume."""
    folder = tmp_path / "run"
    kill_after(1, [*tiny_run, "-o", folder])
    assert list_files(folder) == ["losses.csv"]
    result = invoke(*tiny_run, "-o", folder, "--resume")
    assert result.exit_code == 0, result.output
    assert f"{folder}: no checkpoint to resume from; beginning at step 1" in result.stderr
    assert_equal_runs(folder, finished)


def test_run_stopped_twice_resumes_bit_for_bit(
    finished: Path,
    tiny_run: Run,
    tmp_path: Path,
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two interruptions change nothing either."""
    folder = tmp_path / "run"
    for step in (3, 5):
        with monkeypatch.context() as patched:
            stop_after(step, patched)
            result = invoke(*tiny_run, "-o", folder, *(["--resume"] if step > 3 else []))
            assert isinstance(result.exception, StoppedError)
    assert invoke(*tiny_run, "-o", folder, "--resume").exit_code == 0
    assert_equal_runs(folder, finished)


@pytest.fixture
def stopped(tiny_run: Run, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a run that stopped after its third step."""
    with monkeypatch.context() as patched:
        stop_after(3, patched)
        invoke(*tiny_run, "-o", tmp_path / "stopped")
    return tmp_path / "stopped"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--crop", 40], "the run was started with crop 32, not 40; repeat the options"),
        (["--seed", 1, "--batch", 2], "started with batch 1, not 2; seed 0, not 1; repeat"),
        (["--style-weight", 3], "the run was started with weights"),
        (["--network", "paper"], "network fast, not paper; another checkpoint to add to"),
        (["--hold-out", 2], "started with other photos (5, not 3)"),
        (["--styles", "waves,mill"], "the run was started with other paintings"),
    ],
)
def test_resume_with_other_options_is_refused(
    changes: Run, message: str, stopped: Path, tiny_run: Run, invoke: Invoke
) -> None:
    """A run goes on only as it was begun; the differences are named."""
    result = invoke(*tiny_run, "-o", stopped, "--resume", *changes)
    assert result.exit_code == 1
    assert message in result.stderr


def test_resume_from_a_damaged_checkpoint_is_one_line(
    stopped: Path, tiny_run: Run, invoke: Invoke
) -> None:
    """A damaged checkpoint is named instead of being resumed or overwritten."""
    path = stopped / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    result = invoke(*tiny_run, "-o", stopped, "--resume")
    assert result.exit_code == 1
    assert f"{path}: not a checkpoint of impasto train" in result.stderr
