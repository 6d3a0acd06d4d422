"""Processors that this process may really use, and what they compute fast."""

import os
from pathlib import Path

import pytest

from runner import processors
from runner.processors import (
    count_processors,
    has_bfloat16,
    has_integer_dots,
    name_processor,
    read_quota,
)


def write_group(folder: Path, **files: str) -> None:
    """Write the files of one control group; ``__`` stands for the dot in their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


@pytest.mark.parametrize(
    ("text", "quota"),
    [("150000 100000\n", 1.5), ("max 100000\n", None), ("garbage\n", None), ("1 0\n", None)],
)
def test_read_quota_understands_version_2(text: str, quota: float | None, tmp_path: Path) -> None:
    """``cpu.max`` holds quota and period; ``max`` and nonsense are no limit."""
    write_group(tmp_path, cpu__max=text)
    assert read_quota(tmp_path, tmp_path / "none") == quota


def test_read_quota_takes_the_tightest_of_all_parents(tmp_path: Path) -> None:
    """A group is bound by every group above it."""
    own = tmp_path / "own"
    own.write_text("1:name=systemd:/x\n0::/service/worker\n")
    write_group(tmp_path / "fs" / "service" / "worker", cpu__max="400000 100000")
    write_group(tmp_path / "fs" / "service", cpu__max="50000 100000")
    write_group(tmp_path / "fs", cpu__max="max 100000")
    assert read_quota(tmp_path / "fs", own) == 0.5


@pytest.mark.parametrize(("quota_us", "quota"), [("250000", 2.5), ("-1", None)])
def test_read_quota_understands_version_1(
    quota_us: str, quota: float | None, tmp_path: Path
) -> None:
    """``cpu.cfs_quota_us`` over its period; -1 is no limit."""
    write_group(tmp_path / "cpu", cpu__cfs_quota_us=quota_us, cpu__cfs_period_us="100000")
    assert read_quota(tmp_path, tmp_path / "none") == quota


def test_read_quota_finds_none_outside_of_containers(tmp_path: Path) -> None:
    """Without control groups there is no quota."""
    assert read_quota(tmp_path, tmp_path / "none") is None


@pytest.mark.parametrize(
    ("quota", "count"), [(None, 8), (0.2, 1), (1.0, 1), (1.5, 2), (3.0, 3), (64.0, 8)]
)
def test_count_processors_respects_the_quota(
    quota: float | None, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The quota is rounded up, and never raises what affinity allows."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(processors, "read_quota", lambda: quota)
    assert count_processors() == count


@pytest.mark.parametrize(
    ("line", "dots", "bfloat16"),
    [
        ("flags\t\t: fpu avx2 avx512_vnni avx512_bf16", True, True),
        ("flags\t\t: fpu avx2 avx_vnni", True, False),
        ("flags\t\t: amx_bf16 amx_tile amx_int8", True, True),
        ("flags\t\t: fpu avx2 avx512f", False, False),
        ("Features\t: fp asimd asimddp", True, False),
        ("Features\t: fp asimd", False, False),
        ("vmx flags\t: avx512_vnni", False, False),
    ],
)
def test_the_processor_tells_what_it_computes(
    line: str, *, dots: bool, bfloat16: bool, tmp_path: Path
) -> None:
    """Integer dot products and bfloat16 are read from the flags of x86 and of ARM, whole words."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nmodel name\t: Some CPU: 3\n{line}\n\nprocessor\t: 1\n")
    assert (has_integer_dots(cpuinfo), has_bfloat16(cpuinfo)) == (dots, bfloat16)
    assert name_processor(cpuinfo) == "Some CPU: 3"


def test_a_system_without_cpuinfo_has_a_name_and_no_features(tmp_path: Path) -> None:
    """Where nothing can be asked, nothing is claimed."""
    missing = tmp_path / "cpuinfo"
    assert (has_integer_dots(missing), has_bfloat16(missing)) == (False, False)
    assert name_processor(missing)
