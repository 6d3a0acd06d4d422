"""What a results file will hold: known, changed, half-written."""

import os
from pathlib import Path

import numpy as np
import pytest

from runner.classify.jobs import Job, list_jobs
from runner.classify.journal import Journal
from runner.classify.settings import Settings
from runner.errors import OutputError

SETTINGS = Settings("0" * 64, 1, draft=False)
RANKING = ((3, 0.75),)
SINGLE = ((1, float(np.float32(0.1))), (0, float(np.float32(1 / 3))), (2, 2.0**-149))


@pytest.fixture
def jobs(digits: Path) -> list[Job]:
    """Return the jobs of 60 pictures."""
    return list_jobs([digits])


@pytest.fixture
def output(tmp_path: Path, jobs: list[Job]) -> Path:
    """Return results whose journal knows the pictures 0, 1 and 2."""
    path = tmp_path / "results.jsonl"
    with Journal(path, jobs, SETTINGS, resume=False) as journal:
        for number in range(3):
            journal.add(number, RANKING)
    return path


def known(output: Path, jobs: list[Job], settings: Settings = SETTINGS) -> list[int]:
    """Return the jobs that a resumed run knows."""
    with Journal(output, jobs, settings, resume=True) as journal:
        return [number for number in range(len(jobs)) if journal.knows(number)]


def test_a_journal_remembers(output: Path, jobs: list[Job]) -> None:
    """What was added is known, and its ranking comes back."""
    assert known(output, jobs) == [0, 1, 2]
    with Journal(output, jobs, SETTINGS, resume=True) as journal:
        journal.add(7, SINGLE)
        assert list(journal.rankings([7, 0])) == [SINGLE, RANKING]
        journal.add(8, RANKING)
        assert list(journal.rankings([8])) == [RANKING]
    assert known(output, jobs) == [0, 1, 2, 7, 8]


def test_a_journal_of_a_fresh_run_is_empty(output: Path, jobs: list[Job]) -> None:
    """Without ``resume`` the lines of an earlier run are gone."""
    with Journal(output, jobs, SETTINGS, resume=False) as journal:
        assert not journal.knows(0)
    assert known(output, jobs) == []


@pytest.mark.parametrize(
    "settings",
    [Settings("1" * 64, 1, draft=False), Settings("0" * 64, 2, draft=False),
     Settings("0" * 64, 1, draft=True)],
)  # fmt: skip
def test_a_journal_knows_its_settings(output: Path, jobs: list[Job], settings: Settings) -> None:
    """Another model, number of classes or decoding makes all work new."""
    assert known(output, jobs, settings) == []


def test_a_journal_knows_its_pictures(output: Path, digits: Path) -> None:
    """A picture of another time or size is not known any more."""
    os.utime(digits / "00001.png", ns=(0, 0))
    assert known(output, list_jobs([digits])) == [0, 2]


def test_a_journal_follows_its_pictures(
    output: Path, jobs: list[Job], digits: Path, tmp_path: Path
) -> None:
    """Pictures are named from the results' folder: both may move together."""
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    digits.rename(moved / "digits")
    for path in [*tmp_path.glob(".results*")]:
        path.rename(moved / path.name)
    assert known(moved / output.name, list_jobs([moved / "digits"])) == [0, 1, 2]
    assert len(jobs) == 60


@pytest.mark.parametrize(
    "garbage",
    [b'{"input": "digits/00005.p', b"\0\0\0\0", b"\xff\xfe\n", b"[]\n", b'{"results": 3}\n',
     b'{"input": [], "size": {}, "modified_ns": 0, "ranking": []}\n', b"[" * 100_000],
)  # fmt: skip
def test_a_journal_survives_damage(garbage: bytes, output: Path, jobs: list[Job]) -> None:
    """A half-written or broken line is no line; what stands around it still counts."""
    path = next(output.parent.glob(".results*"))
    path.write_bytes(path.read_bytes() + garbage)
    with Journal(output, jobs, SETTINGS, resume=True) as journal:
        journal.add(9, RANKING)
        assert list(journal.rankings([9, 2])) == [RANKING, RANKING]
    assert known(output, jobs) == [0, 1, 2, 9]


def test_a_journal_knows_its_results(output: Path, jobs: list[Job]) -> None:
    """Results are known by size and time, also to the next run."""
    output.write_text("done")
    with Journal(output, jobs, SETTINGS, resume=True) as journal:
        assert not journal.knows_results(output.stat())
        journal.add_results(output.stat())
    with Journal(output, jobs, SETTINGS, resume=True) as journal:
        assert journal.knows_results(output.stat())
        output.write_text("changed")
        assert not journal.knows_results(output.stat())


def test_a_journal_in_the_way_is_named(tmp_path: Path, jobs: list[Job]) -> None:
    """A journal that cannot be written is an error with its name."""
    (tmp_path / ".r.csv.impasto-journal.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"\.r\.csv\.impasto-journal\.jsonl: cannot be written"):
        Journal(tmp_path / "r.csv", jobs, SETTINGS, resume=False)


def test_standard_input_is_never_known(tmp_path: Path) -> None:
    """What came from standard input has no time and is classified every time."""
    jobs = [Job("-")]
    with Journal(tmp_path / "r.csv", jobs, SETTINGS, resume=False) as journal:
        journal.add(0, RANKING)
    assert known(tmp_path / "r.csv", jobs) == []
