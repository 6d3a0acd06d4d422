"""How fast the command starts, against what it cannot do without.

`--help` against `python -c "import click, numpy"`; `impasto shapes vgg16` against twice
`python -c "import click"` plus 50 ms.

python benchmarks/startup.py
"""

import argparse
import statistics
import sys
from functools import partial

from measuring import alternate, describe_machine, describe_spread, run_process

CLICK, NUMPY, SHAPES = "import click", "import click, numpy", "impasto shapes vgg16"
COMMANDS = {
    CLICK: [sys.executable, "-c", CLICK],
    NUMPY: [sys.executable, "-c", NUMPY],
    "impasto --help": ["impasto", "--help"],
    "impasto stylize --help": ["impasto", "stylize", "--help"],
    SHAPES: ["impasto", "shapes", "vgg16"],
}
SPARE_S = 0.05


def measure_wall(command: list[str]) -> float:
    """Return the seconds that a command takes from start to end."""
    return run_process(command).wall_s


def main() -> None:
    """Measure whole processes in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    measures = {name: partial(measure_wall, command) for name, command in COMMANDS.items()}
    found = alternate(args.rounds, measures)
    medians = {name: statistics.median(values) for name, values in found.items()}
    print(describe_machine(["click", "numpy"]))
    for name, values in found.items():
        ratio = f"{medians[name] / medians[NUMPY]:.2f} times {NUMPY!r}"
        print(f"{name:<24} {describe_spread(values)} s   {ratio}")
    allowed = 2 * medians[CLICK] + SPARE_S
    print(f"{SHAPES}: {medians[SHAPES]:.3f} s of 2 * {CLICK!r} + {SPARE_S} s = {allowed:.3f} s")


if __name__ == "__main__":
    main()
