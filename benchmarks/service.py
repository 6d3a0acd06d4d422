"""How fast the service is: against LitServe with the same file, and on its own under overload.

    python benchmarks/service.py [--rows closed open] [--networks lenet5] [--rounds 5]

rows: closed    clients that each wait for their answer, with batching and without
      open      requests that arrive at random at given rates (Poisson)
      health    health checks while 64 clients keep the server busy
      overload  three times the pictures that can be painted, and LeNet-5 beside them

Both servers run the same ONNX file in the same version of ONNX Runtime, on the same machine, in
turns A B A B, each on a port of 127.0.0.1, and are sent the same bytes: one raw picture of uint8,
32x32x1 for LeNet-5 and 256x256x3 with the weights of the styles for the style network. LitServe
is installed into an environment of its own and set up in several ways, of which the fastest is
taken; it has one run's threads and the same largest batch as our server, uvloop and httptools,
and no access log, which ours writes. The load comes from one process of raw sockets, whose own
share of the processors is reported. Latencies of open loops count from when a request was due.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from measuring import describe_machine
from service_rows import MEASURES, ROWS, measure
from service_servers import NETWORKS, PEER, Bench, PeerSettings
from speed_peers import Peers

VENVS = Path(tempfile.gettempdir(), "impasto-benchmarks")
PACKAGES = (
    "impasto", "onnxruntime", "numpy", "starlette", "uvicorn", "uvloop", "httptools",
)  # fmt: skip
QUICK = PeerSettings(workers=2, servers=1, timeout_s=0.005)


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--rounds", type=int, default=5, help="turns of every server")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each load")
    parser.add_argument("--threads", type=int, default=1, help="of one run of a network")
    parser.add_argument("--venvs", type=Path, default=VENVS, help="folder for environments")
    parser.add_argument(
        "--quick", action="store_true", help="short loads, one set-up: see that it works"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    return parser.parse_args()


def build_bench(args: argparse.Namespace, folder: Path) -> Bench:
    """Return what all measurements share."""
    return Bench(
        folder=folder,
        peers=Peers(args.venvs),
        seconds=1.0 if args.quick else args.seconds,
        warm_s=0.5 if args.quick else 2.0,
        rounds=1 if args.quick else args.rounds,
        threads=args.threads,
        processors=len(os.sched_getaffinity(0)),
    )


def format_row(title: str, loads: dict[str, Any]) -> list[str]:
    """Return the table of one row and network."""
    heads = ("/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms")
    lines = ["", title, f"{'':<36}" + "".join(f"{head:>8}" for head in heads)]
    for load, contenders in loads.items():
        for name, found in contenders.items():
            numbers = "".join(
                f"{found[key]:>8.{1 if key == 'per_second' else 2}f}" if key in found else " " * 8
                for key in MEASURES
            )
            lines.append(f"{load:<15} {name:<20}{numbers}")
            bad = {key: found[key] for key in ("failed", "missed") if found.get(key)}
            lines += [f"{'':<16}{bad}"] if bad else []
    return lines


def format_overload(title: str, rounds: list[dict[str, Any]]) -> list[str]:
    """Return what became of each round's pictures, digits and health checks."""
    lines = ["", f"{title}, rounds one by one"]
    for found in rounds:
        rates, client = found["per_second"], found["client_processors"]
        lines.append(
            f"  {rates['alone']:.1f}/s at most, {rates['beside']:.1f}/s beside digits and checks, "
            f"{rates['overload']:.1f}/s under overload: {found['kept']:.0%} of the second, "
            f"{found['kept_of_alone']:.0%} of the first"
        )
        lines.append(
            f"    answers {found['load']['statuses']}; {found['load']['missed']} requests could "
            "not be sent; the load itself took "
            f"{', '.join(f'{share:.2f}' for share in client.values())} processors"
        )
        for name in ("lenet5", "health"):
            times = ", ".join(f"{key} {ms:.1f}" for key, ms in found[name]["ms"].items())
            lines.append(f"    {name:<7} {found[name]['statuses']}, ms: {times}")
    return lines


def format_report(report: dict[str, Any]) -> str:
    """Lay the report out as text."""
    lines = [report["machine"], f"against {PEER}"]
    lines += [f"  {name}: {setup}" for name, setup in report["found"]["peer"].items()]
    for title, loads in report["found"].items():
        if title.startswith("overload"):
            for name, rounds in loads.items():
                lines += format_overload(f"{title} {name}", rounds)
        elif title != "peer":
            lines += format_row(title, loads)
    shares = [
        found["client_cpu"]
        for title, loads in report["found"].items()
        if title.startswith(("closed", "open"))
        for contenders in loads.values()
        for found in contenders.values()
    ]
    if shares:
        lines += ["", f"The load itself took at most {max(shares):.2f} processors."]
    return "\n".join(lines)


def main() -> None:
    """Measure and print a table."""
    args = read_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that servers end too
    with tempfile.TemporaryDirectory() as scratch:
        bench = build_bench(args, Path(scratch))
        setup = QUICK if args.quick else None
        found = measure(bench, args.rows, args.networks, setup=setup)
    report = {"machine": describe_machine(PACKAGES), "rounds": bench.rounds, "found": found}
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    print(format_report(report))


if __name__ == "__main__":
    main()
