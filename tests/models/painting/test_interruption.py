"""Ctrl-C, crashes, and going on afterwards."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image

from models.optimize import Step
from models.painting import command
from models.painting.command import PaintingProgress
from models.painting.signals import note_signals

Invoke = Callable[..., Result]
Run = list[object]
STATE = "out.png.unfinished.safetensors"


@pytest.fixture(autouse=True)
def _usual_handlers() -> Iterator[None]:
    """Receive signals even where the tests run in the background, which ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_at(monkeypatch: pytest.MonkeyPatch, count: int, number: int = signal.SIGINT) -> None:
    """Let a signal arrive while step ``count`` of all is shown."""
    show_step = PaintingProgress.show_step

    def show_and_interrupt(progress: PaintingProgress, step: Step) -> None:
        show_step(progress, step)
        if progress.painting.step == count:
            signal.raise_signal(number)

    monkeypatch.setattr(PaintingProgress, "show_step", show_and_interrupt)


def list_files(folder: Path) -> list[str]:
    """Return the names of the files in ``folder``."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_keeps_the_best_picture_so_far(
    number: int,
    status: int,
    tiny: Run,
    tmp_path: Path,
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A signal ends the command after the step with its own status, a picture and a state."""
    interrupt_at(monkeypatch, 3, number)
    result = invoke(*tiny, "-o", tmp_path / "out.png")
    assert result.exit_code == status
    assert "out.png: stopped after step 3 of 7; the best picture so far" in result.stderr
    assert list_files(tmp_path) == ["out.png", STATE]
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == (32, 24)


@pytest.mark.parametrize("count", [2, 4, 6])
@pytest.mark.parametrize("options", [[], ["--optimizer", "adam", "--keep-color"]])
def test_resumed_painting_is_the_unbroken_one(
    count: int,
    options: Run,
    tiny: Run,
    tmp_path: Path,
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped at any size and resumed, picture and frames are the same, byte for byte."""
    run = [*tiny, *options, "--init", "noise", "--frames"]
    assert invoke(*run, tmp_path / "whole.webp", "-o", tmp_path / "whole.png").exit_code == 0
    whole = [(tmp_path / name).read_bytes() for name in ("whole.png", "whole.webp")]
    run += [tmp_path / "out.webp", "-o", tmp_path / "out.png"]
    with monkeypatch.context() as patch:
        interrupt_at(patch, count)
        assert invoke(*run).exit_code == 130
    result = invoke(*run, "--resume")
    assert result.exit_code == 0, result.output
    assert f"out.png: goes on after step {count} of 7, at " in result.stderr
    assert [(tmp_path / name).read_bytes() for name in ("out.png", "out.webp")] == whole
    assert STATE not in list_files(tmp_path)


def test_crash_costs_what_came_after_the_last_state(
    tiny: Run, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is saved now and then; a run that broke off goes on from there."""
    assert invoke(*tiny, "-o", tmp_path / "whole.png").exit_code == 0

    def refuse(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(command, "SAVE_S", 0.0)
        patch.setattr("models.painting.command.encode", refuse)
        assert invoke(*tiny, "-o", tmp_path / "out.png").exit_code == 1
    assert STATE in list_files(tmp_path)
    result = invoke(*tiny, "-o", tmp_path / "out.png", "--resume")
    assert "goes on after step 7 of 7" in result.stderr
    assert (tmp_path / "out.png").read_bytes() == (tmp_path / "whole.png").read_bytes()


@pytest.fixture
def stopped(tiny: Run, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which a painting was stopped after two steps."""
    with monkeypatch.context() as patch:
        interrupt_at(patch, 2)
        assert invoke(*tiny, "-o", tmp_path / "out.png").exit_code == 130
    return tmp_path


def test_unfinished_painting_is_not_lost_by_accident(
    stopped: Path, tiny: Run, invoke: Invoke
) -> None:
    """Without --resume or --overwrite nothing happens to it; with --overwrite it begins again."""
    before = (stopped / STATE).read_bytes()
    result = invoke(*tiny, "-o", stopped / "out.png")
    assert result.exit_code == 1
    assert "holds an unfinished painting; pass --resume to go on with it" in result.stderr
    assert (stopped / STATE).read_bytes() == before
    again = invoke(*tiny, "-o", stopped / "out.png", "--overwrite")
    assert again.exit_code == 0, again.output
    assert "32 px  step 1/4" in again.stderr
    assert list_files(stopped) == ["out.png"]


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        (["--seed", 9], "seed 0, not 9"),
        (["--optimizer", "adam"], "solver lbfgs, not adam"),
        (["--style-weight", 3], "style weight 10.0, not 3.0"),
        (["--steps", 9], "steps 4,3, not 9,9"),
    ],
)
def test_other_options_are_not_resumed(
    options: Run, difference: str, stopped: Path, tiny: Run, invoke: Invoke
) -> None:
    """A painting goes on only with the options that it was begun with; what differs is named."""
    result = invoke(*tiny, "-o", stopped / "out.png", "--resume", *options)
    assert result.exit_code == 1
    assert "was begun with" in result.stderr
    assert difference in result.stderr
    assert "repeat its options" in result.stderr


def test_other_files_are_not_resumed(stopped: Path, tiny: Run, photo: Path, invoke: Invoke) -> None:
    """A further painting, or another photo in the same place, is told."""
    result = invoke(*tiny, photo, "-o", stopped / "out.png", "--resume")
    assert result.exit_code == 1
    assert "was begun with other paintings" in result.stderr
    result = invoke("paint", tiny[2], *tiny[2:], "-o", stopped / "out.png", "--resume")
    assert "was begun with another photo" in result.stderr


def test_nothing_to_resume_begins(tiny: Run, tmp_path: Path, invoke: Invoke) -> None:
    """--resume without a state says so and begins; a finished picture is kept."""
    result = invoke(*tiny, "-o", tmp_path / "out.png", "--resume")
    assert result.exit_code == 0, result.output
    assert f"{STATE}: not there, nothing to resume; begins" in result.stderr
    again = invoke(*tiny, "-o", tmp_path / "out.png", "--resume")
    assert again.exit_code == 1
    assert "out.png: exists" in again.stderr


def test_signal_before_the_first_step_writes_nothing(
    tiny: Run, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While files are read, Ctrl-C ends the command without a picture."""
    prepare = command.prepare

    def interrupt_and_prepare(*args: object, **options: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return prepare(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(command, "prepare", interrupt_and_prepare)
    result = invoke(*tiny, "-o", tmp_path / "out.png")
    assert result.exit_code == 130
    assert "stopped before the first step; not written" in result.stderr
    assert list_files(tmp_path) == []


def test_ignored_signals_stay_ignored() -> None:
    """What a shell lets its background jobs ignore does not stop them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with note_signals() as received:
        signal.raise_signal(signal.SIGINT)
    assert received == []
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_handlers_are_given_back() -> None:
    """After the work, signals do what they did before."""
    before = signal.getsignal(signal.SIGINT)
    with note_signals() as received:
        signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is not before
    assert received == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is before
