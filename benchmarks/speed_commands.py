"""The rows of `speed.py` that time whole commands on a folder of photos."""

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from measuring import run_process
from speed_rows import Finding, Setting, take_turns, time_part

CAP = 1024  # long side in pixels


def paint_folder(setting: Setting, *options: str) -> list[str]:
    """Return the command that paints all photos, without its output folder."""
    size = ("--size", str(CAP), "--quality", "90", "--model", str(setting.model))
    return ["impasto", "stylize", str(setting.photos), *size, *options, "-o"]


def run_folder(command: Sequence[str], peaks: list[float] | None = None) -> float:
    """Run a command into a fresh folder and return its wall seconds."""
    with tempfile.TemporaryDirectory() as painted:
        run = run_process([*command, str(Path(painted, "out"))])
    if peaks is not None:
        peaks.append(run.peak_mib)
    return run.wall_s


def measure_folder(setting: Setting) -> list[Finding]:
    """Whole commands on the folder: JPEG as it came, and PNG as the peer writes it."""
    peer = [setting.peers.command, str(setting.photos), "--max-size", str(CAP), "-o"]
    sides = {"peer": peer, "jpeg": paint_folder(setting)}
    sides["png"] = paint_folder(setting, "--format", "png")
    measures = {name: partial(run_folder, command) for name, command in sides.items()}
    medians, spreads = take_turns(setting, measures)
    rates = {name: setting.count / seconds for name, seconds in medians.items()}
    details = {"pictures_per_second": rates, "spread_s": spreads}
    return [
        Finding("folder", f"{name} out", rates[name] / rates["peer"], "x faster", 5, 8, details)
        for name in ("jpeg", "png")
    ]


def measure_pipeline(setting: Setting) -> list[Finding]:
    """The command against cores / (core-seconds of decode + inference + encode, each alone)."""
    stages = ("decode", "inference", "encode")
    measures: dict[str, Callable[[], float]] = {
        stage: partial(time_part, stage, setting.photos, side=CAP, model=setting.model)
        for stage in stages
    }
    command = {"command": partial(run_folder, paint_folder(setting))}
    medians, spreads = take_turns(setting, measures | command)
    cores = len(os.sched_getaffinity(0))
    bound = cores / sum(medians[stage] for stage in stages)
    rate = setting.count / medians["command"]
    core_seconds = {stage: medians[stage] for stage in stages}
    details = {
        "pictures_per_second": {"command": rate, "bound": bound},
        "core_seconds": core_seconds,
        "spread_s": spreads,
    }
    return [Finding("pipeline", "jpeg out", rate / bound, "of the bound", 0.9, 0.97, details)]


def measure_memory(setting: Setting) -> list[Finding]:
    """The peak of resident memory over the folder."""
    peaks: list[float] = []
    for _ in range(setting.rounds):
        run_folder(paint_folder(setting), peaks)
    megabytes = statistics.median(peaks) * 2**20 / 1e6
    details = {"peak_mib": peaks}
    return [Finding("memory", f"{setting.count} photos", megabytes, "MB", 500, 300, details)]


def measure_start(setting: Setting) -> list[Finding]:
    """One small picture, whole command, against importing the runtime."""
    photo, model = min(setting.photos.iterdir()), str(setting.model)
    command = ["impasto", "stylize", str(photo), "--size", "256", "--model", model, "-o"]
    runtime = [sys.executable, "-c", "import onnxruntime"]
    measures: dict[str, Callable[[], float]] = {
        "runtime": lambda: run_process(runtime).wall_s,
        "command": partial(run_folder, command),
    }
    medians, spreads = take_turns(setting, measures)
    ratio = medians["command"] / medians["runtime"]
    details = {"seconds": medians, "spread_s": spreads}
    return [Finding("start", "one 256 px photo", ratio, "x the import", 2, 1.3, details)]
