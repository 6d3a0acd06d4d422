"""Ctrl-C, kill, full disks and closed pipes: the program itself, with real signals."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Process = subprocess.Popen[bytes]
Start = Callable[..., Process]
ReadRows = Callable[[bytes], list[dict[str, Any]]]
COUNT = 60


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Return a folder of 60 pictures that take a while to decode."""
    folder = tmp_path / "many"
    folder.mkdir()
    Image.effect_noise((1600, 1200), 60).convert("RGB").save(folder / "00.png", compress_level=1)
    for number in range(1, COUNT):
        os.link(folder / "00.png", folder / f"{number:02}.png")
    return folder


def wait_for_lines(process: Process, journal: Path, count: int) -> None:
    """Wait until some pictures are classified and the program is still at work."""
    while not journal.exists() or journal.read_bytes().count(b"\n") < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def start(start_classify: Start, colors: Path, *options: object) -> Process:
    """Start classifying ``many`` into a file, one by one."""
    arguments = ("--model", colors, "-o", "r.jsonl", "--workers", 1, "--batch", 2, *options)
    return start_classify("many", *arguments)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_classify_stops_in_good_order_and_resumes(
    number: signal.Signals,
    status: int,
    start_classify: Start,
    many: Path,
    colors: Path,
    read_rows: ReadRows,
) -> None:
    """Stopped in the middle there are no results; --resume does the rest, and they are whole."""
    journal = many.parent / ".r.jsonl.impasto-journal.jsonl"
    process = start(start_classify, colors)
    wait_for_lines(process, journal, 2)
    process.send_signal(number)
    _, stderr = process.communicate()
    done = len(journal.read_bytes().splitlines())
    assert process.returncode == status
    assert 2 <= done < COUNT
    assert f"stopped: classified {done} in " in stderr.decode()
    assert f"{COUNT - done} left, --resume goes on from here" in stderr.decode()
    assert {path.name for path in many.parent.iterdir()} == {"many", journal.name}

    again = start(start_classify, colors, "--resume")
    _, stderr = again.communicate()
    assert again.returncode == 0
    assert f"classified {COUNT - done}, skipped {done} in " in stderr.decode()
    rows = read_rows((many.parent / "r.jsonl").read_bytes())
    assert [row["input"] for row in rows] == [f"many/{number:02}.png" for number in range(COUNT)]
    assert {row["status"] for row in rows} == {"ok"}


def test_classify_resumes_after_it_was_killed(
    start_classify: Start, many: Path, colors: Path, read_rows: ReadRows
) -> None:
    """Killed without warning, and the last line cut short: what is whole is not done again."""
    journal = many.parent / ".r.jsonl.impasto-journal.jsonl"
    process = start(start_classify, colors)
    wait_for_lines(process, journal, 4)
    process.kill()
    process.communicate()
    journal.write_bytes(journal.read_bytes()[:-20])
    done = journal.read_bytes().count(b"\n")
    assert done < 40  # every batch was on the disk when it was done
    assert not (many.parent / "r.jsonl").exists()
    again = start(start_classify, colors, "--resume")
    _, stderr = again.communicate()
    assert again.returncode == 0
    assert f"classified {COUNT - done}, skipped {done} in " in stderr.decode()
    assert len(read_rows((many.parent / "r.jsonl").read_bytes())) == COUNT


def test_classify_stopped_on_standard_output_keeps_whole_lines(
    start_classify: Start, many: Path, colors: Path, read_rows: ReadRows
) -> None:
    """What was printed is whole, in order, and no --resume is promised."""
    process = start_classify(many, "--model", colors, "--format", "json", "--batch", 1)
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    # Not by communicate(), which would not see what readline() has read ahead.
    rows = read_rows(first + process.stdout.read())
    _, stderr = process.communicate()
    assert process.returncode == 130
    assert 1 <= len(rows) < COUNT
    assert [Path(row["input"]).name for row in rows] == [f"{n:02}.png" for n in range(len(rows))]
    assert f"stopped: classified {len(rows)} in " in stderr.decode()
    assert stderr.decode().endswith(f"{COUNT - len(rows)} left\n")


def test_classify_survives_a_full_disk(start_classify: Start, digits: Path, strokes: Path) -> None:
    """Results that the disk has no room for are an error in one line; nothing has its name."""
    # No file may grow beyond 8 blocks of 512 bytes.
    limited = ("sh", "-c", 'ulimit -f 8; exec "$@"', "sh")
    process = start_classify("digits", "--model", strokes, "-o", "r.jsonl", before=limited)
    _, stderr = process.communicate()
    assert process.returncode == 1
    assert stderr.decode().splitlines()[-1].endswith("cannot be written (File too large)")
    assert "Traceback" not in stderr.decode()
    assert not (digits.parent / "r.jsonl").exists()


def test_a_full_standard_output_ends_the_run(
    start_classify: Start, digits: Path, strokes: Path
) -> None:
    """A standard output that refuses is one line, not a traceback."""
    with Path("/dev/full").open("wb") as full:
        process = start_classify(digits, "--model", strokes, stdout=full)
        _, stderr = process.communicate()
    assert process.returncode == 1
    assert "standard output cannot be written (No space left on device)" in stderr.decode()
    assert "Traceback" not in stderr.decode()


def test_a_reader_that_leaves_is_no_crash(
    start_classify: Start, digits: Path, strokes: Path
) -> None:
    """A closed pipe, as of ``head``, ends the program without a word."""
    process = start_classify(digits, "--model", strokes)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    stderr = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 1
    assert stderr == ""
