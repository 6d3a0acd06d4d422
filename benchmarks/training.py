"""How long a training step takes, in fp32 and with the VGG in bfloat16.

python benchmarks/training.py --vgg vgg16.safetensors --photos photos --paintings paintings
"""

import argparse
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from measuring import describe_machine, describe_spread


def time_steps(args: argparse.Namespace, precision: str) -> list[float]:
    """Return the seconds of each step but the first two."""
    from models.style.photos import list_paintings, list_photos
    from models.style.settings import RunFiles, Settings
    from models.style.training import StyleTraining

    settings = Settings(steps=args.steps + 2, precision=precision)
    with tempfile.TemporaryDirectory() as scratch:
        paintings = list_paintings(args.paintings, None, ())
        files = RunFiles(args.vgg, list_photos(args.photos), paintings, Path(scratch, "run"))
        training = StyleTraining(
            settings, files, report=lambda sentence: print(sentence, file=sys.stderr)
        )
        moments = [time.perf_counter() for _ in training.run()]
    return [after - before for before, after in pairwise(moments[1:])]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--vgg", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--paintings", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=20)
    args = parser.parse_args()
    print(describe_machine(["torch", "numpy"]))
    for precision in ("fp32", "bf16"):
        seconds = time_steps(args, precision)
        spread = describe_spread(seconds)
        print(f"{precision}  {spread} s per step  {1 / statistics.median(seconds):.2f} steps/s")


if __name__ == "__main__":
    main()
