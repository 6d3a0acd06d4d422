"""How fast classifiers are: against plain PyTorch, and `impasto classify` against its own bound.

    python benchmarks/classify.py --digits MNIST --photos examples/photos --work FOLDER

Every measurement runs in a process of its own, and all that are compared take turns:

- engines: milliseconds per picture, in batches of 1 and 32, of ONNX Runtime with the fp32 and
  the int8 file and of PyTorch eager with the same weights. All are given the same uint8 pixels,
  all scale them and end with probabilities, all use all processors.
- command: `impasto classify FOLDER -o results.jsonl` as a whole process, and less its start,
  which is the same command on one picture. Its bound is cores / (core-seconds per picture of
  decoding + of inference, each alone on one thread).

Networks have their published size and random weights unless --checkpoint NAME=FILE gives others.
Digits (28x28 PNG) are for LeNet-5 and SimpleConvNet, photographs (640x480 JPEG) for the others.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from measuring import alternate, describe_machine, describe_spread, run_process

PARTS = Path(__file__).with_name("classify_parts.py")
PACKAGES = ("onnxruntime", "torch", "Pillow", "numpy")
DIGITS = {"lenet5": 8000, "simpleconvnet": 8000}  # pictures for the command
PHOTOS = {"alexnet": 400, "vgg16": 80}
BATCHES = (1, 32)
GOALS = {"fp32": 1.3, "int8": 2.5}  # times PyTorch; int8 for the large networks
BOUND_GOAL = 0.9
QUICK = {"lenet5": 1200, "simpleconvnet": 300, "alexnet": 40, "vgg16": 24}


@dataclass(frozen=True)
class Files:
    """What the measurements of one network need."""

    name: str
    checkpoint: Path
    fp32: Path
    int8: Path
    pixels: Path
    pictures: Path
    count: int


def run_part(part: str, **values: object) -> float:
    """Run one part in a fresh process and return the number it printed.

    Raises:
        SystemExit: it failed.
    """
    command = [sys.executable, str(PARTS), part, json.dumps(values, default=str)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = f"{part} {values} failed:\n{done.stderr}"
        raise SystemExit(words)
    return float(done.stdout.splitlines()[-1])


def make_pictures(source: Path, folder: Path, count: int, *, digits: bool) -> tuple[Path, int]:
    """Return a folder of pictures and their number: a given one, or one made here."""
    if digits and any(source.glob("*.png")):
        return source, len(list(source.glob("*.png")))
    if not folder.is_dir():
        begun = folder.with_name(f"{folder.name}.part")
        begun.mkdir(parents=True, exist_ok=True)
        part = "write_digits" if digits else "cut_photos"
        run_part(part, source=source, folder=begun, count=count)
        begun.rename(folder)
    return folder, len(list(folder.iterdir()))


def make_files(name: str, args: argparse.Namespace, work: Path) -> Files:
    """Make what is not there yet: checkpoint, both ONNX files, pictures, prepared pixels."""
    digits = name in DIGITS
    source: Path = args.digits if digits else args.photos
    count = QUICK[name] if args.quick else (DIGITS | PHOTOS)[name]
    pictures, count = make_pictures(source, work / f"pictures-{name}-{count}", count, digits=digits)
    checkpoint = args.checkpoints.get(name, work / f"{name}.safetensors")
    if not checkpoint.exists():
        run_part("draw_checkpoint", name=name, path=checkpoint)
    fp32, int8 = work / f"{name}-fp32.onnx", work / f"{name}-int8.onnx"
    random = name not in args.checkpoints
    # What random weights find is near a tie and may change with the rounding.
    free = ["--min-agreement", "0"] if random else []
    eight = ["--precision", "int8", "--calibrate", str(pictures), *free]
    for path, options in ((fp32, ["--fold"]), (int8, eight)):
        if not path.exists():
            print(f"making {path.name}", file=sys.stderr)
            run_process(["impasto", "export", str(checkpoint), "-o", str(path), *options])
    pixels = work / f"{name}-pixels.npy"
    if not pixels.exists():
        run_part("prepare_pixels", model=fp32, folder=pictures, path=pixels)
    return Files(name, checkpoint, fp32, int8, pixels, pictures, count)


def measure_engines(files: Files, args: argparse.Namespace) -> dict[str, Any]:
    """Time the three engines in turn, for each batch."""
    report = {}
    for batch in (1, 4) if args.quick else BATCHES:
        shared = {"pixels": files.pixels, "batch": batch, "seconds": 0.2 if args.quick else 4.0}
        measures = {
            "fp32": partial(run_part, "time_runtime", model=files.fp32, **shared),
            "int8": partial(run_part, "time_runtime", model=files.int8, **shared),
            "pytorch": partial(run_part, "time_pytorch", checkpoint=files.checkpoint, **shared),
        }
        found = alternate(args.rounds, measures)
        middle = {engine: statistics.median(values) for engine, values in found.items()}
        report[str(batch)] = {
            "ms_per_picture": middle,
            "spread_ms": {engine: describe_spread(values) for engine, values in found.items()},
            "times_pytorch": {key: middle["pytorch"] / middle[key] for key in ("fp32", "int8")},
        }
    return report


def time_command(target: Path, model: Path) -> float:
    """Return wall seconds of `impasto classify` as a whole process."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch, "results.jsonl")
        options = ["--model", str(model), "--provider", "cpu", "-o", str(output)]
        return run_process(["impasto", "classify", str(target), *options]).wall_s


