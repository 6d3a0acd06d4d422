"""The quiz's right answers, re-derived without the calculator."""

import re
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from calculator.teaching.quiz.exercises import Exercise
from calculator.teaching.quiz.levels import LEVELS, make_quiz
from calculator.teaching.quiz.questions import CONVENTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

# LeCun et al. 1998, Krizhevsky et al. 2012 as one tower, Simonyan and Zisserman 2015
PARAMS = {
    "lenet5": {"conv1": 156, "conv2": 2_416, "fc1": 48_120, "fc2": 10_164, "fc3": 850},
    "alexnet": {
        "conv1": 34_944,
        "conv2": 614_656,
        "conv3": 885_120,
        "fc1": 37_752_832,
        "fc3": 4_097_000,
    },
    "vgg16": {
        "conv1_1": 1_792,
        "conv1_2": 36_928,
        "conv2_1": 73_856,
        "fc1": 102_764_544,
        "fc3": 4_097_000,
    },
}
FIELDS = {
    "lenet5": {"conv2": 14, "pool2": 16},
    "alexnet": {"conv2": 51, "pool2": 67, "conv3": 99},
    "vgg16": {"pool1": 6, "conv2_1": 10, "pool2": 16},
}
SAVINGS = {"conv2": 307_200, "conv4": 663_552, "conv5": 442_368}
# parameters, biases, multiply-adds
COUNTS = {
    "lenet5": (61_706, 236, 416_520),
    "alexnet": (62_378_344, 10_568, 1_135_256_096),
    "vgg16": (138_357_544, 13_416, 15_470_264_320),
}


class Line:
    """The settings in a network's line, read without the calculator.

    Args:
        text: such as ``3x9x9 | conv 8@3x3 s2 p1``.
    """

    def __init__(self, text: str) -> None:
        shape, *self.layers = text.split(" | ")
        self.shape = [int(side) for side in shape.split("x")]

    def find(self, letter: str, layer: int = 0, *, usual: int = 0) -> int:
        """Return the number behind a letter of a layer."""
        match = re.search(rf"\b{letter}(\d+)", self.layers[layer].split(" ", 1)[-1])
        return int(match[1]) if match else usual

    def kernel(self, layer: int = 0) -> int:
        """Return the side of a layer's window."""
        match = re.search(r"(\d+)x\1", self.layers[layer])
        assert match is not None
        return int(match[1])

    def filters(self, layer: int = 0) -> int:
        """Return a layer's filters or units."""
        match = re.search(r"(?:conv|fc) (\d+)", self.layers[layer])
        assert match is not None
        return int(match[1])

    def place(self, size: int, layer: int = 0) -> list[int]:
        """Return where the windows start, one by one."""
        reach = self.find("d", layer, usual=1) * (self.kernel(layer) - 1) + 1
        padding = self.find("p", layer)
        usual = self.kernel(layer) if "pool" in self.layers[layer] else 1
        step = self.find("s", layer, usual=usual)
        last = size + padding - reach
        if "ceil" in self.layers[layer]:
            last = min(last + step - 1, size - 1)
        return list(range(-padding, last + 1, step))


