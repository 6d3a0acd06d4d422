"""What every benchmark here needs: whole processes measured, medians, the machine in words."""

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One finished process."""

    wall_s: float
    cpu_s: float
    peak_mib: float


# A process begins with the peak of the one that starts it (Linux copies it at exec), so that a
# small one must start what is measured.
LAUNCHER = """
import json, os, sys, time
begun = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
wall_s = time.perf_counter() - begun
cpu_s = usage.ru_utime + usage.ru_stime
found = os.waitstatus_to_exitcode(status), wall_s, cpu_s, usage.ru_maxrss
os.write(int(sys.argv[1]), json.dumps(found).encode())
"""


def run_process(command: Sequence[str]) -> Run:
    """Run a command to its end and measure it; its output is thrown away.

    Raises:
        SystemExit: it failed.
    """
    reading, writing = os.pipe()
    launch = [sys.executable, "-ISc", LAUNCHER, str(writing), *command]
    done = subprocess.run(
        launch, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=[writing], check=False
    )
    os.close(writing)
    with os.fdopen(reading) as report:
        found = report.read()
    code, wall_s, cpu_s, peak = json.loads(found) if found else (done.returncode, 0.0, 0.0, 0)
    if code:
        words = f"{' '.join(command)} failed:\n{done.stderr.decode(errors='replace')}"
        raise SystemExit(words)
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    return Run(wall_s, cpu_s, peak / (1024**2 if sys.platform == "darwin" else 1024))


def alternate(rounds: int, measures: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Call the measures in turn, A B C A B C, so that a drift of the machine hits all alike."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds):
        for name, measure in measures.items():
            found[name].append(measure())
            print(f"round {number + 1}/{rounds}  {name}: {found[name][-1]:.4f}", file=sys.stderr)
    return found


def describe_spread(values: Iterable[float]) -> str:
    """Return median and range."""
    ordered = sorted(values)
    return f"{statistics.median(ordered):.3f} ({ordered[0]:.3f} to {ordered[-1]:.3f})"


def describe_machine(packages: Sequence[str]) -> str:
    """Name processor, cores, Python and the versions of packages."""
    versions = [f"Python {platform.python_version()}"]
    for package in packages:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return f"{_name_processor()}, {len(os.sched_getaffinity(0))} cores; {', '.join(versions)}"


def _name_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
