"""How fast the command starts, against `python -c "import click, numpy"`.

python benchmarks/startup.py
"""

import argparse
import statistics
import sys
from functools import partial

from measuring import alternate, describe_machine, describe_spread, run_process

COMMANDS = {
    "import click, numpy": [sys.executable, "-c", "import click, numpy"],
    "impasto --help": ["impasto", "--help"],
    "impasto stylize --help": ["impasto", "stylize", "--help"],
}


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
    print(describe_machine(["click", "numpy"]))
    base = statistics.median(found["import click, numpy"])
    for name, values in found.items():
        ratio = statistics.median(values) / base
        print(f"{name:<24} {describe_spread(values)} s   {ratio:.2f} times the import")


if __name__ == "__main__":
    main()