def count_conv(line: Line) -> int:
    """Count weights and biases filter by filter."""
    biased = "nobias" not in line.layers[0]
    filters = line.shape[0] if "dwconv" in line.layers[0] else line.filters()
    groups = line.shape[0] if "dwconv" in line.layers[0] else line.find("g", usual=1)
    one = sum(1 for _ in range(line.shape[0] // groups) for _ in range(line.kernel() ** 2))
    return sum(one + biased for _ in range(filters))


def measure_field(line: Line) -> int:
    """Follow one unit back through all windows, position by position."""
    seen = {0}
    for layer in reversed(range(len(line.layers))):
        step = line.find("s", layer, usual=2 if "pool" in line.layers[layer] else 1)
        seen = {unit * step + tap for unit in seen for tap in range(line.kernel(layer))}
    return max(seen) - min(seen) + 1


def spread(line: Line) -> int:
    """Count the outputs of a transposed convolution, then crop."""
    step = line.find("s", usual=1)
    reached = {i * step + tap for i in range(line.shape[1]) for tap in range(line.kernel())}
    return len(range(max(reached) + 1)) - 2 * line.find("p")


def add_rows(line: Line) -> int:
    """Return the least padding that makes room for every stride-th position."""
    size, kernel, step = line.shape[1], line.kernel(), line.find("s")
    outputs = len(range(0, size, step))
    return next(p for p in range(99) if (size + p - kernel) // step + 1 >= outputs)


def derive_whole(line: Line) -> int:
    """Count a convolution, a pool and a dense layer."""
    pooled = len(line.place(len(line.place(line.shape[1])), layer=2))
    return count_conv(line) + (line.filters() * pooled**2 + 1) * line.filters(4)


def train(line: Line, batch: int) -> int:
    """Count what training keeps, in bytes."""
    inputs, outputs = line.shape[0], line.filters()
    return 4 * (3 * (inputs + 1) * outputs + 2 * batch * outputs + batch * inputs)


def derive(exercise: Exercise) -> int:
    """Return the answer of an exercise about drawn layers."""
    kind, batch, line = exercise.kind, exercise.batch, Line(exercise.network)
    first, *sizes = line.shape
    if kind.endswith("_size"):
        if kind == "transposed_size":
            return spread(line)
        same = "same" in exercise.network
        return len(range(0, sizes[0], line.find("s")) if same else line.place(sizes[0]))
    if kind in ("conv_macs", "activations"):
        values = batch * line.filters() * len(line.place(sizes[0])) ** 2
        return values * (line.kernel() ** 2 * first if kind == "conv_macs" else 1)
    special: dict[str, Callable[[], int]] = {
        "channels": line.filters,
        "field": lambda: measure_field(line),
        "same_padding": lambda: add_rows(line),
        "padding": lambda: line.find("p"),
        "norm_params": lambda: 2 * first,
        "dense_params": lambda: first * line.filters() + line.filters(),
        "dense_macs": lambda: batch * first * line.filters(),
        "training_bytes": lambda: train(line, batch),
        "flat_params": lambda: (first * len(line.place(sizes[0])) ** 2 + 1) * line.filters(2),
        "total_params": lambda: derive_whole(line),
    }
    return special[kind]() if kind in special else count_conv(line)


def find_layer(exercise: Exercise) -> str:
    """Return the layer that a question about a published network names."""
    pattern = r"of (\w+) see" if exercise.kind == "classic_field" else r"\b((?:conv|fc)\d\w*)\b"
    match = re.search(pattern, exercise.question)
    assert match is not None
    return match[1]


def check_convention(exercise: Exercise) -> None:
    """Check that the right words, and only they, make the printed number."""
    params, biases, macs = COUNTS[exercise.network]
    values = (params, params - biases, 4 * params, macs, 2 * macs)
    counted = dict(zip((one.en for one in CONVENTIONS.values()), values, strict=True))
    match = re.search(r"gives ([\d.]+)([KMG])", exercise.question)
    assert match is not None
    scale = {"K": 3, "M": 6, "G": 9}[match[2]]
    fitting = [
        choice.text
        for choice in exercise.choices
        if f"{counted[choice.text] / 10**scale:.2f}" == match[1]
    ]
    assert fitting == [exercise.right.text]


def check_right(exercise: Exercise) -> None:
    """Compare the right answer with one that does not come from the calculator."""
    kind, network = exercise.kind, exercise.network
    if kind == "convention":
        check_convention(exercise)
    elif kind == "most_params":
        assert exercise.right.text == "fc1"
    elif kind == "most_macs":
        assert exercise.right.text == "conv2"
    elif kind == "group_saving":
        assert exercise.right.value == SAVINGS[find_layer(exercise)]
    elif kind == "classic_field":
        assert exercise.right.value == FIELDS[network][find_layer(exercise)]
    elif kind.startswith("classic_"):
        assert exercise.right.value == PARAMS[network][find_layer(exercise)]
    else:
        assert exercise.right.value == derive(exercise), exercise


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 999_999_999), st.sampled_from(sorted(LEVELS)))
def test_right_answers_are_right(seed: int, level: int) -> None:
    """Every right answer equals one that is derived without the calculator."""
    for exercise in make_quiz(seed, level=level, count=14).exercises:
        check_right(exercise)


def test_oracle_finds_a_wrong_answer() -> None:
    """The derivations above are no rubber stamp."""
    assert derive_line("conv_size", "3x227x227 | conv 96@11x11 s4 p0") == 55
    assert derive_line("ceil_size", "3x54x54 | maxpool 3x3 s2 p0 ceil") == 27
    assert derive_line("transposed_size", "3x4x4 | tconv 8@4x4 s2 p1") == 8
    assert derive_line("conv_params", "3x9x9 | conv 96@11x11 s4 p0") == 34_944
    assert derive_line("field", "1x9x9 | conv 8@3x3 s1 | maxpool 2x2 s2 | conv 8@3x3 s1") == 8


def derive_line(kind: str, line: str) -> int:
    """Return the answer to a question about a line."""
    return derive(Exercise(kind, "", (), 0, (), line, 1))
