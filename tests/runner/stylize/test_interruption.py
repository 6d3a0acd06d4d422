"""Full disks, Ctrl-C, and what is left behind: the program itself, with real signals."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from runner.cli import end_on_interrupt

MakePhoto = Callable[..., Image.Image]
Process = subprocess.Popen[bytes]
Start = Callable[..., Process]
ReadRows = Callable[[bytes], list[dict[str, Any]]]
COUNT = 40


@pytest.fixture
def many(tmp_path: Path, make_photo: MakePhoto) -> Path:
    """Return a folder of 40 photos that take a while."""
    folder = tmp_path / "many"
    folder.mkdir()
    for seed in range(4):
        make_photo(500, 375, seed).save(folder / f"{seed:02}.jpg")
    for number in range(4, COUNT):
        os.link(folder / f"{number % 4:02}.jpg", folder / f"{number:02}.jpg")
    return folder


def wait_for_outputs(process: Process, folder: Path, count: int) -> None:
    """Wait until some pictures are painted and the program is still at work."""
    while len(list(folder.glob("*.jpg"))) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def check_outputs(folder: Path) -> set[str]:
    """Decode every painting wholly; return their names."""
    paths = list(folder.glob("*.jpg"))
    for path in paths:
        with Image.open(path) as painted:
            assert painted.size == (500, 375)
            painted.load()
    return {path.name for path in paths}


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stylize_stops_in_good_order_and_resumes(
    number: signal.Signals, status: int, start_impasto: Start, many: Path, read_rows: ReadRows
) -> None:
    """Stopped in the middle, every painting is whole; --resume does exactly the rest."""
    out = many.parent / "out"
    process = start_impasto("stylize", many, "-o", "out", "--workers", 1, "--json")
    wait_for_outputs(process, out, 2)
    process.send_signal(number)
    stdout, stderr = process.communicate()
    painted = check_outputs(out)
    rows = read_rows(stdout)
    assert process.returncode == status
    assert {row["status"] for row in rows} == {"ok"}
    assert {Path(row["output"]).name for row in rows} == painted
    assert 2 <= len(painted) < COUNT
    assert f"{COUNT - len(painted)} left, --resume goes on from here" in stderr.decode()
    assert not list(out.glob("*.impasto-part"))
    assert not list(out.glob(".*.impasto-part"))

    again = start_impasto("stylize", many, "-o", "out", "--resume", "--json")
    status_of = {
        Path(row["input"]).name: row["status"] for row in read_rows(again.communicate()[0])
    }
    assert again.returncode == 0
    assert {name for name, word in status_of.items() if word == "skipped"} == painted
    assert {name for name, word in status_of.items() if word == "ok"} == check_outputs(
        out
    ) - painted
    assert len(status_of) == COUNT


def test_stylize_resumes_after_it_was_killed(
    start_impasto: Start, many: Path, read_rows: ReadRows
) -> None:
    """Killed without warning, what has its name is whole, and --resume completes the folder."""
    out = many.parent / "out"
    process = start_impasto("stylize", many, "-o", "out", "--workers", 1)
    wait_for_outputs(process, out, 3)
    process.kill()
    process.communicate()
    painted = check_outputs(out)
    assert len(painted) < COUNT
    again = start_impasto("stylize", many, "-o", "out", "--resume", "--json")
    stdout, _ = again.communicate()
    status = [row["status"] for row in read_rows(stdout)]
    assert again.returncode == 0
    assert status.count("skipped") == len(painted)
    assert status.count("ok") == COUNT - len(painted)
    assert len(check_outputs(out)) == COUNT
    assert not list(out.glob(".*.impasto-part"))


def test_stylize_twice_stopped_ends_at_once(start_impasto: Start, many: Path) -> None:
    """The second Ctrl-C does not wait; what has its name is whole all the same."""
    out = many.parent / "out"
    process = start_impasto("stylize", many, "-o", "out", "--workers", 1)
    wait_for_outputs(process, out, 1)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode in {130, 143, -signal.SIGINT, -signal.SIGTERM}
    assert len(check_outputs(out)) < COUNT


def test_stylize_survives_a_full_disk(
    start_impasto: Start, photos: Path, read_rows: ReadRows
) -> None:
    """A painting that the disk has no room for fails alone and leaves nothing half-written."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photos / "noise.png")
    # No file may grow beyond 32 blocks of 512 bytes: small paintings fit, the noise does not.
    limited = ("sh", "-c", 'ulimit -f 32; exec "$@"', "sh")
    process = start_impasto("stylize", "photos", "-o", "out", "--json", before=limited)
    stdout, stderr = process.communicate()
    status = {Path(row["input"]).name: row["status"] for row in read_rows(stdout)}
    assert process.returncode == 1
    assert status == {"noise.png": "failed"} | dict.fromkeys(
        ("a.jpg", "b.png", "c.webp", "d.jpg"), "ok"
    )
    assert "noise.png: out/noise.png: cannot be written (File too large)" in stderr.decode()
    names = {path.name for path in (photos.parent / "out").iterdir()}
    assert names == {"a.jpg", "b.png", "c.webp", "d.jpg", ".impasto-manifest.jsonl"}


