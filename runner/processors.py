"""How many processors this process may really use."""

import math
import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


def count_processors() -> int:
    """Return the processors that affinity and the container's CPU quota leave, at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = read_quota()
    allowed = affinity or 1
    return max(1, min(allowed, math.ceil(quota)) if quota else allowed)


def read_quota(root: Path = CGROUPS, own: Path = OWN_CGROUP) -> float | None:
    """Return the CPU quota in processors, such as 1.5, or None where there is none.

    Understands control groups of version 2 (``cpu.max``, the tightest from this
    process' group up to the root) and of version 1 (``cpu.cfs_quota_us``).
    """
    quotas = [_read_version_2(folder) for folder in _list_groups(root, own)]
    quotas.append(_read_version_1(root / "cpu"))
    limits = [quota for quota in quotas if quota is not None]
    return min(limits, default=None)


def _list_groups(root: Path, own: Path) -> list[Path]:
    """List this process' group and its parents; inside a container the root is its own group."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return [root]
    path = next((line[3:].strip("/") for line in lines if line.startswith("0::")), "")
    parts = [part for part in path.split("/") if part and part != ".."]
    return [root.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)]


def _read_version_2(folder: Path) -> float | None:
    try:
        quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _read_version_1(folder: Path) -> float | None:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text(encoding="ascii"))
        period = int((folder / "cpu.cfs_period_us").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return quota / period if quota > 0 and period > 0 else None