def measure_command(files: Files, rounds: int) -> dict[str, Any]:
    """Time the command, its start and its two parts in turn."""
    one = min(files.pictures.iterdir())
    shared = {"model": files.fp32, "folder": files.pictures}
    found = alternate(
        rounds,
        {
            "command": partial(time_command, files.pictures, files.fp32),
            "start": partial(time_command, one, files.fp32),
            "decoding": partial(run_part, "time_decoding", **shared),
            "inference": partial(run_part, "time_inference", pixels=files.pixels, **shared),
        },
    )
    middle = {name: statistics.median(values) for name, values in found.items()}
    bound = len(os.sched_getaffinity(0)) / (middle["decoding"] + middle["inference"])
    whole = files.count / middle["command"]
    running = files.count / max(middle["command"] - middle["start"], 1e-9)
    return {
        "pictures": files.count,
        "median_s": middle,
        "spread_s": {name: describe_spread(values) for name, values in found.items()},
        "pictures_per_second": {"bound": bound, "whole": whole, "less_start": running},
        "of_bound": {"whole": whole / bound, "less_start": running / bound},
    }


def format_engines(name: str, report: dict[str, Any]) -> list[str]:
    """Return a line per batch and engine."""
    lines = []
    for batch, found in report.items():
        for engine, ms in found["ms_per_picture"].items():
            line = f"{name:<14} batch {batch:>2}  {engine:<8} {ms:9.3f} ms {1000 / ms:10.1f} /s"
            ratio = found["times_pytorch"].get(engine)
            goal = GOALS[engine] if ratio and (engine == "fp32" or name in PHOTOS) else None
            line += f"  {ratio:.2f}x PyTorch" if ratio else ""
            lines.append(line + (f" (goal {goal}x)" if goal else ""))
    return lines


def format_command(name: str, report: dict[str, Any]) -> list[str]:
    """Return what the command does, and its bound."""
    rates, seconds, share = (report[key] for key in ("pictures_per_second", "median_s", "of_bound"))
    parts = (
        f"{name:<14} {report['pictures']} files: decoding {seconds['decoding'] * 1000:.3f} and "
        f"inference {seconds['inference'] * 1000:.3f} ms of one core per picture, start "
        f"{seconds['start']:.2f} s"
    )
    whole = (
        f"{'':<14} command {rates['whole']:.1f} /s, less its start {rates['less_start']:.1f} /s; "
        f"bound {rates['bound']:.1f} /s: {share['whole']:.0%} and {share['less_start']:.0%} "
        f"(goal {BOUND_GOAL:.0%})"
    )
    return [parts, whole]


def format_report(report: dict[str, Any]) -> str:
    """Lay the report out as text."""
    lines = [report["machine"]]
    for name, found in report["networks"].items():
        lines.append(f"{name}: {found['weights']}")
        lines += format_engines(name, found["engines"]) + format_command(name, found["command"])
    return "\n".join(lines)


def read_pair(text: str) -> tuple[str, Path]:
    """Read NAME=FILE."""
    name, _, path = text.partition("=")
    if name not in DIGITS | PHOTOS or not Path(path).is_file():
        message = f"{text} is not NAME=FILE, with NAME one of {', '.join(DIGITS | PHOTOS)}"
        raise argparse.ArgumentTypeError(message)
    return name, Path(path)


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--networks", nargs="+", choices=[*DIGITS, *PHOTOS], default=[*DIGITS, *PHOTOS])
    add("--digits", type=Path, help="folder of MNIST's IDX files, or of PNG files")
    add("--photos", type=Path, default=Path("examples/photos"), help="folder to cut from")
    add("--checkpoint", type=read_pair, action="append", default=[], metavar="NAME=FILE")
    add("--work", type=Path, help="folder that keeps the files made; else they are thrown away")
    add("--rounds", type=int, default=5)
    add("--quick", action="store_true", help="few pictures and short runs, to see that it works")
    add("--json", type=Path, metavar="FILE", help="write all numbers there")
    args = parser.parse_args()
    if args.digits is None and any(name in DIGITS for name in args.networks):
        parser.error("--digits FOLDER is needed for lenet5 and simpleconvnet")
    args.checkpoints = dict(args.checkpoint)
    return args


def main() -> None:
    """Make the files, measure, and print a table."""
    args = read_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        work = args.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        networks: dict[str, Any] = {}
        for name in args.networks:
            files = make_files(name, args, work)
            networks[name] = {
                "weights": "given" if name in args.checkpoints else "random",
                "engines": measure_engines(files, args),
                "command": measure_command(files, args.rounds),
            }
    report = {"machine": describe_machine(PACKAGES), "networks": networks}
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    print(format_report(report))


if __name__ == "__main__":
    main()
