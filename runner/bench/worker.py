"""One combination, timed: the program that ``impasto bench`` starts for each.

It reads a request as JSON from standard input and prints its answer as JSON.
"""

import json
import signal
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from runner.errors import ImpastoError
from runner.network import Network, open_network
from runner.session import RUNTIME_ERRORS

WARM_UP_RUNS = 2
WARM_UP_S = 0.2
FEWEST_RUNS = 3
MOST_RUNS = 10_000
SEED = 20


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Measure, and say how it went.

    Args:
        request: ``model``, ``provider``, ``precision``, ``shape``, ``threads`` as in
            :class:`runner.bench.combinations.Combination`, and ``seconds`` to spend.

    Returns:
        ``run_s`` (the time of each run), ``open_s`` and ``peak_bytes``; or ``error``, one line.
    """
    begun = time.perf_counter()
    try:
        network = open_network(
            Path(request["model"]),
            request["provider"],
            request["threads"],
            precision=request["precision"],
        )
        open_s = time.perf_counter() - begun
        feeds = make_feeds(network, tuple(request["shape"]))
        run_s = time_runs(lambda: network.session.run(None, feeds), request["seconds"])
    except ImpastoError as error:
        return {"error": error.message}
    except MemoryError:
        return {"error": "there is not enough memory; try a smaller size or batch"}
    except RUNTIME_ERRORS as error:
        return {"error": f"ONNX Runtime cannot run it ({str(error).splitlines()[0]})"}
    return {"run_s": run_s, "open_s": open_s, "peak_bytes": measure_peak()}


def make_feeds(network: Network, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return noise as pictures, and the first style for each of them."""
    pixels = np.random.default_rng(SEED).integers(0, 256, shape, dtype=np.uint8)
    if network.card.task != "stylize":
        return {"image": pixels}
    weights = np.zeros((shape[0], len(network.card.styles)), np.float32)
    weights[:, :1] = 1
    return {"image": pixels, "style_weights": weights}


def time_runs(run: Callable[[], object], seconds: float) -> list[float]:
    """Warm up, then return the seconds of each run until the time is spent."""
    begun, runs = time.perf_counter(), 0
    while runs < WARM_UP_RUNS or (time.perf_counter() - begun < WARM_UP_S and runs < MOST_RUNS):
        run()
        runs += 1
    moments = [time.perf_counter()]
    while len(moments) <= MOST_RUNS:
        run()
        moments.append(time.perf_counter())
        if len(moments) > FEWEST_RUNS and moments[-1] - moments[0] >= seconds:
            break
    return [after - before for before, after in pairwise(moments)]


def measure_peak() -> int | None:
    """Return the largest resident memory of this process in bytes; None on Windows."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return None
    # KiB on Linux, bytes on macOS
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def main() -> None:
    """Answer one request."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command that started it ends it
    request = json.loads(sys.stdin.read())
    sys.stdout.write(json.dumps(answer(request)))


if __name__ == "__main__":
    main()
