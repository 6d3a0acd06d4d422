"""Small pictures in processes: the same results, and nobody left behind."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from runner.classify import executors
from runner.classify.executors import (
    SMALL_BYTES,
    WORTHWHILE_COPIES,
    WORTHWHILE_FILES,
    choose_processes,
    open_decoders,
)
from runner.classify.jobs import list_jobs

Start = Callable[..., subprocess.Popen[bytes]]
ReadRows = Callable[[str | bytes], list[dict[str, Any]]]


def make_file(folder: Path, size: int) -> str:
    """Make a file of some bytes; return its name."""
    path = folder / "file.png"
    path.write_bytes(bytes(size))
    return str(path)


@pytest.mark.parametrize(
    ("count", "size", "processors", "processes"),
    [
        (WORTHWHILE_FILES, SMALL_BYTES, 2, True),
        (WORTHWHILE_FILES - 1, SMALL_BYTES, 2, False),
        (WORTHWHILE_FILES, SMALL_BYTES + 1, 2, False),
        (WORTHWHILE_FILES, SMALL_BYTES, 1, False),
    ],
)
def test_processes_are_for_many_small_files(
    count: int, size: int, processors: int, *, processes: bool, tmp_path: Path
) -> None:
    """Few files, large files and a single processor are left to threads."""
    assert choose_processes([make_file(tmp_path, size)] * count, processors) is processes


def test_a_process_is_copied_only_while_it_has_one_thread(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another thread could hold a lock that the copy would wait for; copies pay for fewer files."""
    few = [make_file(tmp_path, SMALL_BYTES)] * WORTHWHILE_COPIES
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    monkeypatch.setattr(executors, "THREADS", str(tasks))
    for threads, copied in ((1, True), (2, False)):
        (tasks / str(threads)).mkdir()
        assert executors.may_copy() is copied
        assert choose_processes(few, 2) is copied
    monkeypatch.setattr(executors, "THREADS", str(tmp_path / "missing"))
    assert not executors.may_copy()


def test_processes_are_others_and_end() -> None:
    """Work runs in other processes, which are gone when the block is left."""
    with open_decoders(2, processes=True) as decoders:
        found = {decoders.submit(os.getpid).result(60) for _ in range(4)}
        assert os.getpid() not in found
    for number in found:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


def test_processes_find_what_threads_find(
    start_classify: Start,
    classify: Callable[..., Result],
    thousands: Path,
    strokes: Path,
    read_rows: ReadRows,
) -> None:
    """Thousands of small pictures, one of them bad, come out in order and as they do alone."""
    (thousands / "00007.png").unlink()
    (thousands / "00007.png").write_text("Dear diary,")
    options = ("--model", strokes, "--format", "json", "--top", 1, "--workers", 2)
    process = start_classify("thousands", *options)
    stdout, stderr = process.communicate()
    rows = read_rows(stdout)
    assert process.returncode == 1
    assert "thousands/00007.png: not a picture" in stderr.decode()
    assert [row["input"] for row in rows] == [job.source for job in list_jobs([Path("thousands")])]
    few = read_rows(classify(*sorted(thousands.iterdir())[:50], *options).stdout)
    for row, expected in zip(rows, few, strict=False):
        assert row["status"] == expected["status"]
        for found, alone in zip(row["predictions"], expected["predictions"], strict=True):
            assert found["index"] == alone["index"]
            assert found["probability"] == pytest.approx(alone["probability"], abs=2e-6)


def test_processes_pass_errors_on() -> None:
    """What fails over there fails here with its words, and the process goes on."""
    with open_decoders(1, processes=True) as decoders:
        assert str(decoders.submit(int, "x").exception(60)).startswith("invalid literal for int()")
        assert decoders.submit(int, "7").result(60) == 7


def list_children(number: int) -> list[int]:
    """Return the processes that a process has started to decode: its copies."""
    path = Path(f"/proc/{number}/task/{number}/children")
    children = [int(child) for child in path.read_text().split()]
    own = read_command(number)
    return [child for child in children if read_command(child) == own]


def read_command(number: int) -> bytes:
    """Return the command line of a process."""
    return Path(f"/proc/{number}/cmdline").read_bytes()


def is_alive(number: int) -> bool:
    """Tell whether a process lives; one that has ended and was not asked for does not."""
    try:
        status = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2]
    except FileNotFoundError:
        return False
    return status.split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_their_parent(
    number: signal.Signals, start_classify: Start, thousands: Path, strokes: Path
) -> None:
    """Killed, or stopped by Ctrl-C as a terminal sends it, the command leaves no process."""
    process = start_classify(
        thousands, "--model", strokes, "--format", "json", "--workers", 2, before=("setsid",)
    )
    assert process.stdout is not None
    process.stdout.readline()
    children = list_children(process.pid)
    assert children
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.kill()
    stderr = process.communicate()[1].decode()
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert stderr == "" or number == signal.SIGINT
    assert "Traceback" not in stderr
    deadline = time.monotonic() + 60
    while any(map(is_alive, children)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_a_lost_process_is_told(start_classify: Start, thousands: Path, strokes: Path) -> None:
    """When the system ends a process that decodes, the command says so and ends."""
    options = ("--model", strokes, "-o", "r.jsonl", "--workers", 2)
    process = start_classify(thousands, *options)
    journal = thousands.parent / ".r.jsonl.impasto-journal.jsonl"
    while not journal.exists() or not journal.stat().st_size:
        assert process.poll() is None
        time.sleep(0.002)
    for child in list_children(process.pid):
        os.kill(child, signal.SIGKILL)
    _, stderr = process.communicate()
    assert process.returncode == 1
    assert "a process that decodes pictures was ended from outside" in stderr.decode()
    assert "Traceback" not in stderr.decode()
    again = start_classify(thousands, *options, "--resume")
    again.communicate()
    assert again.returncode == 0
    assert (thousands.parent / "r.jsonl").read_bytes().count(b"\n") == WORTHWHILE_FILES
