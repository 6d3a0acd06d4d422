"""One measurement in a process of its own: `speed.py` starts this program for each.

    python benchmarks/speed_parts.py session FILE.onnx --side 512 --threads 2 --seconds 2

Prints one number. Only what a part needs is imported: `session` also runs in environments that
have nothing but ONNX Runtime and NumPy.
"""

import argparse
import io
import json
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

WARM_UP_S = 0.3
FEWEST_RUNS = 3
QUALITY = 90
MATRIX = 2048  # side of the matrices whose product measures the peak
COPY_BYTES = 2**29  # far beyond any cache
SEED = 20


def time_run(run: Callable[[], object], seconds: float) -> float:
    """Return the median seconds of a run, warm-up apart."""
    begun, warm = time.perf_counter(), 0
    while warm < 2 or time.perf_counter() - begun < WARM_UP_S:
        run()
        warm += 1
    times: list[float] = []
    while len(times) < FEWEST_RUNS or sum(times) < seconds:
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def open_plain(model: str | bytes, threads: int, providers: Sequence[Any] = ()) -> Any:  # noqa: ANN401
    """Open a plain session: nothing set but the threads."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    return ort.InferenceSession(model, options, providers=[*providers, "CPUExecutionProvider"])


def make_feeds(session: Any, side: int) -> dict[str, np.ndarray]:  # noqa: ANN401
    """Return noise for every input: a square picture in the layout of the file, the first style."""
    generator = np.random.default_rng(SEED)
    feeds: dict[str, np.ndarray] = {}
    for tensor in session.get_inputs():
        if len(tensor.shape) == 4:
            channels_last = tensor.shape[3] == 3
            shape = (1, side, side, 3) if channels_last else (1, 3, side, side)
            pixels = generator.integers(0, 256, shape, dtype=np.uint8)
            whole = tensor.type == "tensor(uint8)"
            feeds[tensor.name] = pixels if whole else (pixels / np.float32(255))
        else:
            weights = np.zeros([n if isinstance(n, int) else 1 for n in tensor.shape], np.float32)
            weights[..., 0] = 1
            feeds[tensor.name] = weights
    return feeds


def measure_session(args: argparse.Namespace) -> float:
    """Return the milliseconds of one picture in a plain session.

    Raises:
        SystemExit: the asked-for provider did not come.
    """
    providers = [(args.provider, json.loads(args.options))] if args.provider else []
    session = open_plain(str(args.target), args.threads, providers)
    if args.provider and session.get_providers()[0] != args.provider:
        message = f"{args.provider} fell back to the CPU"
        raise SystemExit(message)
    feeds = make_feeds(session, args.side)
    return 1000 * time_run(lambda: session.run(None, feeds), args.seconds)


def measure_eager(args: argparse.Namespace) -> float:
    """Return the milliseconds of one picture in PyTorch: the loop of the usual example.

    Its steps are those of pytorch/examples, fast_neural_style: pixels to a float tensor, the
    network without gradients, clamp, back to bytes. The `paper` network with random weights, whose
    values do not change the time.
    """
    import torch

    from models.style.architecture import CONFIGS
    from models.style.style_net import StyleNet

    torch.set_num_threads(args.threads)
    net = StyleNet(CONFIGS["paper"], styles=1).eval()
    weights = torch.ones(1, 1)
    pixels = np.random.default_rng(SEED).integers(0, 256, (args.side, args.side, 3), dtype=np.uint8)

    @torch.no_grad()
    def paint() -> np.ndarray:
        photo = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
        painted = net(photo, weights)[0].clamp(0, 1) * 255
        return np.asarray(painted.permute(1, 2, 0).numpy().astype(np.uint8))

    return 1000 * time_run(paint, args.seconds)


def measure_peak(args: argparse.Namespace) -> float:
    """Return multiply-adds per second of a large matrix product in ONNX Runtime."""
    from speed_bounds import build_product

    session = open_plain(build_product(str(args.target), MATRIX), args.threads)
    generator = np.random.default_rng(SEED)
    feeds = {
        tensor.name: generator.integers(0, 100, (MATRIX, MATRIX)).astype(
            {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}[tensor.type]
        )
        for tensor in session.get_inputs()
    }
    return float(MATRIX**3) / time_run(lambda: session.run(None, feeds), args.seconds)


def measure_copy(args: argparse.Namespace) -> float:
    """Return bytes per second of a large copy: each byte is read once and written once."""
    count: int = args.threads
    size = COPY_BYTES // count
    pairs = [(np.ones(size, np.uint8), np.ones(size, np.uint8)) for _ in range(count)]

    def copy() -> None:
        threads = [
            threading.Thread(target=np.copyto, args=(target, origin)) for origin, target in pairs
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return 2.0 * size * len(pairs) / time_run(copy, args.seconds)


def measure_stage(args: argparse.Namespace) -> float:
    """Return core-seconds per picture of one stage, alone, over all photos of a folder."""
    from runner.encoding import encode
    from runner.images import decode
    from runner.stylize import Painter

    files = [path.read_bytes() for path in sorted(args.target.iterdir())]
    if args.part == "decode":
        return time_each(lambda data: decode(data, args.side), files)
    pictures = [decode(data, args.side) for data in files]
    painter = Painter(args.model, "cpu", 1, precision=args.precision)
    effect = painter.choose()
    if args.part == "inference":
        return time_each(lambda picture: painter.paint(picture.frames[:1], effect), pictures)
    painted = [p.with_frames(tuple(painter.paint(p.frames[:1], effect))) for p in pictures]
    return time_each(lambda picture: encode(picture, "JPEG", QUALITY), painted)


def time_each(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """Return the processor seconds per item, the first being done once before."""
    work(items[0])
    begun = time.process_time()
    for item in items:
        work(item)
    return (time.process_time() - begun) / len(items)


def count_work(args: argparse.Namespace) -> str:
    """Return the work of a file on one square picture as JSON: see :mod:`speed_bounds`."""
    from speed_bounds import count_file

    buffer = io.StringIO()
    json.dump(count_file(args.target, args.side), buffer)
    return buffer.getvalue()


PARTS: dict[str, Callable[[argparse.Namespace], float | str]] = {
    "session": measure_session,
    "eager": measure_eager,
    "peak": measure_peak,
    "copy": measure_copy,
    "decode": measure_stage,
    "inference": measure_stage,
    "encode": measure_stage,
    "work": count_work,
}


def main() -> None:
    """Measure one part and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("target", type=Path, help="ONNX file, folder of photos, or fp32 / int8")
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--provider", default="")
    parser.add_argument("--options", default="{}")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--precision", default="auto")
    args = parser.parse_args()
    print(PARTS[args.part](args))


if __name__ == "__main__":
    main()
