"""Which settings lead from one size to another.

Two forms of a question:

- ``227 -> 55, k=11``: all strides, paddings and dilations of one window; ``s``, ``p`` and
  ``d`` can be given as well;
- ``3x227x227 | conv 96@11x11 s4 | pool 3x3 s2 | conv 256@5x5 p=? -> 27x27``: a network in
  which question marks stand for numbers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from calculator.arithmetic import formulas
from calculator.arithmetic.expressions import Derivation
from calculator.errors import CalculatorError
from calculator.layers.shapes import Shape, render_shape
from calculator.reading.sources import parse, parse_shape
from calculator.summary import summarize

MOST_WINDOWS = 50_000  # pairs of padding and dilation that are tried
MOST_SOLUTIONS = 5_000
MOST_TRIALS = {1: 128, 2: 24, 3: 8}  # largest number tried for each of so many question marks
WINDOW = re.compile(r"\s*(\d{1,9})\s*->\s*(\d{1,9})\s*,(.*)", re.DOTALL)
SETTING = re.compile(r"\s*([kspd])\s*=\s*(\d{1,9})\s*")
RULES = "dilated kernel within the input, padding at most half of it, stride within the input"


@dataclass(frozen=True)
class Solution:
    """Numbers that lead to the wanted size.

    Args:
        settings: name and value of each.
        shown: how the size comes out, or the line that has it.
        dropped: positions that floor dropped; 0 where the windows fill the input.
    """

    settings: tuple[tuple[str, int], ...]
    shown: str
    dropped: int = 0

    def render(self) -> str:
        """Return ``s=4 p=0 d=1: ...``."""
        names = " ".join(f"{name}={value}" for name, value in self.settings)
        return f"{names}: {self.shown}"


@dataclass(frozen=True)
class Answer:
    """All solutions of a question.

    Args:
        question: as it was asked.
        solutions: the simplest first.
        reason: why there is none; empty where there is one.
    """

    question: str
    solutions: tuple[Solution, ...]
    reason: str = ""


def solve(question: str) -> Answer:
    """Find the settings that lead to a size.

    Args:
        question: one of the two forms above.

    Returns:
        All solutions of a window within these bounds: the dilated kernel is no larger than
        the input, the padding no more than half the dilated kernel, the stride no larger
        than the input. All solutions of a network with numbers up to 128, or up to 24 or 8
        where there are two or three question marks.

    Raises:
        CalculatorError: the question has none of the two forms, or too many settings would
            have to be tried.
    """
    match = WINDOW.fullmatch(question)
    if match is not None:
        return solve_window(
            question, int(match[1]), target=int(match[2]), given=read_settings(match[3])
        )
    if "?" in question and "->" in question:
        line, _, target = question.rpartition("->")
        return solve_network(question, line.strip(), target=parse_shape(target.strip()))
    message = (
        f"{question!r:.80} is no question; ask '227 -> 55, k=11' or "
        "'3x27x27 | conv 256@5x5 p=? -> 27x27'"
    )
    raise CalculatorError(message)


def read_settings(text: str) -> dict[str, int]:
    """Read ``k=11, s=4``.

    Raises:
        CalculatorError: a part is no such setting, is given twice, or the kernel is missing.
    """
    settings: dict[str, int] = {}
    for part in text.split(","):
        match = SETTING.fullmatch(part)
        if match is None or match[1] in settings or (match[2] == "0" and match[1] != "p"):
            message = f"{part.strip()!r:.40} must be k=, s=, p= or d= with a number, each once"
            raise CalculatorError(message)
        settings[match[1]] = int(match[2])
    if "k" not in settings:
        message = "the kernel is missing; ask for example '227 -> 55, k=11'"
        raise CalculatorError(message)
    return settings


def list_windows(size: int, given: dict[str, int]) -> Iterator[tuple[int, int, int]]:
    """Yield dilation, padding, and the positions of the window's start, the simplest first."""
    kernel, tried = given["k"], 0
    most = (size - 1) // (kernel - 1) if kernel > 1 else 1
    for dilation in [given["d"]] if "d" in given else range(1, most + 1):
        reach = dilation * (kernel - 1) + 1
        for padding in [given["p"]] if "p" in given else range(reach // 2 + 1):
            tried += 1
            if tried > MOST_WINDOWS:
                message = f"more than {MOST_WINDOWS} windows to try; give s, p or d"
                raise CalculatorError(message)
            if size + 2 * padding >= reach:
                yield dilation, padding, size + 2 * padding - reach


def list_strides(room: int, target: int, *, size: int) -> range:
    """Return every stride that makes ``target`` windows: ``floor(room/s) + 1``."""
    if target == 1:
        return range(room + 1, max(size, room + 1) + 1)
    return range(room // target + 1, room // (target - 1) + 1)


def solve_window(question: str, size: int, *, target: int, given: dict[str, int]) -> Answer:
    """Find strides, paddings and dilations of one window."""
    if size < 1 or target < 1:
        message = f"{question!r:.80}: sizes start at 1"
        raise CalculatorError(message)
    solutions: list[Solution] = []
    nearest: set[int] = set()
    for dilation, padding, room in list_windows(size, given):
        strides = list_strides(room, target, size=size)
        if "s" in given:
            strides = range(given["s"], given["s"] + (given["s"] in strides))
            nearest.add(room // given["s"] + 1)
        else:
            # the two outputs on either side of the target that some stride makes
            stride = max(1, room // max(1, target - 1))
            nearest |= {room // stride + 1, room // (stride + 1) + 1}
        if len(solutions) + len(strides) > MOST_SOLUTIONS:
            message = f"more than {MOST_SOLUTIONS} solutions to list; give s, p or d"
            raise CalculatorError(message)
        for stride in strides:
            values = {"p": padding, "d": dilation, "k": given["k"], "s": stride}
            solutions.append(to_solution(formulas.window_size("H").derive(H=size, **values)))
    solutions.sort(key=lambda one: one.dropped)  # stable: then by dilation, padding, stride
    reason = "" if solutions else explain_absence(target, nearest)
    return Answer(question, tuple(solutions), reason)


def to_solution(derivation: Derivation) -> Solution:
    """Return a size's derivation as a solution."""
    values = dict(derivation.values)
    rounding = derivation.list_rounding()
    dropped = rounding[0][1] if rounding else 0
    note = f" (floor drops {dropped}/{values['s']})" if dropped else ""
    settings = tuple((name, values[name]) for name in ("s", "p", "d"))
    *_, substituted, result = derivation.render().split(" = ")
    return Solution(settings, f"{substituted} = {result}{note}", dropped)


def explain_absence(target: int, outputs: set[int]) -> str:
    """Say why no window makes the wanted output."""
    below = max((n for n in outputs if n < target), default=None)
    above = min((n for n in outputs if n > target), default=None)
    sides = [str(n) for n in (below, above) if n is not None]
    if not sides:
        return f"no output at all: the kernel does not fit ({RULES})"
    if above is None:
        return f"no output of {target}: {below} is the largest ({RULES})"
    return f"no output of {target}: the nearest are {' and '.join(sides)} ({RULES})"


def solve_network(question: str, line: str, *, target: Shape) -> Answer:
    """Find the numbers that question marks stand for."""
    marks = line.count("?")
    if marks not in MOST_TRIALS:
        message = f"{marks} question marks are too many; ask for one to three numbers at once"
        raise CalculatorError(message)
    solutions: list[Solution] = []
    others: dict[str, str] = {}
    failure: CalculatorError | None = None
    for numbers in product(range(MOST_TRIALS[marks] + 1), repeat=marks):
        text = fill_marks(line, numbers)
        try:
            output = summarize(parse(text)).rows[-1].derived.shape
        except CalculatorError as error:
            failure = failure or error
            continue
        if target in (output, output[1:]):
            names = name_marks(line)
            solutions.append(Solution(tuple(zip(names, numbers, strict=True)), text))
        others.setdefault(render_shape(output), " ".join(map(str, numbers)))
    if not others and failure is not None:
        raise failure
    shown = ", ".join(f"{numbers} gives {output}" for output, numbers in list(others.items())[:6])
    wanted = render_shape(target)
    reason = "" if solutions else f"no number up to {MOST_TRIALS[marks]} makes {wanted}: {shown}"
    return Answer(question, tuple(solutions), reason)


def fill_marks(line: str, numbers: tuple[int, ...]) -> str:
    """Put numbers in the place of question marks."""
    rest = iter(numbers)
    return re.sub(r"\?", lambda _: str(next(rest)), line)


def name_marks(line: str) -> list[str]:
    """Return what each question mark stands behind: ``p`` for ``p=?``."""
    names = [match[1] or "?" for match in re.finditer(r"([a-z]*)=?\?", line)]
    return [name if names.count(name) == 1 else f"{name}{i}" for i, name in enumerate(names, 1)]


def render_answer(answer: Answer) -> str:
    """Return solutions as lines, or why there is none."""
    if not answer.solutions:
        return answer.reason
    return "\n".join(solution.render() for solution in answer.solutions)