def test_interrupts_end_the_program_at_once_while_it_loads() -> None:
    """While libraries are loaded Ctrl-C is the system's own end, no traceback; then as before."""
    before = signal.getsignal(signal.SIGINT)
    with end_on_interrupt():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is before


def test_interrupts_are_taken_over_while_pictures_are_painted(
    impasto: Callable[..., object], photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first picture to the last one Ctrl-C and SIGTERM are ours, and theirs afterwards."""
    seen = []
    monkeypatch.setattr(
        "runner.stylize.batch.decode",
        lambda *_: seen.append([signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]),
    )
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    impasto("stylize", photos, "-o", "out")
    assert len(seen) == 4
    for handlers in seen:
        assert all(callable(handler) and handler not in before for handler in handlers)
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_ignored_interrupts_stay_ignored(start_impasto: Start, many: Path) -> None:
    """A job in the background, for which the shell ignores Ctrl-C, paints on."""
    out = many.parent / "out"
    for photo in sorted(many.iterdir())[8:]:
        photo.unlink()
    ignoring = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
    process = start_impasto("stylize", "many", "-o", "out", "--workers", 1, before=ignoring)
    wait_for_outputs(process, out, 1)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 0
    assert b"painted 8 in" in stderr


@pytest.mark.usefixtures("photos")
def test_stylize_names_a_full_standard_output(start_impasto: Start) -> None:
    """A picture that standard output does not take is a failure in one line."""
    with Path("/dev/full").open("wb") as full:
        process = start_impasto("stylize", "photos/a.jpg", "-o", "-", stdout=full)
        _, stderr = process.communicate()
    assert process.returncode == 1
    assert stderr.decode() == (
        "photos/a.jpg: standard output cannot be written (No space left on device)\n"
    )


@pytest.mark.usefixtures("photos")
def test_rows_that_standard_output_refuses_end_the_run(start_impasto: Start) -> None:
    """A full standard output under --json is one line, not a traceback."""
    with Path("/dev/full").open("wb") as full:
        process = start_impasto("stylize", "photos", "-o", "out", "--json", stdout=full)
        _, stderr = process.communicate()
    assert process.returncode == 1
    assert "standard output cannot be written (No space left on device)" in stderr.decode()
    assert "Traceback" not in stderr.decode()


def read_terminal(ours: int) -> bytes:
    """Return all that comes from a pseudo-terminal until its other end is closed."""
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:
        pass  # Linux reports the end of a terminal as an error
    finally:
        os.close(ours)
    return shown


@pytest.mark.usefixtures("photos")
def test_stylize_prints_no_picture_on_a_terminal(start_impasto: Start) -> None:
    """``-o -`` is wrong usage where standard output is a terminal, which stays clean."""
    ours, theirs = pty.openpty()
    process = start_impasto("stylize", "photos/a.jpg", "-o", "-", stdout=theirs)
    os.close(theirs)
    shown = read_terminal(ours)
    _, stderr = process.communicate()
    assert (process.returncode, shown) == (2, b"")
    assert b"-o - would print a picture on the terminal" in stderr


def test_a_second_signal_gives_the_terminal_its_cursor_back() -> None:
    """The end at once is the signal's own, and the cursor that a bar hides is shown again."""
    code = "from runner.signals import end_at_once; end_at_once(15)"
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-I", "-c", code], stderr=theirs) as process:
        os.close(theirs)
        shown = read_terminal(ours)
    assert process.returncode == -signal.SIGTERM
    assert shown == b"\x1b[?25h"


def test_stylize_draws_a_bar_on_a_terminal(start_impasto: Start, photos: Path) -> None:
    """On a terminal a bar shows the count, pictures per second and the time left."""
    (photos / "bad.jpg").write_text("Dear diary,")
    ours, theirs = pty.openpty()
    process = start_impasto("stylize", "photos", "-o", "out", stderr=theirs)
    os.close(theirs)
    shown = read_terminal(ours)
    stdout, _ = process.communicate()
    assert (process.returncode, stdout) == (1, b"")
    for part in (b"5/5", b"pictures/s", b"0:00:0", b"photos/bad.jpg: not a picture", b"painted 4"):
        assert part in shown
    assert b"out/a.jpg  64x48" not in shown
    assert shown.count(b"\x1b[?25l") == shown.count(b"\x1b[?25h")  # the cursor is back
