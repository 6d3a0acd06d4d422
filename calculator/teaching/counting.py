"""Which counting convention makes a number that is seen elsewhere."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

from calculator.arithmetic.units import divide_rounded
from calculator.errors import CalculatorError
from calculator.layers.dense import Dense
from calculator.layers.pointwise import Activation
from calculator.summary import Report, Row

NUMBER = re.compile(
    r"(\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.(\d{1,9}))?\s*([KMGBT]?)", re.IGNORECASE
)
POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "B": 3, "T": 4}
NEAREST = 3  # conventions that are named where none fits


@dataclass(frozen=True)
class Convention:
    """One way of counting a network.

    Args:
        words: what is counted.
        value: the exact count.
    """

    words: str
    value: int


@dataclass(frozen=True)
class Match:
    """A convention and the number it makes.

    Args:
        convention: what is counted.
        base: 1000 or 1024, of the unit.
        shown: the count in the unit and with the decimals that were asked about.
        fits: whether that is the number; otherwise it is among the nearest.
    """

    convention: Convention
    base: int
    shown: str
    fits: bool

    def render(self) -> str:
        """Return one line."""
        unit = f", in powers of {self.base}" if self.base == 1024 else ""
        return f"{self.shown}: {self.convention.words} ({self.convention.value:,}{unit})"


def find_conventions(report: Report, number: str) -> tuple[Match, ...]:
    """Find what was counted to get a number.

    Args:
        report: of the network that the number is said to be about.
        number: such as ``138.4M``, ``30.97G``, ``131.95M``, ``61,706``; M is a million or
            2^20, and the decimals say how exactly it must fit.

    Returns:
        All that fit, the simplest first; where none does, the three nearest.

    Raises:
        CalculatorError: the text is no such number.
    """
    match = NUMBER.fullmatch(number.strip())
    if match is None:
        message = f"{number!r:.40} is no number; ask about one such as 138.4M, 30.97G or 61,706"
        raise CalculatorError(message)
    decimals, power = match[2] or "", POWERS[match[3].upper()]
    wanted = f"{int(match[1].replace(',', '')):,}" + (f".{decimals}" if decimals else "")
    found = [
        Match(convention, base, shown, fits=shown == wanted)
        for base in ((1000, 1024) if power else (1000,))
        for convention in list_conventions(report)
        for shown in [divide_rounded(convention.value, base**power, digits=len(decimals))]
    ]
    fitting = tuple(one for one in found if one.fits)
    return fitting or tuple(sorted(found, key=lambda one: measure_gap(one.shown, wanted))[:NEAREST])


def measure_gap(shown: str, wanted: str) -> int:
    """Return how far two numbers of equally many decimals are apart, in the last decimal."""
    return abs(int(re.sub("[.,]", "", shown)) - int(re.sub("[.,]", "", wanted)))


def list_conventions(report: Report) -> Iterator[Convention]:
    """Yield the ways of counting, the simplest first, each value once."""
    seen: set[int] = set()
    for convention in (*list_parameter_counts(report), *list_operation_counts(report)):
        if convention.value and convention.value not in seen:
            seen.add(convention.value)
            yield convention


def list_parameter_counts(report: Report) -> Iterator[Convention]:
    """Yield counts and bytes of parameters, and values of activations."""
    biases = sum(count_biases(row) for row in report.rows)
    dense = sum(row.params for row in report.rows if isinstance(row.node.layer, Dense))
    yield Convention("parameters", report.params)
    yield Convention("parameters and buffers", report.params + report.buffers)
    yield Convention("parameters without biases", report.params - biases)
    yield Convention("parameters without dense layers", report.params - dense)
    yield Convention("parameters of dense layers", dense)
    yield Convention("bytes of parameters, 4 each", 4 * report.params)
    yield Convention("bytes of parameters, 2 each", 2 * report.params)
    yield Convention("activations", report.activations)
    yield Convention("bytes of activations, 4 each", 4 * report.activations)
    yield Convention("bytes of forward memory", report.forward.result)
    yield Convention("bytes of training memory", report.training.result)


def list_operation_counts(report: Report) -> Iterator[Convention]:
    """Yield multiply-adds once and twice, with and without what others count as well."""
    dense = sum(row.macs for row in report.rows if isinstance(row.node.layer, Dense))
    extras = {
        "biases": report.connections - report.macs,
        "activation functions": sum(count_functions(row) for row in report.rows),
        "pooling": sum(count_pooling(row) for row in report.rows),
    }
    scopes = {"": report.macs, " without dense layers": report.macs - dense}
    for (scope, macs), factor in product(scopes.items(), (1, 2)):
        name = "multiply-adds" if factor == 1 else "operations (2 per multiply-add)"
        for chosen in list_subsets(tuple(extras)):
            added = sum(extras[extra] for extra in chosen)
            words = f"{name}{scope}" + "".join(f" and {extra}" for extra in chosen)
            yield Convention(words, factor * macs + added)
            if factor == 2 and "biases" in chosen:
                yield Convention(f"{words}, biases twice", factor * macs + added + extras["biases"])


def list_subsets(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return all selections, the shortest first."""
    masks = product((False, True), repeat=len(names))
    chosen = (tuple(n for n, keep in zip(names, mask, strict=True) if keep) for mask in masks)
    return sorted(chosen, key=len)


def count_biases(row: Row) -> int:
    """Return the bias parameters of a layer."""
    return row.derived.shape[0] if getattr(row.node.layer, "bias", False) else 0


def count_functions(row: Row) -> int:
    """Return one operation per value of an activation function."""
    return row.activations.result if isinstance(row.node.layer, Activation) else 0


def count_pooling(row: Row) -> int:
    """Return one operation per value in a pooling window."""
    if not row.node.layer.kind.endswith("pool"):
        return 0
    if row.derived.window is None:  # the windows are the whole input, or divide it
        return row.activations.result // prod(row.derived.shape) * prod(row.inputs[0])
    return row.activations.result * prod(row.derived.window.kernel)


def render_matches(matches: tuple[Match, ...], number: str) -> str:
    """Return one line per convention."""
    lines = [one.render() for one in matches]
    if not any(one.fits for one in matches):
        lines.insert(0, f"no convention makes {number}; the nearest:")
    return "\n".join(lines)
