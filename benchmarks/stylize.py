"""How fast `impasto stylize` is, against its own bound, the bare session and plain PyTorch.

    python benchmarks/stylize.py --photos examples/photos --checkpoint CHECKPOINT

All measurements use the same pictures: JPEG files with a long side of 1024 px, made from the
photos given (random crops, enlarged where they are smaller). Each part runs in a process of
its own, the parts in turn:

- decode, inference, encode: core-seconds per picture, each alone on one thread. Together
  they bound what any pipeline on these cores can do: cores / their sum.
- command: `impasto stylize` as a whole process, JPEG in and out, start included.
- session: the bare ONNX Runtime session on ready arrays, all cores in each run.
- pytorch: the usual loop with the same weights: decode, eager network, encode, one by one
  (only with --checkpoint; needs the extra 'train').
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measuring import alternate, describe_machine, describe_spread, run_process
from PIL import Image

SIZE = (1024, 768)
QUALITY = 90
PACKAGES = ("onnxruntime", "torch", "Pillow", "numpy")
SEED = 20


def compose_photos(source: Path, target: Path, count: int) -> None:
    """Cut ``count`` different JPEG files of 1024x768 px out of the pictures of a folder."""
    from runner.folders import plan_jobs
    from runner.images import decode

    generator = np.random.default_rng(SEED)
    jobs = plan_jobs([source], target).jobs
    pictures = [Image.fromarray(decode(job.source.read_bytes()).frames[0]) for job in jobs]
    for number in range(count):
        picture = pictures[number % len(pictures)]
        side = min(picture.width / 4, picture.height / 3) * generator.uniform(0.7, 1.0)
        width, height = 4 * side, 3 * side
        left = generator.uniform(0, picture.width - width)
        top = generator.uniform(0, picture.height - height)
        crop = picture.resize(
            SIZE, Image.Resampling.LANCZOS, (left, top, left + width, top + height)
        )
        crop.save(target / f"{number:04d}.jpg", quality=QUALITY)


def measure_part(part: str, folder: Path, checkpoint: Path | None) -> float:
    """Return core-seconds per picture of one stage, or wall seconds per picture of a loop."""
    files = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
    if part == "decode":
        from runner.images import decode

        return _time_each(decode, files, time.process_time)
    if part == "encode":
        return _measure_encode(files)
    if part in {"inference", "session"}:
        return _measure_session(part, files)
    assert checkpoint is not None
    return _measure_pytorch(files, checkpoint)


def _time_each(work: Any, items: list[Any], clock: Any) -> float:  # noqa: ANN401
    work(items[0])
    begun = clock()
    for item in items:
        work(item)
    return float((clock() - begun) / len(items))


def _measure_encode(files: list[bytes]) -> float:
    """Encode paintings, which hold more detail than the photos they were made from."""
    from runner.encoding import encode
    from runner.images import decode
    from runner.stylize import Painter

    painter = Painter(provider="cpu")
    effect = painter.choose()
    pictures = [decode(data) for data in files[:12]]
    painted = [p.with_frames(tuple(painter.paint(p.frames, effect))) for p in pictures]
    return _time_each(lambda p: encode(p, "JPEG", QUALITY), painted * 3, time.process_time)


def _measure_session(part: str, files: list[bytes]) -> float:
    from runner.images import decode
    from runner.stylize import Painter

    # Twelve ready arrays are painted again and again: memory for all is not the question.
    photos = [decode(data).frames[0] for data in files[:12]]
    painter = Painter(threads=1 if part == "inference" else None, provider="cpu")
    effect = painter.choose()
    clock = time.process_time if part == "inference" else time.perf_counter
    return _time_each(lambda photo: painter.paint([photo], effect), photos * 3, clock)


def _measure_pytorch(files: list[bytes], checkpoint: Path) -> float:
    import io

    import torch

    from models.style.checkpoint import read_checkpoint

    saved = read_checkpoint(checkpoint)
    net = saved.build()
    weights = torch.eye(len(saved.styles))[:1]

    @torch.inference_mode()
    def paint(data: bytes) -> None:
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).copy()
        photo = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255.0
        painted = (net(photo, weights)[0].clamp(0, 1) * 255.0).round().byte()
        Image.fromarray(painted.permute(1, 2, 0).numpy()).save(
            io.BytesIO(), "JPEG", quality=QUALITY
        )

    return _time_each(paint, files[:24], time.perf_counter)


def run_part(part: str, folder: Path, checkpoint: Path | None) -> float:
    """Measure one part in a fresh process and return what it printed."""
    import subprocess

    command = [sys.executable, __file__, "--part", part, "--photos", str(folder)]
    command += ["--checkpoint", str(checkpoint)] if checkpoint else []
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True, help="folder of pictures to cut from")
    parser.add_argument("--checkpoint", type=Path, help="style.safetensors of the same weights")
    parser.add_argument("--count", type=int, default=200, help="pictures for the command")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        print(measure_part(args.part, args.photos, args.checkpoint))
        return
    with tempfile.TemporaryDirectory() as scratch:
        few, many = Path(scratch, "few"), Path(scratch, "many")
        for folder, count in ((few, 36), (many, args.count)):
            folder.mkdir()
            compose_photos(args.photos, folder, count)
        report = measure(few, many, args)
    print(json.dumps(report, indent=1) if args.json else format_report(report))


def measure(few: Path, many: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Run every part in turn and combine the medians."""
    peaks: list[float] = []

    def run_command() -> float:
        with tempfile.TemporaryDirectory() as painted:
            run = run_process(
                ["impasto", "stylize", str(many), "-o", painted, "--quality", str(QUALITY)]
            )
        peaks.append(run.peak_mib)
        return run.wall_s / float(args.count)

    parts = ["decode", "inference", "encode", "session"] + (["pytorch"] if args.checkpoint else [])
    measures: dict[str, Any] = {
        part: partial(run_part, part, few, args.checkpoint) for part in parts
    }
    found = alternate(args.rounds, measures | {"command": run_command})
    middle = {name: statistics.median(values) for name, values in found.items()}
    cores = len(os.sched_getaffinity(0))
    bound = cores / (middle["decode"] + middle["inference"] + middle["encode"])
    rates = {name: 1 / middle[name] for name in ("command", "session", "pytorch") if name in middle}
    return {
        "machine": describe_machine(PACKAGES),
        "pictures": {"count": args.count, "width": SIZE[0], "height": SIZE[1]},
        "core_seconds": {name: middle[name] for name in ("decode", "inference", "encode")},
        "spread": {name: describe_spread(values) for name, values in found.items()},
        "pictures_per_second": rates | {"bound": bound},
        "command_against": {
            name: rates["command"] / rate
            for name, rate in (rates | {"bound": bound}).items()
            if name != "command"
        },
        "peak_mib": statistics.median(peaks),
    }


def format_report(report: dict[str, Any]) -> str:
    """Lay the report out as text."""
    rates, ratios = report["pictures_per_second"], report["command_against"]
    lines = [
        report["machine"],
        "{count} JPEG files of {width}x{height} px".format(**report["pictures"]),
    ]
    for name, seconds in report["core_seconds"].items():
        lines.append(f"{name:<10} {seconds * 1000:8.1f} ms of one core per picture")
    lines.append(f"{'command':<10} {rates['command']:8.2f} pictures/s")
    for name in ("bound", "session", "pytorch"):
        if name in rates:
            rate, ratio = rates[name], ratios[name]
            lines.append(f"{name:<10} {rate:8.2f} pictures/s   command / {name} = {ratio:.2f}")
    lines.append(f"{'memory':<10} {report['peak_mib']:8.0f} MiB at the command's peak")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
