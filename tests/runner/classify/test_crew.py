"""Processes that do everything: parts, order, what breaks, and how they are told to stop."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.classify import executors
from runner.classify.clerk import Answer, Clerk, Opened, Order
from runner.classify.crew import PART_BATCHES, PART_PICTURES, divide, hear_opened, open_clerks
from runner.classify.executors import WORTHWHILE_FILES, suits_clerks
from runner.classify.jobs import Job
from runner.errors import ModelError

Start = Callable[..., subprocess.Popen[bytes]]


def make_order(model: Path, output: Path | None = None, top: int | None = 1) -> Order:
    """Return an order for JSON lines."""
    return Order(model, "cpu", top, draft=False, form="json", cut=False, output=output)


@given(
    count=st.integers(0, 3000), batch=st.integers(1, 300), processes=st.integers(1, 9),
)  # fmt: skip
def test_parts_are_whole_batches_and_hold_everything(
    count: int, batch: int, processes: int
) -> None:
    """Every number comes once and in order; only the last part may end within a batch."""
    parts = list(divide(range(count), batch, processes))
    assert [number for part in parts for number in part] == list(range(count))
    assert all(part for part in parts)
    assert all(len(part) % batch == 0 for part in parts[:-1])
    sizes = [len(part) for part in parts]
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes, default=0) <= min(PART_BATCHES * batch, max(PART_PICTURES, batch))


def test_a_clerk_answers_with_finished_text(tmp_path: Path, digits: Path, strokes: Path) -> None:
    """Rows, lines of the journal and faults of two batches come back in order."""
    (digits / "00001.png").write_text("Dear diary,")
    names = [str(digits / f"{number:05}.png") for number in range(4)]
    clerk = Clerk()
    opened = clerk(make_order(strokes, tmp_path / "r.jsonl"))
    assert isinstance(opened, Opened)
    assert opened.settings.top == 1
    tasks = [tuple(Job(name, 7, 8)) for name in names]
    answer = clerk([tasks[:3], tasks[3:]])
    assert isinstance(answer, Answer)
    assert list(answer.faults) == [1]
    assert "not a picture" in answer.faults[1]
    assert [text.count("\n") for text in answer.rows] == [1] * 4
    assert all(name in text for name, text in zip(names, answer.rows, strict=True))
    assert '"status": "failed"' in answer.rows[1]
    lines = answer.lines.splitlines()
    assert [Path(line.split('"')[3]).name for line in lines] == [
        "00000.png", "00002.png", "00003.png",
    ]  # fmt: skip


def test_what_a_clerk_refuses_is_told_here(tmp_path: Path) -> None:
    """Errors of opening come back as they are, from every process, and all end."""
    with (
        open_clerks(2, make_order(tmp_path / "none.onnx")) as helpers,
        pytest.raises(ModelError, match=r"none\.onnx: no such model file"),
    ):
        hear_opened(helpers)


@pytest.mark.parametrize(
    ("size", "provider", "workers", "cuda", "suits"),
    [
        (100, "cpu", 2, False, True),
        (100, "auto", 2, False, True),
        (100, "auto", 2, True, False),
        (100, "cpu", 2, True, True),
        (100, "cuda", 2, False, False),
        (100, "openvino", 2, False, False),
        (100, "cpu", 1, False, False),
        (101, "cpu", 2, False, False),
    ],
)
def test_clerks_are_for_small_networks_on_the_cpu(
    *,
    size: int,
    provider: str,
    workers: int,
    cuda: bool,
    suits: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A large network, a GPU, or fewer workers than processors are left to one process."""
    model = tmp_path / "model.onnx"
    model.write_bytes(bytes(size))
    monkeypatch.setattr(executors, "LARGEST_MODEL", 100)
    monkeypatch.setattr(executors, "has_cuda", lambda: cuda)
    monkeypatch.setattr(executors, "count_processors", lambda: 2)
    assert suits_clerks(model, provider, workers) is suits


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--top", 9999), 2, "--top 9999 must lie between 1 and the"),
        (("--model", "none.onnx"), 1, "none.onnx: no such model file"),
    ],
)
def test_wrong_usage_is_told_as_ever(
    options: tuple[object, ...], status: int, words: str, start_classify: Start,
    thousands: Path, strokes: Path,
) -> None:  # fmt: skip
    """What only the processes can find out has the words and the status of one picture's run."""
    process = start_classify("thousands", "--model", strokes, "--workers", 2, *options)
    _, stderr = process.communicate()
    assert process.returncode == status
    assert words in stderr.decode()
    assert "Traceback" not in stderr.decode()
    assert thousands.is_dir()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_crew_stops_in_good_order_and_resumes(
    number: signal.Signals, status: int, start_classify: Start, thousands: Path, strokes: Path
) -> None:
    """Stopped with its whole group, it keeps whole lines; the rest is done by --resume."""
    options = ("thousands", "--model", strokes, "-o", "r.jsonl", "--workers", 2)
    process = start_classify(*options, "--batch", 1, before=("setsid",))
    journal = thousands.parent / ".r.jsonl.impasto-journal.jsonl"
    while not journal.exists() or journal.read_bytes().count(b"\n") < 2:
        assert process.poll() is None
        time.sleep(0.002)
    os.killpg(process.pid, number)
    stderr = process.communicate()[1].decode()
    assert process.returncode == status, stderr
    done = journal.read_bytes().count(b"\n")
    assert f"stopped: classified {done} in " in stderr
    assert not (thousands.parent / "r.jsonl").exists()
    again = start_classify(*options, "--resume")
    assert f"classified {WORTHWHILE_FILES - done}, skipped {done} in " in (
        again.communicate()[1].decode()
    )
    rows = (thousands.parent / "r.jsonl").read_text().splitlines()
    names = [Path(json.loads(row)["input"]).name for row in rows]
    assert names == sorted(path.name for path in thousands.iterdir())
