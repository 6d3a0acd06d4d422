"""The processors: how many this process may really use, and what they compute fast."""

import math
import os
import platform
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")
CPUINFO = Path("/proc/cpuinfo")
# Instructions that sum int8 products in int32. Without them int8 costs more than float32, and
# on older x86 the sums of two products saturate.
INTEGER_DOTS = frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"})
BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16"})


def count_processors() -> int:
    """Return the processors that affinity and the container's CPU quota leave, at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = read_quota()
    allowed = affinity or 1
    return max(1, min(allowed, math.ceil(quota)) if quota else allowed)


def list_features(cpuinfo: Path = CPUINFO) -> frozenset[str]:
    """Return what the first processor says it can do, in Linux' words; elsewhere nothing."""
    words = _find_value(cpuinfo, ("flags", "Features"))  # x86, ARM
    return frozenset(words.split())


def has_integer_dots(cpuinfo: Path = CPUINFO) -> bool:
    """Tell whether int8 pays: VNNI, AMX, or ARM's dot products."""
    return bool(INTEGER_DOTS & list_features(cpuinfo))


def has_bfloat16(cpuinfo: Path = CPUINFO) -> bool:
    """Tell whether an x86 processor multiplies bfloat16."""
    return bool(BFLOAT16 & list_features(cpuinfo))


def name_processor(cpuinfo: Path = CPUINFO) -> str:
    """Return the name of the processor's model, or of its architecture."""
    name = _find_value(cpuinfo, ("model name",))
    return name or platform.processor() or platform.machine()


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


def _find_value(cpuinfo: Path, labels: tuple[str, ...]) -> str:
    """Return the text behind the first of ``labels`` in lines such as ``flags : fpu vme``."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    pairs = (line.partition(":") for line in lines)
    return next((text.strip() for label, _, text in pairs if label.strip() in labels), "")
