"""Which pictures are classified, under which names."""

import os
from pathlib import Path

import click
import pytest

from runner.classify.jobs import list_jobs
from runner.errors import ImpastoError


def test_jobs_are_named_as_the_inputs_are(
    tiles: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Names begin as the folder was named; the folder one is in adds nothing."""
    monkeypatch.chdir(tmp_path)
    assert list_jobs([Path("tiles")])[0].source == "tiles/a_red.png"
    monkeypatch.chdir(tiles)
    names = ["a_red.png", "b_green.webp", "c_blue.bmp"]
    assert [job.source for job in list_jobs([Path()])] == names
    assert [job.source for job in list_jobs([Path("../tiles")])] == [f"../tiles/{n}" for n in names]


def test_jobs_hold_size_and_time(tiles: Path) -> None:
    """Every job has its file's size and time of modification."""
    for job in list_jobs([tiles]):
        status = os.stat(job.source)  # noqa: PTH116
        assert (job.size, job.modified_ns, job.fault) == (status.st_size, status.st_mtime_ns, "")


def test_jobs_leave_hidden_and_other_files_out(tiles: Path) -> None:
    """Hidden files, notes and folders are no pictures; a link to a picture is one."""
    (tiles / ".hidden.png").write_bytes(b"x")
    (tiles / "notes.txt").write_bytes(b"x")
    (tiles / "folder.png").mkdir()
    (tiles / "link.png").symlink_to("a_red.png")
    (tiles / "loop.png").symlink_to("loop.png")
    jobs = {Path(job.source).name: job.fault for job in list_jobs([tiles])}
    assert set(jobs) == {"a_red.png", "b_green.webp", "c_blue.bmp", "link.png", "loop.png"}
    assert jobs["link.png"] == ""
    assert jobs["loop.png"].startswith("cannot be read (")


def test_jobs_go_into_folders_but_not_through_links(tiles: Path, tmp_path: Path) -> None:
    """Recursion takes files before folders, and links to folders never."""
    (tiles / "aa").mkdir()
    (tiles / "aa" / "z.JPG").write_bytes(b"x")
    (tiles / "circle").symlink_to(tmp_path, target_is_directory=True)
    names = [Path(job.source).name for job in list_jobs([tiles], recursive=True)]
    assert names == ["a_red.png", "b_green.webp", "c_blue.bmp", "z.JPG"]


def test_jobs_need_pictures(tmp_path: Path) -> None:
    """A folder without pictures is failed work, standard input among others wrong usage."""
    with pytest.raises(ImpastoError, match=r"no pictures \(\.jpg, .*\) in this folder$"):
        list_jobs([tmp_path])
    with pytest.raises(click.UsageError, match=r"standard input is one picture: give - alone"):
        list_jobs([Path("-"), Path("-")])
